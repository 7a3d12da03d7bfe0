#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "output/screen.h"
#include "output/utf8.h"
#include "report/assets.h"
#include "report/curves.h"
#include "report/lanes.h"
#include "report/plot.h"
#include "report/segments.h"
#include "report/telling.h"
#include "report/timeline.h"
#include "report/waits.h"

/* Heights of a lane's parts: its names, its bars, what waits below them, and the rest. */
struct heights {
	double name, bar, wait, gap;
};

static const struct heights roomy = { 13, 16, 5, 8 }, tight = { 0, 10, 3, 3 },
	tiny = { 0, 3, 0, 1 };

/* So many lanes may be as high as that. Names that can be read have so many columns. */
enum { ROOMY_MOST = 24, TIGHT_MOST = 80, NAME_LEAST = 6 };

/* Those that a bad one has, and how far from its bar a name may begin. */
enum { BAD_COLUMNS = 12, ASTRAY = 24 };

/* That fit into the whole drawing. */
enum { PLOT_COLUMNS = 120 };

/* The height of a machine's name above its lanes, and how much of it is shown. */
enum { MACHINE = 20, MACHINE_COLUMNS = 60 };

/* What is narrower than that, in units of the drawing, is left out or drawn so wide. */
#define NARROW 0.4
#define BAR_LEAST 0.8

/* What is narrower than that has no room for a rim that keeps it apart from the next one. */
#define THIN 4

struct drawing {
	struct plot plot;
	const struct story *story;
	size_t *lanes, count;  /* of each record its lane; of lanes */
	struct indices firsts; /* of several machines the first lane of each */
	struct indices order;  /* the records that have run, by lanes and in them by time */
	struct heights heights;
	double top;
	double named;          /* where the last name in this lane ends */
	bool *critical;        /* of each record: is it on the critical path? */
};

static double
lane_height(const struct drawing *d)
{
	return d->heights.name + d->heights.bar + d->heights.wait + d->heights.gap;
}

/* How many machines have their first lane there or above it. */
static size_t
machines_above(const struct drawing *d, size_t lane)
{
	size_t n = 0;

	while (n < d->firsts.n && d->firsts.v[n] <= lane)
		n++;
	return n;
}

/* Where the bars of that record's lane begin. */
static double
bar_top(const struct drawing *d, size_t at)
{
	return d->top + (double)d->lanes[at] * lane_height(d) + d->heights.name +
	       (double)machines_above(d, d->lanes[at]) * MACHINE;
}

static double
start_of(const struct drawing *d, size_t at)
{
	return story_moment(d->story, d->story->table.records[at].started);
}

static double
end_of(const struct drawing *d, size_t at)
{
	return story_moment(d->story, d->story->table.records[at].ended);
}

