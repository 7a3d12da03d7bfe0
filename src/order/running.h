#ifndef NOXMK_ORDER_RUNNING_H
#define NOXMK_ORDER_RUNNING_H

/*
 * The jobs that run at a moment, and the time as it passes from one end of a job to the next: what
 * dispatch.h and simulate.h have in common. Who starts when is up to them.
 *
 * A client of make's jobserver goes faster while slots are free: the clients that run share those
 * evenly. A job may want more processors than it has slots, as one waits for them at the gate and
 * then has them all: where the jobs that run want more than there are, all go slower, evenly.
 * Whether they share the processors or wait for each other, the last one ends at the same time.
 * Where the schedule says how many processors there are, a job may keep less than one busy; then
 * the rest of its time is as long as ever.
 */

#include "order/schedule.h"

struct running {
	const struct schedule *schedule;
	unsigned slots, free_slots;
	double now;
	double *starts;         /* of each job, or -1 while it has not started */
	double *left;           /* of each: its seconds to go; of a client, with one slot */
	size_t *jobs, n;        /* that run, in the order in which they started */
	size_t *ended, nended;  /* at this very moment, in that order, too */
};

/* Nothing runs, at 0. running_free frees. */
void running_begin(struct running *, const struct schedule *, unsigned slots);
void running_free(struct running *);

/* The job starts now. Its slots must be free. */
void running_start(struct running *, size_t job);

/*
 * On to the next moment at which a job ends: `ended` has all that end then, and their slots are
 * free. False when nothing runs any more; then no time passes.
 */
bool running_advance(struct running *);

#endif
