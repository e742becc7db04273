# What the processes of a job use.
package Usage;
use strict;
use warnings;
use Exporter 'import';
use Kernel qw(reaped_usage);
use Memory qw(held_kb);
use MemoryGroup;
use Proc qw(slurp stat_fields);

our @EXPORT_OK = qw(exceeded_limit reached_limits total_usage);

use constant USER_HZ => 100;    # unit of times in /proc/<pid>/stat

my $peak = 0;                   # largest sampled memory of the tree, KiB
my %reached;                    # limits of the kernel at which the job was seen: it was refused more, or was about to be

# Looks at all processes of the job; names the limit that they exceed, if they do. Memory only where no memory group holds it.
sub exceeded_limit {
    my ($limits, $is_init, @pids) = @_;
    my ($tasks, $cpu) = (0, reaped_usage()->{cpu});
    for my $pid (@pids) {
        my @stat = stat_fields($pid) or next;
        $cpu   += ($stat[11] + $stat[12] + $stat[13] + $stat[14]) / USER_HZ;    # own and of the children it has reaped
        $tasks += $stat[17];
        $reached{open_files} ||= open_files($pid, $limits->{openFiles}) >= $limits->{openFiles};
    }
    $reached{processes} ||= $tasks >= $limits->{processes};
    my $memory = MemoryGroup::exists() ? 0 : held_kb($limits->{memoryBytes} / 1024, $limits->{uid}, $is_init, @pids);
    $peak = $memory if $memory > $peak;
    return
          $memory * 1024 > $limits->{memoryBytes} ? 'memory'
        : $cpu * 1000 > $limits->{cpuMillis}      ? 'cpu'
        : $tasks > $limits->{processes}           ? 'processes'
        :                                           undef;
}

# Names, separated by spaces.
sub reached_limits { return join ' ', grep { $reached{$_} } sort keys %reached }

# How many files a process has open; 0 when it has room for fewer than `$most` only.
sub open_files {
    my ($pid, $most) = @_;
    my ($room) = slurp("/proc/$pid/status") =~ /^FDSize:\s+(\d+)/m or return 0;
    return 0 if $room < $most;
    opendir my $folder, "/proc/$pid/fd" or return 0;
    return scalar grep {/^\d+$/} readdir $folder;
}

# Of everything that has been reaped, for the record.
sub total_usage {
    my ($wall) = @_;
    my $reaped = reaped_usage();
    # The largest process is exact, the sum over the tree is a sample: the truth is at least the larger of the two.
    my $found = $reaped->{largest} > $peak ? $reaped->{largest} : $peak;
    return (
        wallMicros => int($wall * 1e6),
        cpuTicks   => int($reaped->{cpu} * USER_HZ + 0.5),
        tickHertz  => USER_HZ,
        peakKb     => int((MemoryGroup::exists() ? MemoryGroup::peak_kb() : undef) // $found),
    );
}

1;
