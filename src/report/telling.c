#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "audit/clash.h"
#include "audit/overlap.h"
#include "base/json.h"
#include "output/screen.h"
#include "output/utf8.h"
#include "report/advice.h"
#include "report/cause.h"
#include "report/load.h"
#include "report/telling.h"
#include "report/whole.h"
#include "report/work.h"

/* Columns: of verdict, time, wait and width, with the gaps; of reasons, if it can be. */
enum { FIXED = 38, REASONS = 20 };

/* Columns of a reason, also where there is room for more: the log has all of it. */
enum { REASON_MOST = 160 };

/* Of a long chain the last sessions are shown; of resources those that cost most. */
enum { PATH_MOST = 20, RESOURCES_MOST = 5 };

/* Columns that are left for the end of a line, however long it is by then. */
enum { WORDS_LEAST = 8 };

/* The rest of a line, cut in its middle if there is less room than it takes. */
static void
end_line(struct buffer *line, const char *words, int columns)
{
	int left = columns > 0 ? columns - utf8_columns(line->data) : 0;
	char *safe = screen_safe(words);
	char *cut = columns > 0 ? utf8_cut(safe, left > WORDS_LEAST ? left : WORDS_LEAST) : NULL;

	buffer_printf(line, "%s\n", cut ? cut : safe);
	free(cut);
	free(safe);
}

/* Text in a column of that width, or, without room for it, what goes into that. */
static void
add_cell(struct buffer *out, const char *text, int width)
{
	char *safe = screen_safe(text), *cut = utf8_cut(safe, width);
	int used = utf8_columns(cut);

	buffer_printf(out, "%s%*s", cut, width > used ? width - used : 0, "");
	free(cut);
	free(safe);
}

static const char *
ending(const struct story *story)
{
	switch (story->progress) {
	case TABLE_SO_FAR:
		return ", so far";
	case TABLE_STOPPED:
		return ", and was stopped";
	default:
		return "";
	}
}

void
telling_add_date(struct buffer *out, double when)
{
	time_t seconds = when > 0 && when < 1e11 ? (time_t)when : 0;
	char text[32] = "?";
	struct tm tm;

	if (seconds > 0 && gmtime_r(&seconds, &tm))
		strftime(text, sizeof(text), "%F %T UTC", &tm);
	buffer_addstr(out, text);
}

void
telling_add_counts(struct buffer *out, const struct story *story)
{
	const struct wholes *wholes = &story->table.wholes;
	unsigned counts[VERDICTS] = { 0 };
	size_t machines = story_machines(story), running = json_array_size(story->ongoing);

	for (size_t i = 0; i < wholes->n; i++)
		counts[wholes->v[i].verdict]++;
	buffer_printf(out, "%zu session%s", wholes->n, wholes->n == 1 ? "" : "s");
	if (machines > 1)
		buffer_printf(out, " on %zu machines", machines);
	if (story->progress == TABLE_SO_FAR)
		buffer_printf(out, " %s ended, %zu run%s", wholes->n == 1 ? "has" : "have",
		    running, running == 1 ? "s" : "");
	for (enum verdict v = 0; v < VERDICTS; v++)
		if (counts[v] > 0)
			buffer_printf(out, ", %u %s", counts[v], verdict_name(v));
}

static void
add_head(struct buffer *out, const struct story *story)
{
	char *load = load_words(story);

	buffer_printf(out, "Run %s began ", story_name(story));
	telling_add_date(out, story->started);
	buffer_printf(out, " and took %s%s\n", screen_duration(story->wall).s, ending(story));
	telling_add_counts(out, story);
	if (story->progress == TABLE_SO_FAR)
		buffer_addstr(out, "; `noxmk status` tells of the others");
	buffer_printf(out, "%s%s\n", load ? "\n" : "", load ? load : "");
	free(load);
}

/* Seconds that the session of the record at that place has waited, or all of its parts. */
static double
waited_of(const struct story *story, const struct record *r, size_t at)
{
	double waited = 0;

	if (!whole_is_made(r))
		return lead_waited(&story->leads[at]);
	for (size_t i = 0; i < story->table.n; i++)
		if (whole_has(r->target, &story->table.records[i]))
			waited += lead_waited(&story->leads[i]);
	return waited;
}

