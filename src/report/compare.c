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

/*
 * What both have, then what only one has: nothing is said yet of what has not ended in a run that
 * goes on.
 */
struct comparison {
	const struct story *before, *after;
	struct cases cases[2]; /* of both */
	struct pair *pairs;
	size_t n;
};

static void
add_pair(struct comparison *c, const char *target, const struct record *before,
    const struct record *after)
{
	const struct story *lacks = !before ? c->before : !after ? c->after : NULL;

	if (!lacks || lacks->progress != TABLE_SO_FAR)
		c->pairs[c->n++] = pair_of(target, before, after);
}

static struct cases
cases_of_story(const struct story *story)
{
	return cases_of(&story->table.wholes, story->table.records, story->table.n);
}

/* comparison_clear frees. */
static struct comparison
compare(const struct story *before, const struct story *after)
{
	struct comparison c = { .before = before, .after = after,
		.cases = { cases_of_story(before), cases_of_story(after) } };
	const struct cases *x = &c.cases[0], *y = &c.cases[1];
	json_t *places = json_object(), *at;

	c.pairs = xcalloc(x->n + y->n, sizeof(*c.pairs));
	for (size_t i = 0; i < x->n; i++)
		json_object_set_new(places, x->v[i]->target, json_integer((json_int_t)i));
	for (size_t i = 0; i < y->n; i++) {
		at = json_object_get(places, y->v[i]->target);
		add_pair(&c, y->v[i]->target, at ? x->v[json_integer_value(at)] : NULL, y->v[i]);
		json_object_del(places, y->v[i]->target);
	}
	for (size_t i = 0; i < x->n; i++)
		if (json_object_get(places, x->v[i]->target))
			add_pair(&c, x->v[i]->target, x->v[i], NULL);
	json_decref(places);
	if (c.n > 0)
		qsort(c.pairs, c.n, sizeof(*c.pairs), compare_pairs);
	return c;
}

static void
comparison_clear(struct comparison *c)
{
	free(c->cases[0].v);
	free(c->cases[1].v);
	free(c->pairs);
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
width_of(const struct comparison *c)
{
	const struct table *x = &c->before->table, *y = &c->after->table;
	int before = table_names_width(x->records, x->n, FIXED, 0);
	int after = table_names_width(y->records, y->n, FIXED, 0);

	return before > after ? before : after;
}

/* What has not come to its end has no time that says anything. */
static void
print_run(const char *word, const struct story *story)
{
	printf("%-7s %s%s\n", word, story_name(story), story->progress == TABLE_SO_FAR ?
	    ", which goes on: what has ended in it is compared" :
	    story->progress == TABLE_STOPPED ? ", which was stopped" : "");
}

static void
print_pairs(const struct comparison *c)
{
	int width = width_of(c), limit = screen_left(0) > 0 ? width : 0;

	print_run("before:", c->before);
	print_run("after:", c->after);
	printf("\n%-*s  %-9s %8s  %-9s %8s  %s\n", width, "session", "before", "time", "after",
	    "time", "change");
	for (size_t i = 0; i < c->n; i++)
		print_pair(&c->pairs[i], limit, width);
	printf("%-*s  %-9s %8s  %-9s %8s", width, "the run", "",
	    screen_duration(c->before->wall).s, "", screen_duration(c->after->wall).s);
	if (c->before->progress == TABLE_ENDED && c->after->progress == TABLE_ENDED)
		print_change(c->after->wall - c->before->wall, c->before->wall);
	putchar('\n');
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
	return json_pack("{s:s,s:s,s:f,s:f}", "run", story_name(story), "state",
	    story_state(story), "started", story->started, "wall", story->wall);
}

static void
print_json(const struct comparison *c)
{
	json_t *sessions = json_array(), *object;
	char *text;

	for (size_t i = 0; i < c->n; i++)
		json_array_append_new(sessions, pair_json(&c->pairs[i]));
	object = json_pack("{s:i,s:o,s:o,s:o}", "schema", 1, "before", run_json(c->before),
	    "after", run_json(c->after), "sessions", sessions);
	text = json_dumps(object, JSON_INDENT(1) | JSON_REAL_PRECISION(15));
	puts(text ? text : "null");
	free(text);
	json_decref(object);
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
		struct comparison c = compare(&stories[0], &stories[1]);

		(json ? print_json : print_pairs)(&c);
		comparison_clear(&c);
		result = 0;
	}
	for (int i = 0; i < 2; i++) {
		story_close(&stories[i]);
		fd_close(&rundirs[i]);
	}
	fd_close(&state);
	return result;
}
