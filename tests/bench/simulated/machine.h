#ifndef NOXMK_TESTS_BENCH_SIMULATED_MACHINE_H
#define NOXMK_TESTS_BENCH_SIMULATED_MACHINE_H

#include <stdint.h>

/*
 * What is said on the socket of the simulated machine (SOCK_SEQPACKET, one message each way).
 *
 * A process that wants to compute names a pool of work, and waits for the answer. All that are in a
 * pool work it off together. With an empty name it asks for the machine's usage instead, which
 * begins anew then; or, if seconds is the number of a process, for the work of those below it.
 *
 * Who waits for an answer may have made itself a process of SCHED_DEADLINE that is held back
 * (tool.c): with the answer the machine makes it a normal one again, so that it runs at once.
 */

struct request {
	char pool[32];
	double seconds; /* of one processor: what is in the pool, if this is the first in it */
	double most;    /* so much of it this process does now at most */
};

struct attributes { /* of sched_setattr(2), which glibc of Debian 12 does not declare */
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

enum answer {
	ANSWER_EMPTY, /* nothing is left in the pool */
	ANSWER_MORE,  /* the process has done what it wanted to do at most */
};

/* All in seconds, or numbers of processes, since the machine was last asked. */
struct usage {
	double seconds;
	double work;   /* done, in seconds of one processor */
	double excess; /* integral of the runnable processes beyond the machine's processors */
	double peak;   /* the most that were runnable at once */
	double later;  /* the same without the first second */
};

#endif
