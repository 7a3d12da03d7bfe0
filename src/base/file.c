#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <bsd/stdlib.h>

#include "base/fd.h"
#include "base/file.h"

/* More than most files of /proc have, so that they are read at once. */
enum { PROC_SIZE = 4096 };

/* Seconds after which nobody is about to rename a file any more. */
enum { STALE_AFTER = 60 * 60 };

/* For what open(2) has no error. */
enum { NO_PLAIN_FILE = EMEDIUMTYPE, NOT_OURS = EPERM };

const char *
file_why(int error)
{
	switch (error) {
	case NO_PLAIN_FILE:
		return "no plain file";
	case NOT_OURS:
		return "belongs to somebody else";
	case ELOOP:
		return "a link";
	default:
		return strerror(error);
	}
}

/* Closes it and is -1, with that errno. */
static int
refuse(int fd, int error)
{
	close(fd);
	errno = error;
	return -1;
}

/* Never blocks, and follows no link. */
static int
open_plain(int dirfd, const char *name, int flags, struct stat *st)
{
	int fd = openat(dirfd, name, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0666);

	/* A FIFO for writing that nobody reads, and a socket. */
	if (fd < 0 && errno == ENXIO)
		errno = NO_PLAIN_FILE;
	if (fd < 0)
		return -1;
	if (fstat(fd, st) < 0)
		return refuse(fd, errno);
	if (!S_ISREG(st->st_mode))
		return refuse(fd, S_ISDIR(st->st_mode) ? EISDIR : NO_PLAIN_FILE);
	return fd;
}

/* See file_open. */
static bool
is_ours(int dirfd, const struct stat *st)
{
	struct stat folder;

	if (st->st_uid == geteuid() || st->st_uid == 0)
		return true;
	if (fstatat(dirfd, "", &folder, AT_EMPTY_PATH) < 0)
		return false;
	return st->st_uid == folder.st_uid ||
	       ((folder.st_mode & S_IWGRP) && st->st_gid == folder.st_gid);
}

int
file_open(int dirfd, const char *name, int flags, off_t most)
{
	struct stat st;
	int fd = open_plain(dirfd, name, flags, &st);

	if (fd >= 0 && !is_ours(dirfd, &st))
		return refuse(fd, NOT_OURS);
	if (fd >= 0 && most > 0 && st.st_size > most)
		return refuse(fd, EFBIG);
	return fd;
}

int
file_open_append(const char *path)
{
	struct stat st;

	return open_plain(AT_FDCWD, path, O_WRONLY | O_APPEND | O_CREAT, &st);
}

/* The same for what may serve as a lock: if it is ours, everybody may open it. */
static int
open_shared(int dirfd, const char *name, int flags)
{
	struct stat st;
	int fd = open_plain(dirfd, name, flags, &st);

	if (fd < 0 && errno == EACCES && fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
	    fchmodat(dirfd, name, 0666, 0) == 0)
		return open_plain(dirfd, name, flags, &st);
	return fd;
}

int
file_open_lock(int dirfd, const char *name)
{
	struct stat st;
	int fd = open_shared(dirfd, name, O_RDWR);

	if (fd >= 0 || errno == EACCES || errno == EPERM)
		return fd;
	if (errno != ENOENT && file_remove(dirfd, name) < 0)
		return -1;
	fd = open_plain(dirfd, name, O_RDWR | O_CREAT | O_EXCL, &st);
	/* Somebody else was faster. */
	if (fd < 0 && errno == EEXIST)
		return open_plain(dirfd, name, O_RDWR, &st);
	if (fd >= 0) {
		(void)!fchmod(fd, 0666);
		file_give(dirfd, name);
	}
	return fd;
}

int
file_open_claim(int dirfd, const char *name)
{
	return open_shared(dirfd, name, O_RDONLY);
}

int
file_create(int dirfd, const char *name, int flags)
{
	struct stat st;
	int fd = open_plain(dirfd, name, flags | O_CREAT | O_EXCL, &st);

	if (fd < 0 && errno == EEXIST && file_remove(dirfd, name) == 0)
		fd = open_plain(dirfd, name, flags | O_CREAT | O_EXCL, &st);
	return fd;
}

int
file_open_folder(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd >= 0 && (fstat(fd, &st) < 0 || !is_ours(dirfd, &st)))
		return refuse(fd, NOT_OURS);
	return fd;
}

