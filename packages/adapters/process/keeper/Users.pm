# Users of their own for jobs.
package Users;
use strict;
use warnings;
use Exporter 'import';
use Fcntl qw(LOCK_EX LOCK_NB);
use Proc qw(all_pids);

our @EXPORT_OK = qw(lock_uid);

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

1;
