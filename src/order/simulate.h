#ifndef NOXMK_ORDER_SIMULATE_H
#define NOXMK_ORDER_SIMULATE_H

/*
 * What make makes of an order (tried with 4.3 and 4.4.1). It goes through it again and again. Where
 * it finds a job that waits for nothing it stays until there is a slot for just that one, even if
 * others before it get ready meanwhile; they have to wait for the next pass. Users of a resource
 * wait for each other in the same order: a reader for the last writer before it, a writer for all
 * readers since then. Amounts are locks: first come, first served, and no slot is held meanwhile;
 * nor by a job that waits for several slots.
 */

#include "order/schedule.h"

/*
 * When the last of the n jobs of that order ends, if these run alone; where they are not NULL, also
 * when each (by its number in the schedule) starts and ends. Seconds. cues: of each job another one
 * that it waits for too, if that runs, or NO_JOB; NULL: none has one.
 */
double simulate(const struct schedule *, const size_t *order, size_t n, unsigned slots,
    const size_t *cues, double *starts, double *ends);

#endif
