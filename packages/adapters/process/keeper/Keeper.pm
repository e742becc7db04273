# The keeper of one job: claims it, starts the script, keeps its output, enforces its limits, and writes how it ended.
#
# A small process for each job, forked by `launcher.pl`. At level `namespace` it is process 1 of a namespace, so the kernel finds
# its descendants; at level `basic` it finds them by their parents in /proc.
#
# The directory is the only interface: `spec` comes in; `claim`, `stdout`, `stderr` and at last `exit` go out; a file `cancel`
# asks for the end. The host only reads files, so it may die and come back. If the keeper dies there is no `exit`: the job is lost.
package Keeper;
use strict;
use warnings;
use Errno qw(EEXIST EINTR);
use Fcntl qw(LOCK_EX LOCK_NB);
use POSIX qw(WNOHANG);
use Kernel qw(
    drop_capabilities limit_resource mount now pidfd prctl reaped_usage
    MS_BIND MS_NODEV MS_NOEXEC MS_NOSUID MS_PRIVATE MS_RDONLY MS_REC
    PR_CHILD_SUBREAPER PR_NO_NEW_PRIVS PR_SET_PDEATHSIG
);

use constant {
    TICK_SECONDS       => 0.1,     # how often `cancel` and the limits are looked at
    FIRST_LOOK_SECONDS => 0.02,
    BASIC_TICKS        => 5,       # without a namespace a look reads all of /proc: only every fifth tick
    KEEPER_NICENESS    => 15,      # while it copies output
    SCRIPT_NICENESS    => 19,      # scripts that want every core must not keep the host from answering
    SESSION_NICENESS   => 10,      # of both together, where the kernel shares the cores among sessions first
    FREEZE_SECONDS     => 2,       # longest search for processes that fork while they are killed
    SPARE_TASKS        => 512,     # how much the host's user may grow before the job can start no process
    SWEEP_SECONDS      => 5,       # longest wait for killed processes to be gone
    DRAIN_SECONDS      => 1,       # longest wait for the end of output after that
    READ_BYTES         => 65_536,
    RECORD_BYTES       => 1_024,   # room for `exit`
    USER_HZ            => 100,     # unit of times in /proc/<pid>/stat
};

my %spec;
my %job = (
    end  => undef,     # why the job ends, once that is decided; the first reason wins
    peak => 0,         # largest sampled memory of the tree, KiB
    map { ($_ => { written => 0, kept => 0 }) } qw(stdout stderr),
);
my ($is_init, $is_prepared, $uid, $uid_lock);
my ($boot_id) = slurp('/proc/sys/kernel/random/boot_id') =~ /(\S+)/;

# ---- the life of the job -------------------------------------------------------------------------------------------------

# Does beforehand what is the same for every job, in an empty directory that may become the one of a job by a rename. Names for a
# claim, a spec and a script are made too: a new file costs a file system more than all that is done with it later.
sub prepare {
    my ($directory) = @_;
    enter($directory);
    $0 = 'keeper without a job';
    make_files();
    write_file($_, '') for 'spec', 'tmp/work/script';
    symlink identity(), 'keeper' or die "keeper: keeper: $!\n";
    $is_prepared = 1;
}

# Returns when the job has ended, or another keeper has it.
sub keep {
    my ($directory, $level) = @_;
    enter($directory);
    $0 = "keeper of $directory";
    $is_init = $level eq 'namespace';
    claim() or return;
    my $script = read_spec();
    prctl(PR_CHILD_SUBREAPER, 1) unless $is_init;    # orphans below us become our children: none escapes, all are accounted
    ($uid, $uid_lock) = lock_uid($spec{firstUid}, $spec{uids}) if $spec{uids};
    make_files() unless $is_prepared;
    put_script($script);
    return finish(stopped(0)) if -e 'cancel';
    if ($is_init) {
        my $failure = private_file_system();
        return finish({ end => 'failed', detail => $failure }) if defined $failure;
    }
    run_script();
}

sub enter {
    my ($directory) = @_;
    chdir $directory or die "keeper: cannot enter the job directory: $!\n";
}

