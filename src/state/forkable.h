#ifndef NOXMK_STATE_FORKABLE_H
#define NOXMK_STATE_FORKABLE_H

/*
 * What is known of a plan for those who would fork its sessions (session/zygote.h), in two files
 * of the state folder. Each begins with a line that tells the plan apart from others: a plan is
 * made anew when anything has changed that the noxfile looks at, and then nothing is known.
 *
 *   unforked   why its sessions cannot be forked, found by who has tried
 *   forked     they can, and so soon that sessions wait for that: nox/probe.py expects it, or they
 *              were forked in an earlier make
 */

#include <stdbool.h>
#include <time.h>

/* The line of the plan that there is now, and when that was made. The caller frees. */
char *forkable_plan(int state, struct timespec *made);

/* Why the sessions of that plan cannot be forked, for people, or NULL. The caller frees. */
char *forkable_refusal(int state, const char *plan);
void forkable_refuse(int state, const char *plan, const char *why);

/* Is it known, or expected, that they can be? Who waits in vain has it forgotten. */
bool forkable_is_known(int state, const char *plan);
void forkable_know(int state, const char *plan);
void forkable_forget(int state);

/*
 * What such a file says after its mark, or NULL: it is another plan's, or says no more. The caller
 * frees.
 */
char *forkable_read(int folder, const char *name, const char *mark);

#endif
