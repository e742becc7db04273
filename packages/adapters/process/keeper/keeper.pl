#!/usr/bin/perl
# The keeper of one job: claims it, starts the script, keeps its output, enforces its limits, and writes how it ended.
#
#   keeper.pl <job directory>                                 level `basic`: finds descendants by their parents in /proc
#   unshare --pid --fork … keeper.pl <job directory>          level `namespace`: is process 1, so the kernel finds them
#
# The directory is the only interface: `spec` comes in; `claim`, `stdout`, `stderr` and at last `exit` go out; a file `cancel`
# asks for the end. The host only reads files, so it may die and come back. If the keeper dies there is no `exit`: the job is lost.
#
# Needs perl-base, mount and prlimit (util-linux). No modules: POSIX, Fcntl and Time::HiRes cost 3 to 10 ms per job, which is why
# a few kernel constants stand here by number.
use strict;
use warnings;

use constant {
    TICK_SECONDS       => 0.1,     # how often `cancel` and the limits are looked at
    FIRST_LOOK_SECONDS => 0.02,
    BASIC_TICKS        => 5,       # without a namespace a look reads all of /proc: only every fifth tick
    FREEZE_SECONDS     => 2,       # longest search for processes that fork while they are killed
    SPARE_TASKS        => 512,     # how much the host's user may grow before the job can start no process
    SWEEP_SECONDS      => 5,       # longest wait for killed processes to be gone
    DRAIN_SECONDS      => 1,       # longest wait for the end of output after that
    READ_BYTES         => 65_536,
    WNOHANG            => 1,
    EINTR              => 4,
    EEXIST             => 17,
    LOCK_EX_NB         => 6,
    CLOCK_MONOTONIC    => 1,
    RUSAGE_CHILDREN    => -1,
    PR_SET_PDEATHSIG   => 1,
    PR_CAPBSET_DROP    => 24,
    PR_CHILD_SUBREAPER => 36,
    PR_NO_NEW_PRIVS    => 38,
    LAST_CAPABILITY    => 63,
    USER_HZ            => 100,     # unit of times in /proc/<pid>/stat; 100 on every architecture below
};

# No program does these for a running process. Names of architectures are those of Node.
my $GENERIC = { prctl => 167, getrusage => 165, clock_gettime => 113, pidfd_open => 434 };
my %SYSCALLS = (
    x64     => { prctl => 157, getrusage => 98, clock_gettime => 228, pidfd_open => 434 },
    arm64   => $GENERIC,
    riscv64 => $GENERIC,
);

