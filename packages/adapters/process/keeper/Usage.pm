# What the processes of a job use.
package Usage;
use strict;
use warnings;
use Exporter 'import';
use Kernel qw(reaped_usage);
use Proc qw(slurp stat_fields);

our @EXPORT_OK = qw(exceeded_limit total_usage);

use constant USER_HZ => 100;    # unit of times in /proc/<pid>/stat

my $peak = 0;                   # largest sampled memory of the tree, KiB

# Looks at all processes of the job; names the limit that they exceed, if they do.
sub exceeded_limit {
    my ($limits, @pids) = @_;
    my ($memory, $tasks, $cpu) = (0, 0, reaped_usage()->{cpu});
    for my $pid (@pids) {
        my @stat   = stat_fields($pid) or next;
        my $status = slurp("/proc/$pid/status");
        $cpu    += ($stat[11] + $stat[12] + $stat[13] + $stat[14]) / USER_HZ;    # own and of the children it has reaped
        $tasks  += $stat[17];
        $memory += $status =~ /^RssAnon:\s+(\d+)/m ? $1 : 0;
    }
    # Forked processes share pages that count in each of them: look closer before judging.
    $memory = proportional_memory(@pids) // $memory if $memory * 1024 > $limits->{memoryBytes};
    $peak = $memory if $memory > $peak;
    return
          $memory * 1024 > $limits->{memoryBytes} ? 'memory'
        : $cpu * 1000 > $limits->{cpuMillis}      ? 'cpu'
        : $tasks > $limits->{processes}           ? 'processes'
        :                                           undef;
}

sub proportional_memory {
    my $sum;
    for (@_) { $sum += $1 if slurp("/proc/$_/smaps_rollup") =~ /^Pss_Anon:\s+(\d+)/m }
    return $sum;
}

# Of everything that has been reaped, for the record.
sub total_usage {
    my ($wall) = @_;
    my $reaped = reaped_usage();
    return (
        wallMicros => int($wall * 1e6),
        cpuTicks   => int($reaped->{cpu} * USER_HZ + 0.5),
        tickHertz  => USER_HZ,
        # The largest process is exact, the sum over the tree is a sample: the truth is at least the larger of the two.
        peakKb => $reaped->{largest} > $peak ? $reaped->{largest} : $peak,
    );
}

1;
