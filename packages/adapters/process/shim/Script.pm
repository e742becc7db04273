# Becoming the script: what a process gives up, and the limits and the environment it takes, before it is the interpreter.
package Script;
use strict;
use warnings;
use Exporter 'import';
use Kernel qw(clear_keyrings drop_capabilities limit_resource new_session_keyring prctl PR_NO_NEW_PRIVS PR_SET_PDEATHSIG);
use Proc qw(all_pids);

our @EXPORT_OK = qw(become_script);

use constant {
    SCRIPT_NICENESS => 19,     # scripts that want every core must not keep the host from answering
    SPARE_TASKS     => 512,    # how much the host's user may grow before the job can start no process
};

# Gives up every privilege first, then takes the script's environment, so that the environment cannot reach a privilege. Returns
# only when that failed.
sub become_script {
    my ($spec, $name, @writers) = @_;
    my $uid = $spec->{uid};
    setpgrp 0, 0;
    setpriority 0, 0, SCRIPT_NICENESS;
    open STDOUT, '>&', $writers[0];
    open STDERR, '>&', $writers[1];
    my $others = other_tasks($spec->{processesOf});
    if (open my $score, '>', '/proc/self/oom_score_adj') { syswrite $score, '500' }    # before the shim and the host
    chdir $spec->{home} or return;
    drop_capabilities();
    if (defined $uid) {
        $( = $uid;
        $) = "$uid $uid";
        ($<, $>) = ($uid, $uid);
        return if $< != $uid || $> != $uid || $) ne "$uid $uid";
        clear_keyrings();
    }
    new_session_keyring();    # fails where the kernel has no keyrings, or refuses them to the script as well
    prctl(PR_NO_NEW_PRIVS,  1) == 0 or return;
    prctl(PR_SET_PDEATHSIG, 9);
    limit_script($spec, $others) or return;
    %ENV = (USER => $name, LOGNAME => $name, map { split /=/, $_, 2 } @{ $spec->{env} });
    my @argv = @{ $spec->{argv} };
    no warnings 'exec';    # the caller says it
    exec { $argv[0] } @argv;
}

sub limit_script {
    my ($spec, $others) = @_;
    my $cpu_seconds = int(($spec->{cpuMillis} + 999) / 1000);
    my $processes   = $spec->{processes} + $others;
    return limit_resource('core', 0, 0)
        && limit_resource('cpu',    $cpu_seconds,           $cpu_seconds + 1)
        && limit_resource('data',   $spec->{dataBytes},     $spec->{dataBytes})
        && limit_resource('fsize',  $spec->{fileSizeBytes}, $spec->{fileSizeBytes})
        && ($spec->{ownIpc} || limit_resource('msgqueue', 0, 0))    # they would outlive the job
        && limit_resource('nofile', $spec->{openFiles},     $spec->{openFiles})
        && limit_resource('nproc',  $processes,             $processes);
}

# The kernel counts processes and threads by user: room for those of the user that are not the job's.
sub other_tasks {
    my ($counted_with) = @_;
    return 0 if $counted_with eq 'job';
    return 1 if $counted_with ne 'host';
    my $tasks = 0;
    for my $pid (all_pids()) {
        my (undef, undef, undef, $links, $owner) = stat "/proc/$pid/task";    # one link for each thread, and two
        $tasks += $links - 2 if defined $owner && $owner == $>;
    }
    return $tasks + SPARE_TASKS;
}

1;
