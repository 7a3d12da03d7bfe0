#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "order/forecast.h"
#include "output/joblog.h"
#include "plan/planfile.h"
#include "plan/use.h"
#include "session/progress.h"
#include "state/history.h"
#include "state/record.h"
#include "state/request.h"
#include "state/rundir.h"
#include "state/runtime.h"

/* More slots than that are nonsense. */
enum { SLOTS_MOST = 1000000 };

/* Seconds for which it counts when a run was expected to end. */
#define FORETOLD_FOR 5.0

/* Seconds before that, in which it is not said any more. */
#define NEAR 0.5

/* One session, or one part of it. */
struct item {
	const char *target;      /* of the plan, or of the entry */
	const json_t *session;   /* its line of the plan, or NULL */
	const struct now_entry *entry; /* or NULL */
	bool lives;              /* its helper does */
	bool done, bad;
	enum verdict verdict;    /* once it is done */
	double seconds;          /* that it runs for by now */
	size_t first;            /* the first item of the same session */
};

/* What all items of one session come to. */
struct sum {
	unsigned left, running; /* not done */
	bool bad;               /* the worst of those that are done, which ended so: */
	enum verdict verdict;
	const char *waits;      /* what the first that waits is waiting for; NULL: none does */
};

struct progress {
	struct progress_options o;
	struct planfile *plan;
	json_t *active;    /* target -> its line of the plan */
	json_t *usual;     /* target -> the seconds that it usually takes, of those looked up */
	json_t *positions; /* target -> its item */
	json_t *wholes;    /* session that is cut -> the item of its first part that is active */
	struct item *items;
	size_t n, planned; /* planned: those that are active; others come behind */
	struct now_view view;
	struct history *history; /* NULL until it is needed */
	double began, started; /* the run: monotonic, and in Unix time */
	double last;       /* when the last session has ended, as far as records tell */
	double now;        /* at this look */
	double ends, foretold; /* as in now_head; ends: -1: nobody knows */
	struct board_row *rows;
	struct board_wait *waits;
	size_t nrows, nwaits;
};

static struct item *
add_item(struct progress *p, const char *target, const json_t *session)
{
	const char *whole = json_text(session, "whole");
	json_t *first = *whole ? json_object_get(p->wholes, whole) : NULL;

	if (*whole && !first)
		json_object_set_new(p->wholes, whole, json_integer((json_int_t)p->n));
	json_object_set_new(p->positions, target, json_integer((json_int_t)p->n));
	p->items = xreallocarray(p->items, p->n + 1, sizeof(*p->items));
	p->items[p->n] = (struct item){ .target = target, .session = session,
		.first = first ? (size_t)json_integer_value(first) : p->n };
	return &p->items[p->n++];
}

/* The folder that no session can have changed. */
static int
fixed(const struct progress *p)
{
	return runtime_is_whole(p->o.runtime) ? p->o.runtime : p->o.rundir;
}

/* A run that nobody tells of any more has records of what was notified, too. */
static void
add_recorded(struct progress *p)
{
	json_t *targets = record_list(p->o.rundir), *target;
	size_t i;

	json_array_foreach(targets, i, target) {
		const char *name = json_string_value(target);
		json_t *session;

		if (json_object_get(p->active, name))
			continue;
		session = planfile_session(p->plan, name);
		json_object_set_new(p->active, name, session ? session : json_null());
	}
	json_decref(targets);
}

struct progress *
progress_open(const struct progress_options *options)
{
	struct progress *p = xcalloc(1, sizeof(*p));
	struct request request = { 0 };
	json_t *info, *session;
	const char *target;

	*p = (struct progress){ .o = *options, .active = json_object(),
		.positions = json_object(), .usual = json_object(), .wholes = json_object() };
	info = rundir_info(fixed(p));
	if (info && options->total > 0) {
		p->began = json_number(info, "clock");
		json_decref(info);
		return p;
	}
	if (!info || request_read(fixed(p), &request) < 0 || !(p->plan = planfile_open(fixed(p)))) {
		json_decref(info);
		request_clear(&request);
		progress_close(p);
		return NULL;
	}
	p->began = json_number(info, "clock");
	p->started = json_number(info, "started");
	planfile_expand(p->plan, request.goals, p->active, false);
	if (options->table < 0)
		add_recorded(p);
	json_object_foreach(p->active, target, session)
		(void)add_item(p, target, session);
	p->planned = p->n;
	/* Without the plan nobody knows which of them are parts. */
	if (options->own) {
		now_note(options->own, offsetof(struct now_head, total),
		    json_object_size(p->wholes) > 0 ? 0 : (double)p->n);
		now_note(options->own, offsetof(struct now_head, expanded), clock_monotonic());
	}
	json_decref(info);
	request_clear(&request);
	return p;
}

