#ifndef NOXMK_STATE_MAKEKEY_H
#define NOXMK_STATE_MAKEKEY_H

/*
 * The key of a make, by which its helpers find their run: "PID-STARTTIME-HEX", in which the start
 * time is that of proc(5), since pids are used again, and the last part is random. nox.mk makes it.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "base/util.h"

/* What the file in runs/ is called that names the run of a make: this, and the key. */
#define MAKEKEY_FILE ".make-"

/* Is it such a key? It becomes part of a file name. */
bool makekey_is_sane(const char *key);

/* A key for a make that we could be, since what we make looks like its run. The caller frees. */
char *makekey_own(void) UNUSED_RESULT;

/* The process of the make of this sane key. */
pid_t makekey_pid(const char *key);

/* Does the make of this sane key still run? Only its own machine and container can tell. */
bool makekey_is_alive(const char *key);

/* Where a key of a make of ours counts: this boot of the machine, this container. To be freed. */
char *makekey_where(void) UNUSED_RESULT;

#endif
