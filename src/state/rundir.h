#ifndef NOXMK_STATE_RUNDIR_H
#define NOXMK_STATE_RUNDIR_H

/*
 * .noxmk, the folder of a project that holds all we keep, and in it one folder a run:
 *
 *   .noxmk/.gitignore                      "*": git never sees the folder
 *   .noxmk/sessions.mk, plan.jsonl         the plan (rule.h, planfile.h)
 *   .noxmk/runs/20261123-011828-4711/      a run: date, time, pid of its make
 *     .run.json                            {"schema":1,"run","make","started","clock"}
 *     plan.jsonl                           the plan it started with
 *     TARGET.log, TARGET.json              one each a session (joblog.h, record.h)
 *     .TARGET.report, .slot-N              what nox said of it (run.c); slots in use (pool.h)
 *     .TARGET.notified, .halt, .alive      record.h, policy.h, rundir_enter
 *   .noxmk/runs/.make-4711-9876-c0ffee -> …  which run belongs to a make: see nox.mk
 *   .noxmk/latest -> runs/…                the newest
 *
 * All functions work in the current folder, the project's. They warn and return -1 on failure.
 */

#include <jansson.h>
#include <stdbool.h>

#include "base/util.h"

/* Makes .noxmk with its .gitignore if need be, and opens it. The caller closes. */
int state_make(void);

/* Opens .noxmk. The caller closes. */
int state_open(void);

/*
 * Opens the folder of the run of the make with that key ("PID-STARTTIME-HEX" of nox.mk); the first
 * call makes it. Older runs beyond `keep` are removed then, unless their make is still alive. The
 * caller closes.
 */
int rundir_join(int state, const char *key, unsigned keep);

/* ".noxmk/runs/NAME", for people. The caller frees. */
char *rundir_path(const char *name) UNUSED_RESULT;

/* The .run.json of a run: a new reference, or NULL after a warning. */
json_t *rundir_info(int run);

/* Opens the folder of a make's run, or of the latest one when key is NULL. The caller closes. */
int rundir_open(int state, const char *key);

/* Opens the newest run's folder that has a file of that name. The caller closes. */
int rundir_newest_with(int state, const char *name);

/* The kept runs, oldest first: a JSON list of their names; and one of them. The caller closes. */
json_t *rundir_list(int state);
int rundir_open_named(int state, const char *name);

/*
 * While we hold this descriptor (or a keeper does, which has inherited it) we are at work in the
 * run's folder. -1 when that cannot be, which is not said: little depends on it.
 */
int rundir_enter(int run);

/* Is nobody else at work there? To be asked once, at the end: then we are not any more. */
bool rundir_is_left(int entered);

/* Waits until nobody is, some seconds at most. */
void rundir_wait(int run);

#endif
