#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/process.h"
#include "slots/watch.h"

enum { WATCHES = 16 };

struct watch {
	int epoll; /* of the pidfds; -1 when there is none that tells */
	struct {
		int file, pidfd;
	} owners[WATCHES];
	size_t n;
};

struct watch *
watch_open(void)
{
	struct watch *watch = xcalloc(1, sizeof(*watch));

	watch->epoll = -1;
	return watch;
}

void
watch_clear(struct watch *watch)
{
	for (size_t i = 0; i < watch->n; i++) {
		fd_close(&watch->owners[i].file);
		fd_close(&watch->owners[i].pidfd);
	}
	watch->n = 0;
	fd_close(&watch->epoll);
}

void
watch_close(struct watch *watch)
{
	if (!watch)
		return;
	watch_clear(watch);
	free(watch);
}

bool
watch_is_full(const struct watch *watch)
{
	return watch->n == WATCHES;
}

bool
watch_owner_lives(int file)
{
	return fd_lock(file, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

/*
 * A pidfd tells at once, and for less than inotify(7) does, whose close event takes the kernel
 * milliseconds. A process that has ended although the lock is held is not the owner, or not the
 * only one: the number is one of another container.
 */
static void
wake_at_end(struct watch *watch, int pidfd)
{
	struct epoll_event event = { .events = EPOLLIN };

	if (pidfd < 0 || fd_is_readable(pidfd))
		return;
	if (watch->epoll < 0)
		watch->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (watch->epoll >= 0 && epoll_ctl(watch->epoll, EPOLL_CTL_ADD, pidfd, &event) < 0)
		fd_close(&watch->epoll);
}

bool
watch_add(struct watch *watch, int file, pid_t owner)
{
	int pidfd = process_open(owner);

	watch->owners[watch->n].file = file;
	watch->owners[watch->n++].pidfd = pidfd;
	/* Asked after process_open: if the owner lives now, the number was its own then. */
	if (!watch_owner_lives(file))
		return false;
	wake_at_end(watch, pidfd);
	return true;
}

bool
watch_is_quiet(const struct watch *watch)
{
	if (watch->n == 0 || (watch->epoll >= 0 && fd_is_readable(watch->epoll)))
		return false;
	for (size_t i = 0; i < watch->n; i++)
		if (!watch_owner_lives(watch->owners[i].file))
			return false;
	return true;
}

int
watch_fd(const struct watch *watch)
{
	return watch->epoll;
}
