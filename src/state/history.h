#ifndef NOXMK_STATE_HISTORY_H
#define NOXMK_STATE_HISTORY_H

/*
 * How long each session takes, from its last runs that passed:
 *
 *   history.json   {"schema":1,"sessions":{"lint":[1.25,1.5],"tests-3.12":[20.1]},
 *                   "clients":["build"]}
 *
 * For each session its seconds, the newest last. clients: the sessions whose tools took part in
 * make's jobserver when they ran last. How long these take depends on how many slots are free, so
 * their processor seconds count where these are more. The environment's NOXMK_HISTORY names a
 * second file of that format, from a CI cache or under version control, which counts for targets
 * that the first one lacks.
 */

#include <jansson.h>
#include <stdbool.h>

#include "base/util.h"

struct history;

/* A file that cannot be used is warned of and counts as empty. history_free frees. */
struct history *history_load(int state) UNUSED_RESULT;
void history_free(struct history *);

/* What is expected of one session. */
struct expectation {
	double seconds; /* the median of its runs; without any, that of all sessions, or 1 */
	bool known;     /* it has passed before */
	bool client;    /* its tools use make's jobserver; the seconds are those with one slot */
};

struct expectation history_expect(const struct history *, const char *target);

/*
 * Adds what has passed in the run of that folder. True when that has changed what is expected of a
 * session by so much that another order may be better, or when a session has passed for the first
 * time. A file that cannot be written is warned of; then nothing changes.
 */
bool history_update(int state, int rundir);

#endif
