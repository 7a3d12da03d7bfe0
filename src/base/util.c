#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"

void *
xreallocarray(void *old, size_t n, size_t size)
{
	void *p = reallocarray(old, n ? n : 1, size ? size : 1);

	if (!p)
		err(EXIT_HELPER, "memory");
	return p;
}

void *
xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p)
		err(EXIT_HELPER, "memory");
	return p;
}

char *
xstrdup(const char *s)
{
	char *p = strdup(s);

	if (!p)
		err(EXIT_HELPER, "memory");
	return p;
}

char *
xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		err(EXIT_HELPER, "memory");
	va_end(ap);
	return s;
}

static void
buffer_reserve(struct buffer *b, size_t more)
{
	size_t need = b->len + more + 1;

	if (need <= b->cap)
		return;
	b->cap = need < 2 * b->cap ? 2 * b->cap : need;
	b->data = xreallocarray(b->data, b->cap, 1);
}

void
buffer_add(struct buffer *b, const void *data, size_t len)
{
	buffer_reserve(b, len);
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void
buffer_addstr(struct buffer *b, const char *s)
{
	buffer_add(b, s, strlen(s));
}

void
buffer_printf(struct buffer *b, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		err(EXIT_HELPER, "memory");
	va_end(ap);
	buffer_addstr(b, s);
	free(s);
}

void
buffer_free(struct buffer *b)
{
	free(b->data);
	*b = (struct buffer){ 0 };
}

void
strings_add(struct strings *list, const char *s)
{
	list->v = xreallocarray(list->v, list->n + 1, sizeof(*list->v));
	list->v[list->n++] = s;
}

void
indices_add(struct indices *list, size_t i)
{
	list->v = xreallocarray(list->v, list->n + 1, sizeof(*list->v));
	list->v[list->n++] = i;
}

bool
indices_has(const struct indices *list, size_t i)
{
	for (size_t k = 0; k < list->n; k++)
		if (list->v[k] == i)
			return true;
	return false;
}

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
write_all(int fd, const void *data, size_t len)
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
file_replace(int dirfd, const char *name, const void *data, size_t len)
{
	/* Two helpers may replace one file at once, so the name beside it carries the pid. */
	char *temp = xasprintf("%s.%d~", name, (int)getpid());
	int fd, saved, result = -1;

	fd = openat(dirfd, temp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (fd < 0)
		goto out;
	if (write_all(fd, data, len) < 0 || fdatasync(fd) < 0) {
		saved = errno;
		close(fd);
		errno = saved;
		goto fail;
	}
	if (close(fd) < 0 || renameat(dirfd, temp, dirfd, name) < 0)
		goto fail;
	/* A folder that cannot be synced (some network file systems) still has the file. */
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

void
buffer_add_shell(struct buffer *b, const char *word)
{
	static const char harmless[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "0123456789_-+=./:,@%";

	if (*word && strspn(word, harmless) == strlen(word)) {
		buffer_addstr(b, word);
		return;
	}
	buffer_addstr(b, "'");
	for (; *word; word++) {
		if (*word == '\'')
			buffer_addstr(b, "'\\''");
		else
			buffer_add(b, word, 1);
	}
	buffer_addstr(b, "'");
}
