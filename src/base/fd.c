#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/sig.h"

/*
 * Milliseconds in which a lock is to be had: whoever has it may be stopped, or be no program of
 * ours. And those between two tries, which double.
 */
enum { PATIENCE = 1000, FIRST_TICK = 1, LAST_TICK = 32 };

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

/* The same as fd_lock with LOCK_NB. */
static int
try_lock(int fd, int operation)
{
	struct flock range = { .l_whence = SEEK_SET, .l_type = F_RDLCK };
	int error;

	if (operation & LOCK_UN)
		range.l_type = F_UNLCK;
	else if (operation & LOCK_EX)
		range.l_type = F_WRLCK;
	if (flock(fd, operation | LOCK_NB) == 0)
		return 0;
	error = errno;
	if (error == EWOULDBLOCK || error == EINTR || error == EBADF)
		return -1;
	if (fcntl(fd, F_OFD_SETLK, &range) == 0)
		return 0;
	errno = errno == EAGAIN || errno == EACCES ? EWOULDBLOCK : error;
	return -1;
}

int
fd_lock_within(int fd, int operation, int milliseconds)
{
	double end = clock_monotonic() + milliseconds / 1e3;
	int tick = FIRST_TICK, result;

	while ((result = try_lock(fd, operation)) < 0 &&
	       (errno == EWOULDBLOCK || errno == EINTR)) {
		if (clock_monotonic() >= end || sig_stop_is_pending()) {
			errno = EWOULDBLOCK;
			break;
		}
		poll(NULL, 0, tick);
		tick = 2 * tick < LAST_TICK ? 2 * tick : LAST_TICK;
	}
	return result;
}

int
fd_lock(int fd, int operation)
{
	return fd_lock_within(fd, operation, operation & LOCK_NB ? 0 : PATIENCE);
}

off_t
fd_append(int fd, const void *data, size_t len)
{
	bool written;

	if (fcntl(fd, F_SETFL, O_APPEND) < 0)
		return -1;
	written = write(fd, data, len) == (ssize_t)len;
	/* With that flag pwrite(2) would write at the end as well. */
	if (fcntl(fd, F_SETFL, 0) < 0 || !written)
		return -1;
	/* The write has left the descriptor at its end. */
	return lseek(fd, 0, SEEK_CUR) - (off_t)len;
}

bool
fd_is_full(int error)
{
	return error == ENOSPC || error == EDQUOT;
}

bool
fd_is_removed(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_nlink == 0;
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

void
fd_read_file(int fd, struct buffer *text)
{
	struct stat st;
	ssize_t n;

	buffer_addstr(text, "");
	if (fstat(fd, &st) < 0)
		return;
	buffer_reserve(text, (size_t)st.st_size);
	n = pread(fd, text->data, (size_t)st.st_size, 0);
	text->len = n > 0 ? (size_t)n : 0;
	text->data[text->len] = '\0';
}
