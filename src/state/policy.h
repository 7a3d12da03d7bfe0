#ifndef NOXMK_STATE_POLICY_H
#define NOXMK_STATE_POLICY_H

/*
 * What ends a run early: the first failure (FAIL_FAST), so many of them (MAX_FAIL), a time
 * (NOXMK_DEADLINE). It is on record in the run's folder, for all its helpers:
 *
 *   .halt    "cancel lint failed (FAIL_FAST)\n", or "wait …": those that run may end by themselves
 */

#include <stdbool.h>

#include "state/record.h"

struct policy {
	bool fail_fast, wait;    /* wait: for those that run */
	bool fail_fast_said;     /* else the noxfile says it */
	unsigned max_fail;       /* 0: any number */
	double deadline;         /* seconds from the run's begin; 0: none */
	bool flaky_fails;
};

/*
 * NAME=VALUE: fail-fast=1|wait|0, max-fail=N, deadline=90|"10m", flaky=fail|pass. False after a
 * warning.
 */
bool policy_set(struct policy *, const char *word);

/* After a session's record is written. */
void policy_consider(int rundir, const struct policy *, const struct record *);

/* Why the run is to end early, or NULL. The caller frees. *cancel: even those that run. */
char *policy_stop_reason(int rundir, bool *cancel);

#endif
