#include <stdlib.h>

#include "base/clock.h"
#include "base/makeflags.h"
#include "base/util.h"
#include "output/screen.h"
#include "slots/lock.h"
#include "slots/slot.h"
#include "slots/turn.h"
#include "state/rundir.h"

/* Shorter waits are the price of asking. */
#define WAIT_MIN 0.005

enum stage { FIRST_SLOT, LOCKS, ALL_SLOTS, GRANTED };

struct turn {
	struct slot *slot;
	struct lock *lock; /* NULL: nothing is claimed */
	const char *target;
	unsigned least, most;
	enum stage stage;
	bool lent, told;
	double since;  /* the stage began then, monotonic */
	json_t *waits, *blocker;
};

static unsigned
at_most(unsigned n, unsigned limit)
{
	return n < limit ? n : limit;
}

struct turn *
turn_open(const struct turn_options *options)
{
	struct turn *turn = xcalloc(1, sizeof(*turn));
	struct makeflags budget = makeflags_read(options->makeflags, options->jobs);
	struct slot_options slot = { .makeflags = options->makeflags, .rundir = options->rundir,
		.jobs = budget.slots, .rank = options->rank };

	*turn = (struct turn){ .target = options->target, .since = clock_monotonic(),
		.waits = json_array() };
	turn->least = at_most(options->least > 0 ? options->least : 1, budget.slots);
	turn->most = options->most > 0 ? at_most(options->most, budget.slots) : budget.slots;
	if (makeflags_is_loaded(&budget))
		turn->most = turn->least;
	turn->slot = slot_open(&slot);
	if (!turn->slot) {
		turn_close(turn);
		return NULL;
	}
	/* What cannot be locked is said there; a session that runs is better than none. */
	if (json_array_size(options->claims) > 0)
		turn->lock = lock_open(options->state, options->target, options->claims);
	return turn;
}

void
turn_close(struct turn *turn)
{
	if (!turn)
		return;
	/* In this order, so that who gets the slot finds the locks free. */
	lock_close(turn->lock);
	slot_close(turn->slot);
	json_decref(turn->waits);
	json_decref(turn->blocker);
	free(turn);
}

/* The stage is over: what it took goes on record. */
static void
enter(struct turn *turn, enum stage next)
{
	double now = clock_monotonic(), seconds = now - turn->since;
	json_t *wait;

	if (seconds >= WAIT_MIN) {
		wait = turn->stage == LOCKS && turn->blocker ? json_copy(turn->blocker) :
							       json_object();
		json_object_set_new(wait, "for",
		    json_string(turn->stage == LOCKS ? "resource" : "slot"));
		json_object_set_new(wait, "seconds", json_real(seconds));
		json_array_append_new(turn->waits, wait);
	}
	turn->since = now;
	turn->stage = next;
}

/* Who is in the way now; the first one is told, since the session may wait for long. */
static void
note_blocker(struct turn *turn)
{
	const json_t *blocker = lock_blocker(turn->lock);

	if (!blocker || turn->told)
		return;
	turn->blocker = json_incref((json_t *)blocker);
	turn->told = true;
	screen_waits(turn->target, blocker);
}

bool
turn_try(struct turn *turn)
{
	if (turn->stage == FIRST_SLOT) {
		if (!slot_try(turn->slot))
			return false;
		enter(turn, LOCKS);
	}
	if (turn->stage == LOCKS) {
		if (turn->lock && !lock_try(turn->lock)) {
			note_blocker(turn);
			if (!turn->lent && lock_may_lend(turn->lock) &&
			    (turn->lent = slot_lend(turn->slot)))
				lock_lent(turn->lock, true);
			return false;
		}
		enter(turn, ALL_SLOTS);
		if (turn->most > 1)
			slot_want(turn->slot, turn->least, turn->most);
	}
	if (turn->stage == ALL_SLOTS && slot_try(turn->slot)) {
		if (turn->lent)
			lock_lent(turn->lock, false);
		enter(turn, GRANTED);
	}
	return turn->stage == GRANTED;
}

void
turn_poll(const struct turn *turn, struct pollfd fds[TURN_FDS])
{
	fds[0] = (struct pollfd){ .fd = turn->stage == LOCKS ? -1 : slot_fd(turn->slot),
		.events = POLLIN };
	fds[1] = (struct pollfd){ .fd = turn->stage == LOCKS ? lock_fd(turn->lock) : -1,
		.events = POLLIN };
}

int
turn_timeout(struct turn *turn)
{
	return turn->stage == LOCKS ? lock_timeout(turn->lock) : slot_timeout(turn->slot);
}

const struct slot *
turn_slot(const struct turn *turn)
{
	return turn->slot;
}

void
turn_forked(struct turn *turn)
{
	slot_forked(turn->slot);
}

json_t *
turn_waits(const struct turn *turn)
{
	return json_incref(turn->waits);
}
