#include <err.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/util.h"
#include "slots/guard.h"
#include "slots/pool.h"
#include "slots/slot.h"

/* Milliseconds between two looks whether make is still there. */
enum { MAKE_TICK = 1000 };

struct slot {
	struct pool *pool;           /* NULL unless slots come from the pool */
	struct jobserver *jobserver; /* NULL unless from make's; both NULL: one job at a time */
	int folder;                  /* of the guards' ledger */
	struct guard *guard;         /* while we have more or less than what make gave us */
	unsigned least, most;
	bool held;                   /* as many as wanted */
	bool asked;                  /* the guard was, for so many */
	pid_t make;
};

struct slot *
slot_open(const struct makeflags *makeflags, int folder, const char *key, unsigned rank)
{
	struct slot *slot = xcalloc(1, sizeof(*slot));

	slot->least = slot->most = 1;
	slot->folder = folder;
	if (makeflags->unlimited) {
		slot->pool = pool_open(folder, key, makeflags->slots, rank);
		return slot;
	}
	slot->jobserver = jobserver_open(makeflags->auth);
	slot->make = getppid();
	slot->held = true;
	return slot;
}

void
slot_close(struct slot *slot)
{
	if (!slot)
		return;
	guard_close(slot->guard);
	jobserver_close(slot->jobserver);
	pool_close(slot->pool);
	free(slot);
}

void
slot_want(struct slot *slot, unsigned least, unsigned most)
{
	if (!slot->pool && !slot->jobserver)
		return;
	if (slot->held && (least > slot_count(slot) || most > slot_count(slot)))
		slot->held = false;
	slot->asked = false;
	slot->least = least;
	slot->most = most;
}

/* Without a guard nothing is taken, and nothing was lent. */
static bool
ask_guard(struct slot *slot)
{
	bool gone = getppid() != slot->make;

	if (!slot->guard)
		slot->guard = guard_open(slot->jobserver, slot->folder);
	if (!slot->guard)
		return true;
	if (!slot->asked)
		guard_ask(slot->guard, (int)slot->least - 1, (int)slot->most - 1);
	slot->asked = true;
	if (!guard_try(slot->guard) && !gone) {
		/* What we wait for may have been lost with others. */
		guard_mend(slot->jobserver, slot->folder, 0);
		return false;
	}
	if (gone)
		warnx("make is gone: going on without a job slot");
	if (gone || guard_balance(slot->guard) == 0) {
		guard_close(slot->guard);
		slot->guard = NULL;
	}
	return true;
}

bool
slot_try(struct slot *slot)
{
	if (!slot->held)
		slot->held = slot->pool ? pool_try(slot->pool, slot->least, slot->most) :
					  ask_guard(slot);
	return slot->held;
}

unsigned
slot_count(const struct slot *slot)
{
	if (slot->pool)
		return pool_count(slot->pool);
	return slot->guard ? (unsigned)(guard_balance(slot->guard) + 1) : 1;
}

int
slot_fd(const struct slot *slot)
{
	if (slot->held)
		return -1;
	return slot->pool ? pool_fd(slot->pool) : guard_fd(slot->guard);
}

int
slot_timeout(struct slot *slot)
{
	if (slot->held)
		return -1;
	return slot->pool ? pool_timeout(slot->pool) : MAKE_TICK;
}

bool
slot_lend(struct slot *slot)
{
	if (!slot->held)
		return false;
	if (slot->pool) {
		slot->held = !pool_lend(slot->pool);
	} else if (slot->jobserver && (slot->guard = guard_open(slot->jobserver, slot->folder))) {
		guard_ask(slot->guard, -1, -1);
		slot->held = slot->asked = false;
	}
	return !slot->held;
}

void
slot_leave_lent(struct slot *slot)
{
	if (!slot->held && slot->pool)
		(void)pool_lend(slot->pool);
	if (!slot->held && slot->guard)
		guard_ask(slot->guard, -1, -1);
	slot->asked = false;
}

const struct jobserver *
slot_jobserver(const struct slot *slot)
{
	return slot_count(slot) == 1 ? slot->jobserver : NULL;
}

void
slot_forked(struct slot *slot)
{
	if (slot->pool)
		pool_forked(slot->pool);
	if (slot->guard)
		guard_forked(slot->guard);
	if (slot->jobserver)
		jobserver_stop_giving(slot->jobserver);
}

pid_t
slot_guard(const struct slot *slot)
{
	return slot->guard ? guard_pid(slot->guard) : -1;
}

bool
slot_is_counted(const struct slot *slot)
{
	return slot->pool || slot->jobserver;
}
