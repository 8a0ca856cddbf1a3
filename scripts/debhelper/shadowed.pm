# The program that one of this directory stands before in PATH.
package shadowed;
use strict;
use warnings;
use File::Basename qw(basename dirname);
use Cwd qw(realpath);

sub real {
    my $here = realpath(dirname($0));
    my $name = basename($0);
    my ($real) = grep { -x && realpath(dirname($_)) ne $here } map { "$_/$name" } split(/:/, $ENV{PATH});
    die "error: $name: no such program\n" unless $real;
    return $real;
}

1;
