#include <stdlib.h>

#include "base/clock.h"
#include "slots/lock.h"
#include "slots/turn.h"

/* Seconds. Shorter waits are what asking for the slot takes, and are not recorded. */
#define WAIT_MIN 0.005

enum stage { FIRST_SLOT, LOCKS, ALL_SLOTS, GRANTED };

struct turn {
	struct slot *slot;
	struct lock *lock; /* NULL: nothing is claimed */
	unsigned least, most;
	enum stage stage;
	bool lent;
	double since;  /* when the stage began, monotonic */
	json_t *waits;
	json_t *blocker; /* see turn_blocker */
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
	const struct makeflags *makeflags = options->makeflags;

	*turn = (struct turn){ .since = clock_monotonic(), .waits = json_array() };
	turn->least = at_most(options->least > 0 ? options->least : 1, makeflags->slots);
	turn->most = at_most(options->most > 0 ? options->most : makeflags->slots,
	    makeflags->slots);
	if (makeflags_is_loaded(makeflags))
		turn->most = turn->least;
	turn->slot = slot_open(makeflags, options->folder, options->key, options->rank);
	/* lock_open warns; a session that runs without its locks is better than none. */
	if (json_array_size(options->claims) > 0)
		turn->lock = lock_open(options->state, options->target, options->claims);
	return turn;
}

void
turn_close(struct turn *turn)
{
	if (!turn)
		return;
	/* In this order, so that whoever gets the slot finds the locks free. */
	lock_close(turn->lock);
	slot_close(turn->slot);
	json_decref(turn->waits);
	json_decref(turn->blocker);
	free(turn);
}

/* Puts the wait of the stage that is over on record, and begins the next one. */
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
			if (!turn->blocker)
				turn->blocker = json_incref((json_t *)lock_blocker(turn->lock));
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

const json_t *
turn_blocker(const struct turn *turn)
{
	return turn->blocker;
}

void
turn_keep(struct turn *turn)
{
	if (turn->lock)
		lock_keep(turn->lock);
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
