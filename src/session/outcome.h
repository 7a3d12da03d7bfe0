#ifndef NOXMK_SESSION_OUTCOME_H
#define NOXMK_SESSION_OUTCOME_H

/*
 * Who decides a session's verdict, in the order of time. A later decision replaces an earlier one:
 *
 *   before its turn    failed: the plan has a complaint, or the helper cannot wait
 *                      not run: something that the session requires has not passed
 *   after an attempt   failed: nox cannot be started, or there is no room for a record
 *                      what nox's exit code and report say (nox/verdict.h)
 *                      failed: the attempt has reached its time limit
 *   at the end         not run, or cancelled: the session was asked to end
 *                      failed: it is flaky, and NOXMK_FLAKY=fail
 *   without a helper   cancelled: the keeper writes the record of a killed helper
 */

#include <jansson.h>
#include <stdbool.h>

#include "state/record.h"

/*
 * May the session of this line of the plan run? Not when the plan has a complaint about it or a
 * record of this run, among those of what it requires, does not say passed: that is decided then.
 */
bool outcome_may_run(struct record *, const json_t *session, int rundir);

/* That program could not be started, for the reason of this errno. */
void outcome_not_started(struct record *, const char *program, int error);

/* It is not started, since its record could not be kept: the disk is full, by this errno. */
void outcome_no_room(struct record *, int error);

/* The attempt has been ended after so many seconds. */
void outcome_timed_out(struct record *, double seconds);

/* The helper was killed, and its keeper has ended the session. */
void outcome_orphaned(struct record *);

/*
 * The last word. stopped: why the session was asked to end, or NULL; tried: nox was started at
 * least once.
 */
void outcome_settle(struct record *, const char *stopped, bool tried, bool flaky_fails);

#endif
