# System calls that Perl has no function for, and the clock. By number: the modules that come with perl-base do not have them either.
package Kernel;
use strict;
use warnings;
use Exporter 'import';
use POSIX ();

our @EXPORT_OK = qw(
    clear_keyrings clone_process drop_capabilities limit_resource mount new_session_keyring now pidfd prctl reaped_usage room
    set_read_only set_writable unshare used_bytes wall_time
    CLONE_NEWIPC CLONE_NEWNS CLONE_NEWPID CLONE_NEWUSER
    MS_BIND MS_NODEV MS_NOEXEC MS_NOSUID MS_PRIVATE MS_RDONLY MS_REC
    PR_CHILD_SUBREAPER PR_NO_NEW_PRIVS PR_SET_PDEATHSIG
);

# Flags and options, as in the headers of Linux; the same on every architecture below.
use constant {
    CLONE_NEWNS        => 0x0002_0000,
    CLONE_NEWIPC       => 0x0800_0000,
    CLONE_NEWUSER      => 0x1000_0000,
    CLONE_NEWPID       => 0x2000_0000,
    SIGCHLD            => 17,
    MS_RDONLY          => 0x1,
    MS_NOSUID          => 0x2,
    MS_NODEV           => 0x4,
    MS_NOEXEC          => 0x8,
    MS_BIND            => 0x1000,
    MS_REC             => 0x4000,
    MS_PRIVATE         => 0x4_0000,
    PR_SET_PDEATHSIG   => 1,
    PR_CAPBSET_DROP    => 24,
    PR_CHILD_SUBREAPER => 36,
    PR_NO_NEW_PRIVS    => 38,
    LAST_CAPABILITY    => 63,
    AT_FDCWD           => -100,
    AT_RECURSIVE       => 0x8000,
    MOUNT_ATTR_RDONLY  => 0x1,
    KEYCTL_JOIN        => 1,
    KEYCTL_CLEAR       => 7,
    KEYCTL_PERSISTENT  => 22,
    KEY_PROCESS        => -2,
    KEY_USER           => -4,
    KEY_USER_SESSION   => -5,
    RLIMIT             => { cpu => 0, fsize => 1, data => 2, core => 4, nproc => 6, nofile => 7, msgqueue => 12 },
    RUSAGE_CHILDREN    => -1,
    CLOCK_REALTIME     => 0,
    CLOCK_MONOTONIC    => 1,
};

my $GENERIC = {
    clone => 220, mount => 40, prctl => 167, prlimit => 261, getrusage => 165, clock_gettime => 113, pidfd_open => 434,
    keyctl => 219, mount_setattr => 442, statfs => 43, unshare => 97,
};
my %NUMBERS = (
    x86_64 => {
        clone => 56, mount => 165, prctl => 157, prlimit => 302, getrusage => 98, clock_gettime => 228, pidfd_open => 434,
        keyctl => 250, mount_setattr => 442, statfs => 137, unshare => 272,
    },
    aarch64 => $GENERIC,
    riscv64 => $GENERIC,
);
my $machine = (POSIX::uname())[4];
my $number  = $NUMBERS{$machine} or die "shim: unknown architecture $machine\n";

# Perl passes a string to the kernel by its address, and only a string in a variable: so numbers are made numbers (`+ 0`), and
# texts are copied.

# A fork into new namespaces. Answers as `fork` does. Without `CLONE_VM` nothing of this process is shared with the child.
sub clone_process {
    my ($flags) = @_;
    my $pid = syscall $number->{clone}, $flags | SIGCHLD, 0, 0, 0, 0;
    return $pid < 0 ? undef : $pid;
}

sub mount {
    my ($source, $target, $type, $flags, $options) = @_;
    $options //= '';
    return syscall($number->{mount}, "$source", "$target", "$type", $flags + 0, "$options") == 0;
}

# Puts this process into new namespaces.
sub unshare { return syscall($number->{unshare}, $_[0] + 0) == 0 }

# Of the mount at `/` and all below it, for this mount namespace. Since Linux 5.12.
sub set_read_only { return change_mount('/', AT_RECURSIVE, MOUNT_ATTR_RDONLY, 0) }

