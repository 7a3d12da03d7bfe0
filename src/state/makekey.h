#ifndef NOXMK_STATE_MAKEKEY_H
#define NOXMK_STATE_MAKEKEY_H

/*
 * The key of a make, by which its helpers find their run: "PID-STARTTIME-HEX", in which the start
 * time is that of proc(5), since pids are used again, and the last part is random. nox.mk makes it.
 */

#include <stdbool.h>

/* What the file in runs/ is called that names the run of a make: this, and the key. */
#define MAKEKEY_FILE ".make-"

/* Is it such a key? It becomes part of a file name. */
bool makekey_is_sane(const char *key);

/* Does the make of this sane key still run? */
bool makekey_is_alive(const char *key);

#endif
