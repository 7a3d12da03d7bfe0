#ifndef NOXMK_SLOTS_LOCK_H
#define NOXMK_SLOTS_LOCK_H

/*
 * What a session claims, held against the other sessions of this checkout, whichever make started
 * them. Each claim is a file, locks/TICKET, with tickets in order of arrival:
 *
 *     h                                                              w waits, h holds
 *     {"schema":1,"pid":4711,"target":"lint","claims":[…]}           claims as in plan.jsonl
 *
 * The owner keeps flock(2) on the file, so the kernel ends a claim with its process; whoever meets
 * the file of a dead owner removes it. One that cannot be opened counts as held, for a minute: then
 * there is no claim to be had. Those who wait are woken by the end of the owner's process
 * (watch.h), so that should come soon after lock_close; else they notice within a second. Claims
 * are made, and granted, one at a time: under the lock of locks/mutex.
 *
 * A claim is granted as a whole or not at all, and only when it fits with all that are held and all
 * that came earlier. So no claim is ever overtaken by a later one that is in its way, and the
 * earliest waits for holders only: there is neither starvation nor deadlock. But a session may run
 * make, and so others that it waits for (around.h): these overtake who waits for it, and are
 * refused if they would wait for it themselves. Exclusive use fits with no other, shared use with
 * shared use, amounts with amounts up to the capacity.
 */

#include <jansson.h>
#include <stdbool.h>

#include "base/util.h"

struct lock;

/*
 * A claim on those resources, for that target. state: the state folder. best_effort: what cannot be
 * locked does not keep the session from running. lock_close ends the claim, whether it waits or is
 * granted.
 */
struct lock *lock_open(int state, const char *target, const json_t *claims, bool best_effort)
    UNUSED_RESULT;
void lock_close(struct lock *);

/*
 * Is the claim granted? The first call takes the ticket. Where nothing can be locked (no space, a
 * file system without locks, no right to) it never is, and lock_refusal says why and what to do.
 * With best effort the sessions with claims run one at a time on this machine then, after a warning
 * in each make.
 */
bool lock_try(struct lock *);

/* Why the claim cannot be granted; NULL while it may be. Borrowed. */
const char *lock_refusal(const struct lock *);

/* Is it granted so, one at a time? */
bool lock_is_alone(const struct lock *);

/*
 * To be called every half second or so while the claim is held: if the state folder was removed and
 * made anew, the claim is made anew in it. A claim that somebody makes in the time between, in
 * another make, may be granted.
 */
void lock_keep(struct lock *);

/*
 * While waiting: try again when the descriptor (-1: none) is readable, and after that many
 * milliseconds at the latest.
 */
int lock_fd(const struct lock *);
int lock_timeout(struct lock *);

/*
 * Who was in the way at the last try: {"target":…,"pid":…,"resource":…}, one that holds rather than
 * one that waits. NULL when nobody was. Borrowed, until the next try.
 */
const json_t *lock_blocker(const struct lock *);

/*
 * Whether to lend our job slot to others while we wait (lending.h). Ask after each try. What came
 * of it is told with lock_lent: true once the slot is lent, false once it is held again.
 */
bool lock_may_lend(const struct lock *);
void lock_lent(struct lock *, bool lent);

#endif