# Takes that back for the mount at the path alone.
sub set_writable { return change_mount($_[0], 0, 0, MOUNT_ATTR_RDONLY) }

sub change_mount {
    my ($path, $flags, $set, $clear) = @_;
    my $attributes = pack 'Q4', $set, $clear, 0, 0;
    return syscall($number->{mount_setattr}, AT_FDCWD, "$path", $flags + 0, $attributes, length $attributes) == 0;
}

# What the files of a file system take; undefined when the path is not there.
sub used_bytes {
    my ($path) = @_;
    my $buffer = "\0" x 120;
    syscall($number->{statfs}, "$path", $buffer) == 0 or return;
    my (undef, $block_bytes, $blocks, $free) = unpack 'q4', $buffer;
    return ($blocks - $free) * $block_bytes;
}

# What a file system has for everybody: free bytes, names it may have in all (0: any number) and how many more. Empty when it cannot be asked.
sub room {
    my ($path) = @_;
    my $buffer = "\0" x 120;
    syscall($number->{statfs}, "$path", $buffer) == 0 or return;
    my (undef, $block_bytes, undef, undef, $available, $names, $free_names) = unpack 'q7', $buffer;
    return ($available * $block_bytes, $names, $free_names);
}

# An empty one, which ends with the last process that has it.
sub new_session_keyring { return syscall($number->{keyctl}, KEYCTL_JOIN, 0, 0, 0, 0) >= 0 }

# Those that the kernel keeps for this process's user when it has no process any more.
sub clear_keyrings {
    my $persistent = syscall $number->{keyctl}, KEYCTL_PERSISTENT, -1, KEY_PROCESS, 0, 0;
    syscall $number->{keyctl}, KEYCTL_CLEAR, $_ + 0, 0, 0, 0 for KEY_USER, KEY_USER_SESSION, $persistent > 0 ? $persistent : ();
}

sub prctl { return syscall $number->{prctl}, $_[0] + 0, $_[1] + 0, 0, 0, 0 }

# Also what is held still goes with the next exec.
sub drop_capabilities { prctl(PR_CAPBSET_DROP, $_) for 0 .. LAST_CAPABILITY }

# Soft and hard limit of this process. Hard limits of the host may be lower, and only a privileged process could raise them.
sub limit_resource {
    my ($name, $soft, $hard) = @_;
    my ($resource, $current) = (RLIMIT->{$name}, "\0" x 16);
    syscall($number->{prlimit}, 0, $resource, 0, $current) == 0 or return 0;
    my (undef, $ceiling) = unpack 'Q2', $current;
    $ceiling = $hard if $hard < $ceiling;
    my $wanted = pack 'Q2', $soft < $ceiling ? $soft : $ceiling, $ceiling;
    return syscall($number->{prlimit}, 0, $resource, $wanted, 0) == 0;
}

# A handle that becomes readable when the process ends. Instead of a SIGCHLD handler: Perl dies when more than 120 signals are
# pending, as when a fork bomb is killed. Undefined before Linux 5.3.
sub pidfd {
    my $descriptor = syscall $number->{pidfd_open}, $_[0] + 0, 0;
    return if $descriptor < 0;
    open my $handle, '<&=', $descriptor or return;
    return $handle;
}

# Of all reaped descendants, exact: CPU seconds of the sum, and resident KiB of the largest one.
sub reaped_usage {
    my $buffer = "\0" x 256;
    syscall($number->{getrusage}, RUSAGE_CHILDREN, $buffer) == 0 or die "shim: getrusage: $!\n";
    my ($user, $user_micros, $system, $system_micros, $largest) = unpack 'q5', $buffer;
    return { cpu => $user + $system + ($user_micros + $system_micros) / 1e6, largest => $largest };
}

# Seconds, of the monotonic clock.
# Seconds since some moment, by a clock that nobody sets.
sub now { return seconds_of(CLOCK_MONOTONIC) }

# Seconds since 1970.
sub wall_time { return seconds_of(CLOCK_REALTIME) }

sub seconds_of {
    my ($clock) = @_;
    my $buffer = "\0" x 16;
    syscall($number->{clock_gettime}, $clock, $buffer);
    my ($seconds, $nanos) = unpack 'q2', $buffer;
    return $seconds + $nanos / 1e9;
}

1;
