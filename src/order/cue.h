#ifndef NOXMK_ORDER_CUE_H
#define NOXMK_ORDER_CUE_H

/*
 * make takes the jobs that it finds ready as it walks through its targets, not the most urgent
 * (simulate.h). So a job that would start too early, in the place of a more urgent one, gets a cue:
 * another job, at whose end it is due. A cue is an edge, and an edge costs time when sessions take
 * longer or shorter than expected. Therefore only those cues are kept without which make would do
 * worse, as simulations show with durations that are off by some percent.
 */

#include "order/schedule.h"

/*
 * Chooses the cues that make needs to start jobs as dispatch() does. sequence, starts: what
 * dispatch() gave. cues: room for all jobs, the caller's: for each the job that is its cue, or
 * NO_JOB. A cue always stands before its job in the sequence.
 */
void cue_choose(const struct schedule *, unsigned slots, const size_t *sequence,
    const double *starts, size_t *cues);

#endif
