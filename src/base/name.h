#ifndef NOXMK_BASE_NAME_H
#define NOXMK_BASE_NAME_H

/*
 * Names of which each belongs to one owner at a time on this machine: those of abstract sockets
 * (unix(7)). They need no file system, and the kernel frees one when the last process that has its
 * descriptor ends, however it does, or closes it. Whoever watches a name is told of that at once.
 */

#include <sys/types.h>

#include "base/util.h"

/*
 * A descriptor that has the name, which is freed by closing it. -1 with errno set: EADDRINUSE when
 * somebody else has it.
 */
int name_take(const char *name) UNUSED_RESULT;

/* The same, but waits while somebody else has it; for ten seconds, or until we are told to end. */
int name_wait(const char *name) UNUSED_RESULT;

/*
 * A descriptor that becomes readable, and stays so, when the one who has the name frees it. -1 with
 * errno set: ECONNREFUSED when nobody has the name, or only since this very moment; another error
 * when it cannot be watched, as with thousands who do.
 */
int name_watch(const char *name) UNUSED_RESULT;

/* The process that has the name; 0 when nobody has it, or nobody whom we see. */
pid_t name_owner(const char *name);

/* A name for a file or folder that is open, wherever it is seen from: "noxmk/KIND/…". Freed. */
char *name_of_file(const char *kind, int fd) UNUSED_RESULT;

#endif
