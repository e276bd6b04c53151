# Allocates as Perl programs do: hashes, lists, strings that grow, closures.
use strict;
use warnings;

# A generator of our own: Perl's rand need not be the same everywhere.
my $state = 1;
sub choose {
    my ($limit) = @_;
    $state = ($state * 1103515245 + 12345) % 2147483648;
    return int($state / 65536) % $limit;
}

my %table;
for my $step (1 .. 400000) {
    my $key = 'key' . choose(30000);
    if (choose(3) == 0) {
        delete $table{$key};
    } else {
        $table{$key} = { step => $step, text => 'x' x choose(200), list => [1 .. choose(8)] };
    }
}
my $sum = 0;
for my $key (sort keys %table) {
    my $entry = $table{$key};
    $sum = ($sum * 31 + $entry->{step} + length($entry->{text}) + @{ $entry->{list} }) % 1000000007;
}
print scalar(keys %table), " entries, sum $sum\n";

my $long = '';
$long .= "line $_: " . ('y' x choose(60)) . "\n" for 1 .. 100000;
my $matches = () = $long =~ /line \d*7: y{10,}/g;
my @sorted = sort { length($a) <=> length($b) or $a cmp $b } split /\n/, $long;
print length($long), " characters, $matches matches, last $sorted[-1]\n";

my @makers = map { my $n = $_; sub { return [($n) x ($n % 50)] } } 1 .. 20000;
my $total = 0;
$total += @{ $_->() } for @makers;
print "closures made $total\n";
