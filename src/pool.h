#ifndef NOXMK_POOL_H
#define NOXMK_POOL_H

/*
 * Slots for the sessions of one run where make has no jobserver (`make -j` without a number starts
 * everything at once). A slot is a lock on the file .slot-N of the run's folder, so the kernel
 * frees it however its holder dies. Thousands may wait: only the one that holds the lock on .queue
 * watches the slots; the others ask for that lock now and then.
 */

#include <stdbool.h>

struct pool;

/* n slots in that folder. NULL after a warning. pool_close gives the slot back, if one is held. */
struct pool *pool_open(int rundir, unsigned n);
void pool_close(struct pool *);

/* One slot if one is free and it is our turn. */
bool pool_try(struct pool *);

/*
 * Gives the slot that we hold back for a while; pool_try then takes one again, ahead of those who
 * still wait for their first. False when there is none to give back.
 */
bool pool_lend(struct pool *);

/*
 * While waiting: try again when the descriptor (-1: none) is readable, and after that many
 * milliseconds at the latest.
 */
int pool_fd(const struct pool *);
int pool_timeout(struct pool *);

/* Does this MAKEFLAGS, as a recipe sees it, say `-j` without a number? */
bool pool_is_needed(const char *makeflags);

#endif