static void
forget_look(struct progress *p)
{
	for (size_t i = 0; i < p->nrows; i++)
		free((char *)p->rows[i].last);
	for (size_t i = 0; i < p->nrows; i++)
		free((char *)p->rows[i].state);
	free(p->rows);
	free(p->waits);
	p->rows = NULL;
	p->waits = NULL;
	p->nrows = p->nwaits = 0;
	while (p->n > p->planned)
		json_object_del(p->positions, p->items[--p->n].target);
	now_view_clear(&p->view);
}

void
progress_close(struct progress *p)
{
	if (!p)
		return;
	forget_look(p);
	json_decref(p->positions);
	json_decref(p->active);
	json_decref(p->usual);
	json_decref(p->wholes);
	planfile_close(p->plan);
	if (p->history)
		history_free(p->history);
	free(p->items);
	free(p);
}

static struct item *
find(struct progress *p, const char *target)
{
	const json_t *at = json_object_get(p->positions, target);

	return at ? &p->items[json_integer_value(at)] : NULL;
}

/* The last entry of each target counts. That of one that is not in the plan was notified. */
static void
take_entries(struct progress *p)
{
	struct item *item;

	p->view = now_look(p->o.table);
	for (size_t i = 0; i < p->planned; i++)
		p->items[i] = (struct item){ .target = p->items[i].target,
			.session = p->items[i].session, .first = p->items[i].first };
	for (size_t i = 0; i < p->view.n; i++) {
		const struct now_entry *entry = &p->view.entries[i];

		item = find(p, entry->target);
		if (!item)
			item = add_item(p, entry->target, NULL);
		item->entry = entry;
		item->lives = false;
	}
}

/* The helper is gone, or there is no table: the record tells, or nobody. Then it was not run. */
static void
take_record(struct progress *p, struct item *item)
{
	struct record record;

	if (record_read(p->o.rundir, item->target, &record) == 1) {
		item->done = true;
		item->bad = record_is_bad(&record);
		item->verdict = record.verdict;
		if (record.ended > p->last)
			p->last = record.ended;
		record_clear(&record);
	} else if (item->entry || p->o.ended) {
		item->done = item->bad = true;
		item->verdict = NOT_RUN;
	}
}

static void
judge(struct progress *p, struct item *item)
{
	const struct now_entry *entry = item->entry;

	if (!entry) {
		if (p->o.table < 0)
			take_record(p, item);
		return;
	}
	if (entry->phase == NOW_ENDED) {
		item->done = true;
		item->bad = entry->bad != 0;
		item->verdict = entry->verdict;
		return;
	}
	item->lives = now_lives(p->o.table, (size_t)(entry - p->view.entries), p->o.own);
	if (!item->lives)
		take_record(p, item);
	else
		item->seconds = now_seconds(entry, p->now);
}

static bool
runs(const struct item *item)
{
	return item->lives && item->entry->phase > NOW_WAITS && item->entry->phase < NOW_ENDED;
}

static const struct history *
history(struct progress *p)
{
	if (!p->history)
		p->history = history_look(p->o.state);
	return p->history;
}

static char *
state_of(const struct now_entry *entry)
{
	switch (entry->phase) {
	case NOW_HELD_UP:
		return xasprintf("waits for %s", entry->what);
	case NOW_INTERRUPTED:
	case NOW_TERMINATED:
	case NOW_KILLED:
		return xstrdup("is told to end");
	case NOW_CLEARS:
		return xstrdup("what it has left behind is ended");
	case NOW_PAUSES:
		return xstrdup("has failed, and is tried again");
	default:
		return xstrdup("");
	}
}

