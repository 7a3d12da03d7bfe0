#ifndef NOXMK_SESSION_LEFTOVER_H
#define NOXMK_SESSION_LEFTOVER_H

/*
 * The processes that a session leaves behind: daemons, what was started in the background, what
 * outlived its parent. The helper is their subreaper (PR_SET_CHILD_SUBREAPER, prctl(2)), so they
 * become its children however they hide: by a session of their own or a double fork.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "base/util.h"

struct leftover;

/* From now on. The children that we have already (a guard) are none of the session's. */
struct leftover *leftover_open(void) UNUSED_RESULT;
void leftover_close(struct leftover *);

/*
 * Reaps those that have ended. Is one left that the session has started? but: its own process,
 * which does not count and is not reaped, or 0.
 */
bool leftover_is_left(struct leftover *, pid_t but);

/* All that are left and their descendants. */
void leftover_signal(struct leftover *, int signal);

/* "sleep 30 (pid 17)", of several the first and "and 2 more"; NULL if none is left. To be freed. */
char *leftover_names(const struct leftover *);

#endif
