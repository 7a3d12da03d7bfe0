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
	unsigned sessions;      /* of this make */
	bool alone;             /* no other session of this make does */
	const json_t *goals;    /* a list: of the make */
	bool notified;          /* in the make for notified sessions, others may have run before */
	bool recheck;           /* the session has failed, and is run once more: see below */
};

/*
 * Returns 0 once the verdict is recorded, whatever it is, so that make goes on with the others and
 * the goal fails by `noxmk verdict`; EXIT_HELPER after a warning when there is no run to record
 * into. In the make for notified sessions one with a record in this run is not run again; before
 * that, no record of one that has not run counts. If the record cannot be written the goal fails
 * too, as it finds none.
 *
 * A recheck changes nothing but what it is there for: log, report and record are called as
 * run_recheck_name says, and neither other sessions nor the end of the run depend on them.
 *
 * *interrupted: make was told to end, or is dead, and we are the last one at work: nobody else will
 * print a summary.
 */
int run_session(const struct run_options *, bool *interrupted);

/* What stands for the target in the names of what a recheck leaves. The caller frees. */
char *run_recheck_name(const char *target) UNUSED_RESULT;

#endif
