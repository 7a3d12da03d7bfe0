#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"

/* More than most files of /proc have, so that they are read at once. */
enum { PROC_SIZE = 4096 };

int
file_read(int dirfd, const char *name, struct buffer *b)
{
	struct stat st;
	ssize_t n = -1;
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0) {
		/* Files of /proc do not say how long they are. */
		buffer_reserve(b, st.st_size > 0 ? (size_t)st.st_size + 1 : PROC_SIZE);
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

bool
file_is_regular(const char *name)
{
	struct stat st;

	return stat(name, &st) == 0 && S_ISREG(st.st_mode);
}

static int
replace(int dirfd, const char *name, const void *data, size_t len, bool synced)
{
	/* Two helpers may replace one file at once, so the name beside it carries the pid. */
	char *temp = xasprintf("%s.%d~", name, (int)getpid());
	int fd, saved, result = -1;

	fd = openat(dirfd, temp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (fd < 0)
		goto out;
	if (fd_write_all(fd, data, len) < 0 || (synced && fdatasync(fd) < 0)) {
		saved = errno;
		close(fd);
		errno = saved;
		goto fail;
	}
	file_give(dirfd, temp);
	if (close(fd) < 0 || renameat(dirfd, temp, dirfd, name) < 0)
		goto fail;
	/* Some network file systems cannot sync a folder; the file is there all the same. */
	if (synced)
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

int
file_replace(int dirfd, const char *name, const void *data, size_t len)
{
	return replace(dirfd, name, data, len, true);
}

int
file_store(int dirfd, const char *name, const void *data, size_t len)
{
	return replace(dirfd, name, data, len, false);
}

void
file_give(int dirfd, const char *name)
{
	struct stat folder;

	if (geteuid() == 0 && fstatat(dirfd, "", &folder, AT_EMPTY_PATH) == 0 && folder.st_uid != 0)
		(void)!fchownat(dirfd, name, folder.st_uid, folder.st_gid, AT_SYMLINK_NOFOLLOW);
}

/* The folder of that name in another one, made if need be. -1 with errno set. */
static int
make_in(int parent, const char *name, mode_t mode, int flags)
{
	if (mkdirat(parent, name, mode) == 0)
		file_give(parent, name);
	else if (errno != EEXIST && faccessat(parent, name, F_OK, 0) < 0)
		return -1;
	return openat(parent, name, flags | O_DIRECTORY | O_CLOEXEC);
}

int
file_make_folder(const char *path, mode_t mode, int *fd)
{
	char *copy = xstrdup(path), *rest = copy + strspn(copy, "/"), *name;
	int folder = open(*path == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC), next, saved;

	while (folder >= 0 && (name = strsep(&rest, "/"))) {
		bool last = !rest || rest[strspn(rest, "/")] == '\0';

		if (last)
			rest = NULL;
		if (!*name)
			continue;
		next = make_in(folder, name, last ? mode : 0777, last ? O_RDONLY : O_PATH);
		saved = errno;
		close(folder);
		errno = saved;
		folder = next;
	}
	free(copy);
	*fd = folder;
	return folder < 0 ? -1 : 0;
}

int
file_copy(int from, int dirfd, const char *name)
{
	int to = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
	off_t offset = 0;
	char data[16384];
	ssize_t n = -1;
	int saved;

	if (to < 0)
		return -1;
	while ((n = pread(from, data, sizeof(data), offset)) > 0 &&
	       fd_write_all(to, data, (size_t)n) == 0)
		offset += n;
	saved = errno;
	close(to);
	file_give(dirfd, name);
	errno = saved;
	return n == 0 ? 0 : -1;
}

void
file_remove_tree(const char *path)
{
	char *copy = xstrdup(path), *roots[] = { copy, NULL };
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	FTSENT *entry;

	while (tree && (entry = fts_read(tree))) {
		if (entry->fts_info == FTS_D)
			continue;
		if (unlinkat(AT_FDCWD, entry->fts_accpath,
			entry->fts_info == FTS_DP ? AT_REMOVEDIR : 0) < 0 && errno != ENOENT)
			warn("%s", entry->fts_path);
	}
	if (tree)
		fts_close(tree);
	free(copy);
}
