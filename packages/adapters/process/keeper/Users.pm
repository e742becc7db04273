# Users of their own for jobs.
package Users;
use strict;
use warnings;
use Exporter 'import';
use Fcntl qw(LOCK_EX LOCK_NB);
use Proc qw(all_pids);

our @EXPORT_OK = qw(lock_uid name_of);

use constant WAIT_SECONDS => 0.1;

# The first user of the range that no living keeper has locked, and that has no process (of a job whose keeper was killed). Waits
# for one, or for the job to be cancelled.
sub lock_uid {
    my ($first, $count) = @_;
    until (-e 'cancel') {
        my %alive = map { ((stat "/proc/$_")[4] // '' => 1) } all_pids();
        for my $candidate (grep { !$alive{$_} } $first .. $first + $count - 1) {
            open my $lock, '>>', "../../uids/$candidate" or next;
            return ($candidate, $lock) if flock $lock, LOCK_EX | LOCK_NB;
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

1;
