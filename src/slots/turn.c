#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "slots/lock.h"
#include "slots/turn.h"
#include "state/bounds.h"

/* Milliseconds between two looks whether somebody waits at the gate, and at the memory. */
enum { GATE_TICK = 25, MEMORY_TICK = 250 };

/* Of all memory, this part has to be left for a session to start beside others: a fifth. */
enum { LEAST_PART = 5 };

enum stage { FIRST_SLOT, LOCKS, ALL_SLOTS, GATE, MEMORY, GRANTED };

/* What a wait is recorded as, if it was in that stage. */
static const char *const reasons[] = { [FIRST_SLOT] = "slot", [LOCKS] = "resource",
	[ALL_SLOTS] = "slot", [GATE] = "slot", [MEMORY] = "memory" };

struct turn {
	struct slot *slot;
	struct lock *lock; /* NULL: nothing is claimed */
	struct gate *gate; /* NULL: there is none */
	unsigned least, most;
	unsigned long long memory;
	enum stage stage;
	bool lent;         /* its slot, while it waits for locks, or once it has had its turn */
	bool taking_back;  /* that one */
	bool held;         /* it could not leave the stage at once */
	double since;  /* when the stage began, monotonic */
	json_t *waits;
	json_t *blocker; /* see turn_blocker */
};

struct turn *
turn_open(const struct turn_options *options)
{
	struct turn *turn = xcalloc(1, sizeof(*turn));
	const struct makeflags *makeflags = options->makeflags;

	*turn = (struct turn){ .since = clock_monotonic(), .waits = json_array(),
		.memory = options->memory };
	turn->least = at_most(options->least > 0 ? options->least : 1, makeflags->slots);
	turn->most = at_most(options->most > 0 ? options->most : makeflags->slots,
	    makeflags->slots);
	if (makeflags_is_loaded(makeflags))
		turn->most = turn->least;
	turn->slot = slot_open(makeflags, options->folder, options->key, options->rank);
	if (json_array_size(options->claims) > 0)
		turn->lock = lock_open(options->state, options->target, options->claims,
		    options->best_effort);
	if (options->processors > 1)
		turn->gate = gate_open(options->folder, options->processors);
	return turn;
}

void
turn_close(struct turn *turn)
{
	if (!turn)
		return;
	/* In this order, so that whoever gets the slot finds the rest free. */
	gate_close(turn->gate);
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

	if (turn->held && seconds >= BOUNDS_WAIT_LEAST) {
		wait = turn->stage == LOCKS && turn->blocker ? json_copy(turn->blocker) :
							       json_object();
		json_object_set_new(wait, "for", json_string(reasons[turn->stage]));
		json_object_set_new(wait, "seconds", json_real(seconds));
		json_array_append_new(turn->waits, wait);
	}
	turn->since = now;
	turn->stage = next;
	turn->held = false;
}

/*
 * Beside others nothing starts that is known not to fit, nor anything while little is left: what
 * has been swapped out, or killed, takes longer than one after the other.
 */
static bool
has_memory(const struct turn *turn)
{
	struct memory memory;

	if (!turn->gate || !gate_has_company(turn->gate))
		return true;
	memory = memory_now();
	return memory.total == 0 || (memory.available >= memory.total / LEAST_PART &&
	    memory.available >= turn->memory);
}

/* As far as it goes. */
static bool
advance(struct turn *turn)
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
		turn->lent = false;
		enter(turn, GATE);
	}
	if (turn->stage == GATE && !(turn->gate && gate_is_awaited(turn->gate)))
		enter(turn, MEMORY);
	if (turn->stage == MEMORY && has_memory(turn)) {
		if (turn->gate)
			gate_enter(turn->gate);
		enter(turn, GRANTED);
	}
	return turn->stage == GRANTED;
}

bool
turn_try(struct turn *turn)
{
	turn->held = !advance(turn);
	return !turn->held;
}

void
turn_poll(const struct turn *turn, struct pollfd fds[TURN_FDS])
{
	bool wants_slot = turn->stage == FIRST_SLOT || turn->stage == ALL_SLOTS;

	fds[0] = (struct pollfd){ .fd = wants_slot ? slot_fd(turn->slot) : -1,
		.events = POLLIN };
	fds[1] = (struct pollfd){ .fd = turn->stage == LOCKS ? lock_fd(turn->lock) : -1,
		.events = POLLIN };
}

int
turn_timeout(struct turn *turn)
{
	if (turn->stage == GATE || turn->stage == MEMORY)
		return turn->stage == GATE ? GATE_TICK : MEMORY_TICK;
	return turn->stage == LOCKS ? lock_timeout(turn->lock) : slot_timeout(turn->slot);
}

const json_t *
turn_blocker(const struct turn *turn)
{
	return turn->blocker;
}

const char *
turn_awaits(const struct turn *turn)
{
	static const char *const words[] = { [FIRST_SLOT] = "a job slot",
		[LOCKS] = "a resource", [ALL_SLOTS] = "a job slot", [GATE] = "a job slot",
		[MEMORY] = "memory", [GRANTED] = "" };
	const char *resource = json_text(turn->blocker, "resource");

	return turn->stage == LOCKS && *resource ? resource : words[turn->stage];
}

const char *
turn_refusal(const struct turn *turn)
{
	return turn->lock ? lock_refusal(turn->lock) : NULL;
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

struct gate *
turn_gate(const struct turn *turn)
{
	return turn->gate;
}

void
turn_lend(struct turn *turn)
{
	turn->taking_back = false;
	/* It may not have come back yet since it was lent last. */
	if (turn->lent)
		slot_leave_lent(turn->slot);
	else
		turn->lent = slot_count(turn->slot) == 1 && slot_lend(turn->slot);
}

void
turn_take_back(struct turn *turn)
{
	turn->taking_back = turn->lent;
	(void)turn_settle(turn);
}

bool
turn_settle(struct turn *turn)
{
	if (turn->taking_back && slot_try(turn->slot))
		turn->taking_back = turn->lent = false;
	return !turn->lent;
}

bool
turn_is_alone(const struct turn *turn)
{
	return turn->lock && lock_is_alone(turn->lock);
}

int
turn_settle_fd(const struct turn *turn)
{
	return turn->taking_back ? slot_fd(turn->slot) : -1;
}

int
turn_settle_timeout(struct turn *turn)
{
	return turn->taking_back ? slot_timeout(turn->slot) : -1;
}

pid_t
turn_guard(const struct turn *turn)
{
	return slot_guard(turn->slot);
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
