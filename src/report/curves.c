#include <stdlib.h>

#include "base/json.h"
#include "report/curves.h"
#include "report/waits.h"

/* So many times are looked at; how high a curve is, and what is between two. */
enum { COLUMNS = 464, HEIGHT = 40, GAP = 12 };

/* How many sessions there are, on average, in each column. */
struct curve {
	double v[COLUMNS];
};

static void
add_span(struct curve *curve, const struct plot *plot, struct span span)
{
	double width = plot->wall / COLUMNS, from = span.from / width, to = span.to / width;
	int first = from > 0 ? (int)from : 0;

	for (int i = first; i < COLUMNS && i < to; i++) {
		double left = from > i ? from : i, right = to < i + 1 ? to : i + 1;

		curve->v[i] += right > left ? right - left : 0;
	}
}

static double
highest(const struct curve *curve)
{
	double most = 0;

	for (int i = 0; i < COLUMNS; i++)
		most = curve->v[i] > most ? curve->v[i] : most;
	return most;
}

/* One way along a curve: where it is level nothing is said. */
static void
add_way(struct buffer *out, const struct plot *plot, const struct curve *curve, double scale,
    bool back)
{
	double width = (double)(PLOT_RIGHT - PLOT_LEFT) / COLUMNS, bottom = plot->y + HEIGHT;

	for (int k = 0; k < COLUMNS; k++) {
		int i = back ? COLUMNS - 1 - k : k, next = back ? i - 1 : i + 1;

		if (k > 0 && k < COLUMNS - 1 && curve->v[i] == curve->v[next])
			continue;
		buffer_printf(out, "V%.1fH%.1f", bottom - curve->v[i] * scale,
		    PLOT_LEFT + (back ? i : i + 1) * width);
	}
}

/* What lies between two curves. */
static void
add_area(const struct plot *plot, const char *what, const struct curve *below,
    const struct curve *above, double scale)
{
	struct buffer *out = plot->out;

	buffer_printf(out, "<path class=\"%s\" d=\"M%d %.1f", what, PLOT_LEFT, plot->y + HEIGHT);
	add_way(out, plot, above, scale, false);
	add_way(out, plot, below, scale, true);
	buffer_addstr(out, "Z\"/>\n");
}

static void
add_frame(const struct plot *plot, const char *words, double most)
{
	char *number = xasprintf("%.0f", most);

	buffer_printf(plot->out, "<path class=\"grid\" d=\"M%d %.1fH%d\"/>\n", PLOT_LEFT,
	    plot->y + HEIGHT, PLOT_RIGHT);
	plot_add_text(plot, "small", "end", PLOT_LEFT - 6, plot->y + 10, number);
	plot_add_text(plot, "small", "end", PLOT_LEFT - 6, plot->y + HEIGHT, words);
	free(number);
}

/* All together and one on the other: the kinds of waits. */
static void
add_waiting(struct plot *plot, const struct curve *curves)
{
	struct curve below = { { 0 } }, all = { { 0 } };
	double most;

	for (enum wait_kind kind = 0; kind < WAITS; kind++)
		for (int i = 0; i < COLUMNS; i++)
			all.v[i] += curves[kind].v[i];
	most = highest(&all);
	if (most < 0.5)
		return;
	plot->y += GAP;
	add_frame(plot, "waiting", most);
	for (enum wait_kind kind = 0; kind < WAITS; kind++) {
		struct curve above = below;
		char *what = xasprintf("wait %s", wait_kind_name(kind));

		for (int i = 0; i < COLUMNS; i++)
			above.v[i] += curves[kind].v[i];
		if (highest(&curves[kind]) > 0) {
			plot->waits[kind] = true;
			add_area(plot, what, &below, &above, HEIGHT / most);
		}
		below = above;
		free(what);
	}
	plot->y += HEIGHT;
}

void
curves_add(struct plot *plot, const struct story *story)
{
	struct curve *waiting = xcalloc(WAITS, sizeof(*waiting));
	struct curve running = { { 0 } }, none = { { 0 } };
	json_t *session;
	size_t at;
	double most;

	for (size_t i = 0; i < story->table.n; i++) {
		const struct record *r = &story->table.records[i];
		struct waits waits = waits_before(story, i);

		if (lead_has_run(r))
			add_span(&running, plot, (struct span){ story_moment(story, r->started),
			    story_moment(story, r->ended) });
		for (size_t k = 0; k < waits.n; k++)
			add_span(&waiting[waits.v[k].kind], plot, waits.v[k].span);
		free(waits.v);
	}
	json_array_foreach(story->ongoing, at, session)
		add_span(&running, plot, (struct span){ json_number(session, "began"),
		    story->wall });
	most = highest(&running);
	plot->y += GAP;
	add_frame(plot, "running", most);
	if (most > 0)
		add_area(plot, "running", &none, &running, HEIGHT / most);
	plot->y += HEIGHT;
	add_waiting(plot, waiting);
	free(waiting);
}
