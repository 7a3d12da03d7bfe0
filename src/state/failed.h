#ifndef NOXMK_STATE_FAILED_H
#define NOXMK_STATE_FAILED_H

/*
 * What `make rerun-failed` runs: the sessions that were not well when they were last to run.
 *
 *   .noxmk/failed    "lint tests-3.12 \n"    targets; make reads it as words
 *
 * One goes when it has passed (or was skipped), or is no session of the plan any more.
 */

#include <jansson.h>

#include "plan/planfile.h"

/*
 * After the run in that folder, of these goals. state: .noxmk. A file that cannot be written is
 * said, and stays as it was.
 */
void failed_update(int state, int run, struct planfile *, const json_t *goals);

#endif