/* A session may have removed the run folder: then the logs go on in the other one. */
static char *
last_line(const struct progress *p, const char *target)
{
	char *line = joblog_last_line(p->o.rundir, target);

	if (*line || p->o.runtime < 0)
		return line;
	free(line);
	return joblog_last_line(p->o.runtime, target);
}

/* Looked up once for each session that runs. */
static double
usual_of(struct progress *p, const char *target)
{
	const json_t *known = json_object_get(p->usual, target);
	double usual;

	if (known)
		return json_number_value(known);
	usual = history_usual(p->o.state, target);
	json_object_set_new(p->usual, target, json_real(usual));
	return usual;
}

static void
add_row(struct progress *p, const struct item *item)
{
	p->rows = xreallocarray(p->rows, p->nrows + 1, sizeof(*p->rows));
	p->rows[p->nrows++] = (struct board_row){ .target = item->target,
		.seconds = item->seconds, .usual = usual_of(p, item->target),
		.slots = item->entry->slots, .state = state_of(item->entry) };
}

/* What runs longest comes first. */
static int
compare_rows(const void *a, const void *b)
{
	const struct board_row *x = a, *y = b;

	if (x->seconds != y->seconds)
		return x->seconds > y->seconds ? -1 : 1;
	return strcmp(x->target, y->target);
}

static void
add_wait(struct progress *p, const char *what)
{
	for (size_t i = 0; i < p->nwaits; i++)
		if (!strcmp(p->waits[i].what, what)) {
			p->waits[i].n++;
			return;
		}
	p->waits = xreallocarray(p->waits, p->nwaits + 1, sizeof(*p->waits));
	p->waits[p->nwaits++] = (struct board_wait){ .what = what, .n = 1 };
}

/* They keep their order from one look to the next, whichever session is the first to wait. */
static int
compare_waits(const void *a, const void *b)
{
	const struct board_wait *x = a, *y = b;

	return strcmp(x->what, y->what);
}

/* Does one of that list of targets, which runs too, have to end first? */
static bool
waits_for_one_of(struct progress *p, const json_t *targets)
{
	const json_t *target;
	size_t i;

	json_array_foreach(targets, i, target) {
		const char *name = json_string_value(target);
		const struct item *item = name ? find(p, name) : NULL;

		if (item && !item->done)
			return true;
	}
	return false;
}

/* The resource that a session which runs has, and this one cannot have beside it; or NULL. */
static const char *
taken_resource(const struct progress *p, const json_t *session)
{
	const json_t *claim, *other;
	size_t i, k;

	json_array_foreach(json_object_get(session, "claims"), i, claim)
		for (size_t at = 0; at < p->n; at++) {
			if (!runs(&p->items[at]))
				continue;
			json_array_foreach(json_object_get(p->items[at].session, "claims"), k,
			    other)
				if (!strcmp(json_text(claim, "resource"),
				    json_text(other, "resource")) &&
				    (use_of(claim) == EXCLUSIVE || use_of(other) == EXCLUSIVE))
					return json_text(claim, "resource");
		}
	return NULL;
}

/* What make waits for before it starts the helper of that session. */
static const char *
awaited(struct progress *p, const struct item *item)
{
	const char *resource;

	if (waits_for_one_of(p, json_object_get(item->session, "requires")) ||
	    waits_for_one_of(p, json_object_get(item->session, "after")))
		return "other sessions";
	resource = taken_resource(p, item->session);
	return resource ? resource : "a job slot";
}

/* For forecast_rest. */
static void
tell_left(void *data, const char *target, struct forecast_left *left)
{
	const struct item *item = find(data, target);

	if (!item || item->done)
		left->seconds = 0;
	else if (runs(item))
		forecast_pass(left, item->seconds);
}

/* When it was foretold a moment ago, by whomever, that counts. */
static void
foretell(struct progress *p)
{
	unsigned slots = p->view.n > 0 ? at_most(p->view.entries[0].jobs, SLOTS_MOST) : 1;
	double rest;

	if (p->view.head.foretold > p->foretold) {
		p->foretold = p->view.head.foretold;
		p->ends = p->view.head.ends;
	}
	if (!p->plan || (p->foretold != 0 && p->now < p->foretold + FORETOLD_FOR))
		return;
	rest = forecast_rest(p->o.state, p->active, history(p), slots > 0 ? slots : 1, tell_left,
	    p);
	p->foretold = p->now;
	p->ends = rest < 0 ? 0 : p->now + rest;
	if (p->o.own) {
		now_note(p->o.own, offsetof(struct now_head, ends), p->ends);
		now_note(p->o.own, offsetof(struct now_head, foretold), p->foretold);
	}
}

