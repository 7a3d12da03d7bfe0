#ifndef NOXMK_SLOTS_SLOT_H
#define NOXMK_SLOTS_SLOT_H

/*
 * A helper's job slots, whoever hands them out. From a make with a jobserver, and from one that
 * runs one job at a time, we have one from the start. Under `make -j` without a number, which
 * starts everything at once, slots come from our own pool (pool.h). Who waits keeps none: what make
 * gave us is lent to others meanwhile, and several are taken all at once. So nobody waits for
 * somebody who waits.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "base/makeflags.h"
#include "slots/jobserver.h"

struct slot;

/*
 * folder, key and rank are for the pool: see pool_open; the folder is the guards' as well, and
 * borrowed. Never NULL. slot_close gives back all that make does not take back itself.
 */
struct slot *slot_open(const struct makeflags *, int folder, const char *key, unsigned rank)
    UNUSED_RESULT;
void slot_close(struct slot *);

/*
 * From now on least to most slots are wanted, one by default. Without a jobserver or pool there is
 * but one.
 */
void slot_want(struct slot *, unsigned least, unsigned most);

/*
 * Do we hold as many? Should make be gone in between, which leaves nobody to hand out slots, we do
 * after a warning.
 */
bool slot_try(struct slot *);

/* How many that are; at least 1 once slot_try was true. */
unsigned slot_count(const struct slot *);

/*
 * While waiting: try again when the descriptor (-1: none) is readable, and after that many
 * milliseconds (-1: never) at the latest.
 */
int slot_fd(const struct slot *);
int slot_timeout(struct slot *);

/* Lends the one slot that we hold. False when it cannot be lent: then it stays ours. */
bool slot_lend(struct slot *);

/* It was lent, and slot_try has asked for it since, which does not hold any more. */
void slot_leave_lent(struct slot *);

/* make's jobserver, if we hold one slot of it and no more, else NULL. Borrowed. */
const struct jobserver *slot_jobserver(const struct slot *);

/* In a forked child, which may outlive us: it has none of the slots, and may not give any. */
void slot_forked(struct slot *);

/* The process of ours that sees to the count of make's tokens (guard.h), or -1. */
pid_t slot_guard(const struct slot *);

/* Are slots counted at all? Not where jobs run one at a time. */
bool slot_is_counted(const struct slot *);

#endif
