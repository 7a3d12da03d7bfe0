#ifndef NOXMK_SCHEDULE_H
#define NOXMK_SCHEDULE_H

/*
 * Sessions as jobs to be scheduled, and which of them should go first where not all can: for want
 * of slots, or on a resource. Pure.
 */

#include <stdint.h>

#include "plan.h"

struct schedule_claim {
	size_t resource;
	enum use use;
	long long amount;
};

struct schedule_job {
	double seconds;        /* expected */
	bool known;            /* from earlier runs, or is that only what others take? */
	struct indices before; /* must have ended: requires and after, no cycle */
	struct schedule_claim *claims;
	size_t nclaims;
};

struct schedule {
	struct schedule_job *jobs;
	size_t n;
	long long *capacities; /* of each resource */
	size_t nresources;
};

/* In lists of jobs: none. */
#define NO_JOB SIZE_MAX

/*
 * The jobs by urgency, the most urgent first, so that dispatch() ends as early as we can find for
 * so many slots. The same for the same schedule. urgency: n places, for the caller.
 */
void schedule_order(const struct schedule *, unsigned slots, size_t *urgency);

#endif
