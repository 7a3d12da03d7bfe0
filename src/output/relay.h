#ifndef NOXMK_OUTPUT_RELAY_H
#define NOXMK_OUTPUT_RELAY_H

/*
 * What a session writes comes by a pipe, and the relay brings it into the log: so that a full disk
 * or a log folder that is gone costs the log and not the session, secrets do not reach it (mask.h),
 * and one session cannot fill the disk. In bounded memory, however long its lines are.
 *
 * Of a log that would exceed its limit the head and the tail are kept, half of the limit each:
 *
 *   …head…
 *   [noxmk: 123456 bytes cut out here: log-limit]
 *   …tail…
 */

#include <stdbool.h>
#include <sys/types.h>

#include "output/mask.h"

struct relay;

/*
 * Into that log (see joblog_open; -1: to standard error), at most limit bytes (0: no limit). mask:
 * NULL where there is no secret; both stay the caller's. NULL with errno set when there can be no
 * pipe. relay_close frees.
 */
struct relay *relay_open(int log, struct mask *mask, long long limit) UNUSED_RESULT;

/*
 * What the session writes to. It stays open here too, or a session that closes its output would
 * keep us awake.
 */
int relay_end(const struct relay *);

/* Copies what is there when that is readable. */
int relay_fd(const struct relay *);
void relay_copy(struct relay *);

/*
 * The last of it, and the tail in its place. What another process still writes there is lost. How
 * many bytes could not be written, with errno set, or 0.
 */
long long relay_close(struct relay *);

#endif
