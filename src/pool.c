#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "pool.h"
#include "util.h"

/* Milliseconds between two tries: of the queue's head, and of the others, who grow patient. */
enum { HEAD_TICK = 50, FIRST_TICK = 10, LAST_TICK = 250 };

struct pool {
	int rundir, queue, inotify; /* inotify: -1 unless we are the head and got one */
	int held, bell;             /* the locked slot, and what its close rings; or -1 */
	unsigned n;
	int tick;
	bool head;
};

struct pool *
pool_open(int rundir, unsigned n)
{
	struct pool *pool = xcalloc(1, sizeof(*pool));

	*pool = (struct pool){ .rundir = rundir, .inotify = -1, .held = -1, .bell = -1, .n = n,
		.tick = FIRST_TICK };
	pool->queue = openat(rundir, ".queue", O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (pool->queue < 0) {
		warn("cannot wait for a free slot: .queue");
		pool_close(pool);
		return NULL;
	}
	return pool;
}

static void
close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void
pool_close(struct pool *pool)
{
	if (!pool)
		return;
	close_one(&pool->held);
	close_one(&pool->bell);
	close_one(&pool->inotify);
	close_one(&pool->queue);
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
	char *path = xasprintf("/proc/self/fd/%d", pool->rundir);

	pool->head = true;
	pool->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (pool->inotify >= 0 && inotify_add_watch(pool->inotify, path, IN_CLOSE_WRITE) < 0)
		close_one(&pool->inotify);
	free(path);
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

	if (taken) {
		pool->held = fd;
		pool->bell = openat(pool->rundir, name, O_WRONLY | O_CLOEXEC);
	} else if (fd < 0 || errno != EWOULDBLOCK) {
		/* Nobody will ever get it; too many at once is better than none. */
		warn("%s: going on without a slot", name);
		taken = true;
	}
	if (!taken || pool->held < 0)
		close_one(&fd);
	free(name);
	return taken;
}

bool
pool_try(struct pool *pool)
{
	char drain[4096];
	bool taken = false;

	if (!pool->head && flock(pool->queue, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
		return false;
	if (!pool->head)
		become_head(pool);
	while (pool->inotify >= 0 && read(pool->inotify, drain, sizeof(drain)) > 0)
		;
	for (unsigned i = 0; i < pool->n && !taken; i++)
		taken = take_slot(pool, i);
	if (taken) {
		/* The next one's turn. */
		close_one(&pool->inotify);
		close_one(&pool->queue);
	}
	return taken;
}

/*
 * Those who come back hold locks that others wait for, and they are few: each of them watches, as
 * the head of the queue does.
 */
bool
pool_lend(struct pool *pool)
{
	if (pool->held < 0)
		return false;
	become_head(pool);
	close_one(&pool->held);
	close_one(&pool->bell);
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

bool
pool_is_needed(const char *makeflags)
{
	char *copy = xstrdup(makeflags), *rest = copy, *word;
	bool needed = false;

	/* Variables follow a lone "--"; the first word may be short flags without a dash. */
	while ((word = strsep(&rest, " ")) && strcmp(word, "--") != 0) {
		if (!strcmp(word, "-j"))
			needed = true;
		else if (!strncmp(word, "--jobserver", 11) ||
			 (!strncmp(word, "-j", 2) && isdigit((unsigned char)word[2])))
			needed = false;
	}
	free(copy);
	return needed;
}
