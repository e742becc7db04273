# The memory group of a job: a control group of the kernel, version 1 or 2, that counts and limits all memory that the job's
# processes cause: private, shared, in tmpfs and memfd, in the page cache and in the kernel. The shim is not in it.
#
# Its name, `fairlead-<process id>-<start time>` of the shim, tells whoever finds it later if the shim lives.
package MemoryGroup;
use strict;
use warnings;
use Kernel qw(now);
use Proc qw(slurp);

use constant {
    LIMITS         => { 1 => [ 'memory.limit_in_bytes', 'memory.memsw.limit_in_bytes' ], 2 => ['memory.max'] },
    PEAK           => { 1 => 'memory.max_usage_in_bytes', 2 => 'memory.peak' },
    KILLS          => { 1 => 'memory.oom_control', 2 => 'memory.events' },
    REMOVE_SECONDS => 2,    # longest wait for ended processes to be gone from it
};

my ($directory, $version);

# Below `$parent`; no group when that is empty. Dies when it cannot be made: this machine was tried before.
sub create {
    my ($parent, $shim) = @_;
    return if $parent eq '';
    my ($pid, $start) = split /:/, $shim;
    $directory = "$parent/fairlead-$pid-$start";
    $version = -e "$parent/memory.limit_in_bytes" ? 1 : 2;
    mkdir $directory or die "shim: the memory group of the job cannot be made: $!\n";
}

sub exists { return defined $directory }

# False when the kernel does not take the limit. What a kernel without accounting of swap does not have is left out.
sub limit {
    my ($bytes) = @_;
    for my $file (@{ LIMITS->{$version} }) {
        next if $file =~ /memsw/ && !-e "$directory/$file";
        write_to($file, $bytes) or return 0;
    }
    return 1 if $version == 1;
    write_to('memory.oom.group', 1);    # all at once
    return write_to('memory.swap.max', 0) || !-e "$directory/memory.swap.max";
}

# Puts this process into the group, with all that it will start.
sub enter { return write_to('cgroup.procs', 0) }

# Whether the kernel has killed a process of the group because it was full.
sub was_exceeded { return slurp("$directory/" . KILLS->{$version}) =~ /^oom_kill [1-9]/m }

sub peak_kb {
    my ($bytes) = slurp("$directory/" . PEAK->{$version}) =~ /^(\d+)/;
    return defined $bytes ? int($bytes / 1024) : undef;
}

sub remove {
    return unless defined $directory;
    my $until = now() + REMOVE_SECONDS;
    until (rmdir $directory) {
        last if $!{ENOENT} || now() > $until;
        select undef, undef, undef, 0.01;
    }
}

sub write_to {
    my ($name, $text) = @_;
    open my $file, '>', "$directory/$name" or return 0;
    return defined syswrite $file, $text;
}

1;
