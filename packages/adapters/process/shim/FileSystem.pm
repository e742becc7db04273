# The files of a job, and its view of the file system.
package FileSystem;
use strict;
use warnings;
use Errno;
use Exporter 'import';
use Kernel qw(
    mount set_read_only set_writable unshare
    CLONE_NEWNS MS_BIND MS_NODEV MS_NOEXEC MS_NOSUID MS_PRIVATE MS_RDONLY MS_REC
);

our @EXPORT_OK = qw(own_proc private_file_system write_file);

sub write_file {
    my ($path, $text) = @_;
    open my $file, '>', $path or die "shim: $path: $!\n";
    while (length $text) {
        my $count = syswrite $file, $text;
        die "shim: $path: $!\n" unless defined $count;
        substr($text, 0, $count) = '';
    }
}

# For the shim too: processes of its own namespace, and no mount that reaches others.
sub own_proc {
    my @mounts = ([ 'none', '/', '', MS_REC | MS_PRIVATE ], [ 'proc', '/proc', 'proc', MS_NOSUID | MS_NODEV | MS_NOEXEC ]);
    for (@mounts) { mount(@$_) or return failure() }
    return;
}

# The script's view, in a mount namespace of its own: it can write to its own /tmp, which is /var/tmp too, to /dev/shm, to /proc and
# to shared directories; all else is read-only, and hidden directories are empty. So nothing that it writes outlives it elsewhere. The order
# matters: what is below /tmp, hidden directories too, is out of sight once /tmp is mounted. Returns what failed.
sub private_file_system {
    my ($spec) = @_;
    my @shared = @{ $spec->{shared} };
    my $shm    = "mode=1777,size=$spec->{memoryBytes}";
    my @mounts = (
        map({ [ $_, $_, '', MS_BIND ] } @shared),
        map({ optional([ "../../$_", "/etc/$_", '', MS_BIND ]) } qw(passwd group)),    # in which its user is found
        [ 'tmp', '/tmp', '', MS_BIND ],
        optional([ 'tmp', '/var/tmp', '', MS_BIND ]),
        $spec->{library} ? [ "../../libraries/$spec->{library}", '/tmp/library', '', MS_BIND ] : (),    # read-only like all else
        map({ [ 'hidden', $_, 'tmpfs', MS_RDONLY, 'size=4k,mode=0555' ] } @{ $spec->{hidden} }),
        map({ optional([ $_, $_, '', MS_BIND ]) } '/proc/sys', '/proc/sysrq-trigger'),
        optional([ 'hidden', '/run/user', 'tmpfs', MS_RDONLY, 'size=4k,mode=0555' ]),    # services that run what they are asked to
    );
    my @writable = (
        optional([ 'shm',    '/dev/shm',    'tmpfs',  MS_NOSUID | MS_NODEV, $shm ]),
        optional([ 'mqueue', '/dev/mqueue', 'mqueue', MS_NOSUID | MS_NODEV | MS_NOEXEC ]),
    );
    unshare(CLONE_NEWNS) or return failure();
    for (@mounts)   { mount(@$_) or return failure() }
    set_read_only() or return failure();
    for (@writable) { mount(@$_) or return failure() }
    for (@shared, '/proc', '/tmp', grep { -e } '/var/tmp') { set_writable($_) or return failure() }
    return;
}

# A mount whose place not every machine has.
sub optional { return -e $_[0][1] ? $_[0] : () }

sub failure { return "the private file system of the job could not be mounted: $!" }

1;
