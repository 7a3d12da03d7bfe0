#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "output/screen.h"
#include "report/compare.h"
#include "report/story.h"
#include "state/state.h"

/* Columns of what follows the targets. */
enum { FIXED = 56 };

/* A time is another one from this share and so many seconds on. */
#define OTHER_SHARE 0.1
#define OTHER_SECONDS 0.2

/* One session in both runs; NULL: it was not in that one. */
struct pair {
	const struct record *before, *after;
	const char *target;
	double more; /* seconds that it took longer */
	bool turned; /* it is well in one run, and in the other it is not */
};

static double
seconds_of(const struct record *r)
{
	return r && lead_has_run(r) ? r->duration : -1;
}

static struct pair
pair_of(const char *target, const struct record *before, const struct record *after)
{
	double x = seconds_of(before), y = seconds_of(after);

	return (struct pair){ .before = before, .after = after, .target = target,
		.more = x >= 0 && y >= 0 ? y - x : 0,
		.turned = before && after && record_is_bad(before) != record_is_bad(after) };
}

static double
size_of(double number)
{
	return number < 0 ? -number : number;
}

/* What turned first, then by how much the time is another; else by their names. */
static int
compare_pairs(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	if (x->turned != y->turned)
		return x->turned ? -1 : 1;
	if (size_of(x->more) != size_of(y->more))
		return size_of(x->more) > size_of(y->more) ? -1 : 1;
	return strcmp(x->target, y->target);
}

/* The caller frees the array. */
static struct pair *
pairs_of(const struct story *before, const struct story *after, size_t *n)
{
	struct pair *pairs = xcalloc(before->table.n + after->table.n, sizeof(*pairs));
	json_t *places = json_object(), *at;

	*n = 0;
	for (size_t i = 0; i < before->table.n; i++)
		json_object_set_new(places, before->table.records[i].target,
		    json_integer((json_int_t)i));
	for (size_t i = 0; i < after->table.n; i++) {
		const struct record *r = &after->table.records[i];

		at = json_object_get(places, r->target);
		pairs[(*n)++] = pair_of(r->target,
		    at ? &before->table.records[json_integer_value(at)] : NULL, r);
		json_object_del(places, r->target);
	}
	for (size_t i = 0; i < before->table.n; i++) {
		const struct record *r = &before->table.records[i];

		if (json_object_get(places, r->target))
			pairs[(*n)++] = pair_of(r->target, r, NULL);
	}
	json_decref(places);
	if (*n > 0)
		qsort(pairs, *n, sizeof(*pairs), compare_pairs);
	return pairs;
}

/* "broken", "mended", or NULL. */
static const char *
turn_of(const struct pair *pair)
{
	return !pair->turned ? NULL : record_is_bad(pair->after) ? "broken" : "mended";
}

static void
print_half(const struct record *r)
{
	double seconds = seconds_of(r);

	printf("  %-9s %8s", r ? verdict_name(r->verdict) : "-",
	    seconds < 0 ? "-" : screen_duration(seconds).s);
}

/* "  1.5s more", "  0.5s less", and nothing where that is no change. */
static void
print_change(double more, double of)
{
	if (size_of(more) >= OTHER_SECONDS && size_of(more) >= of * OTHER_SHARE)
		printf("  %7s %s", screen_duration(size_of(more)).s, more > 0 ? "more" : "less");
}

static void
print_pair(const struct pair *pair, int limit, int width)
{
	screen_put_cell(pair->target, limit, width);
	print_half(pair->before);
	print_half(pair->after);
	if (turn_of(pair))
		printf("  %s", turn_of(pair));
	if (pair->before && pair->after)
		print_change(pair->more, seconds_of(pair->before));
	putchar('\n');
}

static int
width_of(const struct story *before, const struct story *after)
{
	int x = table_names_width(before->table.records, before->table.n, FIXED, 0);
	int y = table_names_width(after->table.records, after->table.n, FIXED, 0);

	return x > y ? x : y;
}

static void
print_pairs(const struct story *before, const struct story *after)
{
	int width = width_of(before, after), limit = screen_left(0) > 0 ? width : 0;
	size_t n;
	struct pair *pairs = pairs_of(before, after, &n);

	printf("before: %s\nafter:  %s\n\n", story_name(before), story_name(after));
	printf("%-*s  %-9s %8s  %-9s %8s  %s\n", width, "session", "before", "time", "after",
	    "time", "change");
	for (size_t i = 0; i < n; i++)
		print_pair(&pairs[i], limit, width);
	printf("%-*s  %-9s %8s  %-9s %8s", width, "the run", "",
	    screen_duration(before->wall).s, "", screen_duration(after->wall).s);
	print_change(after->wall - before->wall, before->wall);
	putchar('\n');
	free(pairs);
}

static json_t *
half_json(const struct record *r)
{
	double seconds = seconds_of(r);

	return r ? json_pack("{s:s,s:o}", "verdict", verdict_name(r->verdict), "duration",
	    seconds < 0 ? json_null() : json_real(seconds)) : json_null();
}

static json_t *
pair_json(const struct pair *pair)
{
	bool timed = seconds_of(pair->before) >= 0 && seconds_of(pair->after) >= 0;

	return json_pack("{s:s,s:o,s:o,s:o,s:s?}", "target", pair->target, "before",
	    half_json(pair->before), "after", half_json(pair->after), "more",
	    timed ? json_real(pair->more) : json_null(), "turned", turn_of(pair));
}

static json_t *
run_json(const struct story *story)
{
	return json_pack("{s:s,s:f,s:f}", "run", story_name(story), "started", story->started,
	    "wall", story->wall);
}

static void
print_json(const struct story *before, const struct story *after)
{
	size_t n;
	struct pair *pairs = pairs_of(before, after, &n);
	json_t *sessions = json_array(), *object;
	char *text;

	for (size_t i = 0; i < n; i++)
		json_array_append_new(sessions, pair_json(&pairs[i]));
	object = json_pack("{s:i,s:o,s:o,s:o}", "schema", 1, "before", run_json(before), "after",
	    run_json(after), "sessions", sessions);
	text = json_dumps(object, JSON_INDENT(1) | JSON_REAL_PRECISION(15));
	puts(text ? text : "null");
	free(text);
	json_decref(object);
	free(pairs);
}

/* 0, or -1 after a warning. *rundir is to be closed, and the story to be freed, either way. */
static int
open_story(int state, const char *which, int *rundir, struct story *story)
{
	*rundir = story_find(state, which);
	return *rundir < 0 ? -1 : story_open(story, *rundir);
}

int
compare_print(const char *before, const char *after, bool json)
{
	int state = state_find(), rundirs[2] = { -1, -1 }, result = -1;
	struct story stories[2] = { 0 };

	if (open_story(state, before, &rundirs[0], &stories[0]) == 0 &&
	    open_story(state, after, &rundirs[1], &stories[1]) == 0) {
		(json ? print_json : print_pairs)(&stories[0], &stories[1]);
		result = 0;
	}
	for (int i = 0; i < 2; i++) {
		story_close(&stories[i]);
		fd_close(&rundirs[i]);
	}
	fd_close(&state);
	return result;
}
