#ifndef NOXMK_ORDER_CUE_H
#define NOXMK_ORDER_CUE_H

/*
 * make takes what it finds ready as it walks through its targets, not what is most urgent
 * (simulate.h). So a job that would come too early, in the place of a more urgent one, gets a cue:
 * the end of another job, which is the moment at which it is due. Cues are edges, and cost what
 * edges cost when times are not as expected; therefore only those stay that make does not do
 * without, with times that are off by some percent.
 */

#include "order/schedule.h"

/*
 * sequence, starts: what dispatch() wants. cues: n places for the caller: of each job the one whose
 * end is its cue, or NO_JOB. A cue stands before its job in the sequence.
 */
void cue_choose(const struct schedule *, unsigned slots, const size_t *sequence,
    const double *starts, size_t *cues);

#endif
