#ifndef NOXMK_BASE_KEEPER_H
#define NOXMK_BASE_KEEPER_H

/*
 * The process between us and a program that may start others, which we are to end: a session, or
 * the probe. We may be killed ourselves (by KILL, or for want of memory); the keeper then kills all
 * that the program has started. It is the subreaper (prctl(2)) of those processes, so they are its
 * children however they hide, and it lives until we let it go: also while we end what the program
 * has left behind.
 *
 * The keeper leads the program's process group and terminal session, and obeys no signal but KILL.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "base/util.h"

struct keeper;

/* How the program's own process has ended. */
struct keeper_end {
	int status; /* of waitpid(2); the keeper's if that was killed itself */
	double cpu; /* processor seconds of it, and of the processes that it waited for */
};

struct keeper_task {
	char *const *argv, *const *envp;
	int out;  /* the descriptor for the program's standard output */
	int err;  /* and for its errors; may be the same */
	int more; /* one that it has as its number 3, or -1 */
	bool is_terminal; /* out is a terminal, where it also reads, and its own */
	/* All are called in the keeper, with data; NULL: there is nothing to do. */
	void (*forked)(void *data);   /* gives up what only the helper may have */
	/* The helper is dead. end: of the program, or NULL if it has not ended by itself. */
	void (*bereaved)(void *data, const struct keeper_end *end);
	void (*orphaned)(void *data); /* and by now nothing of the program runs any more */
	void *data;
};

/*
 * Starts the keeper and by it the program. NULL with errno set when either cannot be started. The
 * caller ends it by one of the last two functions.
 */
struct keeper *keeper_start(const struct keeper_task *) UNUSED_RESULT;

/* Its pid is the program's process group, too. 0: it was killed, and what it kept is ours. */
pid_t keeper_pid(const struct keeper *);

/* Readable when the program ends, and again when nothing of it is left. -1: nothing more comes. */
int keeper_fd(const struct keeper *);

/* Has the program's own process ended? *end, which may be NULL, then says how. */
bool keeper_has_ended(struct keeper *, struct keeper_end *end);

/* After its end: does anything run on below the keeper? */
bool keeper_has_left(struct keeper *);

/* Signals the program's process group, and CONT as well: a stopped process cannot die. */
void keeper_signal(const struct keeper *, int signal);

/* Signals all processes below the keeper, whatever their groups. */
void keeper_signal_all(const struct keeper *, int signal);

/* Lets it go, and what is left of the program go on. NULL is taken. */
void keeper_close(struct keeper *);

/* Has it kill all of the program first, for which it takes some seconds at most. */
void keeper_kill(struct keeper *);

#endif
