#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/name.h"
#include "base/util.h"
#include "slots/pool.h"
#include "state/rundir.h"

/* Milliseconds between two tries: of the queue's head, and of the others, who grow patient. */
enum { HEAD_TICK = 50, FIRST_TICK = 10, LAST_TICK = 250 };

/* What has the slot's name (name.h), and what its close rings. */
struct held {
	int name, bell;
};

struct pool {
	int rundir, ranks;
	int queue;   /* what has the name of the queue's head; -1 unless we are that */
	int inotify; /* -1 unless we are the head and got one */
	char *run;   /* what the names of this run begin with */
	struct held *held;
	unsigned n, nheld, rank;
	int tick;
	bool head, warned;
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

/*
 * The names are the make's, which stays the same when a session removes the run folder and another
 * one stands in for it (runtime.h). A folder of no make has its own.
 */
static char *
name_run(int rundir)
{
	json_t *info = faccessat(rundir, RUNDIR_INFO, F_OK, 0) == 0 ? rundir_info(rundir) : NULL;
	const char *key = json_string_value(json_object_get(info, "make"));
	char *name = key ? xasprintf("noxmk/%s", key) : name_of_file("pool", rundir);

	json_decref(info);
	return name;
}

struct pool *
pool_open(int rundir, unsigned n, unsigned rank)
{
	struct pool *pool = xcalloc(1, sizeof(*pool));

	*pool = (struct pool){ .rundir = rundir, .queue = -1, .ranks = -1, .inotify = -1, .n = n,
		.rank = rank, .run = name_run(rundir), .held = xcalloc(n, sizeof(*pool->held)),
		.tick = FIRST_TICK };
	show_rank(pool);
	return pool;
}

/*
 * -1 when somebody else has that name, or when there is no socket to be had, which is warned of:
 * then we wait, too.
 */
static int
take_name(struct pool *pool, const char *kind, unsigned number)
{
	char *name = xasprintf("%s/%s-%u", pool->run, kind, number);
	int fd = name_take(name);

	if (fd < 0 && errno != EADDRINUSE && !pool->warned) {
		pool->warned = true;
		warn("waiting for a slot: socket");
	}
	free(name);
	return fd;
}

static void
drop_slots(struct pool *pool)
{
	while (pool->nheld > 0) {
		struct held *held = &pool->held[--pool->nheld];

		fd_close(&held->name);
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
	free(pool->run);
	free(pool);
}

/*
 * All slots ring one bell, a file that their holders have open for writing. Without an instance of
 * inotify (their number is limited) the tick has to do.
 */
static void
become_head(struct pool *pool)
{
	int bell = openat(pool->rundir, ".bell", O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);

	pool->head = true;
	pool->inotify = bell < 0 ? -1 : fd_watch(bell, IN_CLOSE_WRITE);
	fd_close(&bell);
}

/*
 * Not before we keep the slots, or we would ring for ourselves when they are too few. A bell has a
 * higher number than the slot, so that even a killed holder gives that back first, and rings then.
 */
static void
hold_bells(struct pool *pool)
{
	for (unsigned i = 0; i < pool->nheld; i++)
		pool->held[i].bell = openat(pool->rundir, ".bell",
		    O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
}

static bool
is_head(struct pool *pool)
{
	if (is_preceded(pool)) {
		fd_close(&pool->queue);
		fd_close(&pool->inotify);
		pool->head = false;
	} else if (!pool->head && (pool->queue = take_name(pool, "queue", 0)) >= 0) {
		become_head(pool);
	}
	return pool->head;
}

bool
pool_try(struct pool *pool, unsigned least, unsigned most)
{
	if (!is_head(pool))
		return false;
	fd_drain(pool->inotify);
	for (unsigned i = 0; i < pool->n && pool->nheld < most; i++) {
		struct held held = { .name = take_name(pool, "slot", i), .bell = -1 };

		if (held.name >= 0)
			pool->held[pool->nheld++] = held;
	}
	if (pool->nheld < least && pool->nheld < pool->n) {
		drop_slots(pool);
		return false;
	}
	hold_bells(pool);
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
