#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"

int
file_read(int dirfd, const char *name, struct buffer *b)
{
	struct stat st;
	ssize_t n = -1;
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0) {
		buffer_reserve(b, (size_t)st.st_size + 1);
		b->data[b->len] = '\0';
		while ((n = read(fd, b->data + b->len, b->cap - b->len - 1)) != 0) {
			if (n < 0 && errno == EINTR)
				continue;
			if (n < 0)
				break;
			b->len += (size_t)n;
			b->data[b->len] = '\0';
			buffer_reserve(b, 1);
		}
	}
	close(fd);
	return n == 0 ? 0 : -1;
}

int
file_replace(int dirfd, const char *name, const void *data, size_t len)
{
	/* Two helpers may replace one file at once, so the name beside it carries the pid. */
	char *temp = xasprintf("%s.%d~", name, (int)getpid());
	int fd, saved, result = -1;

	fd = openat(dirfd, temp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (fd < 0)
		goto out;
	if (fd_write_all(fd, data, len) < 0 || fdatasync(fd) < 0) {
		saved = errno;
		close(fd);
		errno = saved;
		goto fail;
	}
	if (close(fd) < 0 || renameat(dirfd, temp, dirfd, name) < 0)
		goto fail;
	/* Some network file systems cannot sync a folder; the file is there all the same. */
	(void)fsync(dirfd);
	result = 0;
	goto out;
fail:
	saved = errno;
	unlinkat(dirfd, temp, 0);
	errno = saved;
out:
	free(temp);
	return result;
}
