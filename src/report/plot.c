#include <stdlib.h>
#include <string.h>

#include "output/screen.h"
#include "output/utf8.h"
#include "report/plot.h"
#include "report/xml.h"

/* At most so many lines for times; the height of a line of the legend. */
enum { TICKS_MOST = 10, LEGEND_LINE = 18 };

double
plot_x(const struct plot *plot, double seconds)
{
	double at = seconds / plot->wall;

	at = at > 0 ? at < 1 ? at : 1 : 0;
	return PLOT_LEFT + at * (PLOT_RIGHT - PLOT_LEFT);
}

void
plot_add_bar(const struct plot *plot, const char *what, double from, double to, double y,
    double height, double least)
{
	double left = plot_x(plot, from), width = plot_x(plot, to) - left;

	buffer_printf(plot->out,
	    "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>", what, left,
	    y, width < least ? least : width, height);
}

void
plot_add_escaped(const struct plot *plot, const char *text)
{
	xml_add(plot->out, text, strlen(text));
}

void
plot_add_text(const struct plot *plot, const char *what, const char *anchor, double x, double y,
    const char *text)
{
	buffer_printf(plot->out, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\"", what, x, y);
	if (strcmp(anchor, "start") != 0)
		buffer_printf(plot->out, " text-anchor=\"%s\"", anchor);
	buffer_addstr(plot->out, ">");
	plot_add_escaped(plot, text);
	buffer_addstr(plot->out, "</text>\n");
}

double
plot_text_width(int columns)
{
	return columns * 6.6;
}

/* Seconds between two lines: a round number of them, of minutes, of hours. */
static double
tick(double wall)
{
	static const double steps[] = { 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900,
		1800, 3600, 7200, 21600, 86400 };
	double step = steps[0];

	for (size_t i = 0; i < countof(steps) && wall / step > TICKS_MOST; i++)
		step = steps[i];
	while (wall / step > TICKS_MOST)
		step *= 2;
	return step;
}

void
plot_add_axis(const struct plot *plot, double y, double below)
{
	double step = tick(plot->wall);
	struct buffer *out = plot->out;

	buffer_addstr(out, "<path class=\"grid\" d=\"");
	for (int i = 0; i * step <= plot->wall; i++)
		buffer_printf(out, "M%.1f %.1fV%.1f", plot_x(plot, i * step), y, below);
	buffer_addstr(out, "\"/>\n");
	for (int i = 0; i * step <= plot->wall; i++) {
		double x = plot_x(plot, i * step);

		plot_add_text(plot, "small", x > PLOT_RIGHT - 20 ? "end" : "middle", x, y - 4,
		    screen_duration(i * step).s);
	}
}

/* A patch with words behind it; in the next line if this one is full. */
static void
add_entry(const struct plot *plot, double *x, double *y, const char *what, const char *words)
{
	/* Words are narrower than names, which may have wide letters only. */
	double width = 24 + 0.9 * plot_text_width(utf8_columns(words)) + 20;

	if (*x + width > PLOT_RIGHT) {
		*x = PLOT_LEFT;
		*y += LEGEND_LINE;
	}
	buffer_printf(plot->out, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"18\" "
	    "height=\"%d\"/>", what, *x, *y - (strcmp(what, "critical") ? 10 : 6),
	    strcmp(what, "critical") ? 11 : 3);
	plot_add_text(plot, "small", "start", *x + 24, *y, words);
	*x += width;
}

void
plot_add_legend(struct plot *plot)
{
	static const char *const steps[STEP_KINDS] = { [STEP_ENVIRONMENT] = "environment",
		[STEP_INSTALL] = "install", [STEP_RUN] = "command", [STEP_OTHER] = "the rest" };
	double x = PLOT_LEFT, y = plot->y + 12;

	for (enum step_kind kind = 0; kind < STEP_KINDS; kind++)
		if (plot->steps[kind])
			add_entry(plot, &x, &y, work_name(kind), steps[kind]);
	if (plot->critical)
		add_entry(plot, &x, &y, "critical", "critical path");
	for (enum wait_kind kind = 0; kind < WAITS; kind++)
		if (plot->waits[kind]) {
			char *words = xasprintf("waits for %s", wait_kind_words(kind));
			char *what = xasprintf("wait %s", wait_kind_name(kind));

			add_entry(plot, &x, &y, what, words);
			free(what);
			free(words);
		}
	plot->y = y + 10;
}
