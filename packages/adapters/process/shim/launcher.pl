#!/usr/bin/perl
# Starts shims for a host. A host is a large process, and starting a program from it copies its page tables and holds it up for
# 10 ms and more. This small process has the shim compiled already, and makes one by a fork in less than 1 ms.
#
#   perl -I <this folder> launcher.pl basic | namespace [<control group for the memory groups of jobs>]
#
# In, each ended by NUL: `prepare <number> <directory>`, `keep <number> <job directory>` or `delete <number> <path>`. Out, a line each:
# `<number> <complaint>`, for `prepare` when a shim waits there, for `keep` when the shim's process exists, for `delete` when the
# tree is gone; the complaint is empty when that worked.
#
# `prepare` makes the directory and a shim that waits in it. When it has become a job's directory by a rename, `keep` finds that
# shim; any other directory gets a new one. Only the last one waits: the one before ends, as it does when this process ends.
#
# A shim has nothing of this process but its code, which knows no secrets: its session, its standard streams and, at level
# `namespace`, its namespaces are its own, and there are no other open files. It goes on when the host or this process ends.
use strict;
use warnings;
use POSIX ();
use Shim;
use Kernel qw(clone_process CLONE_NEWIPC CLONE_NEWNS CLONE_NEWPID CLONE_NEWUSER);

my ($level, $memory_groups) = (@ARGV, '');
my $namespaces = 0;
if ($level eq 'namespace') {
    $namespaces = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC;
    $namespaces |= CLONE_NEWUSER if $> != 0;    # only root may do the others without
}
my ($user, $group) = ($>, $) + 0);

close_inherited();
umask 077;
$/ = "\0";
$SIG{CHLD} = 'IGNORE';    # ended shims are nobody's concern here: they leave no zombies
my %waiting;               # the shim that waits: `place` of its directory, and `caller`, a pipe to call it

while (defined(my $request = <STDIN>)) {
    last unless chomp $request;    # the host died while it wrote
    my ($verb, $number, $path) = split / /, $request, 3;
    if    ($verb eq 'keep')    { keep($number, $path) }
    elsif ($verb eq 'prepare') { prepare($number, $path) }
    else                       { delete_tree($number, $path) }
}

# What the host has inherited without knowing must not reach scripts.
sub close_inherited {
    opendir my $folder, '/proc/self/fd' or return;
    my @descriptors = grep { /^\d+$/ && $_ > 2 } readdir $folder;
    closedir $folder;
    POSIX::close($_) for @descriptors;
}

sub answer {
    my ($number, $complaint, $host) = @_;
    $complaint =~ s/\n/ /g;
    syswrite $host // *STDOUT, "$number $complaint\n";    # short enough not to be mixed with that of another process
}

# Answers, and is undefined itself.
sub complain { answer(@_); return }

sub prepare {
    my ($number, $directory) = @_;
    %waiting = ();
    mkdir $directory or return answer($number, "$directory: $!");
    pipe my $call, my $caller or return answer($number, "pipe: $!");
    open my $host, '>&', *STDOUT or return answer($number, "dup: $!");
    my $pid = fork_shim($number, $directory) // return;
    if ($pid) {
        %waiting = (caller => $caller, place => place_of($directory));
        return;
    }
    close $caller;
    Shim::prepare($directory, $memory_groups);
    answer($number, '', $host);
    close $host;
    my $job = do { local $/ = "\0"; <$call> };
    close $call;
    if   (defined $job && $job =~ s/\0$//) { Shim::keep($job, $level, $memory_groups) }
    else                                    { Shim::abandon() }    # the launcher ended, or has another one wait
    exit 0;
}

sub keep {
    my ($number, $directory) = @_;
    return answer($number, '') if call_waiting($directory);
    my $pid = fork_shim($number, $directory) // return;
    return answer($number, '') if $pid;
    Shim::keep($directory, $level, $memory_groups);
    exit 0;
}

# False when no shim waits there, or it is gone.
sub call_waiting {
    my ($directory) = @_;
    return unless %waiting && $waiting{place} eq place_of($directory);
    my $caller = $waiting{caller};
    %waiting = ();
    local $SIG{PIPE} = 'IGNORE';
    return syswrite $caller, "$directory\0";
}

# Tells a directory from others whatever its name is.
sub place_of { return join ':', (stat $_[0])[ 0, 1 ] }

# Answers as `fork` does; undefined after a complaint.
sub fork_shim {
    my ($number, $directory) = @_;
    open my $log, '>>', "$directory/shim.log" or return complain($number, "shim.log: $!");
    my $pid = clone_process($namespaces);
    return complain($number, $namespaces ? "no namespaces: $!" : "fork: $!") unless defined $pid;
    return $pid if $pid;

    %waiting = ();
    become_independent($log);
    become_root() if $namespaces & CLONE_NEWUSER;
    return 0;
}

sub become_independent {
    my ($log) = @_;
    $SIG{CHLD} = 'DEFAULT';    # ignoring would be inherited, and the shim could not wait for its script
    $/ = "\n";
    POSIX::setsid();
    open STDERR, '>&', $log        or exit 126;
    open STDIN,  '<',  '/dev/null' or exit 126;
    open STDOUT, '>',  '/dev/null' or exit 126;
    close $log;
}

# Of a user namespace, which takes its first process for nobody until it is told who it is.
sub become_root {
    write_to('/proc/self/setgroups', 'deny');
    write_to('/proc/self/uid_map',   "0 $user 1");
    write_to('/proc/self/gid_map',   "0 $group 1");
}

sub write_to {
    my ($path, $text) = @_;
    open my $file, '>', $path or die "shim: $path: $!\n";
    syswrite $file, $text or die "shim: $path: $!\n";
}

# In a process of its own, which answers: a large tree takes its time. With programs, because scripts may leave what defeats a simple
# walk: very deep folders, and folders closed to their owner.
sub delete_tree {
    my ($number, $path) = @_;
    my $pid = fork;
    return answer($number, "fork: $!") unless defined $pid;
    return if $pid;

    %waiting = ();
    $SIG{CHLD} = 'DEFAULT';
    POSIX::nice(10);           # nobody waits for it
    open STDIN,  '<', '/dev/null' or exit 126;
    open STDERR, '>', '/dev/null' or exit 126;
    my @rm = ('rm', '-rf', '--', $path);
    my $gone = system(@rm) == 0;
    if (!$gone) {
        system 'chmod', '-R', 'u+rwX', '--', $path;
        $gone = system(@rm) == 0;
    }
    answer($number, $gone ? '' : "$path cannot be deleted");
    exit 0;
}
