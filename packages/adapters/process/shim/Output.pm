# The output of a script: through pipes into files, up to a cap; of more than that the first and the last bytes.
package Output;
use strict;
use warnings;
use Errno qw(EINTR);
use Kernel qw(now);
use Order;

use constant {
    READ_BYTES  => 65_536,
    BURST_BYTES => 32 << 20,    # that are read as fast as the script writes, before its rate counts
    GRAIN_BYTES => 1 << 20,     # to wait for once the rate is reached, since each wait costs something too
};

# Of each stream: `file` it is kept in, `pipe` it comes through, `writer` until the script has it, `written` and `kept` bytes, and the
# `tail`: what is kept when nothing follows.
my %streams = map { ($_ => { letter => $_ eq 'stdout' ? 'o' : 'e', written => 0, kept => 0, tail => '' }) } qw(stdout stderr);
my @streams = @streams{qw(stdout stderr)};
my ($allowance, $allowed_at) = (BURST_BYTES, 0);    # bytes that may be read now, as of then

sub open_files {
    for my $name (qw(stdout stderr)) { open $streams{$name}{file}, '>>', $name or die "shim: $name: $!\n" }
}

sub open_pipes {
    for (@streams) { pipe $_->{pipe}, $_->{writer} or die "shim: pipe: $!\n" }
}

# The ends that the script writes to.
sub writers { return map { $_->{writer} } @streams }

# By a path such as /dev/stdout only the owner of a pipe can open it again.
sub give_to {
    my ($uid) = @_;
    chown $uid, $uid, writers();
}

sub close_writers {
    close delete $_->{writer} for @streams;
}

sub is_open { return !!grep { $_->{pipe} } @streams }

# For the record of the end.
sub totals {
    my %totals;
    for my $name (keys %streams) {
        my ($written, $kept) = @{ $streams{$name} }{qw(written kept)};
        @totals{"${name}Written", "${name}Kept"} = ($written, $kept);
        $totals{"${name}Tail"} = length $streams{$name}{tail} if $written > $kept;
    }
    return %totals;
}

# Waits up to `$seconds` for output, or for the script's process to end, and stores the output: all of it up to the cap without the
# tail. What follows is counted, and its last bytes remembered. A script that writes more than `$rate` bytes a second blocks now and then,
# so that a flood leaves the cores to others. True when storing failed for the first time: what follows is dropped.
sub pump {
    my ($cap, $tail_bytes, $rate, $seconds, $process) = @_;
    my $wanted = '';
    my $pause  = pause($rate);
    my @open   = $pause > 0 ? () : grep { $_->{pipe} } @streams;
    $seconds = min($seconds, $pause) if $pause > 0;
    vec($wanted, fileno $_, 1) = 1 for map({ $_->{pipe} } @open), $process // ();
    my $found = select(my $ready = $wanted, undef, undef, $seconds);
    Order::settle() if $found == 0 && $pause == 0;
    return if $found <= 0;
    my $failed;
    for my $stream (@open) {
        next unless vec $ready, fileno $stream->{pipe}, 1;
        my $count = sysread $stream->{pipe}, my $bytes, READ_BYTES;
        next unless defined $count;
        $allowance -= $count;
        if   ($count == 0) { close delete $stream->{pipe} }
        else               { $failed = 1 unless keep($stream, $bytes, $cap - $tail_bytes, $tail_bytes) }
    }
    return $failed;
}

# Seconds until more may be read.
sub pause {
    my ($rate) = @_;
    my $now = now();
    $allowance  = min(BURST_BYTES, $allowance + ($now - $allowed_at) * $rate);
    $allowed_at = $now;
    return $allowance > 0 ? 0 : (GRAIN_BYTES - $allowance) / $rate;
}

# False when the file took no more, no space most likely.
sub keep {
    my ($stream, $bytes, $cap, $tail_bytes) = @_;
    $stream->{written} += length $bytes;
    return 1 if $stream->{broken};
    my $rest  = substr $bytes, min(length $bytes, $cap - $stream->{kept}), length $bytes, '';
    my $tails = length $rest;
    return 0 unless store($stream, $bytes);
    return 1 if $tails == 0;
    $stream->{tail} .= $rest;
    substr($stream->{tail}, 0, length($stream->{tail}) - $tail_bytes) = '' if length $stream->{tail} > $tail_bytes;
    Order::note($stream->{letter}, $tails, 1);
    return 1;
}

# Nothing is written any more: stores the tails. False when a file took no more.
sub finish {
    Order::finish(map { ($_->{letter} => $_->{broken} ? 0 : length $_->{tail}) } @streams);
    my $whole = 1;
    for my $stream (@streams) {
        $whole = 0 if $stream->{broken} || !append($stream, $stream->{tail});
    }
    return $whole;
}

sub store {
    my ($stream, $bytes) = @_;
    return 1 if $bytes eq '';
    append($stream, $bytes) or return 0;
    Order::note($stream->{letter}, length $bytes, 0);
    return 1;
}

sub append {
    my ($stream, $bytes) = @_;
    while (length $bytes) {
        my $count = syswrite $stream->{file}, $bytes;
        if (defined $count) {
            $stream->{kept} += $count;
            substr($bytes, 0, $count) = '';
        }
        elsif (!$!{EINTR}) {
            $stream->{broken} = 1;
            return 0;
        }
    }
    return 1;
}

sub min { return $_[0] < $_[1] ? $_[0] : $_[1] }

1;
