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

struct pool {
	int rundir, inotify, held; /* held: the locked slot, or -1 */
	unsigned n;
};

/*
 * Watching the folder, not the slots, is one watch whatever n is; logs and records that are closed
 * there wake us too often, which only costs a try.
 */
struct pool *
pool_open(int rundir, unsigned n)
{
	struct pool *pool = xcalloc(1, sizeof(*pool));
	char *path = xasprintf("/proc/self/fd/%d", rundir);

	*pool = (struct pool){ .rundir = rundir, .held = -1, .n = n };
	pool->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (pool->inotify < 0 || inotify_add_watch(pool->inotify, path, IN_CLOSE_WRITE) < 0) {
		warn("cannot wait for a free slot");
		pool_close(pool);
		pool = NULL;
	}
	free(path);
	return pool;
}

void
pool_close(struct pool *pool)
{
	if (!pool)
		return;
	if (pool->held >= 0)
		close(pool->held);
	if (pool->inotify >= 0)
		close(pool->inotify);
	free(pool);
}

bool
pool_try(struct pool *pool)
{
	char drain[4096];

	while (read(pool->inotify, drain, sizeof(drain)) > 0)
		;
	for (unsigned i = 0; i < pool->n && pool->held < 0; i++) {
		char *name = xasprintf(".slot-%u", i);
		int fd = openat(pool->rundir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);

		free(name);
		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
			pool->held = fd;
		else if (fd >= 0)
			close(fd);
	}
	return pool->held >= 0;
}

int
pool_fd(const struct pool *pool)
{
	return pool->inotify;
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
