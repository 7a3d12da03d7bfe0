#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/name.h"
#include "base/sig.h"

/* How many may watch one name; the kernel may allow fewer. */
enum { WATCHERS = 4096 };

/*
 * Milliseconds between two tries of name_wait where nothing wakes it, and where something does: we
 * may be told to end; and in which it is to have the name.
 */
enum { TICK = 1, WATCHED_TICK = 100, PATIENCE = 10000 };

static socklen_t
make_address(struct sockaddr_un *address, const char *name)
{
	int length;

	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	/* The first byte stays 0: that makes it an abstract name. */
	length = snprintf(address->sun_path + 1, sizeof(address->sun_path) - 1, "%s", name);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
}

/* Closes it and makes it -1, but errno stays as it is. */
static void
give_up(int *fd)
{
	int saved = errno;

	fd_close(fd);
	errno = saved;
}

int
name_take(const char *name)
{
	struct sockaddr_un address;
	socklen_t size = make_address(&address, name);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && (bind(fd, (struct sockaddr *)&address, size) < 0 ||
	    listen(fd, WATCHERS) < 0))
		give_up(&fd);
	return fd;
}

/*
 * A connection that nobody accepts hangs up when the socket that has the name is closed. Who has
 * the name may be about to listen: then it looks as if nobody had it.
 */
int
name_watch(const char *name)
{
	struct sockaddr_un address;
	socklen_t size = make_address(&address, name);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, size) < 0)
		give_up(&fd);
	return fd;
}

int
name_wait(const char *name)
{
	double end = clock_monotonic() + PATIENCE / 1e3;
	struct pollfd owner = { .events = POLLIN };
	int fd;

	while ((fd = name_take(name)) < 0 && errno == EADDRINUSE) {
		if (clock_monotonic() >= end || sig_stop_is_pending()) {
			errno = EADDRINUSE;
			break;
		}
		owner.fd = name_watch(name);
		poll(&owner, 1, owner.fd < 0 ? TICK : WATCHED_TICK);
		fd_close(&owner.fd);
	}
	return fd;
}

pid_t
name_owner(const char *name)
{
	struct ucred owner = { 0 };
	socklen_t size = sizeof(owner);
	int fd = name_watch(name);

	if (fd >= 0)
		(void)!getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &owner, &size);
	fd_close(&fd);
	return owner.pid;
}

char *
name_of_file(const char *kind, int fd)
{
	struct stat st = { 0 };

	(void)!fstatat(fd, "", &st, AT_EMPTY_PATH);
	return xasprintf("noxmk/%s/%llx-%llx", kind, (unsigned long long)st.st_dev,
	    (unsigned long long)st.st_ino);
}
