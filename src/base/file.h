#ifndef NOXMK_BASE_FILE_H
#define NOXMK_BASE_FILE_H

/* Whole files, read and written at once. dirfd: as openat(2) has it. */

#include <stdbool.h>
#include <sys/types.h>

#include "base/util.h"

/*
 * Reads the whole file into an empty buffer, which the caller frees even after an error. 0, or -1
 * with errno set and nothing printed.
 */
int file_read(int dirfd, const char *name, struct buffer *) UNUSED_RESULT;

/* Is there one of that name, by links too? To read another kind may take forever. */
bool file_is_regular(const char *name);

/*
 * Writes the file so that it appears whole or not at all, and outlives a crash of the machine: it
 * is written beside, synced and renamed, and the folder is synced (but not with AT_FDCWD, which is
 * no descriptor of it). A link of that name is replaced, not followed. 0, or -1 with errno set and
 * nothing printed; then the old file stays.
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
 * What root makes in somebody else's folder belongs to that one, who would else be locked out of
 * it. For others than root, and where it cannot be, nothing changes.
 */
void file_give(int dirfd, const char *name);

/* Removes the folder with all that is in it, and follows no links. What stays is warned of. */
void file_remove_tree(const char *path);

/*
 * Copies an open file from its begin on to one of that name, which is not synced; a file that is
 * there is replaced, a link is not followed. 0, or -1 with errno set.
 */
int file_copy(int from, int dirfd, const char *name) UNUSED_RESULT;

#endif
