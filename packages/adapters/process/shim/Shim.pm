# The shim of one job: claims it, starts the script, keeps its output, enforces its limits, and writes how it ended.
#
# A small process for each job, forked by `launcher.pl`. At level `namespace` it is process 1 of a namespace, so the kernel finds
# its descendants; at level `basic` it finds them by their parents in /proc.
#
# The directory is the only interface: `spec` comes in; `claim`, `stdout`, `stderr` and at last `exit` go out; a file `cancel`
# asks for the end. The host only reads files, so it may die and come back. If the shim dies there is no `exit`: the job is lost.
package Shim;
use strict;
use warnings;
use Errno qw(EEXIST);
use POSIX qw(WNOHANG);
use Disk qw(exceeded_disk has_file_of);
use FileSystem qw(own_proc private_file_system write_file);
use Kernel qw(now pidfd prctl PR_CHILD_SUBREAPER);
use MemoryGroup;
use Output;
use Proc qw(all_pids descendants slurp stat_fields);
use Script qw(become_script);
use Usage qw(exceeded_limit reached_limits total_usage);
use Users qw(clear_user lock_uid name_of);

use constant {
    TICK_SECONDS       => 0.1,     # how often `cancel` and the limits are looked at
    FIRST_LOOK_SECONDS => 0.02,
    BASIC_TICKS        => 5,       # without a namespace a look reads all of /proc: only every fifth tick
    SHIM_NICENESS    => 15,      # while it copies output
    FREEZE_SECONDS     => 2,       # longest search for processes that fork while they are killed
    SWEEP_SECONDS      => 5,       # longest wait for killed processes to be gone
    DRAIN_SECONDS      => 1,       # longest wait for the end of output after that
    RECORD_BYTES       => 1_024,   # room for `exit`
};

my %spec;
my %job;    # `end`: why the job ends, once that is decided, the first reason wins; `process`: a handle of the script's while it lives
my %child;  # the process that becomes the script: `pid`, `caller` to tell it the spec, and `trouble`, by which it says why it could not
my ($is_init, $is_prepared, $uid_lock);
my ($boot_id) = slurp('/proc/sys/kernel/random/boot_id') =~ /(\S+)/;

# ---- the life of the job -------------------------------------------------------------------------------------------------

# Does beforehand what is the same for every job, in an empty directory that may become the one of a job by a rename. Names for a
# claim, a spec and a script are made too: a new file costs a file system more than all that is done with it later.
sub prepare {
    my ($directory, $memory_groups) = @_;
    enter($directory);
    $0 = 'shim without a job';
    make_files();
    write_file($_, '') for 'spec', 'tmp/work/script';
    symlink identity(), 'shim' or die "shim: shim: $!\n";
    make_child($memory_groups);
    $is_prepared = 1;
}

# Of a prepared shim that gets no job.
sub abandon {
    close delete $child{caller};
    waitpid $child{pid}, 0;
    MemoryGroup::remove();
}

# Returns when the job has ended, or another shim has it.
sub keep {
    my ($directory, $level, $memory_groups) = @_;
    enter($directory);
    $0 = "shim of $directory";
    $is_init = $level eq 'namespace';
    claim() or return $is_prepared && abandon();
    my $script = read_spec();
    prctl(PR_CHILD_SUBREAPER, 1) unless $is_init;    # orphans below us become our children: none escapes, all are accounted
    ($spec{uid}, $uid_lock) = lock_uid(@spec{qw(firstUid uids)}, @{ $spec{cleared} }) if $spec{uids};
    if (!$is_prepared) {
        make_files();
        make_child($memory_groups);
    }
    put_script($script);
    run_job();
    MemoryGroup::remove();
}

sub run_job {
    return give_up(stopped(0)) if -e 'cancel';
    if (MemoryGroup::exists() && !MemoryGroup::limit($spec{memoryBytes})) {
        return give_up({ end => 'failed', detail => 'the memory of the job could not be limited' });
    }
    if ($is_init) {
        my $failure = own_proc();
        return give_up({ end => 'failed', detail => $failure }) if defined $failure;
    }
    run_script();
}

# Before the script has begun.
sub give_up {
    my ($record) = @_;
    close delete $child{caller} if $child{caller};
    waitpid $child{pid}, 0;
    finish($record);
}

sub enter {
    my ($directory) = @_;
    chdir $directory or die "shim: cannot enter the job directory: $!\n";
}

