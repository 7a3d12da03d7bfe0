#ifndef NOXMK_STATE_HISTORY_H
#define NOXMK_STATE_HISTORY_H

/*
 * How long each session takes, from its last runs that passed:
 *
 *   .noxmk/history.json   {"schema":1,"sessions":{"lint":[1.25,1.5],"tests-3.12":[20.1]},
 *                          "clients":["build"]}
 *
 * seconds, the newest last. clients: whose tools took part in make's jobserver when they ran last.
 * How long these take depends on how many slots are free, so what counts of them is the processor's
 * time where that is longer. The environment's NOXMK_HISTORY names a second file of that format,
 * for targets that the first does not know: from a CI cache, or under version control.
 */

#include <jansson.h>
#include <stdbool.h>

#include "base/util.h"

struct history;

/* state: .noxmk. A file that cannot be used is said and counts as empty. history_free frees. */
struct history *history_load(int state) UNUSED_RESULT;
void history_free(struct history *);

struct expectation {
	double seconds; /* the median of its runs; of an unknown one that of all known ones, or 1 */
	bool known;
	bool client;    /* then the seconds are those with one slot */
};

struct expectation history_expect(const struct history *, const char *target);

/*
 * Adds what has passed in a run, the folder of which is `run`. True when that has changed what is
 * expected of a session by so much that another order may be better, or on the first run of one.
 * A file that cannot be written is said, and nothing changes.
 */
bool history_update(int state, int run);

#endif
