#ifndef NOXMK_BASE_FILE_H
#define NOXMK_BASE_FILE_H

/* Whole files, read and written at once. */

#include "base/util.h"

/* The whole of a file into an empty buffer. 0, or -1 with errno set and nothing printed. */
int file_read(int dirfd, const char *name, struct buffer *) UNUSED_RESULT;

/*
 * The file appears whole or not at all: written beside, synced, renamed, folder synced, so it
 * outlives a crash of the machine. 0, or -1 with errno set and nothing printed.
 */
int file_replace(int dirfd, const char *name, const void *data, size_t len) UNUSED_RESULT;

#endif
