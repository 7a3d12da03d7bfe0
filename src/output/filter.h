#ifndef NOXMK_OUTPUT_FILTER_H
#define NOXMK_OUTPUT_FILTER_H

/*
 * What a session prints, on its way to a terminal or a CI's page: it may have colours, and cannot
 * move the cursor, forge lines of ours above it, name the window, or give commands to the CI.
 *
 * Text in UTF-8, tabs, line ends and SGR sequences (ESC [ … m, ECMA-48) pass. A carriage return, as
 * of a progress bar, ends the line. All else is made visible, as vis(3) does. A line that begins as
 * ours do, with "noxmk: ", gets a "| " in front. Where a CI reads, so does one that begins with ":"
 * (GitHub, Forgejo: ::command::), and "##" before a word or bracket gets a "|" behind it
 * (##[command], ##vso[…], ##teamcity[…]).
 */

#include "base/util.h"

struct filter;

/* ci: does a CI read it? filter_close frees. */
struct filter *filter_open(bool ci) UNUSED_RESULT;
void filter_close(struct filter *);

/* Appends what may be shown. filter_flush: no more comes; colours go back to normal. */
void filter_feed(struct filter *, const char *data, size_t n, struct buffer *out);
void filter_flush(struct filter *, struct buffer *out);

#endif
