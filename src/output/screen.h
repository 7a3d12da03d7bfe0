#ifndef NOXMK_OUTPUT_SCREEN_H
#define NOXMK_OUTPUT_SCREEN_H

/* What a person reads while a run goes on and after it. All on standard output. */

#include "output/tail.h"
#include "state/record.h"

/* From now on none of these lines is printed: NOXMK_OUTPUT=quiet. Is that so? */
void screen_be_quiet(void);
bool screen_is_quiet(void);

/* A line for a session that has ended: verdict, seconds, target, reason. */
void screen_ended(const struct record *);

/*
 * The same of one that has failed, and below it the last lines of its log: who watches need not
 * wait for the summary to see why.
 */
void screen_failed(const struct record *, const struct tail *);

/* A line for a session that waits for {"resource","target","pid"}, which another has. */
void screen_waits(const char *target, const json_t *blocker);

/* A line for a session that is slow, with the last line of its log (a descriptor, or -1). */
void screen_slow(const char *target, double seconds, int log);

/* A line for a session that is run again in so many seconds. */
void screen_retries(const struct record *, double seconds);

/* A line for a session that failed, about its recheck. */
void screen_rechecks(const char *target, const char *what);

/* A time for people, "12.3s", "4m05s", "1h02m": at most 7 columns below 100 hours. */
struct screen_duration {
	char s[16];
};
struct screen_duration screen_duration(double seconds);

/* Seconds that are worth such a number: less is 0.0s. */
#define SCREEN_NOTEWORTHY 0.05

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

/* Are colours wanted on standard output? */
bool screen_wants_colour(void);

/* The size of the terminal that standard output is. False if it is none. */
struct screen_size {
	int columns, lines;
};
bool screen_size(struct screen_size *);

/*
 * What a board (board.h) on a terminal begins and ends with. It is drawn below the line that the
 * cursor is in, which stays where it is, also in its line: so whoever writes there writes above the
 * board, and whatever clears the screen from the cursor on, as SCREEN_WIPE does, removes it. That
 * rests on the cursor alone, and on no mode of the terminal: one who draws may be killed.
 */
#define SCREEN_WIPE "\033[J"

/* Appends what draws these lines, each with its end. The caller writes it in one piece. */
void screen_draw(const char *lines, struct buffer *out);

/* Escape sequence of a verdict's colour and back to normal, or "" where colours are not wanted. */
const char *screen_colour(const struct record *);
const char *screen_plain(void);

#endif
