#ifndef NOXMK_SESSION_KEEPER_H
#define NOXMK_SESSION_KEEPER_H

/*
 * The process between the helper and a session. When the helper is killed (by KILL, or for want of
 * memory), make goes on and the locks are free, but the session still runs. The keeper then kills
 * all that the session has started: it is the subreaper (prctl(2)) of those processes, so they are
 * its children however they hide. It does nothing else.
 *
 * The keeper leads the session's process group and terminal session, and obeys no signal but KILL.
 * It ends when the session's own process ends; what runs on is then a child of the helper
 * (leftover.h).
 */

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

struct keeper;

struct keeper_task {
	char *const *argv, *const *envp;
	int out; /* the descriptor for the session's output and errors */
	int ask; /* the one for what it asks (ask.h), or -1 */
	bool is_terminal; /* that is the session's terminal, where it also reads */
	/* All are called in the keeper, with data. */
	void (*forked)(void *data);   /* gives up what only the helper may have */
	void (*bereaved)(void *data); /* the helper is dead, and the session is not yet */
	void (*orphaned)(void *data); /* the helper is dead, and so is the session by now */
	void *data;
};

/*
 * Starts the keeper and by it the session. NULL with errno set when either cannot be started.
 * keeper_close frees.
 */
struct keeper *keeper_start(const struct keeper_task *);
void keeper_close(struct keeper *);

/* Its pid is the session's process group, too. No other process can have it before keeper_wait. */
pid_t keeper_pid(const struct keeper *);

/* Has the keeper ended? Ask after each SIGCHLD. */
bool keeper_has_ended(const struct keeper *);

/*
 * Waits until the keeper has ended and reaps it. Returns the session's wait status, or the keeper's
 * if that was killed itself; usage: what both have used.
 */
int keeper_wait(struct keeper *, struct rusage *usage);

#endif
