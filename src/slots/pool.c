#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/util.h"
#include "slots/pool.h"

/* Milliseconds between two tries: of the queue's head, and of the others, who grow patient. */
enum { HEAD_TICK = 50, FIRST_TICK = 10, LAST_TICK = 250 };

/* The locked file, and what its close rings. */
struct held {
	int lock, bell;
};

struct pool {
	int rundir, queue, ranks;
	int inotify; /* -1 unless we are the head and got one */
	struct held *held;
	unsigned n, nheld, rank;
	int tick;
	bool head;
};

/*
 * Who waits holds a lock on the byte of .ranks whose number is its rank (fcntl(2), "open file
 * description locks"). Without it we wait as well, only in any order.
 */
static void
show_rank(struct pool *pool)
{
	struct flock range = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = pool->rank,
		.l_len = 1 };

	pool->ranks = openat(pool->rundir, ".ranks", O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (pool->ranks >= 0)
		fcntl(pool->ranks, F_OFD_SETLK, &range);
}

/* Does somebody wait who is to come before us? */
static bool
is_preceded(struct pool *pool)
{
	struct flock range = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0,
		.l_len = pool->rank };

	return pool->rank > 0 && fcntl(pool->ranks, F_OFD_GETLK, &range) == 0 &&
	       range.l_type != F_UNLCK;
}

struct pool *
pool_open(int rundir, unsigned n, unsigned rank)
{
	struct pool *pool = xcalloc(1, sizeof(*pool));

	*pool = (struct pool){ .rundir = rundir, .ranks = -1, .inotify = -1, .n = n, .rank = rank,
		.held = xcalloc(n, sizeof(*pool->held)), .tick = FIRST_TICK };
	pool->queue = openat(rundir, ".queue", O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (pool->queue < 0) {
		warn("cannot wait for a free slot: .queue");
		pool_close(pool);
		return NULL;
	}
	show_rank(pool);
	return pool;
}

static void
drop_slots(struct pool *pool)
{
	while (pool->nheld > 0) {
		struct held *held = &pool->held[--pool->nheld];

		fd_close(&held->lock);
		fd_close(&held->bell);
	}
}

void
pool_close(struct pool *pool)
{
	if (!pool)
		return;
	drop_slots(pool);
	fd_close(&pool->inotify);
	fd_close(&pool->queue);
	fd_close(&pool->ranks);
	free(pool->held);
	free(pool);
}

/*
 * Watching the folder, not the slots, is one watch whatever n is; logs and records that are closed
 * there wake us too often, which only costs a try. Without an instance (their number is limited)
 * the tick has to do.
 */
static void
become_head(struct pool *pool)
{
	pool->head = true;
	pool->inotify = fd_watch(pool->rundir, IN_CLOSE_WRITE);
}

/*
 * A slot is tried through a descriptor for reading, whose close wakes nobody. Its holder then opens
 * it for writing as well: that descriptor has a higher number, so that even a killed holder drops
 * the lock first and rings the bell after it.
 */
static bool
take_slot(struct pool *pool, unsigned i)
{
	char *name = xasprintf(".slot-%u", i);
	int fd = openat(pool->rundir, name, O_RDONLY | O_CREAT | O_CLOEXEC, 0666);
	bool taken = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;

	if (!taken && (fd < 0 || errno != EWOULDBLOCK)) {
		/* Nobody will ever get it; too many at once is better than none. */
		warn("%s: going on without a slot", name);
		fd_close(&fd);
		taken = true;
	}
	if (taken)
		pool->held[pool->nheld++] = (struct held){ .lock = fd,
			.bell = fd < 0 ? -1 : openat(pool->rundir, name, O_WRONLY | O_CLOEXEC) };
	else
		fd_close(&fd);
	free(name);
	return taken;
}

static bool
is_head(struct pool *pool)
{
	if (is_preceded(pool)) {
		flock(pool->queue, LOCK_UN);
		fd_close(&pool->inotify);
		pool->head = false;
	} else if (!pool->head &&
		   (flock(pool->queue, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)) {
		become_head(pool);
	}
	return pool->head;
}

bool
pool_try(struct pool *pool, unsigned least, unsigned most)
{
	bool real = true;

	if (!is_head(pool))
		return false;
	fd_drain(pool->inotify);
	for (unsigned i = 0; i < pool->n && pool->nheld < most && real; i++)
		if (take_slot(pool, i))
			real = pool->held[pool->nheld - 1].lock >= 0;
	if (pool->nheld < least && pool->nheld < pool->n && real) {
		drop_slots(pool);
		return false;
	}
	/* The next one's turn. */
	fd_close(&pool->inotify);
	fd_close(&pool->queue);
	fd_close(&pool->ranks);
	return true;
}

unsigned
pool_count(const struct pool *pool)
{
	return pool->nheld;
}

/*
 * Those who come back hold locks that others wait for, and they are few: each of them watches, as
 * the head of the queue does.
 */
bool
pool_lend(struct pool *pool)
{
	if (pool->nheld == 0)
		return false;
	become_head(pool);
	drop_slots(pool);
	return true;
}

int
pool_fd(const struct pool *pool)
{
	return pool->inotify;
}

int
pool_timeout(struct pool *pool)
{
	int tick = pool->tick;

	if (pool->head)
		return HEAD_TICK;
	pool->tick = 2 * tick < LAST_TICK ? 2 * tick : LAST_TICK;
	return tick;
}
