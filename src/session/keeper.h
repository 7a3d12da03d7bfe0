#ifndef NOXMK_SESSION_KEEPER_H
#define NOXMK_SESSION_KEEPER_H

/*
 * The process between the helper and a session. Should the helper be killed (SIGKILL, out of
 * memory), nobody else would end the session, while make goes on and the locks are free. So the
 * keeper, which does nothing else, then kills all that the session has started: it is their
 * subreaper (prctl(2)), so they are its children however they hide.
 *
 * The keeper leads the session's process group and terminal session, and obeys no signal but KILL.
 * Once the session's process ends, the keeper does; what is left running then is the helper's.
 */

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

struct keeper;

struct keeper_task {
	char *const *argv, *const *envp;
	int out;                  /* the session's output and errors; see spawn */
	void (*forked)(void *);   /* in the keeper: lets go of what only the helper may have */
	void (*orphaned)(void *); /* in the keeper: the helper is dead, and now the session is */
	void *data;
};

/* NULL with errno set when the session cannot be started at all. keeper_close frees. */
struct keeper *keeper_start(const struct keeper_task *);
void keeper_close(struct keeper *);

/* Also the number of the process group. It stays ours until keeper_wait. */
pid_t keeper_pid(const struct keeper *);

/* Has the keeper ended? Ask after each SIGCHLD. */
bool keeper_has_ended(const struct keeper *);

/*
 * Waits for that. The session's wait status, or that of the keeper if it was killed; usage: what
 * both have used.
 */
int keeper_wait(struct keeper *, struct rusage *usage);

#endif
