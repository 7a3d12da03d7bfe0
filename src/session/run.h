#ifndef NOXMK_SESSION_RUN_H
#define NOXMK_SESSION_RUN_H

/*
 * `noxmk run`, the recipe of .noxmk/run/TARGET: one session from the wait for its turn to its
 * record. Works in the current folder, the project's.
 */

#include <jansson.h>
#include <stdbool.h>

#include "state/knob.h"

struct run_options {
	const char *share;      /* the folder of shim.py */
	const char *key;        /* of the make; see join_run */
	unsigned keep;          /* how many runs are kept; see join_run */
	const char *target;     /* of the session */
	char *const *posargs;   /* NULL-ended, handed to the session */
	const char *cue;        /* for the record, or NULL */
	const char *needs;      /* sessions that it requires besides those of the plan, as words */
	unsigned jobs;          /* under `make -j` without a number; 0: as many as processors */
	unsigned processors;    /* that we may use */
	const struct knobs *knobs; /* how sessions run, and what is shown of them */
	bool alone;             /* no other session of this make does */
	const json_t *goals;    /* a list: of the make */
	bool notified;          /* in the make for notified sessions, others may have run before */
};

/*
 * Returns 0 once the verdict is recorded, whatever it is, so that make goes on with the others and
 * the goal fails by `noxmk verdict`; EXIT_HELPER after a warning when there is no run to record
 * into. In the make for
 * notified sessions one with a record in this run is not run again; before that, no record of one
 * that has not run counts. If the record cannot be written the
 * goal fails too, as it finds none.
 *
 * *interrupted: make was told to end, or is dead, and we are the last one at work: nobody else will
 * print a summary.
 */
int run_session(const struct run_options *, bool *interrupted);

#endif
