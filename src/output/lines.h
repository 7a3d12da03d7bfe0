#ifndef NOXMK_OUTPUT_LINES_H
#define NOXMK_OUTPUT_LINES_H

/*
 * The filtered output of a session (filter.h) on its way to standard output. Of a line that is
 * written over and over, as a progress bar is, only the last state is shown.
 *
 * Where several sessions write at once, each line goes out whole, in one write(2) that a pipe keeps
 * together, and says whose it is. A line that takes long, or is too long for such a write, goes
 * out in parts that say so:
 *
 *   lint | all is
 *   tests | 10 …
 *   tests | … 20
 *
 * Where only one session writes, and people read, the start of a line is shown after a moment, and
 * its rest behind.
 */

#include <stdbool.h>

#include "base/util.h"
#include "output/ci.h"

struct lines;

/*
 * target: whose lines these are, or NULL where nobody else writes. A CI gets whole lines, or parts
 * that say so, as what comes between the start and the rest of a line would make the rest a line of
 * its own; with CI_ANNOTATIONS those that begin with "::" are commands, which stay as they are.
 */
struct lines *lines_open(const char *target, enum ci) UNUSED_RESULT;
void lines_close(struct lines *);

/* now: in monotonic seconds. */
void lines_feed(struct lines *, const char *text, size_t n, double now);

/* The monotonic second at which the start of a line is due to be shown by lines_look; 0: never. */
double lines_due(const struct lines *);
void lines_look(struct lines *, double now);

/* No more comes, for now: an open line is shown, and ended if others are to follow. */
void lines_flush(struct lines *, bool end);

#endif
