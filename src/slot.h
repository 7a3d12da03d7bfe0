#ifndef NOXMK_SLOT_H
#define NOXMK_SLOT_H

/*
 * A helper's job slot, whoever hands them out. From a make with a jobserver, and from one that runs
 * one job at a time, we have ours from the start. Under `make -j` without a number, which starts
 * everything at once, slots come from our own pool (pool.h). While a helper only waits it can lend
 * its slot to others.
 */

#include <stdbool.h>

#include "util.h"

struct slot;

/*
 * MAKEFLAGS as make gave them, or NULL; the folder of the run and the number of slots are for the
 * pool. NULL after a warning. slot_close gives back what make does not take back itself, also when
 * the slot is lent just then.
 */
struct slot *slot_open(const char *makeflags, int rundir, unsigned jobs) UNUSED_RESULT;
void slot_close(struct slot *);

/*
 * Is it ours? A slot that was lent is asked back by the first call. Should make be gone in between,
 * which leaves nobody to hand out slots, it is ours after a warning.
 */
bool slot_try(struct slot *);

/*
 * While waiting: try again when the descriptor (-1: none) is readable, and after that many
 * milliseconds (-1: never) at the latest.
 */
int slot_fd(const struct slot *);
int slot_timeout(struct slot *);

/* Lends the slot that we hold. False when it cannot be lent: then it stays ours. */
bool slot_lend(struct slot *);

#endif