static int
compare_places(const void *a, const void *b, void *data)
{
	const struct drawing *d = data;
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	if (d->lanes[x] != d->lanes[y])
		return d->lanes[x] < d->lanes[y] ? -1 : 1;
	if (start_of(d, x) != start_of(d, y))
		return start_of(d, x) < start_of(d, y) ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* Where there are several machines. order: as it is in the drawing. */
static void
find_machines(struct drawing *d)
{
	const struct record *records = d->story->table.records;

	if (story_machines(d->story) == 1)
		return;
	for (size_t i = 0; i < d->order.n; i++) {
		size_t at = d->order.v[i];

		if (i == 0 || !record_same_machine(&records[at], &records[d->order.v[i - 1]]))
			indices_add(&d->firsts, d->lanes[at]);
	}
}

static void
open_drawing(struct drawing *d)
{
	const struct table *table = &d->story->table;

	d->lanes = lanes_of(table);
	d->critical = xcalloc(table->n, sizeof(*d->critical));
	for (size_t i = 0; i < table->n; i++)
		if (d->lanes[i] != NO_LANE) {
			d->count = d->lanes[i] >= d->count ? d->lanes[i] + 1 : d->count;
			indices_add(&d->order, i);
		}
	if (d->order.n > 0)
		qsort_r(d->order.v, d->order.n, sizeof(*d->order.v), compare_places, d);
	find_machines(d);
	for (size_t i = 0; i < d->story->path.n; i++)
		d->critical[d->story->path.v[i]] = true;
	d->heights = d->count <= ROOMY_MOST ? roomy : d->count <= TIGHT_MOST ? tight : tiny;
}

static void
close_drawing(struct drawing *d)
{
	free(d->lanes);
	free(d->critical);
	free(d->order.v);
	free(d->firsts.v);
}

/* What a pointer on the bar is told, also where no script runs. */
static void
add_title(const struct drawing *d, size_t at)
{
	const struct record *r = &d->story->table.records[at];
	const struct lead *lead = &d->story->leads[at];
	struct buffer *out = d->plot.out;

	buffer_addstr(out, "<title>");
	plot_add_escaped(&d->plot, r->target);
	buffer_printf(out, ": %s", verdict_name(r->verdict));
	if (r->reason) {
		buffer_addstr(out, ": ");
		plot_add_escaped(&d->plot, r->reason);
	}
	buffer_printf(out, "\n%s, from ", screen_duration(r->duration).s);
	buffer_printf(out, "%s to ", screen_duration(start_of(d, at)).s);
	buffer_addstr(out, screen_duration(end_of(d, at)).s);
	for (enum wait_kind kind = 0; kind < WAITS; kind++)
		if (lead->seconds[kind] >= SCREEN_NOTEWORTHY)
			buffer_printf(out, "\nwaited %s for %s",
			    screen_duration(lead->seconds[kind]).s, wait_kind_words(kind));
	buffer_addstr(out, "</title>");
}

static void
add_segments(struct drawing *d, size_t at)
{
	struct segments segments = segments_of(d->story, at);
	double y = bar_top(d, at);

	for (size_t i = 0; i < segments.n; i++) {
		const struct segment *segment = &segments.v[i];
		struct span waited = segment->waited;

		if (plot_x(&d->plot, segment->span.to) - plot_x(&d->plot, segment->span.from) <
		    NARROW)
			continue;
		d->plot.steps[segment->kind] = true;
		plot_add_bar(&d->plot, work_name(segment->kind), segment->span.from,
		    segment->span.to, y, d->heights.bar, 0);
		if (plot_x(&d->plot, waited.to) - plot_x(&d->plot, waited.from) < NARROW)
			continue;
		d->plot.waits[WAIT_PROCESSORS] = true;
		plot_add_bar(&d->plot, "ground", waited.from, waited.to, y, d->heights.bar, 0);
		plot_add_bar(&d->plot, "wait processors", waited.from, waited.to, y,
		    d->heights.bar, 0);
	}
	free(segments.v);
}

/* Below the lane's bars, but not below those before the last one, where others waited. */
static void
add_waits(struct drawing *d, size_t at, double from)
{
	struct waits waits = waits_before(d->story, at);
	double y = bar_top(d, at) + d->heights.bar + 3;

	for (size_t i = 0; i < waits.n && d->heights.wait > 0; i++) {
		struct span span = waits.v[i].span;
		char *what = xasprintf("wait %s", wait_kind_name(waits.v[i].kind));

		span.from = span.from > from ? span.from : from;
		if (plot_x(&d->plot, span.to) - plot_x(&d->plot, span.from) >= NARROW) {
			d->plot.waits[waits.v[i].kind] = true;
			plot_add_bar(&d->plot, what, span.from, span.to, y, d->heights.wait, 0);
		}
		free(what);
	}
	free(waits.v);
}

/* The name above the bar, as much of it as has room before the next one; and how it ended. */
static void
add_name(struct drawing *d, size_t at, double until)
{
	const struct record *r = &d->story->table.records[at];
	double start = plot_x(&d->plot, start_of(d, at)), x = start, width = plot_text_width(1);
	bool bad = record_is_bad(r);
	char *text, *cut;
	int columns;

	x = x < d->named ? d->named : x;
	/* However short it was, of what is bad one can read; names behind it make room. */
	if (bad && until < x + BAD_COLUMNS * width)
		until = x + BAD_COLUMNS * width;
	if (until > PLOT_RIGHT && until > x) {
		x = x - (until - PLOT_RIGHT);
		until = PLOT_RIGHT;
	}
	columns = (int)((until - x - 4) / width);
	if (d->heights.name == 0 || columns < NAME_LEAST || x < d->named || x > start + ASTRAY)
		return;
	text = xasprintf("%s%s", bad ? "✗ " : "", r->target);
	cut = utf8_cut(text, columns);
	plot_add_text(&d->plot, bad ? "name bad" : "name", "start", x, bar_top(d, at) - 3, cut);
	d->named = x + (utf8_columns(cut) + 1) * width;
	free(cut);
	free(text);
}

/* Those before the last one, where it is known when they were. */
static void
add_attempts(struct drawing *d, size_t at)
{
	const struct record *r = &d->story->table.records[at];
	struct buffer *out = d->plot.out;
	json_t *attempt;
	size_t i;

	json_array_foreach(r->attempts, i, attempt) {
		double from = story_moment(d->story, json_number(attempt, "started"));
		double to = from + json_number(attempt, "duration");

		if (from <= 0 || to < from || to > start_of(d, at))
			continue;
		buffer_addstr(out, "<g class=\"tried bad\"><title>");
		plot_add_escaped(&d->plot, r->target);
		buffer_addstr(out, ", in an attempt before: ");
		plot_add_escaped(&d->plot, json_text(attempt, "verdict"));
		buffer_addstr(out, "</title>");
		plot_add_bar(&d->plot, "other", from, to, bar_top(d, at), d->heights.bar,
		    BAR_LEAST);
		plot_add_bar(&d->plot, "rim", from, to, bar_top(d, at), d->heights.bar, BAR_LEAST);
		buffer_addstr(out, "</g>\n");
	}
}

/* before: the record in front of it in its lane, behind: the next one; or NO_RECORD. */
static void
add_session(struct drawing *d, size_t at, size_t before, size_t behind)
{
	const struct record *r = &d->story->table.records[at];
	double width = plot_x(&d->plot, end_of(d, at)) - plot_x(&d->plot, start_of(d, at));
	struct buffer *out = d->plot.out;

	add_attempts(d, at);
	buffer_printf(out, "<g class=\"s %s%s\" id=\"s%zu\" data-i=\"%zu\">",
	    verdict_name(r->verdict), record_is_bad(r) ? " bad" : "", at, at);
	add_title(d, at);
	d->plot.steps[STEP_OTHER] = true;
	plot_add_bar(&d->plot, "other", start_of(d, at), end_of(d, at), bar_top(d, at),
	    d->heights.bar, BAR_LEAST);
	add_segments(d, at);
	plot_add_bar(&d->plot, width < THIN ? "rim thin" : "rim", start_of(d, at), end_of(d, at),
	    bar_top(d, at), d->heights.bar, BAR_LEAST);
	add_name(d, at, behind == NO_RECORD ? PLOT_RIGHT : plot_x(&d->plot, start_of(d, behind)));
	add_waits(d, at, before == NO_RECORD ? 0 : start_of(d, before));
	buffer_addstr(out, "</g>\n");
}

/* In front of a lane; and above the first one of a machine what that is called. */
static void
add_lane_head(const struct drawing *d, size_t at)
{
	size_t lane = d->lanes[at], n = machines_above(d, lane), first = 0;
	const char *machine = d->story->table.records[at].machine;
	double y = bar_top(d, at);
	char *safe, *cut;

	if (n > 0)
		first = d->firsts.v[n - 1];
	if (n > 0 && lane == first) {
		/* Where only some say it, somebody has changed the folder. */
		safe = screen_safe(machine ? machine : "?");
		cut = utf8_cut(safe, MACHINE_COLUMNS);
		plot_add_text(&d->plot, "machine", "start", 10,
		    y - d->heights.name - MACHINE / 3.0, cut);
		free(cut);
		free(safe);
	}
	if (d->heights.name > 0)
		buffer_printf(d->plot.out, "<text class=\"small\" x=\"%d\" y=\"%.1f\" "
		    "text-anchor=\"end\">slot %zu</text>\n", PLOT_LEFT - 6, y + 12,
		    lane - first + 1);
}

static void
add_lanes(struct drawing *d)
{
	for (size_t i = 0; i < d->order.n; i++) {
		size_t at = d->order.v[i], before = NO_RECORD, behind = NO_RECORD;

		if (i > 0 && d->lanes[d->order.v[i - 1]] == d->lanes[at])
			before = d->order.v[i - 1];
		else
			add_lane_head(d, at);
		if (before == NO_RECORD)
			d->named = 0;
		if (i + 1 < d->order.n && d->lanes[d->order.v[i + 1]] == d->lanes[at])
			behind = d->order.v[i + 1];
		add_session(d, at, before, behind);
	}
}

/* Below the lanes one for each session that runs: its bar is open, as nobody knows its end. */
static void
add_ongoing(struct drawing *d)
{
	json_t *session;
	size_t i;

	json_array_foreach(d->story->ongoing, i, session) {
		double y = d->plot.y + (double)i * lane_height(d) + d->heights.name;
		double began = json_number(session, "began"), x = plot_x(&d->plot, began);
		char *cut = utf8_cut(json_text(session, "target"), PLOT_COLUMNS);
		bool fits = x + utf8_columns(cut) * plot_text_width(1) < PLOT_RIGHT;

		buffer_addstr(d->plot.out, "<g class=\"ongoing\"><title>");
		plot_add_escaped(&d->plot, json_text(session, "target"));
		buffer_printf(d->plot.out, ": running, since %s</title>",
		    screen_duration(began).s);
		plot_add_bar(&d->plot, "open", began, d->story->wall, y, d->heights.bar,
		    BAR_LEAST);
		if (d->heights.name > 0) {
			plot_add_text(&d->plot, "small", "end", PLOT_LEFT - 6, y + 12, "now");
			plot_add_text(&d->plot, "name", fits ? "start" : "end",
			    fits ? x : PLOT_RIGHT, y - 3, cut);
		}
		buffer_addstr(d->plot.out, "</g>\n");
		free(cut);
	}
	d->plot.y += (double)json_array_size(d->story->ongoing) * lane_height(d);
}

static double
critical_y(const struct drawing *d, size_t at)
{
	return bar_top(d, at) + d->heights.bar + 1;
}

/* A line below each of its sessions, and a thin one from its end to the start of the next one. */
static void
add_critical_path(struct drawing *d)
{
	const struct indices *path = &d->story->path;
	struct buffer *out = d->plot.out;

	if (path->n == 0)
		return;
	d->plot.critical = true;
	buffer_addstr(out, "<path class=\"critical\" d=\"");
	for (size_t i = 0; i < path->n; i++) {
		buffer_printf(out, "M%.1f ", plot_x(&d->plot, start_of(d, path->v[i])));
		buffer_printf(out, "%.1fH%.1f", critical_y(d, path->v[i]),
		    plot_x(&d->plot, end_of(d, path->v[i])));
	}
	buffer_addstr(out, "\"/>\n<path class=\"link\" d=\"M0 0");
	for (size_t i = 0; i + 1 < path->n; i++) {
		size_t at = path->v[i], next = path->v[i + 1];

		buffer_printf(out, "M%.1f ", plot_x(&d->plot, end_of(d, at)));
		buffer_printf(out, "%.1f", critical_y(d, at));
		buffer_printf(out, "L%.1f %.1f", plot_x(&d->plot, start_of(d, next)),
		    critical_y(d, next));
	}
	buffer_addstr(out, "\"/>\n");
}

/* "noxmk: 9 sessions, 8 passed, 1 failed; 12.3s with -j4". The caller frees. */
static char *
heading(const struct story *story)
{
	struct buffer text = { 0 };

	buffer_addstr(&text, "noxmk: ");
	telling_add_counts(&text, story);
	buffer_printf(&text, "; %s", screen_duration(story->wall).s);
	if (story->jobs > 0)
		buffer_printf(&text, " with -j%u", story->jobs);
	return text.data;
}

/* For those who cannot see it. */
static void
add_description(const struct plot *plot, const struct story *story, size_t lanes)
{
	size_t machines = story_machines(story);

	buffer_printf(plot->out, "<desc id=\"nx-desc\">A lane for each of %zu slot%s", lanes,
	    lanes == 1 ? "" : "s");
	if (machines > 1)
		buffer_printf(plot->out, " of %zu machines", machines);
	buffer_addstr(plot->out, ", in it the sessions one after the other.");
	for (size_t i = 0; i < story->path.n; i++) {
		buffer_addstr(plot->out, i == 0 ? " The critical path: " : ", ");
		plot_add_escaped(plot, story->table.records[story->path.v[i]].target);
	}
	buffer_addstr(plot->out, story->path.n > 0 ? ".</desc>\n" : "</desc>\n");
}

static void
draw(struct drawing *d)
{
	struct buffer lanes = { 0 }, *out = d->plot.out;

	d->top = 46;
	d->plot.y = d->top + (double)d->count * lane_height(d) + (double)d->firsts.n * MACHINE;
	d->plot.out = &lanes;
	add_lanes(d);
	add_ongoing(d);
	if (d->order.n > 0 || json_array_size(d->story->ongoing) > 0) {
		add_critical_path(d);
		curves_add(&d->plot, d->story);
	}
	d->plot.out = out;
	/* The lines of the axis are below all else, and end where that does. */
	plot_add_axis(&d->plot, 40, d->plot.y);
	buffer_add(out, lanes.data ? lanes.data : "", lanes.len);
	buffer_free(&lanes);
	d->plot.y += 14;
	plot_add_legend(&d->plot);
}

void
timeline_add(struct buffer *out, const struct story *story)
{
	struct buffer body = { 0 };
	struct drawing d = { .plot = { .out = &body, .wall = story->wall > 0 ? story->wall : 1 },
		.story = story };
	char *words = heading(story);

	open_drawing(&d);
	draw(&d);
	d.plot.out = out;
	buffer_printf(out, "<svg class=\"nx\" xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" "
	    "height=\"%.0f\" viewBox=\"0 0 %d %.0f\" role=\"img\" "
	    "aria-labelledby=\"nx-title nx-desc\">\n<title id=\"nx-title\">", PLOT_WIDTH, d.plot.y,
	    PLOT_WIDTH, d.plot.y);
	plot_add_escaped(&d.plot, words);
	buffer_addstr(out, "</title>\n");
	add_description(&d.plot, story, d.count);
	buffer_printf(out, "<style>%s</style>\n%s", asset_timeline_css, asset_hatches_svg);
	buffer_printf(out, "<rect class=\"ground\" width=\"%d\" height=\"%.0f\"/>\n", PLOT_WIDTH,
	    d.plot.y);
	plot_add_text(&d.plot, "heading", "start", 10, 18, words);
	buffer_add(out, body.data, body.len);
	buffer_addstr(out, "</svg>\n");
	buffer_free(&body);
	close_drawing(&d);
	free(words);
}
