#ifndef NOXMK_NOX_SCRATCH_H
#define NOXMK_NOX_SCRATCH_H

/*
 * The private folder of one planning, planning.XXXXXX in the state folder: what the probe finds
 * out, facts.json, and the probe itself if it is a copy. A probe that outlives its planning,
 * whatever happens to that, writes nowhere else, and so not what a later planning reads.
 */

#include <stdbool.h>

#include "base/util.h"

/*
 * Makes one. alone: nobody else plans here, so what others have left, who were killed, goes. Its
 * path, or NULL after a warning; scratch_remove removes it and frees.
 */
char *scratch_make(int state, bool alone) UNUSED_RESULT;
void scratch_remove(char *scratch);

#endif
