# The files of a job, and its view of the file system.
package FileSystem;
use strict;
use warnings;
use Exporter 'import';
use Kernel qw(mount MS_BIND MS_NODEV MS_NOEXEC MS_NOSUID MS_PRIVATE MS_RDONLY MS_REC);

our @EXPORT_OK = qw(private_file_system write_file);

sub write_file {
    my ($path, $text) = @_;
    open my $file, '>', $path or die "keeper: $path: $!\n";
    while (length $text) {
        my $count = syswrite $file, $text;
        die "keeper: $path: $!\n" unless defined $count;
        substr($text, 0, $count) = '';
    }
}

# A view of its own: accounts in which its user is found, a /tmp of its own, nothing in hidden directories, and its own processes in /proc.
# The order matters: what is below /tmp, hidden directories too, is out of sight after the line of /tmp. Returns what failed.
sub private_file_system {
    my @mounts = (
        [ 'none', '/', '', MS_REC | MS_PRIVATE ],
        map({ [ "../../$_", "/etc/$_", '', MS_BIND ] } grep { -e "/etc/$_" } qw(passwd group)),
        [ 'tmp', '/tmp', '', MS_BIND ],
        map({ [ 'hidden', $_, 'tmpfs', MS_RDONLY, 'size=4k,mode=0555' ] } @_),
        [ 'proc', '/proc', 'proc', MS_NOSUID | MS_NODEV | MS_NOEXEC ],
    );
    for (@mounts) {
        mount(@$_) or return "the private file system of the job could not be mounted: $!";
    }
    return;
}

1;