static void
add_row(struct buffer *out, const struct record *r, double waited,
    const struct remarks *remarks, int width, int columns)
{
	char *words = remark_of(remarks, r), *cut;
	struct buffer line = { 0 };

	add_cell(&line, r->target, width);
	buffer_printf(&line, "  %-9s %8s", verdict_name(r->verdict),
	    lead_has_run(r) ? screen_duration(r->duration).s : "-");
	buffer_printf(&line, " %8s", waited >= SCREEN_NOTEWORTHY ? screen_duration(waited).s : "-");
	if (r->width > 0)
		buffer_printf(&line, " %5u", r->width);
	else
		buffer_printf(&line, " %5s", "-");
	if (words)
		buffer_addstr(&line, "  ");
	cut = utf8_cut(words ? words : "", REASON_MOST);
	end_line(&line, cut, columns);
	buffer_add(out, line.data, line.len);
	buffer_free(&line);
	free(cut);
	free(words);
}

/* One that runs, with what stands in the place of a reason. */
static void
add_running(struct buffer *out, const json_t *session, int width, int columns)
{
	const char *state = json_text(session, "state");
	struct buffer line = { 0 };
	char *words = xasprintf("since %s%s%s", screen_duration(json_number(session, "began")).s,
	    *state ? ": it " : "", state);

	add_cell(&line, json_text(session, "target"), width);
	buffer_printf(&line, "  %-9s %8s %8s %5s  ", "running",
	    screen_duration(json_number(session, "seconds")).s, "-", "-");
	end_line(&line, words, columns);
	buffer_add(out, line.data, line.len);
	buffer_free(&line);
	free(words);
}

static void
add_table(struct buffer *out, const struct story *story, const struct remarks *remarks,
    int columns)
{
	const struct wholes *wholes = &story->table.wholes;
	int width = table_names_width(wholes->v, wholes->n, FIXED, REASONS);
	json_t *session;
	size_t at;

	buffer_printf(out, "\n%-*s  %-9s %8s %8s %5s  %s\n", width, "session", "verdict", "time",
	    "waited", "width", "reason");
	for (size_t i = 0; i < wholes->n; i++)
		add_row(out, &wholes->v[i], waited_of(story, &wholes->v[i], wholes->at[i]), remarks,
		    width, columns);
	json_array_foreach(story->ongoing, at, session)
		add_running(out, session, width, columns);
}

/* What it waited for last, in words; NULL where it was nothing. The caller frees. */
static char *
wait_of(const struct story *story, size_t at)
{
	const struct lead *lead = &story->leads[at];
	const char *words = wait_kind_words(lead->last);

	if (lead->before == NO_RECORD && story->table.records[at].machine)
		return xasprintf("  on %s", story->table.records[at].machine);
	if (lead->before == NO_RECORD)
		return lead->seconds[WAIT_SLOT] < SCREEN_NOTEWORTHY ? NULL :
		    xasprintf("  it waited for %s", wait_kind_words(WAIT_SLOT));
	if (lead->last == WAIT_EDGE)
		return xasprintf("  %s  (%s)", lead->what, lead->by);
	return xasprintf("  it waited for %s, which %s had", words,
	    story->table.records[lead->before].target);
}

/* The same, and what it took before it was tried for the last time. */
static char *
link_of(const struct story *story, size_t at)
{
	char *wait = wait_of(story, at), *words;
	double tried = cause_tried(&story->table.records[at]);

	if (tried < SCREEN_NOTEWORTHY)
		return wait;
	words = xasprintf("%s  it was tried before, for %s", wait ? wait : "",
	    screen_duration(tried).s);
	free(wait);
	return words;
}

/*
 * Seconds of the run that the session at that place of the path took: who waited for the one before
 * it may have begun a moment before that ended, by what clocks say, and no moment counts twice.
 */
static double
taken_on_path(const struct story *story, size_t place)
{
	const struct record *records = story->table.records;
	const size_t *path = story->path.v;
	double before = place > 0 ? records[path[place - 1]].ended : story->started;

	return lead_after(&records[path[place]], before);
}

