#ifndef NOXMK_SLOTS_TURN_H
#define NOXMK_SLOTS_TURN_H

/*
 * A session's turn: it may start when it holds its job slots (slot.h) and all that it claims
 * (lock.h). One slot comes first, so that few wait for locks at once. While the locks are not to be
 * had it is lent to others. With the locks all slots are taken, one or several. At last it lets
 * those go first who wait at the gate (gate.h): what they need becomes free when nobody starts. And
 * where others run, it waits for memory.
 */

#include <jansson.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/makeflags.h"
#include "base/util.h"
#include "slots/gate.h"
#include "slots/slot.h"

struct turn;

struct turn_options {
	int state;             /* the state folder */
	const char *target;
	const json_t *claims;  /* as in plan.jsonl; NULL or an empty list: nothing is claimed */
	bool best_effort;      /* see lock_open */
	const struct makeflags *makeflags;
	int folder;            /* of the gate's table; with the next two: see pool_open */
	const char *key;
	unsigned rank;
	unsigned least, most;  /* slots that the session takes; most 0: all there are */
	unsigned processors;   /* that all sessions share; 0 or 1: there is no gate */
	unsigned long long memory; /* bytes that the session is known to need, or 0 */
};

/*
 * Never NULL. turn_close gives back the slots and the locks, and must come before both folders are
 * closed; nothing else of the options is kept.
 */
struct turn *turn_open(const struct turn_options *) UNUSED_RESULT;
void turn_close(struct turn *);

/*
 * Are the slots and the locks held now? Else try again when one of the descriptors is readable, and
 * after that many milliseconds at the latest.
 */
bool turn_try(struct turn *);
enum { TURN_FDS = 2 };
void turn_poll(const struct turn *, struct pollfd fds[TURN_FDS]);
int turn_timeout(struct turn *);

/*
 * Who was in the way of the locks when they were first tried in vain: lock_blocker's answer, ours.
 * NULL when nobody has been so far.
 */
const json_t *turn_blocker(const struct turn *);

/* What it waits for now, in words for people; "" once it has had its turn. Borrowed. */
const char *turn_awaits(const struct turn *);

/* Why it never will be its turn: see lock_refusal. Else NULL. Borrowed. */
const char *turn_refusal(const struct turn *);

/* See lock_keep. */
void turn_keep(struct turn *);

/* The slots that it holds, once slots and locks are held. Borrowed. */
const struct slot *turn_slot(const struct turn *);

/* The gate, at which the session is counted from its turn on. Borrowed; NULL: there is none. */
struct gate *turn_gate(const struct turn *);

/*
 * While the session runs and waits for something else: lends the one slot that it holds, and asks
 * for one again, without which it may go on meanwhile. Until turn_settle is true, call it when
 * the descriptor (-1: never) is readable, and after that many milliseconds at the latest.
 */
void turn_lend(struct turn *);
void turn_take_back(struct turn *);
bool turn_settle(struct turn *);
int turn_settle_fd(const struct turn *);
int turn_settle_timeout(struct turn *);

/* Has it what it claims without a lock, so that nobody else can claim anything? See lock_try. */
bool turn_is_alone(const struct turn *);

/* The process of ours that sees to that, which is none of the session's; -1: there is none. */
pid_t turn_guard(const struct turn *);

/* In a forked child, which may outlive us: see slot_forked. */
void turn_forked(struct turn *);

/* What it has waited for so far: the list of record.h. A new reference. */
json_t *turn_waits(const struct turn *);

#endif
