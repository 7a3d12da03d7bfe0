#ifndef NOXMK_SLOTS_SAMPLER_H
#define NOXMK_SLOTS_SAMPLER_H

/*
 * Looks at the processes of one session some times a second, and tells what the session really
 * uses: of processors, of memory, of make's jobserver.
 *
 * The first look is 50 ms after sampler_open, which itself does nothing: who ends before has paid
 * nothing. From the second on there are 250 ms between two, or more, so that looking takes at most
 * 0.4 % of a processor whatever the session does. What lives for less than that may not be seen.
 */

#include <jansson.h>
#include <sys/types.h>

#include "base/util.h"

struct sampler;

/*
 * For all processes below top, which is not counted itself. jobserver: the pipe of make's jobserver
 * (jobserver_fd); it may be closed afterwards. -1 where the session's tools cannot reach one.
 * sampler_close frees, and takes NULL.
 */
struct sampler *sampler_open(pid_t top, int jobserver);
void sampler_close(struct sampler *);

/* Looks, if that is due. */
void sampler_look(struct sampler *);

/* The monotonic second at which it is. */
double sampler_due(const struct sampler *);

/* Threads that run or could (R in proc(5)): the most of the last two looks; 1 before the first. */
unsigned sampler_in_use(const struct sampler *);

/* And those of the last look; 0 before the first. */
unsigned sampler_last(const struct sampler *);

/*
 * The most that two looks in a row have seen, or the only look there was: what is seen once may
 * have been about to end. 0 before the first look.
 */
unsigned sampler_most(const struct sampler *);

/*
 * The most bytes of memory that they had, all in all, at a look. Pages that several have in common
 * count once: those of files and shared memory once a program, those of forks by parts. That comes
 * to 1.01 to 1.04 times what the kernel counts page by page (Pss), where four forks with all that
 * is resident come to 4.9 times.
 */
unsigned long long sampler_memory(const struct sampler *);

/*
 * Has one of them had make's jobserver open, and so takes slots of it? 1, or 0. -1: nobody knows,
 * as there is none, or as there was no look.
 */
int sampler_client(const struct sampler *);

/*
 * The session has ended now, and has used so many processor seconds in all: what it used over time,
 * as state/samples.h has it, or NULL. A new reference.
 */
json_t *sampler_end(struct sampler *, double cpu) UNUSED_RESULT;

#endif
