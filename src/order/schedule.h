#ifndef NOXMK_ORDER_SCHEDULE_H
#define NOXMK_ORDER_SCHEDULE_H

/*
 * Sessions as jobs to be scheduled, and which of them should go first where not all can: for want
 * of slots, or on a resource. Pure.
 */

#include <stdint.h>

#include "plan/plan.h"

struct schedule_claim {
	size_t resource;
	enum use use;
	long long amount;
};

struct schedule_job {
	double seconds;        /* expected; of an elastic one those with one slot */
	bool known;            /* from earlier runs, or is that only what others take? */
	bool elastic;          /* its tools take the slots that are free, as long as they are */
	unsigned slots;        /* that it takes at least; 0 is 1, and more than all is all */
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

/* How many of so many slots the job takes. */
unsigned schedule_slots(const struct schedule_job *, unsigned slots);

/* How fast each of n elastic jobs goes beside so many free slots. */
double schedule_pace(size_t n, unsigned free_slots);

/* In lists of jobs: none. */
#define NO_JOB SIZE_MAX

/*
 * The jobs by urgency, the most urgent first, so that dispatch() ends as early as we can find for
 * so many slots. The same for the same schedule. urgency: n places, for the caller.
 */
void schedule_order(const struct schedule *, unsigned slots, size_t *urgency);

#endif
