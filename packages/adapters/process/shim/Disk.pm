# How much disk a job takes, and how much is left on it for everybody.
#
# A walk through the job's directory goes on from look to look, so that a large tree does not hold up the shim. Files without a name that
# the job's processes have open count as well, and those of the job's user in the directories that are cleared after it.
package Disk;
use strict;
use warnings;
use Errno qw(ENAMETOOLONG);
use Exporter 'import';
use Kernel qw(now room);

our @EXPORT_OK = qw(exceeded_disk has_file_of);

use constant {
    SLICE_ENTRIES     => 2_000,     # names that one look goes through
    ENTRY_BYTES       => 512,       # what a name takes at least
    MAXIMUM_FILES     => 10_000,    # open files that one look goes through
    PAUSE_FACTOR      => 10,        # a walk is followed by a pause of so many times its length
    GROWTH_SECONDS    => 2,         # a job grows that takes more than it took some time within these
    FRESH_SECONDS     => 5,         # what another shim has written down holds for so long
    RESERVE_NAMES     => 10_000,    # left free with the bytes; of a small file system a twentieth. As in diskReserve.ts
    TAKEN_BYTES       => 20,        # digits at the beginning of `exit.tmp`
};

my %walk = (folders => undef);    # `folders` still to see, open `handle` at `path`, `bytes` so far, `links` that were counted, `largest` file, `looks`
my ($uid, @cleared);
my ($taken, $told, $over, $next_walk, $walking) = (0, 0, 0, 0, 0);
my @history;                      # pairs of time and bytes

# The limit that the job exceeds, or `disk_reserve` when less is left than `reserveBytes` and of the jobs that grow this one takes the most.
sub exceeded_disk {
    my ($limits, @pids) = @_;
    my $is_short = is_short($limits->{reserveBytes});
    my $started  = now();
    # What lies below /dev is memory.
    ($uid, @cleared) = ($limits->{uid}, grep { !m{^/dev/} } @{ $limits->{cleared} });
    begin_walk() if !$walk{folders} && ($is_short || $started >= $next_walk);
    my $is_done = $walk{folders} && go_on_walking();
    $walking += now() - $started;
    if ($is_done) {
        $taken     = $walk{bytes} + nameless_bytes(@pids);
        $next_walk = now() + PAUSE_FACTOR * $walking;
        # Files that were renamed during a walk of several looks may have been counted twice: it takes another one to be sure.
        $over = $taken > $limits->{diskBytes} ? $over + 1 : 0;
        return 'disk' if $over > 1 || ($over && $walk{looks} == 1);
        $walk{folders} = undef;
        tell_others();
    }
    return 'disk' if $walk{is_too_deep};
    return $is_short && takes_most() ? 'disk_reserve' : undef;
}

sub is_short {
    my ($bytes) = @_;
    return 0 unless $bytes;
    my ($free, $names, $free_names) = room('.') or return 0;
    return $free < $bytes || $free_names < ($names / 20 < RESERVE_NAMES ? $names / 20 : RESERVE_NAMES);
}

# Whether one of the files that are left has this size, or a larger one. Looks at some only.
sub has_file_of {
    my ($bytes) = @_;
    begin_walk();
    go_on_walking();
    return $walk{largest} >= $bytes;
}

sub begin_walk {
    %walk = (folders => [ '.', @cleared ], bytes => 0, largest => 0, links => {}, looks => 0);
    $walking = 0;
}

# True when there is nothing more to see.
sub go_on_walking {
    $walk{looks}++;
    my $seen = 0;
    while (1) {
        if (!$walk{handle}) {
            my $path = shift @{ $walk{folders} } // return 1;
            if (!opendir $walk{handle}, $path) {
                $walk{is_too_deep} ||= $!{ENAMETOOLONG};
                delete $walk{handle};
                next;
            }
            $walk{path} = $path;
        }
        while (defined(my $name = readdir $walk{handle})) {
            next if $name eq '.' || $name eq '..';
            count("$walk{path}/$name");
            return 0 if ++$seen >= SLICE_ENTRIES;
        }
        delete $walk{handle};
    }
}

sub count {
    my ($path) = @_;
    my @stat    = lstat $path or return;
    my $is_own  = $path =~ m{^\./} || $stat[4] == $uid;
    push @{ $walk{folders} }, $path if -d _ && ($is_own || $stat[2] & 0002);
    return if !$is_own || $stat[3] > 1 && !-d _ && $walk{links}{"$stat[0] $stat[1]"}++;
    $walk{largest} = $stat[7] if -f _ && $stat[7] > $walk{largest};
    my $bytes = $stat[12] * 512;
    $walk{bytes} += $bytes > ENTRY_BYTES ? $bytes : ENTRY_BYTES;
}

sub nameless_bytes {
    my $device = (stat '.')[0];
    my ($bytes, $seen, %counted) = (0, 0);
    for my $pid (@_) {
        opendir my $folder, "/proc/$pid/fd" or next;
        for my $descriptor (grep {/^\d+$/} readdir $folder) {
            return $bytes if ++$seen > MAXIMUM_FILES;
            my @stat = stat "/proc/$pid/fd/$descriptor" or next;
            $bytes += $stat[12] * 512 if $stat[0] == $device && $stat[3] == 0 && !$counted{ $stat[1] }++;
        }
    }
    return $bytes;
}

# Tells the other shims what this job takes, if it grows: in the place of the record of the end, which is written over it.
sub tell_others {
    my $now = now();
    @history = grep { $_->[0] > $now - GROWTH_SECONDS } @history;
    my $growing = (grep { $_->[1] < $taken } @history) ? $taken : 0;
    push @history, [ $now, $taken ];
    return if $growing == 0 && $told == 0;
    $told = $growing;
    open my $file, '+<', 'exit.tmp' or return;
    syswrite $file, sprintf "%*d", TAKEN_BYTES, $growing;
}

# Of those that grow, by what the other shims tell.
sub takes_most {
    return 0 if $told == 0;
    opendir my $jobs, '..' or return 1;
    for (grep { !/^\.\.?$/ } readdir $jobs) {
        return 0 if taken_by("../$_/exit.tmp") > $told;
    }
    return 1;
}

sub taken_by {
    my ($path) = @_;
    my $age = time - ((stat $path)[9] // return 0);
    return 0 if $age > FRESH_SECONDS;
    open my $file, '<', $path or return 0;
    sysread $file, my $text, TAKEN_BYTES or return 0;
    return $text =~ /^\s*(\d+)$/ ? $1 : 0;
}

1;
