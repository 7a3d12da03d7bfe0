#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/fd.h"

void
fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

int
fd_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			struct pollfd full = { .fd = fd, .events = POLLOUT };

			poll(&full, 1, -1);
			continue;
		}
		if (n < 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int
fd_lock(int fd, int operation)
{
	struct flock range = { .l_whence = SEEK_SET, .l_type = F_RDLCK };
	int error;

	if (operation & LOCK_UN)
		range.l_type = F_UNLCK;
	else if (operation & LOCK_EX)
		range.l_type = F_WRLCK;
	if (flock(fd, operation) == 0)
		return 0;
	error = errno;
	if (error == EWOULDBLOCK || error == EINTR || error == EBADF)
		return -1;
	if (fcntl(fd, operation & LOCK_NB ? F_OFD_SETLK : F_OFD_SETLKW, &range) == 0)
		return 0;
	errno = errno == EAGAIN || errno == EACCES ? EWOULDBLOCK : error;
	return -1;
}

bool
fd_is_readable(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	return poll(&poll_fd, 1, 0) > 0;
}

void
fd_drain(int fd)
{
	char data[4096];

	while (fd >= 0 && read(fd, data, sizeof(data)) > 0)
		;
}

void
fd_open_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= 2);
	close(fd);
	if ((fcntl(STDOUT_FILENO, F_GETFL) & O_NONBLOCK) &&
	    (fd = open("/proc/self/fd/1", O_WRONLY)) >= 0) {
		dup2(fd, STDOUT_FILENO);
		close(fd);
	}
}
