#ifndef NOXMK_STATE_FAILED_H
#define NOXMK_STATE_FAILED_H

/*
 * What `make rerun-failed` runs: the sessions that were bad (record_is_bad) when they were last to
 * run.
 *
 *   failed    "lint tests-3.12 \n"    targets; make reads it as words
 *
 * A target goes when its session has passed or was skipped, or is not in the plan any more.
 */

#include <jansson.h>

#include "plan/planfile.h"

/*
 * Adds and removes targets after the run in that folder, of these goals. A file that cannot be
 * written is warned of, and stays as it was.
 */
void failed_update(int state, int rundir, struct planfile *, const json_t *goals);

#endif
