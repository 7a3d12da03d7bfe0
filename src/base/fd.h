#ifndef NOXMK_BASE_FD_H
#define NOXMK_BASE_FD_H

/* Descriptors. One that is not open is -1. */

#include "base/util.h"

/* Closes it, if it is open, and makes it -1. */
void fd_close(int *fd);

/* All of it, whatever write(2) does in between. 0, or -1 with errno set. */
int fd_write_all(int fd, const void *data, size_t len) UNUSED_RESULT;

/*
 * A descriptor that becomes readable when one of these events (inotify(7)) happens to the open file
 * or folder; the caller closes it. -1 when there is none to be had: their number is limited.
 */
int fd_watch(int fd, unsigned events) UNUSED_RESULT;

/* Reads what a non-blocking descriptor, which may be -1, has to offer, and forgets it. */
void fd_drain(int fd);

#endif
