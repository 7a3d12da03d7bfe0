#ifndef NOXMK_BASE_FILE_H
#define NOXMK_BASE_FILE_H

/* Whole files, read and written at once. dirfd: as openat(2) has it. */

#include "base/util.h"

/*
 * Reads the whole file into an empty buffer, which the caller frees even after an error. 0, or -1
 * with errno set and nothing printed.
 */
int file_read(int dirfd, const char *name, struct buffer *) UNUSED_RESULT;

/*
 * Writes the file so that it appears whole or not at all, and outlives a crash of the machine: it
 * is written beside, synced and renamed, and the folder is synced. A link of that name is replaced,
 * not followed. 0, or -1 with errno set and nothing printed; then the old file stays.
 */
int file_replace(int dirfd, const char *name, const void *data, size_t len) UNUSED_RESULT;

#endif
