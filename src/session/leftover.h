#ifndef NOXMK_SESSION_LEFTOVER_H
#define NOXMK_SESSION_LEFTOVER_H

/*
 * The processes that a session leaves behind: daemons, what was started in the background, what
 * outlived its parent. They become children of the keeper (base/keeper.h), however they hide: by a
 * session of their own or a double fork. If that was killed, they become ours: the helper is a
 * subreaper, too (PR_SET_CHILD_SUBREAPER, prctl(2)).
 */

#include <stdbool.h>
#include <sys/types.h>

#include "base/util.h"
#include "output/mask.h"

struct leftover;

/*
 * Makes this process the subreaper. Call it before the session is started: the children that we
 * have already are none of the session's.
 */
struct leftover *leftover_open(void) UNUSED_RESULT;
void leftover_close(struct leftover *);

/* That child of ours, which has come since then, is none of the session's either. */
void leftover_ignore(struct leftover *, pid_t);

/*
 * Is any of the session's processes alive? All children of the keeper are taken for such, or, when
 * that is dead (0), ours but the older ones: so the session's own process must have been reaped.
 * Reaps those of ours that have ended.
 */
bool leftover_remains(struct leftover *, pid_t keeper);

/* The same, but those count, too, that are dead and that nobody can reap: they are traced. */
bool leftover_is_unending(struct leftover *, pid_t keeper);

/*
 * Those that leftover_remains has last found, and their descendants, get the signal, and CONT as
 * well: a stopped process cannot die.
 */
void leftover_signal(struct leftover *, int signal);

/* Their names, "sleep 30 (pid 17) and 2 more", or NULL when there are none. The caller frees. */
char *leftover_names(const struct leftover *) UNUSED_RESULT;

/*
 * Warns of those that are left, for that target, by their names without secrets: they run, or they
 * are unending, since KILL has not ended them. The text for the record, which the caller frees.
 */
char *leftover_tell(const struct leftover *, const char *target, struct mask *,
    bool unending) UNUSED_RESULT;

#endif