sub run_script {
    my $started = now();
    my $main    = start_script();
    setpriority 0, 0, KEEPER_NICENESS;
    my $status  = watch($main, $started);
    my $wall    = now() - $started;
    sweep();
    drain();
    finish({ %{ $job{end} // how_it_ended($status) }, usage($wall) });
}

# Until the script's own process has ended; returns its wait status.
sub watch {
    my ($main, $started) = @_;
    my $due = $started + $spec{timeoutMillis} / 1000;
    my ($next_look, $kill_at, $looks) = ($started + FIRST_LOOK_SECONDS, undef, 0);
    my $is_lowered = 0;
    while (1) {
        my $wake = min($next_look, $job{end} ? () : $due, $kill_at // ());
        my $now  = now();
        pump($wake > $now ? $wake - $now : 0);
        my $status = reap($main);
        if (defined $status) {
            delete $job{process};
            return $status;
        }
        $now = now();
        if (!$job{end} && $now >= $due) {
            ask_to_end({ end => 'timeout' });
            $kill_at = $now + $spec{graceMillis} / 1000;
        }
        if ($kill_at && $now >= $kill_at) {
            $job{end} = stopped(1) if $job{end}{end} eq 'stopped';
            $kill_at = undef;
            kill_all();
        }
        next if $now < $next_look;

        $next_look = $now + TICK_SECONDS;
        $is_lowered ||= lower_session();
        if (!$job{end} && -e 'cancel') {
            ask_to_end(stopped(0));
            $kill_at = $now + $spec{graceMillis} / 1000;
        }
        check_limits() if $is_init || $looks++ % BASIC_TICKS == 0;
        kill_all() if $job{end} && !$kill_at;    # at every look: a fork may slip through
    }
}

# With sched_autogroup a priority counts only among the processes of one session, and each keeper has its own: without this a script
# that wants every core gets as much of them as the host. False: the kernel takes few such wishes a second, so it has to be asked again.
sub lower_session {
    open my $session, '>', '/proc/self/autogroup' or return 1;
    return syswrite($session, SESSION_NICENESS) || !$!{EAGAIN};
}

sub ask_to_end {
    my ($end) = @_;
    $job{end} = $end;
    signal_all('TERM');
}

sub end_with {
    my ($end) = @_;
    return if $job{end};
    $job{end} = $end;
    kill_all();
}

sub stopped { return { end => 'stopped', forced => $_[0] } }

sub how_it_ended {
    my ($status) = @_;
    return { end => 'exited', code => $status >> 8 } if ($status & 127) == 0;
    return { end => 'signalled', signal => $status & 127 };
}

# ---- starting --------------------------------------------------------------------------------------------------------------

# A symbolic link is created exclusively and with its content in one step. False: another keeper has the job.
sub claim {
    return 1 if $is_prepared && link 'keeper', 'claim';
    return 1 if symlink identity(), 'claim';
    return 0 if $!{EEXIST};
    die "keeper: claim: $!\n";
}

# /proc is still the host's here, so the process id is the one that the host can look up.
sub identity {
    my $pid   = readlink '/proc/self' or die "keeper: no /proc\n";
    my $start = (stat_fields($pid))[19];
    return "$pid:$start:$boot_id";
}

# `name=value` records ended by NUL, of which `argv`, `env` and `hidden` repeat; then another NUL, and the script, which is returned.
# Removed at once: it holds the secrets of the job.
sub read_spec {
    my ($records, $script) = split /\0\0/, slurp('spec'), 2;
    %spec = (argv => [], env => [], hidden => []);
    for (split /\0/, $records) {
        my ($name, $value) = split /=/, $_, 2;
        if   (ref $spec{$name}) { push @{ $spec{$name} }, $value }
        else                    { $spec{$name} = $value }
    }
    unlink 'spec';
    return $script;
}

# What the host does not need to see before: output, the job's /tmp with its working directory in it, and room for the record of the
# end, taken in advance so that a full disk cannot keep it from being written. A keeper that was killed may have made some.
sub make_files {
    for my $name (qw(stdout stderr)) { open $job{$name}{file}, '>>', $name or die "keeper: $name: $!\n" }
    write_file('exit.tmp', ' ' x RECORD_BYTES);
    for (qw(tmp tmp/work)) { mkdir $_ or $!{EEXIST} or die "keeper: $_: $!\n" }
    write_file('tmp/package.json', '{}');    # keeps Node from looking further up for one and taking its module type
}

sub put_script {
    my ($script) = @_;
    my $path = "tmp/work/$spec{file}";
    rename 'tmp/work/script', $path;         # when there is one
    write_file($path, $script);
    return unless defined $uid;
    chown $uid, $uid, 'tmp', 'tmp/work', 'tmp/package.json', $path;
    chmod 0711, '.' unless $is_init;         # without a file system of its own the job's user must pass through
}

sub write_file {
    my ($path, $text) = @_;
    open my $file, '>', $path or die "keeper: $path: $!\n";
    while (length $text) {
        my $count = syswrite $file, $text;
        die "keeper: $path: $!\n" unless defined $count;
        substr($text, 0, $count) = '';
    }
}

# The job's view of the file system: a /tmp of its own, nothing in hidden directories, and its own processes in /proc. The order
# matters: what is below /tmp, hidden directories too, is out of sight after the second line. Returns what failed.
sub private_file_system {
    my @mounts = (
        [ 'none', '/', '', MS_REC | MS_PRIVATE ],
        [ 'tmp', '/tmp', '', MS_BIND ],
        map({ [ 'hidden', $_, 'tmpfs', MS_RDONLY, 'size=4k,mode=0555' ] } @{ $spec{hidden} }),
        [ 'proc', '/proc', 'proc', MS_NOSUID | MS_NODEV | MS_NOEXEC ],
    );
    for (@mounts) {
        mount(@$_) or return "the private file system of the job could not be mounted: $!";
    }
    return;
}

# A user of its own for the job: the first of the range that no living keeper has locked, and that has no process (of a job whose
# keeper was killed). Waits for one.
sub lock_uid {
    my ($first, $count) = @_;
    until (-e 'cancel') {
        my %alive = map { ((stat "/proc/$_")[4] // '' => 1) } all_pids();
        for my $candidate (grep { !$alive{$_} } $first .. $first + $count - 1) {
            open my $lock, '>>', "../../uids/$candidate" or next;
            return ($candidate, $lock) if flock $lock, LOCK_EX | LOCK_NB;
        }
        select undef, undef, undef, TICK_SECONDS;
    }
    return;
}

sub start_script {
    for (@job{qw(stdout stderr)}) { pipe $_->{pipe}, $_->{writer} or die "keeper: pipe: $!\n" }
    my $pid = fork // die "keeper: fork: $!\n";
    if ($pid == 0) {
        become_script();
        syswrite STDERR, "cannot start: $!\n";
        exit 127;
    }
    close delete $job{$_}{writer} for qw(stdout stderr);
    $job{process} = pidfd($pid);
    return $pid;
}

# Gives up every privilege first, then takes the script's environment, so that the environment cannot reach a privilege.
sub become_script {
    setpgrp 0, 0;
    setpriority 0, 0, SCRIPT_NICENESS;
    open STDOUT, '>&', $job{stdout}{writer};
    open STDERR, '>&', $job{stderr}{writer};
    my $others = other_tasks();
    if (open my $score, '>', '/proc/self/oom_score_adj') { syswrite $score, '500' }
    chdir $spec{home} or return;
    drop_capabilities();
    if (defined $uid) {
        $( = $uid;
        $) = "$uid $uid";
        ($<, $>) = ($uid, $uid);
        return if $< != $uid || $> != $uid || $) ne "$uid $uid";
    }
    prctl(PR_NO_NEW_PRIVS,  1) == 0 or return;
    prctl(PR_SET_PDEATHSIG, 9);
    limit_script($others) or return;
    %ENV = map { split /=/, $_, 2 } @{ $spec{env} };
    my @argv = @{ $spec{argv} };
    no warnings 'exec';    # the caller says it
    exec { $argv[0] } @argv;
}

sub limit_script {
    my ($others) = @_;
    my $cpu_seconds = int(($spec{cpuMillis} + 999) / 1000);
    my $processes   = $spec{processes} + $others;
    return limit_resource('core', 0, 0)
        && limit_resource('cpu',    $cpu_seconds,         $cpu_seconds + 1)
        && limit_resource('data',   $spec{dataBytes},     $spec{dataBytes})
        && limit_resource('fsize',  $spec{fileSizeBytes}, $spec{fileSizeBytes})
        && limit_resource('nofile', $spec{openFiles},     $spec{openFiles})
        && limit_resource('nproc',  $processes,           $processes);
}

# The kernel counts processes and threads by user: room for those of the user that are not the job's.
sub other_tasks {
    return 0 if $spec{processesOf} eq 'job';
    return 1 if $spec{processesOf} ne 'host';
    my $tasks = 0;
    for my $pid (all_pids()) {
        my (undef, undef, undef, $links, $owner) = stat "/proc/$pid/task";    # one link for each thread, and two
        $tasks += $links - 2 if defined $owner && $owner == $>;
    }
    return $tasks + SPARE_TASKS;
}

# ---- output ----------------------------------------------------------------------------------------------------------------

# Waits up to `$seconds` for output, or for the script's process to end, and stores the output. Beyond the cap it is read and
# counted only, so the script never blocks.
sub pump {
    my ($seconds) = @_;
    my $wanted = '';
    my @open = grep { $_->{pipe} } @job{qw(stdout stderr)};
    vec($wanted, fileno $_, 1) = 1 for map({ $_->{pipe} } @open), $job{process} // ();
    return if select(my $ready = $wanted, undef, undef, $seconds) <= 0;
    for my $stream (@open) {
        next unless vec $ready, fileno $stream->{pipe}, 1;
        my $count = sysread $stream->{pipe}, my $bytes, READ_BYTES;
        next unless defined $count;
        if   ($count == 0) { close delete $stream->{pipe} }
        else               { store($stream, $bytes) }
    }
}

sub store {
    my ($stream, $bytes) = @_;
    $stream->{written} += length $bytes;
    $bytes = substr $bytes, 0, $spec{outputBytes} - $stream->{kept};
    while (length $bytes && !$stream->{broken}) {
        my $count = syswrite $stream->{file}, $bytes;
        if (defined $count) {
            $stream->{kept} += $count;
            substr($bytes, 0, $count) = '';
        }
        elsif (!$!{EINTR}) {
            $stream->{broken} = 1;    # no space, most likely: ends the job, and what follows is dropped
            end_with({ end => 'limit', limit => 'storage' });
        }
    }
}

sub drain {
    my $until = now() + DRAIN_SECONDS;
    pump(TICK_SECONDS) while ($job{stdout}{pipe} || $job{stderr}{pipe}) && now() < $until;
}

# ---- processes -------------------------------------------------------------------------------------------------------------

# Collects ended children, also adopted ones; returns the wait status of `$main` if it is among them.
sub reap {
    my ($main) = @_;
    my $status;
    while ((my $pid = waitpid -1, WNOHANG) > 0) { $status = $? if $pid == $main }
    return $status;
}

# All living processes of the job but the keeper.
sub members {
    my @all = grep { $_ != $$ } all_pids();
    return @all if $is_init;
    my %children;
    for my $pid (@all) {
        my @stat = stat_fields($pid) or next;
        push @{ $children{ $stat[1] } }, $pid;
    }
    my @found = @{ $children{$$} // [] };
    for (my $at = 0; $at < @found; $at++) { push @found, @{ $children{ $found[$at] } // [] } }
    return @found;
}

sub all_pids {
    opendir my $proc, '/proc' or return;
    return grep {/^\d+$/} readdir $proc;
}

# In a namespace process 1 signals everything but itself, atomically.
sub signal_all {
    my ($name) = @_;
    kill $name, $is_init ? -1 : members();
}

# Without a namespace processes are stopped until none is new, then killed: else some would fork while others are being found.
sub kill_all {
    return signal_all('KILL') if $is_init;
    my $until = now() + FREEZE_SECONDS;
    my %stopped;
    while (my @new = grep { !$stopped{$_} } members()) {
        kill 'STOP', @new;
        @stopped{@new} = (1) x @new;
        last if now() > $until;
    }
    kill 'KILL', keys %stopped;
}

sub sweep {
    my $until = now() + SWEEP_SECONDS;
    while (now() < $until) {
        kill_all();
        reap(0);
        return if waitpid(-1, WNOHANG) == -1;    # no children left, and every process of the job is or becomes our child
        pump(0.005);
    }
}

# ---- limits and usage ------------------------------------------------------------------------------------------------------

sub check_limits {
    my ($memory, $tasks, $cpu) = (0, 0, reaped_usage()->{cpu});
    my @pids = members();
    for my $pid (@pids) {
        my @stat   = stat_fields($pid) or next;
        my $status = slurp("/proc/$pid/status");
        $cpu    += ($stat[11] + $stat[12] + $stat[13] + $stat[14]) / USER_HZ;    # own and of the children it has reaped
        $tasks  += $stat[17];
        $memory += $status =~ /^RssAnon:\s+(\d+)/m ? $1 : 0;
    }
    # Forked processes share pages that count in each of them: look closer before judging.
    $memory = proportional_memory(@pids) // $memory if $memory * 1024 > $spec{memoryBytes};
    $job{peak} = $memory if $memory > $job{peak};
    my $exceeded =
          $memory * 1024 > $spec{memoryBytes} ? 'memory'
        : $cpu * 1000 > $spec{cpuMillis}      ? 'cpu'
        : $tasks > $spec{processes}           ? 'processes'
        :                                       return;
    end_with({ end => 'limit', limit => $exceeded });
}

sub proportional_memory {
    my $sum;
    for (@_) { $sum += $1 if slurp("/proc/$_/smaps_rollup") =~ /^Pss_Anon:\s+(\d+)/m }
    return $sum;
}

sub usage {
    my ($wall) = @_;
    my $reaped = reaped_usage();
    return (
        wallMicros => int($wall * 1e6),
        cpuTicks   => int($reaped->{cpu} * USER_HZ + 0.5),
        tickHertz  => USER_HZ,
        # The largest process is exact, the sum over the tree is a sample: the truth is at least the larger of the two.
        peakKb => $reaped->{largest} > $job{peak} ? $reaped->{largest} : $job{peak},
    );
}

# ---- the end ---------------------------------------------------------------------------------------------------------------

# Over the blanks of `exit.tmp`, so that this needs no new block on a full disk.
sub finish {
    my ($record) = @_;
    $record->{"${_}Written"} = $job{$_}{written} for qw(stdout stderr);
    $record->{"${_}Kept"}    = $job{$_}{kept}    for qw(stdout stderr);
    my @pairs = map { my $value = $record->{$_}; $value =~ /^\d+$/ ? qq("$_":$value) : qq("$_":"$value") } sort keys %$record;
    open my $file, '+<', 'exit.tmp' or die "keeper: exit.tmp: $!\n";
    syswrite $file, '{' . join(',', @pairs) . '}' or die "keeper: exit.tmp: $!\n";
    close $file;
    rename 'exit.tmp', 'exit' or die "keeper: exit: $!\n";
}

# ---- helpers ---------------------------------------------------------------------------------------------------------------

sub slurp {
    my ($path) = @_;
    open my $file, '<', $path or return '';
    my $text = '';
    while (sysread $file, $text, READ_BYTES, length $text) { }
    return $text;
}

# /proc/<pid>/stat from the third field (state) on; empty when the process is gone.
sub stat_fields {
    my ($pid) = @_;
    return slurp("/proc/$pid/stat") =~ /\) (.*)/s ? split / /, $1 : ();
}

sub min {
    my $least = shift;
    for (@_) { $least = $_ if $_ < $least }
    return $least;
}

1;
