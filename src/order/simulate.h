#ifndef NOXMK_ORDER_SIMULATE_H
#define NOXMK_ORDER_SIMULATE_H

/*
 * How make runs the jobs of an order (tried with make 4.3 and 4.4.1). It goes through the order
 * again and again. At a job that waits for no other job it stays until there is a slot for just
 * that one, even if jobs before it get ready meanwhile; those wait for the next pass. The users of
 * a resource wait for each other in the same order: a reader for the last writer before it, a
 * writer for all readers after the writer before it. Amounts are locks: first come, first served. A
 * job holds no slot while it waits for amounts or for several slots.
 */

#include "order/schedule.h"

/*
 * Returns when the last of the n jobs in `order` ends, if make runs only these. cues: for each job
 * of the schedule the one that is its cue, or NO_JOB; NULL: no job has a cue. A cue that is not in
 * the order does not count. starts, ends: room for all jobs of the schedule, the caller's, or NULL:
 * when each job starts and ends. For a job that never ends, nothing is written there.
 */
double simulate(const struct schedule *, const size_t *order, size_t n, unsigned slots,
    const size_t *cues, double *starts, double *ends);

#endif
