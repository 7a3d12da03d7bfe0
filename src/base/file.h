#ifndef NOXMK_BASE_FILE_H
#define NOXMK_BASE_FILE_H

/*
 * Files and folders, and whole files that are read and written at once. dirfd: as openat(2) has it.
 *
 * What lies in a folder of ours may have become anything: a FIFO, a link to a device, a folder, a
 * file of a stranger's, or without end. So nothing in there is opened but by these functions, which
 * neither wait nor follow a link in the name's last part. What is not as it should be is an error,
 * of which file_why tells.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "base/util.h"

/* The most bytes that a file may have which is read as a whole. */
#define FILE_MOST (64LL << 20)

/*
 * Opens a plain file of ours: it belongs to us, to root, to the owner of the folder dirfd, or,
 * where that is open to its group, to the group. flags: for open(2). most: bytes that it may have;
 * 0: any number. -1 with errno set: see file_why.
 */
int file_open(int dirfd, const char *name, int flags, off_t most) UNUSED_RESULT;

/*
 * Opens a plain file, whoever's it is, to write at its end; it is made if need be. -1 with errno
 * set.
 */
int file_open_append(const char *path) UNUSED_RESULT;

/*
 * Opens a file for reading and writing that serves as a lock. It is made if need be, also in the
 * place of something that is no plain file; and everybody may open it, whatever the umask, who may
 * use the folder. -1 with errno set.
 */
int file_open_lock(int dirfd, const char *name) UNUSED_RESULT;

/* The same for reading, but it is not made, nor is what is there removed. */
int file_open_claim(int dirfd, const char *name) UNUSED_RESULT;

/*
 * Makes a new file and opens it; what was there is removed, even a folder. flags: O_RDWR or
 * O_WRONLY. -1 with errno set.
 */
int file_create(int dirfd, const char *name, int flags) UNUSED_RESULT;

/* Opens a folder of ours for reading; see file_open. -1 with errno set. */
int file_open_folder(int dirfd, const char *name) UNUSED_RESULT;

/* What that errno of these functions means. */
const char *file_why(int error);

/*
 * Reads the whole file, one of ours or, file_read, whoever's it is, into an empty buffer, which the
 * caller frees even after an error. 0, or -1 with errno set and nothing printed.
 */
int file_load(int dirfd, const char *name, struct buffer *) UNUSED_RESULT;
int file_read(int dirfd, const char *name, struct buffer *) UNUSED_RESULT;

/* file_load of one that has so many bytes at most. */
int file_load_most(int dirfd, const char *name, off_t most, struct buffer *) UNUSED_RESULT;

/* Is there one of that name, by links too? To read another kind may take forever. */
bool file_is_regular(const char *name);

/*
 * Writes the file so that it appears whole or not at all, and outlives a crash of the machine: it
 * is written beside, synced and renamed, and the folder is synced (but not with AT_FDCWD, which is
 * no descriptor of it). A link of that name is replaced, not followed, and so is a folder. 0, or
 * -1 with errno set and nothing printed; then the old file stays.
 */
int file_replace(int dirfd, const char *name, const void *data, size_t len) UNUSED_RESULT;

/* The same, but after a crash of the machine the file may be empty or missing. */
int file_store(int dirfd, const char *name, const void *data, size_t len) UNUSED_RESULT;

/*
 * Makes the folder, with those that it lies in, if need be, and opens it for reading: *fd, which
 * the caller closes. mode: of the folder itself. 0, or -1 with errno set and *fd -1.
 */
int file_make_folder(const char *path, mode_t mode, int *fd);

/*
 * Makes a file of so many NULs that nobody else has room for: what is written over them later needs
 * none. 0, also when it is there already, or -1 with errno set and no file.
 */
int file_reserve(int dirfd, const char *name, off_t size) UNUSED_RESULT;

/*
 * Writes over a file that was reserved, and gives it another name, so that it appears whole there.
 * 0, or -1 with errno set.
 */
int file_fill(int dirfd, const char *reserved, const char *name, const void *data, size_t len)
    UNUSED_RESULT;

/*
 * What root makes in somebody else's folder belongs to that one, who would else be locked out of
 * it. For others than root, and where it cannot be, nothing changes.
 */
void file_give(int dirfd, const char *name);

/*
 * Removes what is there, a folder with all that is in it; follows no links. 0, also when nothing is
 * there, or -1 with errno set and nothing printed.
 */
int file_remove(int dirfd, const char *name);

/* The same for a file that was to be renamed long ago: see file_replace. */
void file_remove_stale(int dirfd, const char *name);

/*
 * Copies an open file from its begin on to one of that name, which is not synced, with its
 * holes as holes; a file that is there is replaced, a link is not followed. 0, or -1 with errno
 * set.
 */
int file_copy(int from, int dirfd, const char *name) UNUSED_RESULT;

#endif
