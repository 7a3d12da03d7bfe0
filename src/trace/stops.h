#ifndef NOXMK_TRACE_STOPS_H
#define NOXMK_TRACE_STOPS_H

/*
 * What the kernel tells by where nobody can listen (listener.h): ptrace(2). It stops a thread
 * before each call of calls.h, and the keeper lets it go on. Where a filter cannot have that done,
 * as below somebody else's listener, it stops before and after each call there is, which is slow.
 *
 * All of it is for the thread that has begun it. When that is killed, what it has traced goes on;
 * but where there is a filter, such calls fail with ENOSYS from then on.
 */

#include <sys/types.h>

#include "base/keeper.h"
#include "trace/witness.h"

struct stops {
	struct witness *witness; /* NULL: calls only go on */
	bool tells;   /* there is a program of which we are told */
	bool filters; /* by a filter that it has */
	pid_t held;   /* the thread whose call is looked at; 0: it has gone on */
};

/* The program, of whose calls the witness is told; -1 with errno set if there is none. */
pid_t stops_begin(struct stops *, struct witness *, const struct keeper_task *);

/* That thread has stopped, as waitpid(2) says. */
void stops_take(struct stops *, pid_t, int status);

/* Nothing is noted any more. */
void stops_forget(struct stops *);

/* Is anything left of it whose calls need us to go on? It takes what has stopped. */
bool stops_remain(struct stops *);

/* For the witness, whose hold has the stops as its data. */
bool stops_let_go(void *stops);
bool stops_wait(void *stops);

#endif
