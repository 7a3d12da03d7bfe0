#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "output/screen.h"
#include "report/sparks.h"
#include "state/history.h"
#include "state/rundir.h"

/* The runs that are shown; the records that are read; units from one bar to the next, and high. */
enum { RUNS = 20, RECORDS_MOST = 10000, STEP = 4, HEIGHT = 18 };

struct spark {
	double seconds[RUNS];
	bool bad[RUNS];
	size_t n;
};

struct sparks {
	struct spark *v; /* of each record */
	size_t n;
};

static void
add(struct spark *spark, const struct record *r)
{
	if (!lead_has_run(r) || r->verdict == SKIPPED || !history_is_time(r->duration) ||
	    spark->n == RUNS)
		return;
	spark->bad[spark->n] = record_is_bad(r);
	spark->seconds[spark->n++] = r->duration;
}

static void
add_run(struct sparks *sparks, int state, const char *run, const struct story *story)
{
	int rundir = rundir_find_named(state, run);

	for (size_t i = 0; i < sparks->n && rundir >= 0; i++) {
		struct record r = { 0 };

		if (record_read(rundir, story->table.records[i].target, &r) == 1)
			add(&sparks->v[i], &r);
		record_clear(&r);
	}
	if (rundir >= 0)
		close(rundir);
}

struct sparks *
sparks_open(int state, const struct story *story)
{
	struct sparks *sparks = xcalloc(1, sizeof(*sparks));
	json_t *names = state >= 0 ? rundir_list(state) : NULL;
	size_t end = 0, most;

	sparks->n = story->table.n;
	sparks->v = xcalloc(sparks->n, sizeof(*sparks->v));
	most = sparks->n > RECORDS_MOST / RUNS ? RECORDS_MOST / sparks->n : RUNS - 1;
	/* Their names sort by age. */
	while (end < json_array_size(names) && strcmp(json_string_value(
	    json_array_get(names, end)), story_name(story)) < 0)
		end++;
	for (size_t i = end > most ? end - most : 0; i < end; i++)
		add_run(sparks, state, json_string_value(json_array_get(names, i)), story);
	for (size_t i = 0; i < sparks->n; i++)
		add(&sparks->v[i], &story->table.records[i]);
	json_decref(names);
	return sparks;
}

void
sparks_close(struct sparks *sparks)
{
	free(sparks->v);
	free(sparks);
}

/* A path of bars, of those that are bad or are not. */
static void
add_bars(struct buffer *out, const struct spark *spark, const char *what, bool bad, double most)
{
	bool any = false;

	for (size_t i = 0; i < spark->n; i++) {
		if (spark->bad[i] != bad)
			continue;
		if (!any)
			buffer_printf(out, "<path%s d=\"", what);
		any = true;
		buffer_printf(out, "M%zu %dv-%.1f", 2 + (RUNS - spark->n + i) * STEP, HEIGHT,
		    2 + (HEIGHT - 2) * spark->seconds[i] / most);
	}
	buffer_addstr(out, any ? "\"/>" : "");
}

void
sparks_add(struct buffer *out, const struct sparks *sparks, size_t at)
{
	const struct spark *spark = &sparks->v[at];
	double most = 1e-6, least = 1e9;
	size_t bad = 0;

	if (spark->n < 2)
		return;
	for (size_t i = 0; i < spark->n; i++) {
		most = spark->seconds[i] > most ? spark->seconds[i] : most;
		least = spark->seconds[i] < least ? spark->seconds[i] : least;
		bad += spark->bad[i];
	}
	buffer_printf(out, "<svg class=\"spark\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\""
	    "%zu runs, from %s ", RUNS * STEP + 2, HEIGHT, spark->n, screen_duration(least).s);
	buffer_printf(out, "to %s, %zu not well\">", screen_duration(most).s, bad);
	add_bars(out, spark, "", false, most);
	add_bars(out, spark, " class=\"bad\"", true, most);
	buffer_addstr(out, "</svg>");
}