chdir($ARGV[0] // '') or die "keeper: cannot enter the job directory: $!\n";
umask 077;
claim() or exit 0;
my %spec = read_spec();
my $syscalls = $SYSCALLS{ $spec{arch} } or die "keeper: unknown architecture $spec{arch}\n";
my $is_init = $$ == 1;

my %job = (
    end  => undef,     # why the job ends, once that is decided; the first reason wins
    peak => 0,         # largest sampled memory of the tree, KiB
    map { ($_ => { written => 0, kept => 0 }) } qw(stdout stderr),
);
my ($uid, $uid_lock);
keep();
exit 0;

# ---- the life of the job -------------------------------------------------------------------------------------------------

sub keep {
    prctl(PR_CHILD_SUBREAPER, 1) unless $is_init;    # orphans below us become our children: none escapes, all are accounted
    ($uid, $uid_lock) = lock_uid($spec{firstUid}, $spec{uids}) if $spec{uids};
    return finish(stopped(0)) if -e 'cancel';
    if (-e 'mounts' && system('mount', '--all', '--fstab', 'mounts') != 0) {
        return finish({ end => 'failed', detail => 'the private file system of the job could not be mounted' });
    }
    my $started = now();
    my $main    = start_script();
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
        end_with({ end => 'timeout' }) if !$job{end} && $now >= $due;
        if ($kill_at && $now >= $kill_at) {
            $job{end} = stopped(1);
            $kill_at = undef;
            kill_all();
        }
        next if $now < $next_look;

        $next_look = $now + TICK_SECONDS;
        if (!$job{end} && -e 'cancel') {
            $job{end} = stopped(0);
            $kill_at = $now + $spec{graceMillis} / 1000;
            signal_all('TERM');
        }
        check_limits() if $is_init || $looks++ % BASIC_TICKS == 0;
        kill_all() if $job{end} && !$kill_at;    # at every look: a fork may slip through
    }
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
# /proc is still the host's here, so the process id is the one that the host can look up.
sub claim {
    my $pid   = readlink '/proc/self' or die "keeper: no /proc\n";
    my $start = (stat_fields($pid))[19];
    my ($boot) = slurp('/proc/sys/kernel/random/boot_id') =~ /(\S+)/;
    return 1 if symlink "$pid:$start:$boot", 'claim';
    return 0 if $! == EEXIST;
    die "keeper: claim: $!\n";
}

# `name=value` records ended by NUL; `argv` and `env` repeat. Removed at once: it holds the secrets of the job.
sub read_spec {
    my %read = (argv => [], env => []);
    for (split /\0/, slurp('spec')) {
        my ($name, $value) = split /=/, $_, 2;
        if   (ref $read{$name}) { push @{ $read{$name} }, $value }
        else                    { $read{$name} = $value }
    }
    unlink 'spec';
    return %read;
}

# A user of its own for the job: the first of the range that no living keeper has locked, and that has no process (of a job whose
# keeper was killed). Waits for one.
sub lock_uid {
    my ($first, $count) = @_;
    until (-e 'cancel') {
        my %alive = map { ((stat "/proc/$_")[4] // '' => 1) } all_pids();
        for my $candidate (grep { !$alive{$_} } $first .. $first + $count - 1) {
            open my $lock, '>>', "../../uids/$candidate" or next;
            return ($candidate, $lock) if flock $lock, LOCK_EX_NB;
        }
        select undef, undef, undef, TICK_SECONDS;
    }
    return;
}

sub start_script {
    chown $uid, $uid, 'tmp', 'tmp/package.json', 'tmp/work', "tmp/work/$spec{file}" if defined $uid;
    for my $name (qw(stdout stderr)) {
        my $stream = $job{$name};
        open $stream->{file}, '>>', $name or die "keeper: $name: $!\n";
        pipe $stream->{pipe}, $stream->{writer} or die "keeper: pipe: $!\n";
    }
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
    open STDOUT, '>&', $job{stdout}{writer};
    open STDERR, '>&', $job{stderr}{writer};
    my @limits = limits();
    if (open my $score, '>', '/proc/self/oom_score_adj') { syswrite $score, '500' }
    chdir $spec{home} or return;
    prctl(PR_CAPBSET_DROP, $_) for 0 .. LAST_CAPABILITY;    # what is held still goes with the exec below
    if (defined $uid) {
        $( = $uid;
        $) = "$uid $uid";
        ($<, $>) = ($uid, $uid);
        return if $< != $uid || $> != $uid || $) ne "$uid $uid";
    }
    prctl(PR_NO_NEW_PRIVS,  1) == 0 or return;
    prctl(PR_SET_PDEATHSIG, 9);
    my ($prlimit) = grep { -x } map {"$_/prlimit"} split /:/, $ENV{PATH};
    return unless defined $prlimit;
    %ENV = map { split /=/, $_, 2 } @{ $spec{env} };
    exec $prlimit, @limits, '--', @{ $spec{argv} };
}

# Arguments for prlimit. Hard limits of the host may be lower, and only a privileged process could raise them.
sub limits {
    my %hard = map { /^Max (.+?)\s{2,}\S+\s+(\d+)/ ? ($1 => $2) : () } split /\n/, slurp('/proc/self/limits');
    my $cpu_seconds = int(($spec{cpuMillis} + 999) / 1000);
    my @wanted = (
        [ 'core', 'core file size', 0 ],
        [ 'cpu', 'cpu time', $cpu_seconds, $cpu_seconds + 1 ],
        [ 'data', 'data size', $spec{dataBytes} ],
        [ 'fsize', 'file size', $spec{fileSizeBytes} ],
        [ 'nofile', 'open files', $spec{openFiles} ],
        [ 'nproc', 'processes', $spec{processes} + other_tasks() ],
    );
    return map {
        my ($option, $name, $soft, $limit) = @$_;
        my $ceiling = min($limit // $soft, $hard{$name} // ());
        sprintf '--%s=%d:%d', $option, min($soft, $ceiling), $ceiling;
    } @wanted;
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
        elsif ($! != EINTR) {
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
    my ($memory, $tasks, $cpu) = (0, 0, children_usage()->{cpu});
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

# Of all reaped descendants, exact: CPU seconds of the sum, and resident KiB of the largest one.
sub children_usage {
    my $buffer = "\0" x 256;
    syscall($syscalls->{getrusage}, RUSAGE_CHILDREN, $buffer) == 0 or die "keeper: getrusage: $!\n";
    my ($user, $user_micros, $system, $system_micros, $largest) = unpack 'q5', $buffer;
    return { cpu => $user + $system + ($user_micros + $system_micros) / 1e6, largest => $largest };
}

sub usage {
    my ($wall) = @_;
    my $reaped = children_usage();
    return (
        wallMicros => int($wall * 1e6),
        cpuTicks   => int($reaped->{cpu} * USER_HZ + 0.5),
        tickHertz  => USER_HZ,
        # The largest process is exact, the sum over the tree is a sample: the truth is at least the larger of the two.
        peakKb => $reaped->{largest} > $job{peak} ? $reaped->{largest} : $job{peak},
    );
}

# ---- the end ---------------------------------------------------------------------------------------------------------------

# `exit.tmp` was filled with blanks when the job was made, so that this needs no new block on a full disk.
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

# Numbers stay numbers (`+ 0`): Perl passes a string to the kernel by its address.
sub prctl { return syscall $syscalls->{prctl}, $_[0] + 0, $_[1] + 0, 0, 0, 0 }

# A handle that becomes readable when the process ends. Instead of a SIGCHLD handler: Perl dies when more than 120 signals are
# pending, as when a fork bomb is killed. Undefined before Linux 5.3, where the next tick notices the end.
sub pidfd {
    my $descriptor = syscall $syscalls->{pidfd_open}, $_[0] + 0, 0;
    return if $descriptor < 0;
    open my $handle, '<&=', $descriptor or return;
    return $handle;
}

sub now {
    my $buffer = "\0" x 16;
    syscall($syscalls->{clock_gettime}, CLOCK_MONOTONIC, $buffer);
    my ($seconds, $nanos) = unpack 'q2', $buffer;
    return $seconds + $nanos / 1e9;
}

sub min {
    my $least = shift;
    for (@_) { $least = $_ if $_ < $least }
    return $least;
}
