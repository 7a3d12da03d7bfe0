#include <stdio.h>
#include <stdlib.h>

/* burn MILLIONS [PARTS]: so many million steps, in parts that OpenMP may spread. */
int
main(int argc, char *argv[])
{
	long steps = atol(argv[1]) * 1000000L, parts = argc > 2 ? atol(argv[2]) : 1;
	unsigned long sum = 0;

#pragma omp parallel for schedule(dynamic) reduction(+ : sum)
	for (long part = 0; part < parts; part++) {
		volatile unsigned long x = (unsigned long)part;

		for (long i = 0; i < steps / parts; i++)
			x = x * 2862933555777941757UL + 3037000493UL;
		sum += x;
	}
	printf("%lu\n", sum);
	return 0;
}
