#ifndef NOXMK_REPORT_BENCH_H
#define NOXMK_REPORT_BENCH_H

/*
 * `noxmk bench`: how much faster make is than nox. Nothing is worked out here: nox runs as its user
 * would start it, and so each session has all processors.
 */

#include <jansson.h>

struct bench_options {
	const char *share;   /* PREFIX/share/noxmk: PREFIX/include/nox.mk is the makefile */
	const char *noxfile;
	unsigned jobs;       /* for make -j; 0: as many as we have processors */
	unsigned rounds;     /* how often each runs */
	const json_t *goals; /* a list; empty: ci */
};

/*
 * Runs both on these goals, once without measuring and then in turns, and prints what they took,
 * and one sentence. What they print themselves goes to bench.log in the state folder. 0; 1 after a
 * warning, or one of `make -n`, when a run fails or would; -1 after a warning when none can start.
 * Works in the current folder, the project's.
 */
int bench_run(const struct bench_options *);

#endif
