#ifndef NOXMK_OUTPUT_FILTER_H
#define NOXMK_OUTPUT_FILTER_H

/*
 * What a session prints goes through this stream to a terminal or a CI's page. It may have colours,
 * but it cannot move the cursor, name the window, pass for a line of ours, or command the CI.
 *
 * Text in UTF-8 that is seen, tabs, line ends and SGR sequences (ESC [ … m, ECMA-48) pass. A CR,
 * as of a progress bar, passes as the start of the line's next state (lines.h), and what erases the
 * old state is left out. All else is made visible, as vis(3) does. A line that begins as ours do,
 * with "noxmk: ", gets a "| " in front. Where a CI reads, its commands are defused (ci.h).
 */

#include "base/util.h"
#include "output/ci.h"

struct filter;

/* ci: who reads what comes out. filter_close frees. */
struct filter *filter_open(enum ci ci) UNUSED_RESULT;
void filter_close(struct filter *);

/*
 * Appends what may be shown. What may be the start of a sequence, a character, "noxmk: " or an
 * annotation is held back until more comes, or filter_flush says that no more will, which also ends
 * all colours.
 */
void filter_feed(struct filter *, const char *data, size_t n, struct buffer *out);
void filter_flush(struct filter *, struct buffer *out);

#endif
