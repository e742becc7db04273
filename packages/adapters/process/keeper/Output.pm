# The output of a script: through pipes into files, up to a cap.
package Output;
use strict;
use warnings;
use Errno qw(EINTR);

use constant READ_BYTES => 65_536;

# Of each stream: `file` it is kept in, `pipe` it comes through, `writer` until the script has it, and `written` and `kept` bytes.
my %streams = map { ($_ => { written => 0, kept => 0 }) } qw(stdout stderr);
my @streams = @streams{qw(stdout stderr)};

sub open_files {
    for my $name (qw(stdout stderr)) { open $streams{$name}{file}, '>>', $name or die "keeper: $name: $!\n" }
}

sub open_pipes {
    for (@streams) { pipe $_->{pipe}, $_->{writer} or die "keeper: pipe: $!\n" }
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
    return map { ("${_}Written" => $streams{$_}{written}, "${_}Kept" => $streams{$_}{kept}) } keys %streams;
}

# Waits up to `$seconds` for output, or for the script's process to end, and stores the output. Beyond the cap it is read and
# counted only, so the script never blocks. True when storing failed for the first time: what follows is dropped.
sub pump {
    my ($cap, $seconds, $process) = @_;
    my $wanted = '';
    my @open = grep { $_->{pipe} } @streams;
    vec($wanted, fileno $_, 1) = 1 for map({ $_->{pipe} } @open), $process // ();
    return if select(my $ready = $wanted, undef, undef, $seconds) <= 0;
    my $failed;
    for my $stream (@open) {
        next unless vec $ready, fileno $stream->{pipe}, 1;
        my $count = sysread $stream->{pipe}, my $bytes, READ_BYTES;
        next unless defined $count;
        if   ($count == 0) { close delete $stream->{pipe} }
        else               { $failed = 1 unless store($stream, $bytes, $cap) }
    }
    return $failed;
}

# False when the file took no more, no space most likely.
sub store {
    my ($stream, $bytes, $cap) = @_;
    $stream->{written} += length $bytes;
    $bytes = substr $bytes, 0, $cap - $stream->{kept};
    while (length $bytes && !$stream->{broken}) {
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

1;
