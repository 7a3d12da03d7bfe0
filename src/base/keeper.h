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

/* What watches the program from within the keeper. All is called there, with data. */
struct keeper_task;
struct keeper_watcher {
	/*
	 * Starts the program by keeper_begin, maybe in a thread of its own, or has a child of the
	 * keeper become it: returns its pid, or -1 with errno set.
	 */
	pid_t (*begin)(void *data, const struct keeper_task *);
	/* A process or thread that it traces by ptrace(2) has stopped: a status of waitpid(2). */
	void (*stopped)(void *data, pid_t, int status);
	void (*ended)(void *data);    /* the program's own process has ended */
	/* The last that is done. killed: the helper is dead, and all of the program was killed. */
	void (*finish)(void *data, bool killed);
	/* After that: is the keeper to stay, for `stopped`, while anything is left? */
	bool (*stays)(void *data);
	void *data;
};

/* Bytes of what a lender says, with a NUL. */
enum { KEEPER_WHY = 128 };

/*
 * Somebody who may start the program in our place: a fork of a process that is like the program
 * already. It has the keeper run below it (keeper_lend), while ours only passes on what that says.
 */
struct keeper_lender {
	/* A socket on which the program is asked for, or -1 and *why. NULL: there is nobody. */
	int (*ask)(void *data, const struct keeper_task *, char why[KEEPER_WHY]);
	void (*silent)(void *data); /* it has not answered */
	char **why;                 /* in the end: why it has not started it, "": it has; freed */
	void *data;
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
	struct keeper_watcher *watcher; /* NULL: there is none */
	struct keeper_lender lender; /* is tried first, if it can be asked */
};

/* For the watcher, in the keeper: starts the program; or the calling process becomes it, or not. */
pid_t keeper_begin(const struct keeper_task *);
void keeper_become(const struct keeper_task *);

/*
 * Starts the keeper and by it the program. NULL with errno set when either cannot be started. The
 * caller ends it by one of the last two functions.
 */
struct keeper *keeper_start(const struct keeper_task *) UNUSED_RESULT;

/* Its pid is the program's process group, too. 0: it was killed, and what it kept is ours. */
pid_t keeper_pid(const struct keeper *);


/*
 * The life of a keeper that a lender's fork has become after it has forked the program: it executes
 * ours as "PROCESS_LENT PROGRAM ASKER" (process.h), in a session of its own and with all signals
 * blocked. Descriptor 3 is the socket of `ask`; at 4 the program waits for a byte before it does
 * anything.
 */
_Noreturn void keeper_lend(pid_t program);

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
