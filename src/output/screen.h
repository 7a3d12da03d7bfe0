#ifndef NOXMK_OUTPUT_SCREEN_H
#define NOXMK_OUTPUT_SCREEN_H

/* What a person reads while a run goes on and after it. All on standard output. */

#include "state/record.h"

/* One line for a session that has ended: verdict, seconds, target, reason. */
void screen_ended(const struct record *);

/* One line for a session that waits for {"resource","target","pid"} of another. */
void screen_waits(const char *target, const json_t *blocker);

/* One line for a session that is slow, with the last line of its log (a descriptor, or -1). */
void screen_slow(const char *target, double seconds, int log);

/* One line for a session that is run again in so many seconds. */
void screen_retries(const struct record *, double seconds);

/* "12.3s", "4m05s", "1h02m": at most 7 columns. The caller frees. */
char *screen_duration(double seconds);

/* Text of the noxfile's with control characters made visible (vis(3)). The caller frees. */
char *screen_safe(const char *text);

/* Escape sequence of a verdict's colour and back to normal, or "" where colours are not wanted. */
const char *screen_colour(const struct record *);
const char *screen_plain(void);

#endif
