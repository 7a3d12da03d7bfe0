#ifndef NOXMK_REPORT_ONGOING_H
#define NOXMK_REPORT_ONGOING_H

/* What runs in a run that goes on. */

#include <jansson.h>

#include "base/util.h"

/*
 * Opens what belongs to the run of that folder as long as it is alive: its runtime folder, and the
 * table of what its sessions do (state/now.h); -1: there is none (any more). The caller closes.
 */
void ongoing_open(int rundir, int *runtime, int *table);

/*
 * The sessions that run, the one that has for longest first, as reports have them:
 *
 *   [{"target":"tests","began":3.5,"seconds":12.0,"slots":1,"state":"waits for free processors"}]
 *
 * began: seconds from the run's start, which was so long ago, without what it was held up; seconds:
 * that it runs for; slots: job slots that it holds, or null; state: what it does in the place of
 * running, or "". A new list, which is empty where nothing can be known.
 */
json_t *ongoing_of(int rundir, double ago) UNUSED_RESULT;

#endif
