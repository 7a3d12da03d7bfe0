#ifndef NOXMK_OUTPUT_SCREEN_H
#define NOXMK_OUTPUT_SCREEN_H

/* What a person reads while a run goes on and after it. All on standard output. */

#include "state/record.h"

/* A line for a session that has ended: verdict, seconds, target, reason. */
void screen_ended(const struct record *);

/* A line for a session that waits for {"resource","target","pid"}, which another has. */
void screen_waits(const char *target, const json_t *blocker);

/* A line for a session that is slow, with the last line of its log (a descriptor, or -1). */
void screen_slow(const char *target, double seconds, int log);

/* A line for a session that is run again in so many seconds. */
void screen_retries(const struct record *, double seconds);

/* A time for people, "12.3s", "4m05s", "1h02m": at most 7 columns below 100 hours. */
struct screen_duration {
	char s[16];
};
struct screen_duration screen_duration(double seconds);

/*
 * Tables are as wide as the terminal that standard output goes to, and not wider: the columns that
 * are left of that, of so many at least 8, behind those used; 0: there is no limit, as it goes to
 * no terminal.
 */
int screen_left(int used);

/* Prints the text, cut in its middle if it takes more columns than that (0: no limit). */
void screen_put_cut(const char *text, int columns);

/* The same, and blanks up to that width. */
void screen_put_cell(const char *text, int columns, int width);

/*
 * Text that others wrote, to be shown within a line: its control characters are made visible
 * (vis(3)), and a CI finds no command in it (ci.h). The caller frees.
 */
char *screen_safe(const char *text);

/* Prints such a text between the other two; nothing at all if it is empty or NULL. */
void screen_put(const char *before, const char *text, const char *after);

/* Escape sequence of a verdict's colour and back to normal, or "" where colours are not wanted. */
const char *screen_colour(const struct record *);
const char *screen_plain(void);

#endif
