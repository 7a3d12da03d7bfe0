#ifndef NOXMK_SESSION_RUN_H
#define NOXMK_SESSION_RUN_H

#include <stdbool.h>

#include "state/policy.h"

/*
 * One session's life, from its turn to its record. `noxmk run` is the recipe of .noxmk/run/TARGET.
 *
 * share: the folder of shim.py. key, keep: see join_run. target: whose turn it is. posargs:
 * NULL-ended, handed to the session. cue: for the record, or NULL. jobs: how many run at once where
 * make itself sets no limit, 0 for what the machine has. live: show its output while it runs. Works
 * in the current folder, the project's.
 *
 * policy: what ends the run early. *interrupted: make was told to end, or is dead, and we are the
 * last one at work: nobody else will print a summary.
 *
 * Returns 0 once the verdict is recorded, whatever it is, so that make goes on with the others and
 * the goal fails by `noxmk verdict`; EXIT_HELPER after a warning when there is no run to record
 * into. A session with a record in this run is not run again. If the record cannot be written the
 * goal fails too, as it finds none.
 */
struct run_options {
	const char *share, *key, *target, *cue;
	unsigned keep, jobs;
	char *const *posargs;
	bool live;
	const struct policy *policy;
};

int run_session(const struct run_options *, bool *interrupted);

#endif
