#ifndef NOXMK_ORDER_SCHEDULE_H
#define NOXMK_ORDER_SCHEDULE_H

/*
 * The model that the modules of this folder share: sessions as jobs with durations, prerequisites
 * and claims on resources, to be run on some slots. running.h lets such jobs run; dispatch.h and
 * simulate.h say when which of them starts, search.h which should go first, cue.h how make is
 * brought to keep to that. All of these are pure: they read and write no files.
 *
 * Jobs and resources are named by their positions in the schedule. Times are seconds.
 */

#include <stdint.h>

#include "base/util.h"
#include "plan/use.h"

struct schedule_claim {
	size_t resource;
	enum use use;
	long long amount;
};

struct schedule_job {
	double seconds;        /* expected; of a client those with one slot */
	bool known;            /* the seconds are from earlier runs, not only what others take */
	bool client;           /* its tools take the slots that are free, as long as they are */
	unsigned slots;        /* that it takes at least; 0 is 1, and more than all is all */
	double demand;         /* processors that it keeps busy; fewer than its slots are these, but
	                          where the schedule says how many processors there are */
	struct indices before; /* jobs that must have ended: requires and after, no cycle */
	struct schedule_claim *claims;
	size_t nclaims;
};

struct schedule {
	struct schedule_job *jobs;
	size_t n;
	long long *capacities; /* of each resource */
	size_t nresources;
	unsigned processors; /* that all jobs share; 0: as many as there are slots */
};

/* In the place of a job where there is none. */
#define NO_JOB SIZE_MAX

/* Seconds by which two moments may differ and still are the same. */
#define SAME_MOMENT 1e-9

/* How many of that many slots the job takes. */
unsigned schedule_slots(const struct schedule_job *, unsigned slots);

/* How many of that many processors the job keeps busy, if no other job wants them. */
double schedule_demand(const struct schedule_job *, unsigned slots);

/* For each job the list of those that have it in `before`. schedule_free_followers frees. */
struct indices *schedule_followers(const struct schedule *) UNUSED_RESULT;
void schedule_free_followers(const struct schedule *, struct indices *followers);

/* Frees what the schedule holds, and leaves it empty. */
void schedule_clear(struct schedule *);

#endif