/* Reads to the end, into a buffer with room for so many bytes from the start. */
static int
read_all(int fd, off_t size, struct buffer *b)
{
	ssize_t n;

	/* Files of /proc do not say how long they are. */
	buffer_reserve(b, size > 0 && size <= FILE_MOST ? (size_t)size + 1 : PROC_SIZE);
	b->data[b->len] = '\0';
	while ((n = read(fd, b->data + b->len, b->cap - b->len - 1)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		b->len += (size_t)n;
		b->data[b->len] = '\0';
		if (b->len > FILE_MOST) {
			errno = EFBIG;
			return -1;
		}
		buffer_reserve(b, 1);
	}
	return n == 0 ? 0 : -1;
}

/* Closes it. */
static int
read_and_close(int fd, struct buffer *b)
{
	struct stat st;
	int result = -1, saved;

	if (fd >= 0 && fstat(fd, &st) == 0)
		result = read_all(fd, st.st_size, b);
	saved = errno;
	fd_close(&fd);
	errno = saved;
	return result;
}

int
file_load_most(int dirfd, const char *name, off_t most, struct buffer *b)
{
	return read_and_close(file_open(dirfd, name, O_RDONLY, most), b);
}

int
file_load(int dirfd, const char *name, struct buffer *b)
{
	return file_load_most(dirfd, name, FILE_MOST, b);
}

int
file_read(int dirfd, const char *name, struct buffer *b)
{
	return read_and_close(openat(dirfd, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC), b);
}

/* Renames the file, also over a folder. */
static int
move_over(int dirfd, const char *from, const char *to)
{
	if (renameat(dirfd, from, dirfd, to) == 0)
		return 0;
	if (errno != EISDIR || file_remove(dirfd, to) < 0)
		return -1;
	return renameat(dirfd, from, dirfd, to);
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
	/*
	 * Several helpers may replace one file at once, also in containers of which each has its
	 * own numbers of processes.
	 */
	char *temp = xasprintf("%s.%08x~", name, (unsigned)arc4random());
	struct stat st;
	int fd, saved, result = -1;

	fd = open_plain(dirfd, temp, O_WRONLY | O_CREAT | O_EXCL, &st);
	if (fd < 0)
		goto out;
	if (fd_write_all(fd, data, len) < 0 || (synced && fdatasync(fd) < 0)) {
		saved = errno;
		close(fd);
		errno = saved;
		goto fail;
	}
	file_give(dirfd, temp);
	if (close(fd) < 0 || move_over(dirfd, temp, name) < 0)
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

int
file_reserve(int dirfd, const char *name, off_t size)
{
	int fd = openat(dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	int error;

	if (fd < 0)
		return errno == EEXIST ? 0 : -1;
	error = posix_fallocate(fd, 0, size);
	close(fd);
	if (error == 0) {
		file_give(dirfd, name);
		return 0;
	}
	unlinkat(dirfd, name, 0);
	errno = error;
	return -1;
}

int
file_fill(int dirfd, const char *reserved, const char *name, const void *data, size_t len)
{
	int fd = file_open(dirfd, reserved, O_WRONLY, 0), saved;

	if (fd < 0)
		return -1;
	if (fd_write_all(fd, data, len) < 0 || ftruncate(fd, (off_t)len) < 0) {
		saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	if (close(fd) < 0)
		return -1;
	return renameat(dirfd, reserved, dirfd, name);
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
	int error;

	if (mkdirat(parent, name, mode) == 0) {
		file_give(parent, name);
	} else if (errno != EEXIST) {
		error = errno;
		if (faccessat(parent, name, F_OK, 0) < 0) {
			errno = error;
			return -1;
		}
	}
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

/* Where the next byte is that is in no hole, from there on; else the end of the file. */
static off_t
skip_hole(int fd, off_t at)
{
	off_t data = lseek(fd, at, SEEK_DATA);

	if (data < 0 && errno == ENXIO)
		data = lseek(fd, 0, SEEK_END);
	/* Some file systems cannot tell. */
	return data > at ? data : at;
}

int
file_copy(int from, int dirfd, const char *name)
{
	int to = file_create(dirfd, name, O_WRONLY);
	off_t offset = 0;
	char data[16384];
	ssize_t n = -1;
	int saved;

	if (to < 0)
		return -1;
	while (offset = skip_hole(from, offset),
	       (n = pread(from, data, sizeof(data), offset)) > 0 &&
	       lseek(to, offset, SEEK_SET) == offset && fd_write_all(to, data, (size_t)n) == 0)
		offset += n;
	if (n == 0 && ftruncate(to, offset) < 0)
		n = -1;
	saved = errno;
	close(to);
	file_give(dirfd, name);
	errno = saved;
	return n == 0 ? 0 : -1;
}

void
file_remove_stale(int dirfd, const char *name)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    time(NULL) - st.st_mtime > STALE_AFTER)
		unlinkat(dirfd, name, 0);
}

/* With all that is in it. -1 with errno set: that of the first that stays. */
static int
remove_tree(char *path)
{
	int error = 0;
	char *roots[] = { path, NULL };
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	FTSENT *entry;

	while (tree && (entry = fts_read(tree))) {
		if (entry->fts_info == FTS_D) {
			/* What is in a folder that may not be written, such as Go's, would stay. */
			if ((entry->fts_statp->st_mode & S_IRWXU) != S_IRWXU)
				(void)!fchmodat(AT_FDCWD, entry->fts_accpath, S_IRWXU, 0);
			continue;
		}
		if (unlinkat(AT_FDCWD, entry->fts_accpath,
			entry->fts_info == FTS_DP ? AT_REMOVEDIR : 0) < 0 && errno != ENOENT)
			error = error ? error : errno;
	}
	if (tree)
		fts_close(tree);
	errno = error;
	return error ? -1 : 0;
}

int
file_remove(int dirfd, const char *name)
{
	char *path;
	int result, saved;

	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR)
		return -1;
	/* fts(3) knows no descriptors. */
	path = dirfd == AT_FDCWD || *name == '/' ? xstrdup(name) :
						   xasprintf("/proc/self/fd/%d/%s", dirfd, name);
	result = remove_tree(path);
	saved = errno;
	free(path);
	errno = saved;
	return result;
}
