# Runs a program of debhelper's that changes files, of which those that came in a wheel are left as they are:
# strip(1) and dwz(1) break some that others have patched (https://github.com/numpy/numpy/issues/7570 is one of many),
# and what RECORD says of them is true no more. `make install` lists them in debian/.debhelper/python-common/.
package shipped_as_is;
use strict;
use warnings;
use Debian::Debhelper::Dh_Lib ();

my %shipped;
for my $list (glob 'debian/.debhelper/python-common/*.shipped-as-is') {
    open(my $file, '<:raw', $list) or die "error: $list: $!\n";
    local $/ = "\0";
    while (my $name = <$file>) {
        chomp $name;
        $shipped{$name} = 1;
    }
}

{
    no warnings 'redefine';
    my $excluded = \&Debian::Debhelper::Dh_Lib::excludefile;
    *Debian::Debhelper::Dh_Lib::excludefile = sub { return is_listed($_[0]) || $excluded->(@_) };
}

sub is_listed { return $shipped{ $_[0] } }

1;
