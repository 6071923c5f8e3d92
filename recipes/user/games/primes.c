/* primes: the prime numbers below a limit, by the sieve of Eratosthenes.

   usage: primes [LIMIT] */

#include <io.h>

int main(int argc, char **argv) {
	int limit = argc > 1 ? parse_number(argv[1], 10) : 100;
	char *composite;
	int n;
	int m;
	program_name = "primes";
	if (limit < 0 || limit > 100000000) die("usage: primes [LIMIT]", 0);
	composite = allocate(limit + 1);
	for (n = 2; n < limit; n++) {
		if (composite[n]) continue;
		put_number(n);
		put_char('\n');
		for (m = n * n; m < limit; m += n) composite[m] = 1;
	}
	return finish(0);
}
