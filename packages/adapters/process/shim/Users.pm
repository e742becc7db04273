# Users of their own for jobs.
package Users;
use strict;
use warnings;
use Exporter 'import';
use Fcntl qw(LOCK_EX LOCK_NB);
use Kernel qw(clear_keyrings now);
use POSIX ();
use Proc qw(all_pids slurp);

our @EXPORT_OK = qw(clear_user lock_uid name_of);

use constant {
    WAIT_SECONDS    => 0.1,
    CLEAR_SECONDS   => 5,         # longest search for what a job has left
    MAXIMUM_ENTRIES => 100_000,
    IPC_RMID        => 0,
};

# The first user of the range that no living shim has locked, and that has no process (of a job whose shim was killed). Waits
# for one, or for the job to be cancelled. The lock file holds a word until what the user's last job has left is cleared away.
sub lock_uid {
    my ($first, $count, @folders) = @_;
    until (-e 'cancel') {
        my %alive = map { ((stat "/proc/$_")[4] // '' => 1) } all_pids();
        for my $candidate (grep { !$alive{$_} } $first .. $first + $count - 1) {
            open my $lock, '>>', "../../uids/$candidate" or next;
            next unless flock $lock, LOCK_EX | LOCK_NB;
            clear_user($candidate, $lock, @folders) if -s $lock;
            syswrite $lock, 'used' if @folders;
            return ($candidate, $lock);
        }
        select undef, undef, undef, WAIT_SECONDS;
    }
    return;
}

# How the user of the job is called, or this process's when it has none of its own. In a file system of its own the job finds the accounts
# that the host has made; elsewhere those of the machine, where there may be none.
sub name_of {
    my ($uid, $has_own_accounts) = @_;
    my $made = defined $uid ? "fairlead-$uid" : 'fairlead';
    return $made if $has_own_accounts;
    return (getpwuid($uid // $>))[0] // $made;
}

# Ends the user's processes and removes its files below the folders, its System V objects and its keys: as that user, so that nothing
# else can be hit.
sub clear_user {
    my ($uid, $lock, @folders) = @_;
    my $pid = fork // return;
    if ($pid == 0) {
        $( = $uid;
        $) = "$uid $uid";
        ($<, $>) = ($uid, $uid);
        POSIX::_exit(1) if $< != $uid || $> != $uid;
        my $until = now() + CLEAR_SECONDS;
        end_processes($uid, $until);
        remove_ipc($uid, $_) for [ shm => 'shmid' ], [ sem => 'semid' ], [ msg => 'msqid' ];
        clear_keyrings();
        POSIX::_exit(remove_files($uid, $until, @folders) ? 0 : 1);
    }
    waitpid $pid, 0;
    truncate $lock, 0 if $? == 0;
}

sub end_processes {
    my ($uid, $until) = @_;
    do { kill 'KILL', -1 } while (grep { $_ != $$ && ((stat "/proc/$_")[4] // -1) == $uid && !is_zombie($_) } all_pids()) && now() < $until;
}

sub is_zombie { return slurp("/proc/$_[0]/stat") =~ /\) [ZX]/ }

sub remove_ipc {
    my ($uid, $kind) = @_;
    my ($name, $key) = @$kind;
    my @rows  = split /\n/, slurp("/proc/sysvipc/$name");
    my @names = split ' ', shift @rows // '';
    for (@rows) {
        my %row;
        @row{@names} = split;
        next if $row{uid} != $uid && $row{cuid} != $uid;
        if    ($name eq 'shm') { shmctl $row{$key}, IPC_RMID, 0 }
        elsif ($name eq 'sem') { semctl $row{$key}, 0, IPC_RMID, 0 }
        else                   { msgctl $row{$key}, IPC_RMID, 0 }
    }
}

# Looks into folders that are its own, or to which everybody may write, and follows no symbolic link. False when there were too many.
sub remove_files {
    my ($uid, $until, @folders) = @_;
    my (@emptied, $seen);
    while (defined(my $path = shift @folders)) {
        opendir my $folder, $path or next;
        for my $name (grep { !/^\.\.?$/ } readdir $folder) {
            return 0 if ++$seen > MAXIMUM_ENTRIES || now() > $until;
            my @stat  = lstat "$path/$name" or next;
            my $is_dir = -d _;
            my $is_own = $stat[4] == $uid;
            if ($is_dir && ($is_own || $stat[2] & 0002)) {
                chmod 0700, "$path/$name" if $is_own;
                push @folders, "$path/$name";
                push @emptied, "$path/$name" if $is_own;
            }
            elsif (!$is_dir && $is_own) { unlink "$path/$name" }
        }
    }
    rmdir for reverse @emptied;
    return 1;
}

1;
