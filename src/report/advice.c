#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "order/whatif.h"
#include "output/screen.h"
#include "plan/options.h"
#include "plan/setting.h"
#include "report/advice.h"
#include "report/cause.h"
#include "report/lanes.h"
#include "report/work.h"

/* The -j of which is told. */
static const unsigned slots[] = { 1, 2, 4, 8, 16 };

/* So many sessions and resources are tried; of more sessions than that none, as it takes long. */
enum { TRIED_MOST = 20, SESSIONS_MOST = 1000 };

/* A change is worth a sentence if it saves this share of the wall time, and so many seconds. */
#define SAVES_SHARE 0.05
#define SAVES_SECONDS 0.5

/*
 * A session of so many seconds is worth being cut if it took this share of the run, and so many
 * times as long as all sessions would with their work shared evenly.
 */
#define PARTS_SECONDS 30
#define MOST 0.75
#define TOO_LONG 1.25

/* Environments and installs, or starts of nox, are worth a word from this share of the time on. */
#define MUCH 0.2

/*
 * A session that is forked takes so much less of the time of nox's own, as was measured. Those that
 * start at once are not forked, and so many have to follow them.
 */
#define FORK_SAVES 0.8
enum { FORK_WORTH = 3 };

/* The run's -j, or, of a run that does not tell, how many sessions were seen at once. */
static unsigned
jobs_of(const struct story *story)
{
	size_t *lanes = lanes_of(&story->table);
	unsigned most = 1;

	for (size_t i = 0; i < story->table.n; i++)
		if (lanes[i] != NO_LANE && lanes[i] >= most)
			most = (unsigned)lanes[i] + 1;
	free(lanes);
	return story->jobs > 0 ? story->jobs : most;
}

/* The change that helps most so far. */
struct best {
	double seconds;
	char *what;
};

/* Takes the words. */
static void
consider(struct best *best, double seconds, char *what)
{
	if (best->what && seconds >= best->seconds) {
		free(what);
		return;
	}
	free(best->what);
	*best = (struct best){ seconds, what };
}

static json_t *
try_slots(unsigned jobs_then, struct whatif *whatif, struct best *best)
{
	json_t *jobs = json_object();

	for (size_t i = 0; i < countof(slots); i++) {
		double seconds = whatif_slots(whatif, slots[i]);
		char *key = xasprintf("%u", slots[i]);

		json_object_set_new(jobs, key, json_real(seconds));
		if (slots[i] > jobs_then)
			consider(best, seconds, xasprintf("with -j%s", key));
		free(key);
	}
	return jobs;
}

static bool
uses(const struct story *story, size_t at, const char *resource)
{
	const char *target = story->table.records[at].target;
	json_t *claim;
	size_t i;

	json_array_foreach(json_object_get(json_object_get(story->table.sessions, target),
	    "claims"), i, claim)
		if (!strcmp(json_text(claim, "resource"), resource))
			return true;
	return false;
}

/*
 * Has a session waited for it: in its helper, as the sums have it, or in make, for the end of
 * another one that uses it? Where none has, the search may still find a better order without it.
 */
static bool
was_waited_for(const struct story *story, const json_t *sums, const char *resource)
{
	if (json_number(sums, resource) > 0)
		return true;
	for (size_t i = 0; i < story->table.n; i++) {
		const struct lead *lead = &story->leads[i];

		if (lead->edge != NO_RECORD && lead->seconds[WAIT_EDGE] > 0 &&
		    uses(story, i, resource) && uses(story, lead->edge, resource))
			return true;
	}
	return false;
}

static json_t *
try_resources(const struct story *story, struct whatif *whatif, struct best *best)
{
	json_t *without = json_object(), *sums = story_resources(story), *unused;
	const char *name;
	int n = 0;

	json_object_foreach((json_t *)whatif_resources(whatif), name, unused) {
		double seconds;

		if (!was_waited_for(story, sums, name))
			continue;
		if (n++ == TRIED_MOST)
			break;
		seconds = whatif_without(whatif, name);
		json_object_set_new(without, name, json_real(seconds));
		consider(best, seconds, xasprintf("if no session had to wait for %s", name));
	}
	json_decref(sums);
	return without;
}

/* The longest sessions that are not in there yet. */
static const struct record *
longest_but(const struct story *story, const json_t *tried)
{
	const struct record *longest = NULL;

	for (size_t i = 0; i < story->table.n; i++) {
		const struct record *r = &story->table.records[i];

		if (lead_has_run(r) && !json_object_get(tried, r->target) &&
		    (!longest || r->duration > longest->duration))
			longest = r;
	}
	return longest;
}

static json_t *
try_halves(const struct story *story, struct whatif *whatif, struct best *best)
{
	json_t *halved = json_object();
	const struct indices *path = &story->path;

	for (size_t n = 0; n < TRIED_MOST; n++) {
		/* The end of the critical path first. */
		const struct record *r = n < path->n && n < TRIED_MOST / 2 ?
		    &story->table.records[path->v[path->n - 1 - n]] : longest_but(story, halved);
		double seconds;

		if (!r)
			break;
		seconds = whatif_halved(whatif, r->target);
		json_object_set_new(halved, r->target, json_real(seconds));
		consider(best, seconds, xasprintf("if %s took half of its %s", r->target,
		    screen_duration(r->duration + cause_tried(r)).s));
	}
	return halved;
}