/* What one waits for that does not run; NULL: it is done, or nobody can know. */
static const char *
waits_for(struct progress *p, const struct item *item)
{
	if (item->done)
		return NULL;
	if (item->lives)
		return *item->entry->what ? item->entry->what : "their turn";
	return p->o.table >= 0 ? awaited(p, item) : NULL;
}

static void
take_verdict(struct sum *sum, const struct item *item)
{
	if (!item->done || verdict_badness(item->verdict, item->bad) <=
	    verdict_badness(sum->verdict, sum->bad))
		return;
	sum->verdict = item->verdict;
	sum->bad = item->bad;
}

/*
 * Gives each that runs a row, and sums up: one for each item; that of the first of a session is of
 * all of them. The caller frees.
 */
static struct sum *
go_through(struct progress *p)
{
	struct sum *sums = xcalloc(p->n, sizeof(*sums));

	for (size_t i = 0; i < p->n; i++)
		sums[i].verdict = SKIPPED;
	for (size_t i = 0; i < p->n; i++) {
		const struct item *item = &p->items[i];
		struct sum *sum = &sums[item->first];

		sum->left += !item->done;
		take_verdict(sum, item);
		if (runs(item)) {
			sum->running++;
			add_row(p, item);
		} else if (!sum->waits) {
			sum->waits = waits_for(p, item);
		}
	}
	return sums;
}

static void
count(struct progress *p, struct board *board)
{
	struct sum *sums = go_through(p);
	unsigned known = 0;

	for (size_t i = 0; i < p->n; i++) {
		if (p->items[i].first != i)
			continue;
		known++;
		/* What waits or runs still is counted as that, whatever part of it was not run. */
		if (sums[i].left > 0 && sums[i].verdict == NOT_RUN)
			sums[i].bad = false;
		board->done += sums[i].left == 0 && sums[i].verdict != NOT_RUN;
		board->bad[sums[i].verdict] += sums[i].bad || (sums[i].left == 0 &&
		    sums[i].verdict == NOT_RUN);
		board->running += sums[i].running > 0;
		if (sums[i].running == 0 && sums[i].waits)
			add_wait(p, sums[i].waits);
	}
	free(sums);
	board->total = known < p->o.total ? p->o.total : known;
	for (; known < board->total; known++)
		add_wait(p, "their turn");
}

/* So many seconds, or until the last of the rows has taken as long as usual. */
static double
or_longest(const struct progress *p, double seconds)
{
	double longest = seconds;

	for (size_t i = 0; i < p->nrows; i++)
		if (p->rows[i].usual - p->rows[i].seconds > longest)
			longest = p->rows[i].usual - p->rows[i].seconds;
	return longest;
}

void
progress_look(struct progress *p, size_t most, struct board *board)
{
	forget_look(p);
	p->now = clock_monotonic();
	take_entries(p);
	for (size_t i = 0; i < p->n; i++)
		judge(p, &p->items[i]);
	*board = (struct board){ .left = -1, .ended = p->o.ended };
	board->elapsed = !p->o.ended ? p->now - p->began :
	    p->last > p->started ? p->last - p->started : 0;
	count(p, board);
	if (p->nrows > 0)
		qsort(p->rows, p->nrows, sizeof(*p->rows), compare_rows);
	if (p->nwaits > 0)
		qsort(p->waits, p->nwaits, sizeof(*p->waits), compare_waits);
	for (size_t i = 0; i < p->nrows; i++)
		p->rows[i].last = i < most ? last_line(p, p->rows[i].target) : xstrdup("");
	if (p->o.table >= 0 && board->done + board->bad[NOT_RUN] < board->total)
		foretell(p);
	/* When it ought to have ended by now, nobody knows. */
	if (p->ends > p->now + NEAR)
		board->left = or_longest(p, p->ends - p->now);
	board->rows = p->rows;
	board->nrows = p->nrows;
	board->waits = p->waits;
	board->nwaits = p->nwaits;
}
