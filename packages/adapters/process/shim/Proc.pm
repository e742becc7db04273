# Reading /proc.
package Proc;
use strict;
use warnings;
use Exporter 'import';

our @EXPORT_OK = qw(all_pids descendants slurp stat_fields);

use constant READ_BYTES => 65_536;

sub slurp {
    my ($path) = @_;
    open my $file, '<', $path or return '';
    my $text = '';
    while (sysread $file, $text, READ_BYTES, length $text) { }
    return $text;
}

# /proc/<pid>/stat from the third field (state) on; empty when the process is gone.
sub stat_fields {
    my ($pid) = @_;
    return slurp("/proc/$pid/stat") =~ /\) (.*)/s ? split / /, $1 : ();
}

sub all_pids {
    opendir my $proc, '/proc' or return;
    return grep {/^\d+$/} readdir $proc;
}

# All living processes below one, found by their parents.
sub descendants {
    my ($root) = @_;
    my %children;
    for my $pid (all_pids()) {
        my @stat = stat_fields($pid) or next;
        push @{ $children{ $stat[1] } }, $pid;
    }
    my @found = @{ $children{$root} // [] };
    for (my $at = 0; $at < @found; $at++) { push @found, @{ $children{ $found[$at] } // [] } }
    return @found;
}

1;