/* NULL: nothing helps much. */
static char *
sentence(const struct best *best, double as_it_was)
{
	double saved = as_it_was - best->seconds;
	char *safe, *text;

	if (!best->what || saved < as_it_was * SAVES_SHARE || saved < SAVES_SECONDS)
		return NULL;
	safe = screen_safe(best->what);
	text = xasprintf("It would take about %s less %s.", screen_duration(saved).s, safe);
	free(safe);
	return text;
}

/*
 * The first session that was cut short, or NULL. What one that was cancelled would have taken
 * nobody knows; one that was to run and has not, say since its machine is missing, would make the
 * simulation longer than the run.
 */
static const struct record *
cut_short(const struct story *story)
{
	for (size_t i = 0; i < story->table.n; i++) {
		const struct record *r = &story->table.records[i];

		if (r->verdict == CANCELLED || (r->verdict == NOT_RUN && !r->excused))
			return r;
	}
	return NULL;
}

/* Several sessions, of which none was cut short, and which do not take too long to simulate. */
static bool
is_worth_while(const struct story *story)
{
	size_t run = 0;

	for (size_t i = 0; i < story->table.n; i++)
		run += lead_has_run(&story->table.records[i]);
	return !cut_short(story) && story->progress == TABLE_ENDED && run > 1 &&
	       story->table.n <= SESSIONS_MOST && story_machines(story) == 1;
}

json_t *
advice_of(const struct story *story, const struct history *history)
{
	struct best best = { 0 };
	struct whatif *whatif;
	json_t *jobs, *without, *halved, *predictions;
	unsigned then;
	char *text;

	if (!is_worth_while(story))
		return json_null();
	then = jobs_of(story);
	whatif = whatif_new(story->table.sessions, story->table.records, story->table.n, history,
	    then, story->request.processors);
	jobs = try_slots(then, whatif, &best);
	without = try_resources(story, whatif, &best);
	halved = try_halves(story, whatif, &best);
	text = sentence(&best, whatif_as_it_was(whatif));
	predictions = json_pack("{s:f,s:o,s:o,s:f,s:o,s:o}", "as_it_was",
	    whatif_as_it_was(whatif), "jobs", jobs, "without", without, "without_edges",
	    whatif_without_edges(whatif), "halved", halved, "advice", json_text_or_null(text));
	free(text);
	free(best.what);
	whatif_free(whatif);
	return predictions ? predictions : json_null();
}

/* "  without db         17.5s   2.6s less" */
static void
add_prediction(struct buffer *out, const char *what, double seconds, double as_it_was)
{
	double saved = as_it_was - seconds;

	buffer_printf(out, "  %8s", screen_duration(seconds).s);
	if (saved > SAVES_SECONDS / 5 || saved < -SAVES_SECONDS / 5)
		buffer_printf(out, "  %7s %s", screen_duration(saved < 0 ? -saved : saved).s,
		    saved < 0 ? "more" : "less");
	else
		buffer_printf(out, "  %7s     ", "");
	buffer_printf(out, "  %s\n", what);
}

/* Is it more than noise? */
static bool
is_worth_a_line(double seconds, double as_it_was)
{
	double saved = as_it_was - seconds;

	return saved > SAVES_SECONDS / 5 && saved >= as_it_was * SAVES_SHARE;
}

/* The three changes of that kind that help most, if they help. */
static void
add_best(struct buffer *out, const json_t *changes, const char *before, const char *behind,
    double as_it_was)
{
	json_t *left = json_copy((json_t *)changes), *seconds;
	const char *name;

	for (int n = 0; n < 3; n++) {
		const char *best = NULL;
		char *safe, *words;

		json_object_foreach(left, name, seconds)
			if (!best || json_number_value(seconds) < json_number(left, best))
				best = name;
		if (!best || !is_worth_a_line(json_number(left, best), as_it_was))
			break;
		safe = screen_safe(best);
		words = xasprintf("%s%s%s", before, safe, behind);
		add_prediction(out, words, json_number(left, best), as_it_was);
		json_object_del(left, best);
		free(words);
		free(safe);
	}
	json_decref(left);
}

/* Whoever has seen advice before would look for it. */
static void
add_lack(struct buffer *out, const struct story *story)
{
	const struct record *r = story->progress == TABLE_SO_FAR ? NULL : cut_short(story);
	char *safe;

	if (!r || story->table.n < 2)
		return;
	safe = screen_safe(r->target);
	buffer_printf(out, "\nWhat would help cannot be worked out: %s was %s\n", safe,
	    verdict_name(r->verdict));
	free(safe);
}

