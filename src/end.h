#ifndef NOXMK_END_H
#define NOXMK_END_H

/*
 * The end of a run, when the sessions of its goals have: those that were notified run, some
 * that failed are rechecked, the summary is printed, and what the run has shown is kept for the
 * next one: which sessions failed, how long each takes, and the order that follows from that.
 */

#include <jansson.h>

#include "plan/planfile.h"

struct end {
	int state, rundir;     /* descriptors of the state folder and the run folder */
	struct planfile *plan; /* the one that the run went by */
	const json_t *goals;   /* a list */
	unsigned jobs;         /* see order_write */
	double recheck;        /* see knob.h */
	unsigned reports;      /* see report.h */
	bool watch;            /* tell where sessions met: audit/watch.h */
	const char *share;     /* see statuses.h; NULL: the forge is not told of sessions */
};

/*
 * `noxmk end`, which make calls at its end. key: of the run. make: the command that runs notified
 * sessions, NULL-ended; when it is empty, nothing runs and nothing is kept, but for a run that make
 * has left without an end (key is NULL then): that has one now. 0, or -1 after a warning.
 */
int end_run(const struct end *, const char *key, char *const *make);

/* The same where make will not come to its end: nothing more runs. */
void end_interrupted(const struct end *);

/* Then nothing of the run of that make is left but its folder. */
void end_clear_up(int state, const char *key, int rundir);

#endif
