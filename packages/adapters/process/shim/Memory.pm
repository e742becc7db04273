# How much memory the processes of a job hold, looked up in /proc: for machines without memory groups.
#
# It is what they have for themselves and in swap, and what they share with each other, once: shared mappings, memfd, System V
# segments, files in /dev/shm, and every tmpfs that is theirs. Not counted are pages of files on disks, which the kernel takes back.
package Memory;
use strict;
use warnings;
use Exporter 'import';
use Kernel qw(used_bytes);
use Proc qw(slurp);

our @EXPORT_OK = qw(held_kb);

use constant MAXIMUM_FILES => 10_000;    # in /dev/shm at one look

# KiB of all processes. `$uid`: the job's user, when it has one of its own, whose segments and files in /dev/shm count as well.
# `$is_init`: all segments that are in sight belong to the job.
sub held_kb {
    my ($limit_kb, $uid, $is_init, @pids) = @_;
    my $tmpfs = own_tmpfs(@pids);
    my %files = (%{ open_files(@pids) }, %{ $is_init || !defined $uid ? {} : shm_files($uid) });
    delete $files{$_} for grep { my ($device) = split /:/; $tmpfs->{$device} } keys %files;
    my $shared = sum(values %files) + sum(values %$tmpfs) + segments($uid, $is_init);
    my $total  = sum(map { status_kb($_) } @pids) + $shared / 1024;
    return $total if $total <= $limit_kb;

    # Processes share pages that count in each of them: look closer before judging.
    my $closer = $shared / 1024;
    $closer += proportional_kb($_, \%files, $tmpfs) // status_kb($_) for @pids;
    return $closer < $total ? $closer : $total;
}

sub sum {
    my $sum = 0;
    $sum += $_ for @_;
    return $sum;
}

sub status_kb {
    my $status = slurp("/proc/$_[0]/status");
    return sum($status =~ /^(?:RssAnon|RssShmem|VmSwap):\s+(\d+)/mg);
}

# Private pages, and the process's part of shared ones, but for files that are counted as such. Undefined when it cannot be read.
sub proportional_kb {
    my ($pid, $files, $tmpfs) = @_;
    my ($kb, $is_shared, $pss) = (0, 0, 0);
    my $maps = slurp("/proc/$pid/smaps");
    return if $maps eq '';
    for (split /\n/, $maps) {
        if (/^[0-9a-f]+-[0-9a-f]+ \S+ \S+ (\w+):(\w+) (\d+)\s*(.*)/) {
            my ($device, $inode, $path) = (device(hex $1, hex $2), $3, $4);
            $is_shared = $path =~ m{^/(?:dev/zero|memfd:|dev/shm/)} && !$files->{"$device:$inode"} && !$tmpfs->{$device};
        }
        elsif (/^Pss:\s+(\d+)/)       { $pss = $1 }
        elsif (/^Anonymous:\s+(\d+)/) { $kb += $is_shared || $1 > $pss ? $pss : $1 }    # of a file on a disk only what was changed
        elsif (/^SwapPss:\s+(\d+)/)   { $kb += $1 }
    }
    return $kb;
}

# Bytes of the files in memory that the processes have open, by device and inode.
sub open_files {
    my %bytes;
    for my $pid (@_) {
        opendir my $folder, "/proc/$pid/fd" or next;
        for my $descriptor (grep {/^\d+$/} readdir $folder) {
            my $path = "/proc/$pid/fd/$descriptor";
            next unless (readlink $path // '') =~ m{^/(?:memfd:|dev/shm/)};
            my @stat = stat $path or next;
            $bytes{"$stat[0]:$stat[1]"} = $stat[12] * 512;
        }
    }
    return \%bytes;
}

# Of the machine's /dev/shm, what belongs to a user.
sub shm_files {
    my ($uid) = @_;
    my (%bytes, $seen);
    my @folders = ('/dev/shm');
    while (defined(my $path = shift @folders)) {
        opendir my $folder, $path or next;
        for my $name (grep { !/^\.\.?$/ } readdir $folder) {
            return \%bytes if ++$seen > MAXIMUM_FILES;
            my @stat = lstat "$path/$name" or next;
            if    (-d _)              { push @folders, "$path/$name" }
            elsif ($stat[4] == $uid)  { $bytes{"$stat[0]:$stat[1]"} = $stat[12] * 512 }
        }
    }
    return \%bytes;
}

# Bytes of each tmpfs that the processes have in mount namespaces other than the shim's, by device.
sub own_tmpfs {
    my $here = readlink '/proc/self/ns/mnt' // return {};
    my (%bytes, %seen, %machine);
    for my $pid (@_) {
        my $there = readlink "/proc/$pid/ns/mnt" // next;
        next if $there eq $here || $seen{$there}++;
        %machine = %{ tmpfs_mounts('self') } unless %machine;
        my $mounts = tmpfs_mounts($pid);
        for my $device (grep { !$machine{$_} } keys %$mounts) { $bytes{$device} = used_bytes("/proc/$pid/root$mounts->{$device}") // 0 }
    }
    return \%bytes;
}

# The place of each, by device.
sub tmpfs_mounts {
    my %directories;
    for (split /\n/, slurp("/proc/$_[0]/mountinfo")) {
        next unless /^\d+ \d+ (\d+):(\d+) \S+ (\S+) .* - tmpfs /;
        my ($device, $place) = (device($1, $2), $3);
        $place =~ s/\\(\d{3})/chr oct $1/ge;
        $directories{$device} //= $place;
    }
    return \%directories;
}

# As `stat` has it.
sub device { return ($_[1] & 0xff) | ($_[0] << 8) | (($_[1] & ~0xff) << 12) }

# Bytes of System V segments, in memory and in swap, attached or not: attached ones are not counted with the processes.
sub segments {
    my ($uid, $is_init) = @_;
    return 0 unless $is_init || defined $uid;
    my ($bytes, @rows) = (0, split /\n/, slurp('/proc/sysvipc/shm'));
    my @names = split ' ', shift @rows // '';
    for (@rows) {
        my %row;
        @row{@names} = split;
        $bytes += $row{rss} + $row{swap} if $is_init || $row{uid} == $uid || $row{cuid} == $uid;
    }
    return $bytes;
}

1;