sub run_script {
    my $started = now();
    my $trouble = start_script();
    return give_up({ end => 'failed', detail => $trouble }) if $trouble ne '';
    setpriority 0, 0, SHIM_NICENESS;
    my $status  = watch($child{pid}, $started);
    my $wall    = now() - $started;
    sweep();
    clear_user($spec{uid}, $uid_lock, @{ $spec{cleared} }) if @{ $spec{cleared} };
    drain();
    make_room() if $job{end} && ($job{end}{limit} // '') =~ /^disk/;
    finish({ %{ $job{end} // how_it_ended($status) }, evidence($status), total_usage($wall) });
}

# Until the script's own process has ended, and if it waits for its background all others too; returns the wait status of the script.
sub watch {
    my ($main, $started) = @_;
    my $due = $started + $spec{timeoutMillis} / 1000;
    my ($next_look, $kill_at, $looks) = ($started + FIRST_LOOK_SECONDS, undef, 0);
    my ($status, $is_alone);
    while (1) {
        my $wake = min($next_look, $job{end} ? () : $due, $kill_at // ());
        my $now  = now();
        pump($wake > $now ? $wake - $now : 0);
        ($is_alone, my $ended) = reap($main);
        if (defined $ended) {
            $status = $ended;
            delete $job{process};
        }
        return $status if defined $status && ($is_alone || !$spec{waitForBackground} || ($job{end} && !$kill_at));
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
        if (!$job{end} && -e 'cancel') {
            ask_to_end(stopped(0));
            $kill_at = $now + $spec{graceMillis} / 1000;
        }
        check_limits() if $is_init || $looks++ % BASIC_TICKS == 0;
        kill_all() if $job{end} && !$kill_at;    # at every look: a fork may slip through
    }
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
    return { end => 'limit', limit => 'memory' } if MemoryGroup::exists() && MemoryGroup::was_exceeded();
    return { end => 'exited', code => $status >> 8 } if ($status & 127) == 0;
    return { end => 'signalled', signal => $status & 127 };
}

# ---- starting --------------------------------------------------------------------------------------------------------------

# A symbolic link is created exclusively and with its content in one step. False: another shim has the job.
sub claim {
    return 1 if $is_prepared && link 'shim', 'claim';
    return 1 if symlink identity(), 'claim';
    return 0 if $!{EEXIST};
    die "shim: claim: $!\n";
}

# /proc is still the host's here, so the process id is the one that the host can look up.
sub identity {
    my $pid   = readlink '/proc/self' or die "shim: no /proc\n";
    my $start = (stat_fields($pid))[19];
    return "$pid:$start:$boot_id";
}

# `name=value` records ended by NUL; then another NUL, and the script, which is returned. Removed at once: it holds the secrets of
# the job.
sub read_spec {
    (my $records, my $script) = split /\0\0/, slurp('spec'), 2;
    %spec = (parse_records($records), records => "$records\0");
    unlink 'spec';
    return $script;
}

# Some repeat.
sub parse_records {
    my %parsed = map { ($_ => []) } qw(argv cleared env hidden shared);
    for (split /\0/, $_[0]) {
        my ($name, $value) = split /=/, $_, 2;
        if   (ref $parsed{$name}) { push @{ $parsed{$name} }, $value }
        else                      { $parsed{$name} = $value }
    }
    return %parsed;
}

# What the host does not need to see before: output, the job's /tmp with its working directory in it, and room for the record of the
# end, taken in advance so that a full disk cannot keep it from being written. A shim that was killed may have made some.
sub make_files {
    Output::open_files();
    write_file('exit.tmp', ' ' x RECORD_BYTES);
    for (qw(tmp tmp/work)) { mkdir $_ or $!{EEXIST} or die "shim: $_: $!\n" }
    write_file('tmp/package.json', '{}');    # keeps Node from looking further up for one and taking its module type
}

sub put_script {
    my ($script) = @_;
    my $path = "tmp/work/$spec{file}";
    rename 'tmp/work/script', $path;         # when there is one
    write_file($path, $script);
    mkdir 'tmp/library' if $spec{library};   # where it will be mounted
    my $uid = $spec{uid} // return;
    chown $uid, $uid, 'tmp', 'tmp/work', 'tmp/package.json', $path;
    chmod 0711, '.' unless $is_init;         # without a file system of its own the job's user must pass through
}

# A process that waits to become the script. It is in the job's memory group already: to enter one takes the kernel long.
sub make_child {
    my ($memory_groups) = @_;
    MemoryGroup::create($memory_groups, identity());
    Output::open_pipes();
    pipe my $call, $child{caller} or die "shim: pipe: $!\n";
    pipe $child{trouble}, my $trouble or die "shim: pipe: $!\n";
    $child{pid} = fork // die "shim: fork: $!\n";
    if ($child{pid} == 0) {
        close $_ for delete @child{qw(caller trouble)};
        wait_and_become_script($call, $trouble);
        exit 127;
    }
}

# Returns when the shim has no script for it, or that failed.
sub wait_and_become_script {
    my ($call, $trouble) = @_;
    if (MemoryGroup::exists() && !MemoryGroup::enter()) {
        syswrite $trouble, "the job could not enter its memory group: $!";
        return;
    }
    my $records = do { local $/; <$call> };
    return unless length $records;
    %spec = parse_records($records);
    if ($spec{ownIpc}) {
        my $failure = private_file_system(\%spec);
        return syswrite $trouble, $failure if defined $failure;
    }
    become_script(\%spec, name_of($spec{uid}, $spec{ownIpc}), Output::writers());
    syswrite STDERR, "cannot start: $!\n";
}

# Returns what was in the way of it, empty when nothing was.
sub start_script {
    $job{process} = pidfd($child{pid});
    Output::give_to($spec{uid}) if defined $spec{uid};    # so that it can open them again by their paths
    Output::close_writers();
    local $SIG{PIPE} = 'IGNORE';
    syswrite $child{caller}, $spec{records} . (defined $spec{uid} ? "uid=$spec{uid}\0" : '');
    close delete $child{caller};
    return do { local $/; readline($child{trouble}) } // '';
}

# ---- output ----------------------------------------------------------------------------------------------------------------

sub pump {
    my ($seconds) = @_;
    end_with({ end => 'limit', limit => 'storage' }) if Output::pump(@spec{qw(outputBytes tailBytes rateBytes)}, $seconds, $job{process});
}

sub drain {
    my $until = now() + DRAIN_SECONDS;
    pump(TICK_SECONDS) while Output::is_open() && now() < $until;
    Output::finish();
}

# ---- processes -------------------------------------------------------------------------------------------------------------

# Collects ended children, also adopted ones. Returns whether no process of the job is left, as each is or becomes a child, and the wait
# status of `$main` if that is among those that ended.
sub reap {
    my ($main) = @_;
    my ($pid, $status);
    while (($pid = waitpid -1, WNOHANG) > 0) { $status = $? if $pid == $main }
    return ($pid == -1, $status);
}

# All living processes of the job but the shim.
sub members {
    return $is_init ? grep { $_ != $$ } all_pids() : descendants($$);
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
        my ($is_alone) = reap(0);
        return if $is_alone;
        pump(0.005);
    }
}

sub check_limits {
    my @members = members();
    my $limit
        = (MemoryGroup::exists() && MemoryGroup::was_exceeded() ? 'memory' : undef)
        // exceeded_limit(\%spec, $is_init, @members)
        // exceeded_disk(\%spec, @members);
    end_with({ end => 'limit', limit => $limit }) if defined $limit;
}

# At which limits of the kernel a script was that failed. It was told that it cannot have more, and may have ended for that reason.
sub evidence {
    my ($status) = @_;
    return () if $status == 0;
    my @reached = (reached_limits(), has_file_of($spec{fileSizeBytes}) ? 'file_size' : ());
    return (reached => join ' ', grep { $_ ne '' } @reached);
}

# What the job wrote is in the way of others, and nobody will read it.
sub make_room { system 'rm', '-rf', '--', 'tmp' }

# ---- the end ---------------------------------------------------------------------------------------------------------------

# Over the blanks of `exit.tmp`, so that this needs no new block on a full disk.
sub finish {
    my ($record) = @_;
    $record = { %$record, Output::totals() };
    my @pairs = map { my $value = $record->{$_}; $value =~ /^\d+$/ ? qq("$_":$value) : qq("$_":"$value") } sort keys %$record;
    open my $file, '+<', 'exit.tmp' or die "shim: exit.tmp: $!\n";
    syswrite $file, '{' . join(',', @pairs) . '}' or die "shim: exit.tmp: $!\n";
    close $file;
    chmod 0700, '.';    # no user of a later job passes through
    rename 'exit.tmp', 'exit' or die "shim: exit: $!\n";
}

# ---- helpers ---------------------------------------------------------------------------------------------------------------

sub min {
    my $least = shift;
    for (@_) { $least = $_ if $_ < $least }
    return $least;
}

1;
