#ifndef NOXMK_REPORT_BENCH_H
#define NOXMK_REPORT_BENCH_H

#include <jansson.h>

struct bench_options {
	const char *share;   /* PREFIX/share/noxmk: PREFIX/include/nox.mk is the makefile */
	const char *noxfile;
	unsigned jobs;       /* for make -j; 0: as many as there are processors */
	unsigned rounds;
	const json_t *goals; /* a list; empty: ci */
};

/*
 * How much faster is make than nox on these goals? Runs both in turns and prints what they took,
 * and one sentence. What they print goes to .noxmk/bench.log. 0; 1 after a warning when a run
 * fails; -1 after a warning when there can be none.
 */
int bench_run(const struct bench_options *);

#endif
