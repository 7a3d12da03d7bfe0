#ifndef NOXMK_STATE_POLICY_H
#define NOXMK_STATE_POLICY_H

/*
 * What ends a run early: the first failure (FAIL_FAST), so many of them (MAX_FAIL), or a time
 * (NOXMK_DEADLINE). The reason stands in the run folder, where all helpers of the run find it:
 *
 *   .halt    "cancel lint failed (FAIL_FAST)\n", or "wait …": sessions that run may go on to their
 *            end
 */

#include <stdbool.h>

#include "state/record.h"

struct policy {
	bool fail_fast;
	bool wait;               /* sessions that run when the run ends early go on to their end */
	bool fail_fast_said;     /* by the user; if not, fail_fast is what the noxfile says */
	unsigned max_fail;       /* 0: any number */
	double deadline;         /* seconds from the run's begin; 0: none */
	bool flaky_fails;        /* a session that passes only after a failure has failed */
};

/* Ends the run early if that record says so. To be called when the record is written. */
void policy_consider(int rundir, const struct policy *, const struct record *);

/* Why the run is to end early, or NULL. The caller frees. *cancel: sessions that run end, too. */
char *policy_stop_reason(int rundir, bool *cancel);

/* The monotonic second at which the run has to be over; 0: never. */
double policy_run_ends(const struct policy *, int rundir);

#endif
