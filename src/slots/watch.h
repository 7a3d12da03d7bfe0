#ifndef NOXMK_SLOTS_WATCH_H
#define NOXMK_SLOTS_WATCH_H

/*
 * A watch on the ends of other claims (lock.h). The owner of a claim keeps flock(2) on its file, so
 * a look at that lock tells whether the owner lives. It wakes nobody, though: that is done by a
 * pidfd of the owner, whose number the claim's file says. A number from another container, or a
 * system without pidfd_open(2), wakes nobody; then there is no descriptor, and who waits has to
 * look by the clock.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "base/util.h"

struct watch;

struct watch *watch_open(void) UNUSED_RESULT;
void watch_close(struct watch *);

/*
 * Watches the claim in that file, which watch_clear and watch_close close, and its owner. False
 * when the owner has ended already. Call it only while watch_is_full says no.
 */
bool watch_add(struct watch *, int file, pid_t owner);
bool watch_is_full(const struct watch *);

/* Forgets them all. */
void watch_clear(struct watch *);

/* Has none of them ended? False also when nobody is watched. */
bool watch_is_quiet(const struct watch *);

/* Readable when one of them has ended; -1 when nobody wakes us. */
int watch_fd(const struct watch *);

/*
 * Does the owner of the claim in that file live? Whoever does not hold the mutex of lock.c may only
 * ask about a file that was open already when its owner was known to live: else the question,
 * a shared lock for a moment, could be in the way of an owner who is about to lock its new file.
 */
bool watch_owner_lives(int file);

#endif
