#ifndef NOXMK_BROOD_H
#define NOXMK_BROOD_H

/*
 * The processes that a session leaves behind: daemons, what was started in the background, what
 * outlived its parent. The helper is their subreaper (PR_SET_CHILD_SUBREAPER, prctl(2)), so they
 * become its children however they hide: by a session of their own or a double fork.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "util.h"

struct brood;

/* From now on. The children that we have already (a guard) are none of the session's. */
struct brood *brood_open(void) UNUSED_RESULT;
void brood_close(struct brood *);

/*
 * Reaps those that have ended. Is one left that the session has started? but: its own process,
 * which does not count and is not reaped, or 0.
 */
bool brood_is_left(struct brood *, pid_t but);

/* All that are left and their descendants. */
void brood_signal(struct brood *, int signal);

/* Adds all processes below that one. */
void brood_descendants(pid_t, struct indices *);

/* "sleep 30 (pid 17)", of several the first and "and 2 more"; NULL if none is left. To be freed. */
char *brood_names(const struct brood *);

#endif
