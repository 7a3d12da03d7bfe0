#ifndef NOXMK_HISTORY_H
#define NOXMK_HISTORY_H

/*
 * How long each session takes, from its last runs that passed:
 *
 *   .noxmk/history.json   {"schema":1,"sessions":{"lint":[1.25,1.5],"tests-3.12":[20.1]}}
 *
 * seconds, the newest last. The environment's NOXMK_HISTORY names a second file of that format,
 * for targets that the first does not know: from a CI cache, or under version control.
 */

#include <jansson.h>
#include <stdbool.h>

#include "util.h"

struct history;

/* state: .noxmk. A file that cannot be used is said and counts as empty. history_free frees. */
struct history *history_load(int state) UNUSED_RESULT;
void history_free(struct history *);

/*
 * Seconds that the target will take: the median of its runs, or for an unknown one (and *known is
 * false) the median of all that are known, or 1.
 */
double history_expect(const struct history *, const char *target, bool *known);

/*
 * Adds what has passed in a run, the folder of which is `run`. True when that has changed what is
 * expected of a session by so much that another order may be better, or on the first run of one.
 * A file that cannot be written is said, and nothing changes.
 */
bool history_update(int state, int run);

#endif
