# In which order a script wrote to its streams, and when: the file `order`. Its form is that of `OutputOrder` in the core library.
package Order;
use strict;
use warnings;
use Kernel qw(now wall_time);

use constant {
    JOIN_SECONDS => 0.02,       # what one stream writes within this time is one piece
    WAITING      => 1_000,      # most pieces in memory
    MAX_BYTES    => 524_288,    # beyond it no order is known
};

my %order = (written => 0);
my @waiting;                    # pieces: [ stream, seconds since the beginning, bytes, whether they may be dropped ]
my $piece;                      # the latest one, while more may belong to it

# Bytes of a stream that were kept, or, with `$of_tail`, are kept unless others follow.
sub note {
    my ($letter, $bytes, $of_tail) = @_;
    return if $bytes == 0;
    begin() unless $order{began};
    my $at = now() - $order{began};
    if ($piece && $piece->[0] eq $letter && $piece->[3] == $of_tail && $at - $piece->[1] < JOIN_SECONDS) {
        $piece->[2] += $bytes;
        return;
    }
    settle();
    $piece = [ $letter, $at, $bytes, $of_tail ];
}

# Nothing is written at the moment.
sub settle {
    my $done = $piece // return;
    $piece = undef;
    return write_piece($done) unless @waiting || $done->[3];
    push @waiting, $done;    # from the first piece on that may be dropped, so that the order stays one of times
    my $oldest = @waiting > WAITING ? shift @waiting : return;
    write_piece($oldest) unless $oldest->[3];
}

# With the letters of streams and how many of their last bytes were kept.
sub finish {
    my (%missing) = @_;
    settle();
    my @told;
    for my $done (reverse @waiting) {
        if ($done->[3]) {
            $done->[2] = $missing{ $done->[0] } if $done->[2] > $missing{ $done->[0] };
            $missing{ $done->[0] } -= $done->[2];
        }
        unshift @told, $done;
    }
    my $since = @told ? $told[0][1] : 0;
    write_piece([ $_, $since, $missing{$_} ]) for grep { $missing{$_} } sort keys %missing;
    write_piece($_) for @told;
}

sub begin {
    $order{began} = now();
    open $order{file}, '>>', 'order' or return;
    write_line(sprintf "%d\n", wall_time() * 1000);
}

sub write_piece {
    my ($letter, $at, $bytes) = @{ $_[0] };
    write_line(sprintf "%s%d:%d\n", $letter, $at * 1000, $bytes) if $bytes > 0;
}

# What cannot be written is no reason to end a job.
sub write_line {
    my ($line) = @_;
    return if !$order{file} || $order{written} + length $line > MAX_BYTES;
    my $count = syswrite $order{file}, $line;
    if   (defined $count && $count == length $line) { $order{written} += $count }
    else                                            { delete $order{file} }
}

1;