/* Several of its parts are one session. */
static size_t
sessions_on_path(const struct story *story)
{
	json_t *names = json_object();
	size_t n;

	for (size_t i = 0; i < story->path.n; i++) {
		const struct record *r = &story->table.records[story->path.v[i]];

		json_object_set_new(names, r->part > 0 ? r->whole : r->target, json_true());
	}
	n = json_object_size(names);
	json_decref(names);
	return n;
}

static void
add_path(struct buffer *out, const struct story *story, int columns)
{
	const struct indices *path = &story->path;
	size_t first = path->n > PATH_MOST ? path->n - PATH_MOST : 0;
	size_t sessions = sessions_on_path(story);
	double taken = 0;

	for (size_t i = 0; i < path->n; i++)
		taken += taken_on_path(story, i);
	if (path->n == 0)
		return;
	buffer_printf(out, "\nCritical path%s: %zu session%s, %s of %s\n",
	    story->progress == TABLE_SO_FAR ? " so far" : "", sessions, sessions == 1 ? "" : "s",
	    screen_duration(taken).s, screen_duration(story->wall).s);
	if (first > 0)
		buffer_printf(out, "  … %zu before these\n", first);
	for (size_t i = first; i < path->n; i++) {
		const struct record *r = &story->table.records[path->v[i]];
		char *words = link_of(story, path->v[i]), *target = screen_safe(r->target);
		struct buffer line = { 0 };

		buffer_printf(&line, "  %8s  took %7s  %s",
		    screen_duration(story_moment(story, r->started)).s,
		    screen_duration(r->duration).s, target);
		end_line(&line, words ? words : "", columns);
		buffer_add(out, line.data, line.len);
		buffer_free(&line);
		free(words);
		free(target);
	}
}

/* A part of a whole, if it is worth a line. */
static void
add_part(struct buffer *out, const char *what, double seconds, double all)
{
	if (seconds < SCREEN_NOTEWORTHY)
		return;
	buffer_printf(out, "  %8s", screen_duration(seconds).s);
	if (all > 0)
		buffer_printf(out, " %3.0f%%", seconds / all * 100);
	buffer_printf(out, "  %s\n", what);
}

/* The longest waits first. */
static void
add_resources(struct buffer *out, const struct story *story)
{
	json_t *sums = story_resources(story), *sum;
	const char *name;

	for (int n = 0; n < RESOURCES_MOST; n++) {
		const char *most = NULL;
		char *safe, *words;

		json_object_foreach(sums, name, sum)
			if (!most || json_number_value(sum) > json_number(sums, most))
				most = name;
		if (!most)
			break;
		safe = screen_safe(most);
		words = xasprintf("for the resource %s", safe);
		add_part(out, words, json_number(sums, most), 0);
		json_object_del(sums, most);
		free(words);
		free(safe);
	}
	json_decref(sums);
}

/* What sessions did before they were tried for the last time, which is all that is in a record. */
#define TRIED "attempts that failed, and the pauses behind them"

static const char *const work_words[STEP_KINDS] = {
	[STEP_ENVIRONMENT] = "making environments", [STEP_INSTALL] = "installing",
	[STEP_RUN] = "commands", [STEP_OTHER] = "the rest of the sessions",
	[STEP_NOX] = "nox itself",
};

/*
 * Where the time of the run itself went: of what its critical path did, and what is between that,
 * which together are all of it.
 */
static void
add_wall(struct buffer *out, const struct story *story)
{
	struct work work = { 0 };
	double left = story->wall, tried = 0;

	/* What runs is not on that yet. */
	if (story->path.n == 0 || story->wall < SCREEN_NOTEWORTHY ||
	    story->progress == TABLE_SO_FAR)
		return;
	for (size_t i = 0; i < story->path.n; i++) {
		const struct record *r = &story->table.records[story->path.v[i]];
		double taken = taken_on_path(story, i);

		/* Nox does not tell of all of them. */
		if (!work_add_share(&work, r, taken))
			work.seconds[STEP_OTHER] += taken;
		tried += cause_tried(r);
		left -= taken;
	}
	tried = tried < left ? tried : left;
	buffer_printf(out, "\nWhere the %s of the run went, along the critical path\n",
	    screen_duration(story->wall).s);
	for (enum step_kind kind = 0; kind < STEP_KINDS; kind++)
		add_part(out, work_words[kind], work.seconds[kind], story->wall);
	add_part(out, TRIED, tried, story->wall);
	left -= tried;
	add_part(out, "waits, and what is before and between sessions", left, story->wall);
}