void
advice_add(struct buffer *out, const struct story *story, const json_t *predictions)
{
	double as_it_was = json_number(predictions, "as_it_was");
	const json_t *jobs = json_object_get(predictions, "jobs");
	double seconds;
	const char *advice = json_text(predictions, "advice");

	if (!json_is_object(predictions)) {
		add_lack(out, story);
		return;
	}
	buffer_printf(out, "\nWhat would help, by simulation (%s as it was, with -j%u)\n",
	    screen_duration(as_it_was).s, jobs_of(story));
	for (size_t i = 0; i < countof(slots); i++) {
		char *key = xasprintf("%u", slots[i]), *words = xasprintf("with -j%s", key);

		add_prediction(out, words, json_number(jobs, key), as_it_was);
		free(words);
		free(key);
	}
	seconds = json_number(predictions, "without_edges");
	if (is_worth_a_line(seconds, as_it_was))
		add_prediction(out, "if no session had to wait for another one's end", seconds,
		    as_it_was);
	add_best(out, json_object_get(predictions, "without"), "if no session had to wait for ",
	    "", as_it_was);
	add_best(out, json_object_get(predictions, "halved"), "if ", " took half of its time",
	    as_it_was);
	if (*advice)
		buffer_printf(out, "%s\n", advice);
}

static double
work_seconds(const struct work *work)
{
	double all = 0;

	for (enum step_kind kind = 0; kind < STEP_KINDS; kind++)
		all += work->seconds[kind];
	return all;
}

/* Has any session an environment or an install by uv? Then it is there. */
static bool
uses_uv(const struct table *table)
{
	json_t *step;
	size_t k;

	for (size_t i = 0; i < table->n; i++)
		json_array_foreach(table->records[i].steps, k, step)
			if (!strncmp(json_text(step, "command"), "uv ", 3) ||
			    !strcmp(json_text(step, "command"), "created by uv"))
				return true;
	return false;
}

char *
advice_on_uv(const struct story *story)
{
	struct work work = work_of(&story->table);
	double made = work.seconds[STEP_ENVIRONMENT] + work.seconds[STEP_INSTALL];
	double all = work_seconds(&work);

	if (all <= 0 || made < all * MUCH || made < SAVES_SECONDS || uses_uv(&story->table))
		return NULL;
	return xasprintf("Environments and installs took %.0f%% of the sessions' time, %s. With uv "
			 "(nox.options.default_venv_backend = \"uv\") they were measured to take a "
			 "tenth of it.", made / all * 100, screen_duration(made).s);
}

char *
advice_on_fork(const struct story *story)
{
	struct work work = work_of(&story->table);
	double nox = work.seconds[STEP_NOX], all = work_seconds(&work), saved;
	size_t n = 0, first = jobs_of(story);

	for (size_t i = 0; i < story->table.n; i++) {
		const struct record *r = &story->table.records[i];

		if (r->fork)
			return NULL;
		n += lead_has_run(r);
	}
	/* What is watched is never forked. */
	if (story->request.knobs.fork != FORK_NEVER || story->request.knobs.watch ||
	    n < first + FORK_WORTH || nox < all * MUCH)
		return NULL;
	saved = nox * FORK_SAVES * (double)(n - first) / (double)n;
	if (saved < SAVES_SECONDS)
		return NULL;
	return xasprintf("nox's own starts and ends took %.0f%% of the sessions' time, %s: about "
			 "%s less without NOXMK_FORK=0", nox / all * 100, screen_duration(nox).s,
	    screen_duration(saved).s);
}

/* The session that took longest, and the time of all together. */
static const struct record *
longest_of(const struct story *story, double *work)
{
	const struct record *longest = NULL;

	*work = 0;
	for (size_t i = 0; i < story->table.n; i++) {
		const struct record *r = &story->table.records[i];

		if (!lead_has_run(r))
			continue;
		*work += r->duration;
		if (!longest || r->duration > longest->duration)
			longest = r;
	}
	return longest;
}

char *
advice_on_parts(const struct story *story)
{
	double work, should;
	const struct record *r = longest_of(story, &work);
	char *place, *safe, *text;
	unsigned parts;

	if (!r || story->progress != TABLE_ENDED || r->duration < PARTS_SECONDS ||
	    r->duration < story->wall * MOST)
		return NULL;
	should = work / jobs_of(story);
	if (r->duration < should * TOO_LONG)
		return NULL;
	parts = r->part > 0 ? 2 * r->parts : 2;
	while (r->duration / parts > should && parts < 8 && parts < PARTS_MAX)
		parts++;
	place = setting_place("session", r->part > 0 ? r->whole : r->target, NULL);
	text = xasprintf("%s alone took %s of %s; shared evenly, the work of all takes %s. Several "
	    "machines share it if it is cut: parts = %u in [%s], see nox.mk(5).", r->target,
	    screen_duration(r->duration).s, screen_duration(story->wall).s,
	    screen_duration(should).s, parts, place);
	safe = screen_safe(text);
	free(text);
	free(place);
	return safe;
}
