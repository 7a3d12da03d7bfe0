#ifndef NOXMK_NOX_VERDICT_H
#define NOXMK_NOX_VERDICT_H

/*
 * What nox's exit code and its report together say of a session. Both count: nox exits 0 for a
 * skipped session, and 1 for a passed one whose report it could not write (parameter values that
 * JSON cannot hold).
 */

#include "base/util.h"
#include "plan/planfile.h"
#include "state/record.h"

/*
 * Sets verdict, reason, exit, signal, own, steps and notify of the record. status: of waitpid(2).
 * report: the text of nox's report, or the shim's (it tells more), empty when there is none. plan:
 * to name the notified sessions.
 */
void verdict_judge(struct record *, int status, const struct buffer *report, struct planfile *plan);

/* Can that verdict be of that exit status and signal? Not if the session is well and nox failed. */
bool verdict_is_sound(const struct record *);

#endif
