#ifndef NOXMK_NOTIFIED_H
#define NOXMK_NOTIFIED_H

/*
 * Sessions that others of the run notified and that have not run. nox runs them at the end of its
 * queue, once each. Which ones they are is known only when the others have ended, so another make
 * runs them then, and yet another those that these notify, until none is left.
 */

#include <jansson.h>

#include "plan/planfile.h"

/* Their targets, without those of `tried`: keys of a new object. */
json_t *notified_pending(int rundir, struct planfile *, const json_t *tried) UNUSED_RESULT;

/*
 * Runs them. key: the run's, for NOXMK_RUN. make: its command, NULL-ended; the targets .noxmk/run/…
 * are added, and it gets our jobserver. A session is not run twice: those of `tried` do not run,
 * and those that do, with what they require, are added to it, as keys. 1 when they have run, 0 when
 * there were none, -1 when a make failed, which said why, or after a warning when it could not be
 * started.
 */
int notified_run(int rundir, const char *key, char *const *make, struct planfile *, json_t *tried);

#endif
