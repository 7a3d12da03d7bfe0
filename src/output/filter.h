#ifndef NOXMK_OUTPUT_FILTER_H
#define NOXMK_OUTPUT_FILTER_H

/*
 * What a session prints goes through this stream to a terminal or a CI's page. It may have colours,
 * but it cannot move the cursor, name the window, pass for a line of ours, or command the CI.
 *
 * Text in UTF-8, tabs, line ends and SGR sequences (ESC [ … m, ECMA-48) pass. A carriage return, as
 * of a progress bar, ends the line. All else is made visible, as vis(3) does. A line that begins as
 * ours do, with "noxmk: ", gets a "| " in front. Where a CI reads, its commands are defused (ci.h).
 */

#include "base/util.h"

struct filter;

/* ci: does a CI read what comes out? filter_close frees. */
struct filter *filter_open(bool ci) UNUSED_RESULT;
void filter_close(struct filter *);

/*
 * Appends what may be shown. What may be the start of a sequence, a character or "noxmk: " is held
 * back until more comes, or filter_flush says that no more will, which also ends all colours.
 */
void filter_feed(struct filter *, const char *data, size_t n, struct buffer *out);
void filter_flush(struct filter *, struct buffer *out);

#endif