/* Where the time of all sessions together went that nox could tell of. */
static void
add_work(struct buffer *out, const struct story *story)
{
	struct work work = work_of(&story->table);
	double all = 0, tried = 0;

	for (size_t i = 0; i < story->table.n; i++)
		tried += cause_tried(&story->table.records[i]);
	for (enum step_kind kind = 0; kind < STEP_KINDS; kind++)
		all += work.seconds[kind];
	all += tried;
	if (all < SCREEN_NOTEWORTHY)
		return;
	buffer_printf(out, "\nWhere the time of all sessions together went, %s\n",
	    screen_duration(all).s);
	for (enum step_kind kind = 0; kind < STEP_KINDS; kind++)
		add_part(out, work_words[kind], work.seconds[kind], all);
	add_part(out, TRIED, tried, all);
}

static void
add_waits(struct buffer *out, const struct story *story)
{
	double sums[WAITS] = { 0 };
	bool any = false;

	for (size_t i = 0; i < story->table.n; i++)
		for (enum wait_kind kind = 0; kind < WAITS; kind++)
			sums[kind] += story->leads[i].seconds[kind];
	for (enum wait_kind kind = 0; kind < WAITS; kind++)
		any = any || sums[kind] >= SCREEN_NOTEWORTHY;
	if (!any)
		return;
	buffer_addstr(out, "\nWhat the sessions waited for, all together\n");
	for (enum wait_kind kind = 0; kind < WAITS; kind++) {
		char *words = xasprintf("for %s", wait_kind_words(kind));

		if (kind == WAIT_RESOURCE)
			add_resources(out, story);
		else
			add_part(out, words, sums[kind], 0);
		free(words);
	}
}

/* Where sessions that ran at the same time met, if somebody has watched. */
static void
add_overlaps(struct buffer *out, const struct story *story, int columns)
{
	const json_t *overlap;
	size_t i;

	if (!story->overlaps)
		return;
	if (json_array_size(story->overlaps) == 0)
		buffer_addstr(out, "\nSessions at the same time were watched: none met\n");
	else
		buffer_addstr(out, "\nWhere sessions at the same time met\n");
	json_array_foreach(story->overlaps, i, overlap) {
		struct buffer line = { 0 };
		char *told = overlap_told(overlap);

		buffer_printf(&line, "  %-9s ", !strcmp(json_text(overlap, "level"),
		    level_name(LEVEL_CONFLICT)) ? level_name(LEVEL_CONFLICT) :
		    level_name(LEVEL_LIKELY));
		end_line(&line, told, columns);
		buffer_add(out, line.data, line.len);
		buffer_free(&line);
		free(told);
	}
}

static void
explain(struct buffer *out, const struct story *story, const json_t *predictions, int columns)
{
	char *on_uv = advice_on_uv(story), *on_parts = advice_on_parts(story);
	char *on_fork = advice_on_fork(story);

	add_path(out, story, columns);
	add_wall(out, story);
	add_work(out, story);
	add_waits(out, story);
	add_overlaps(out, story, columns);
	advice_add(out, story, predictions);
	if (on_parts)
		buffer_printf(out, "%s\n", on_parts);
	if (on_uv)
		buffer_printf(out, "%s\n", on_uv);
	if (on_fork)
		buffer_printf(out, "%s.\n", on_fork);
	free(on_fork);
	free(on_parts);
	free(on_uv);
}

void
telling_explain(struct buffer *out, const struct story *story, const json_t *predictions)
{
	explain(out, story, predictions, 0);
}

void
telling_add(struct buffer *out, const struct story *story, const struct remarks *remarks,
    int columns)
{
	json_t *predictions = advice_of(story, remarks->history);

	add_head(out, story);
	add_table(out, story, remarks, columns);
	explain(out, story, predictions, columns);
	json_decref(predictions);
}
