#ifndef NOXMK_SLOTS_POOL_H
#define NOXMK_SLOTS_POOL_H

/*
 * Slots for the sessions of one run where make has no jobserver (`make -j` without a number starts
 * everything at once). A slot is a name (name.h) that one socket of this machine has at a time: the
 * kernel frees it however its holder dies, and no file system has to know of locks. Thousands may
 * wait, in a queue (queue.h). Only the first of them watches the slots, and each other one the one
 * before it: who gives back a slot wakes the first, and who gets one the next.
 */

#include <stdbool.h>

struct pool;

/*
 * n slots for the run of the make with that key (makekey.h). rank: of all that wait, the lowest
 * comes first. folder: that run's, where the queue is; it is borrowed. pool_close gives back what
 * is held.
 */
struct pool *pool_open(int folder, const char *key, unsigned n, unsigned rank);
void pool_close(struct pool *);

/* From least to most slots, all at once, if least are free and it is our turn; at most all n. */
bool pool_try(struct pool *, unsigned least, unsigned most);

/*
 * In a forked child, which may outlive us: it has none of the slots, and so they are free when we
 * lend them or die.
 */
void pool_forked(struct pool *);

/* How many are held. */
unsigned pool_count(const struct pool *);

/*
 * Gives back for a while what we hold; pool_try then takes it again, ahead of those who still wait
 * for their first. False when there is none to give back.
 */
bool pool_lend(struct pool *);

/*
 * While waiting: try again when the descriptor (-1: none) is readable, and after that many
 * milliseconds at the latest.
 */
int pool_fd(const struct pool *);
int pool_timeout(struct pool *);

#endif
