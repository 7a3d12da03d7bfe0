#include <err.h>
#include <stdlib.h>
#include <unistd.h>

#include "jobserver.h"
#include "lend.h"
#include "pool.h"
#include "slot.h"

/* Milliseconds between two looks whether make is still there. */
enum { MAKE_TICK = 1000 };

struct slot {
	struct pool *pool;           /* or else */
	struct jobserver *jobserver; /* or NULL: jobs run one at a time */
	struct lend *lend;           /* while the jobserver's slot is lent */
	bool held;
	pid_t make;
};

struct slot *
slot_open(const char *makeflags, int rundir, unsigned jobs)
{
	struct slot *slot = xcalloc(1, sizeof(*slot));

	if (makeflags && pool_is_needed(makeflags)) {
		slot->pool = pool_open(rundir, jobs);
		if (!slot->pool) {
			free(slot);
			return NULL;
		}
		return slot;
	}
	slot->jobserver = makeflags ? jobserver_open(makeflags) : NULL;
	slot->make = getppid();
	slot->held = true;
	return slot;
}

void
slot_close(struct slot *slot)
{
	if (!slot)
		return;
	lend_close(slot->lend);
	jobserver_close(slot->jobserver);
	pool_close(slot->pool);
	free(slot);
}

static bool
take_back(struct slot *slot)
{
	bool gone = getppid() != slot->make;

	if (!lend_take(slot->lend) && !gone)
		return false;
	if (gone)
		warnx("make is gone: going on without a job slot");
	lend_close(slot->lend);
	slot->lend = NULL;
	return true;
}

bool
slot_try(struct slot *slot)
{
	if (!slot->held)
		slot->held = slot->pool ? pool_try(slot->pool) : take_back(slot);
	return slot->held;
}

int
slot_fd(const struct slot *slot)
{
	if (slot->held)
		return -1;
	return slot->pool ? pool_fd(slot->pool) : lend_fd(slot->lend);
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
	if (slot->pool)
		slot->held = !pool_lend(slot->pool);
	else if (slot->jobserver)
		slot->held = !(slot->lend = lend_open(slot->jobserver));
	return !slot->held;
}
