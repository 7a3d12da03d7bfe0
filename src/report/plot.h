#ifndef NOXMK_REPORT_PLOT_H
#define NOXMK_REPORT_PLOT_H

/* What the parts of the drawn timeline share: where a time lies, and what SVG they are made of. */

#include "base/util.h"
#include "report/lead.h"
#include "report/work.h"

/* The whole drawing's width, in its own units, and where times lie in it. */
enum { PLOT_WIDTH = 1000, PLOT_LEFT = 62, PLOT_RIGHT = 990 };

struct plot {
	struct buffer *out;
	double wall;          /* seconds from its left to its right end; more than 0 */
	double y;             /* how far it has come from above */
	bool steps[STEP_KINDS], waits[WAITS], critical; /* what is drawn, for the legend */
};

/* Where that moment of the run lies; one before or after it, at that end. */
double plot_x(const struct plot *, double seconds);

/* A rectangle from one moment to another, at least that wide; what: its class. */
void plot_add_bar(const struct plot *, const char *what, double from, double to, double y,
    double height, double least);

/* Text that may be anything, from x on, its class, and "middle", "end" or "start". */
void plot_add_text(const struct plot *, const char *what, const char *anchor, double x, double y,
    const char *text);

/* The same escaped, as part of a text. */
void plot_add_escaped(const struct plot *, const char *text);

/* About how wide a text of so many columns is. */
double plot_text_width(int columns);

/* Lines for times, down from y to below, and the times above them. */
void plot_add_axis(const struct plot *, double y, double below);

/* What the colours and hatches stand for: those that are drawn. */
void plot_add_legend(struct plot *);

#endif
