#ifndef NOXMK_BASE_FD_H
#define NOXMK_BASE_FD_H

/* Descriptors. One that is not open is -1. */

#include <stdbool.h>
#include <sys/types.h>

#include "base/util.h"

/* Closes the descriptor, if it is open, and makes it -1. */
void fd_close(int *fd);

/*
 * Writes all bytes, also to a descriptor that is non-blocking: then it waits while that is full. 0,
 * or -1 with errno set.
 */
int fd_write_all(int fd, const void *data, size_t len) UNUSED_RESULT;

/*
 * Writes all bytes in one piece at the end of a file, whoever else does so, and returns where they
 * are; -1 if not all could be written. Nobody else has the descriptor, not even a child of ours:
 * its flags change meanwhile.
 */
off_t fd_append(int fd, const void *data, size_t len) UNUSED_RESULT;

/* Does this errno mean that the disk, or somebody's part of it, is full? */
bool fd_is_full(int error);

/*
 * Locks or unlocks the file as flock(2) does, and as that says: 0, or -1 with errno set. But nobody
 * is waited for for ever: after a second, or when we are told to end, errno is EWOULDBLOCK as
 * with LOCK_NB. Where the file system has no such locks, those of fcntl(2) that belong to an open
 * file stand in. An exclusive lock needs a descriptor that is open for writing, and a shared one
 * for reading: so it is on NFS.
 */
int fd_lock(int fd, int operation) UNUSED_RESULT;

/* The same, with that limit. */
int fd_lock_within(int fd, int operation, int milliseconds) UNUSED_RESULT;

/* Has its file no name any more? */
bool fd_is_removed(int fd);

/* Is there something to read, or its end? */
bool fd_is_readable(int fd);

/* Reads what a non-blocking descriptor, which may be -1, has to offer, and forgets it. */
void fd_drain(int fd);

/*
 * For the start of a program. If a standard stream were closed, the next file that we open would
 * take its place: it becomes /dev/null. Standard output that somebody else has made non-blocking is
 * opened anew: its flags are not ours to change.
 */
void fd_open_streams(void);

/* All that is in the file by now, into an empty buffer; it is read from wherever it is. */
void fd_read_file(int fd, struct buffer *);

#endif
