#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "base/fd.h"
#include "base/name.h"
#include "base/util.h"
#include "slots/pool.h"
#include "slots/queue.h"

/*
 * Milliseconds between two tries. An event wakes us, so WATCHED_TICK is for what nobody has thought
 * of. Where we are told of nothing they double, from FIRST_TICK to BLIND_TICK.
 */
enum { FIRST_TICK = 1, BLIND_TICK = 250, WATCHED_TICK = 5000 };

/* Ranks in the queue: of one that has had a slot before, and of the first of all others. */
enum { RETURNING, COMING };

struct pool {
	int folder;
	char *run;           /* what the names of this run begin with */
	struct queue *queue; /* NULL once we have a slot, until we want others */
	struct one {
		int held, watch; /* what has its name, what watches it; -1 */
	} *slots;
	unsigned n, nheld;
	int epoll;           /* of the watches; -1 while there is none */
	int tick;
	bool blind, warned;  /* blind: there is something that we are not told of */
};

struct pool *
pool_open(int folder, const char *key, unsigned n, unsigned rank)
{
	struct pool *pool = xcalloc(1, sizeof(*pool));

	*pool = (struct pool){ .folder = folder, .n = n, .epoll = -1,
		.run = xasprintf("noxmk/%s", key), .tick = FIRST_TICK };
	pool->slots = xcalloc(n, sizeof(*pool->slots));
	pool->queue = queue_open(folder, pool->run, COMING + rank);
	for (unsigned i = 0; i < n; i++)
		pool->slots[i] = (struct one){ -1, -1 };
	return pool;
}

static void
stop_watching(struct pool *pool)
{
	for (unsigned i = 0; i < pool->n && pool->epoll >= 0; i++)
		fd_close(&pool->slots[i].watch);
	fd_close(&pool->epoll);
}

static void
drop_slots(struct pool *pool)
{
	for (unsigned i = 0; i < pool->n && pool->nheld > 0; i++) {
		pool->nheld -= pool->slots[i].held >= 0;
		fd_close(&pool->slots[i].held);
	}
}

void
pool_close(struct pool *pool)
{
	if (!pool)
		return;
	drop_slots(pool);
	stop_watching(pool);
	queue_close(pool->queue);
	free(pool->slots);
	free(pool->run);
	free(pool);
}

static char *
name_slot(const struct pool *pool, unsigned number)
{
	return xasprintf("%s/slot-%u", pool->run, number);
}

/* Forgets the watches of slots that have been given back. */
static void
take_events(struct pool *pool)
{
	struct epoll_event events[16];
	int n;

	do {
		n = pool->epoll < 0 ? 0 : epoll_wait(pool->epoll, events, countof(events), 0);
		for (int i = 0; i < n; i++)
			fd_close(&pool->slots[events[i].data.u32].watch);
	} while (n == countof(events));
}

/* Without sockets, or with too many watchers, we wait as well. */
static void
go_blind(struct pool *pool)
{
	pool->blind = true;
	if (errno != EADDRINUSE && errno != EAGAIN && !pool->warned) {
		pool->warned = true;
		warn("waiting for a slot: socket");
	}
}

/* Is the slot free? Else it is watched from now on. */
static bool
is_free(struct pool *pool, unsigned number)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = number };
	struct one *slot = &pool->slots[number];
	char *name;

	if (slot->watch >= 0)
		return false;
	name = name_slot(pool, number);
	slot->watch = name_watch(name);
	free(name);
	if (slot->watch < 0 && errno == ECONNREFUSED)
		return true;
	if (slot->watch >= 0 && pool->epoll < 0)
		pool->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (slot->watch < 0 || pool->epoll < 0 ||
	    epoll_ctl(pool->epoll, EPOLL_CTL_ADD, slot->watch, &event) < 0) {
		go_blind(pool);
		fd_close(&slot->watch);
	}
	return false;
}

/* One that looked free and is not belongs to somebody who is about to listen, or was faster. */
static void
take(struct pool *pool, unsigned number)
{
	char *name = name_slot(pool, number);
	int held = name_take(name);

	if (held < 0)
		go_blind(pool);
	free(name);
	pool->slots[number].held = held;
	pool->nheld += held >= 0;
}

/*
 * Only if there are enough: to take and give back some would wake others, who then might wake us,
 * and so on for ever.
 */
static bool
take_from_to(struct pool *pool, unsigned least, unsigned most)
{
	unsigned *those = xcalloc(pool->n, sizeof(*those)), had = pool->nheld, n = 0;

	pool->blind = false;
	take_events(pool);
	for (unsigned i = 0; i < pool->n && had + n < most; i++)
		if (pool->slots[i].held < 0 && is_free(pool, i))
			those[n++] = i;
	for (unsigned i = 0; i < n && had + n >= least; i++)
		take(pool, those[i]);
	free(those);
	return pool->nheld >= least;
}

/* Those who come back hold locks that others wait for, so they come before all others. */
static bool
is_first(struct pool *pool)
{
	if (!pool->queue)
		pool->queue = queue_open(pool->folder, pool->run, RETURNING);
	if (queue_is_first(pool->queue))
		return true;
	stop_watching(pool);
	pool->blind = queue_fd(pool->queue) < 0;
	return false;
}

bool
pool_try(struct pool *pool, unsigned least, unsigned most)
{
	if (!is_first(pool) || !take_from_to(pool, least < pool->n ? least : pool->n, most)) {
		queue_join(pool->queue);
		drop_slots(pool);
		return false;
	}
	stop_watching(pool);
	/* The next one's turn. */
	queue_close(pool->queue);
	pool->queue = NULL;
	return true;
}

void
pool_forked(struct pool *pool)
{
	drop_slots(pool);
}

unsigned
pool_count(const struct pool *pool)
{
	return pool->nheld;
}

bool
pool_lend(struct pool *pool)
{
	bool held = pool->nheld > 0;

	drop_slots(pool);
	/* Who wants none keeps nobody in the queue waiting. */
	stop_watching(pool);
	queue_close(pool->queue);
	pool->queue = NULL;
	return held;
}

int
pool_fd(const struct pool *pool)
{
	int before = pool->queue ? queue_fd(pool->queue) : -1;

	return before >= 0 ? before : pool->epoll;
}

int
pool_timeout(struct pool *pool)
{
	int tick = pool->tick;

	if (!pool->blind) {
		pool->tick = FIRST_TICK;
		return WATCHED_TICK;
	}
	pool->tick = 2 * tick < BLIND_TICK ? 2 * tick : BLIND_TICK;
	return tick;
}
