#ifndef NOXMK_POOL_H
#define NOXMK_POOL_H

/*
 * Slots for the sessions of one run where make has no jobserver (`make -j` without a number starts
 * everything at once). A slot is a lock on the file .slot-N of the run's folder, so the kernel
 * frees it however its holder dies.
 */

#include <stdbool.h>

struct pool;

/* n slots in that folder. NULL after a warning. pool_close gives the slot back, if one is held. */
struct pool *pool_open(int rundir, unsigned n);
void pool_close(struct pool *);

/* One slot if one is free. */
bool pool_try(struct pool *);

/*
 * To poll while waiting: readable when a slot may have become free. Poll with a timeout of
 * POOL_TICK all the same: the kernel tells of the close just before it drops the lock.
 */
int pool_fd(const struct pool *);
#define POOL_TICK 0.05

/* Does this MAKEFLAGS, as a recipe sees it, say `-j` without a number? */
bool pool_is_needed(const char *makeflags);

#endif
