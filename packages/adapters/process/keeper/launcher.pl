#!/usr/bin/perl
# Starts keepers for a host. A host is a large process, and starting a program from it copies its page tables and holds it up for
# 10 ms and more; this small process does it in 1 ms.
#
#   launcher.pl <command of a keeper...>
#
# In: job directories, each ended by NUL. Out: one line each, in order: empty when the keeper's process exists, else why not.
# A keeper has a session of its own (`setsid` in the command) and goes on when the host or this process ends.
use strict;
use warnings;

umask 077;
$| = 1;
$/ = "\0";
$SIG{CHLD} = 'IGNORE';    # ended keepers are nobody's concern here: they leave no zombies

while (defined(my $directory = <STDIN>)) {
    chomp $directory;
    my $pid = fork;
    if (!defined $pid) { print "fork: $!\n" }
    elsif ($pid)       { print "\n" }
    else               { become_keeper($directory) }
}

sub become_keeper {
    my ($directory) = @_;
    $SIG{CHLD} = 'DEFAULT';    # ignoring would be inherited, and the keeper could not wait for its script
    open STDERR, '>>', "$directory/keeper.log" or exit 126;
    open STDIN,  '<',  '/dev/null'             or exit 126;
    open STDOUT, '>',  '/dev/null'             or exit 126;
    chdir '/';
    exec @ARGV, $directory;
    print STDERR "launcher: $!\n";
    exit 127;
}
