#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/name.h"

/* Milliseconds between two tries of name_wait, for names that are held for a moment only. */
enum { TICK = 1 };

int
name_take(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), saved;
	/* The first byte stays 0: that makes it an abstract name. */
	int length = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "%s", name);
	size_t size = offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length;

	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, (socklen_t)size) < 0) {
		saved = errno;
		fd_close(&fd);
		errno = saved;
	}
	return fd;
}

int
name_wait(const char *name)
{
	int fd;

	while ((fd = name_take(name)) < 0 && errno == EADDRINUSE)
		poll(NULL, 0, TICK);
	return fd;
}

char *
name_of_file(const char *kind, int fd)
{
	struct stat st = { 0 };

	(void)!fstatat(fd, "", &st, AT_EMPTY_PATH);
	return xasprintf("noxmk/%s/%llx-%llx", kind, (unsigned long long)st.st_dev,
	    (unsigned long long)st.st_ino);
}
