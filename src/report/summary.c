#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cpus.h"
#include "base/json.h"
#include "base/util.h"
#include "output/joblog.h"
#include "output/screen.h"
#include "report/junit.h"
#include "report/plain.h"
#include "report/summary.h"
#include "state/record.h"
#include "state/rundir.h"

/* So much is shown of the log of a failed session, from its end on; the file has all of it. */
enum { LOG_SHOWN_KIB = 256 };

/* Columns: of the targets at most; of verdict and time, with the gaps; of reasons, if it can be. */
enum { NAMES_MOST = 60, NAMES_LEAST = 12, FIXED = 22, REASONS = 24 };

/* A wait for processors that took this share of the run stands with its session. */
#define NOTEWORTHY 0.1

struct table {
	struct record *records;
	size_t n;
	double wall; /* seconds of the run */
};

/*
 * Why a session that was to run has no record. found: what record_read says; stopped: make has not
 * come to all sessions. A helper makes the log right before it starts the session.
 */
static const char *
why_no_record(int rundir, const char *target, int found, bool stopped)
{
	char *log = xasprintf("%s.log", target);
	bool begun = faccessat(rundir, log, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	struct stat st;

	free(log);
	if (fstat(rundir, &st) == 0 && st.st_nlink == 0)
		return "no record: the run's folder was deleted";
	if (found < 0)
		return "its record cannot be read";
	if (begun)
		return "no record: its helper died while it ran";
	if (stopped)
		return "make was stopped before its turn";
	return "no record: its helper died, or failed, before it began";
}

static struct record
read_record(int rundir, const char *target, bool stopped)
{
	struct record record;
	int found = record_read(rundir, target, &record);

	if (found != 1)
		record = (struct record){ .target = xstrdup(target), .session = xstrdup(target),
			.verdict = NOT_RUN,
			.reason = xstrdup(why_no_record(rundir, target, found, stopped)) };
	return record;
}

static void
add_record(struct table *table, int rundir, const char *target, bool stopped)
{
	table->records = xreallocarray(table->records, table->n + 1, sizeof(*table->records));
	table->records[table->n++] = read_record(rundir, target, stopped);
}

/*
 * The records of the goals' sessions in the order of the plan, then all others: of sessions that
 * were notified, or that another goal of this make ran. -1 after a warning.
 */
static int
read_table(struct table *table, int rundir, struct planfile *plan, const json_t *goals,
    bool stopped)
{
	json_t *expected = json_object(), *session, *others, *item;
	const char *target;
	size_t i;

	*table = (struct table){ 0 };
	planfile_expand(plan, goals, expected, true);
	json_object_foreach(expected, target, session)
		add_record(table, rundir, target, stopped);
	others = record_list(rundir);
	json_array_foreach(others, i, item)
		if (!json_object_get(expected, json_string_value(item)))
			add_record(table, rundir, json_string_value(item), stopped);
	json_decref(expected);
	json_decref(others);
	return others ? 0 : -1;
}

static void
clear_table(struct table *table)
{
	for (size_t i = 0; i < table->n; i++)
		record_clear(&table->records[i]);
	free(table->records);
}

/* The column of the targets is as wide as the longest, but leaves room for the reasons. */
static int
names_width(const struct table *table)
{
	int width = (int)strlen("session"), most = screen_left(FIXED + REASONS);

	for (size_t i = 0; i < table->n; i++) {
		int len = (int)strlen(table->records[i].target);

		width = len > width ? len : width;
	}
	if (most == 0)
		return width < NAMES_MOST ? width : NAMES_MOST;
	most = most > NAMES_LEAST ? most : NAMES_LEAST;
	return width < most ? width : most;
}

/* What is said of the session behind its time, or NULL. The caller frees. */
static char *
remark(const struct record *r, double wall)
{
	double waited = 0;
	json_t *wait;
	size_t i;

	if (r->reason)
		return *r->reason ? xstrdup(r->reason) : NULL;
	if (record_is_flaky(r))
		return xstrdup("flaky: it failed first");
	json_array_foreach(r->waits, i, wait)
		if (!strcmp(json_text(wait, "for"), "processors"))
			waited += json_number(wait, "seconds");
	return waited <= wall * NOTEWORTHY ? NULL :
	    xasprintf("waited %s for processors", screen_duration(waited).s);
}

static void
print_table(const struct table *table)
{
	int width = names_width(table), limit = screen_left(0) > 0 ? width : 0;

	printf("\n%-*s  %-9s %8s  %s\n", width, "session", "verdict", "time", "reason");
	for (size_t i = 0; i < table->n; i++) {
		const struct record *r = &table->records[i];
		char *words = remark(r, table->wall);

		screen_put_cell(r->target, limit, width);
		printf("  %s%-9s%s %8s", screen_colour(r), verdict_name(r->verdict),
		    screen_plain(),
		    r->verdict == NOT_RUN ? "-" : screen_duration(r->duration).s);
		if (words) {
			printf("  ");
			screen_put_cut(words, screen_left(width + FIXED));
		}
		putchar('\n');
		free(words);
	}
}

static void
print_log(int rundir, const struct record *r, const char *folder)
{
	printf("\n%s--- %s %s: %s/%s.log%s\n", screen_colour(r), r->target,
	    verdict_name(r->verdict), folder, r->target, screen_plain());
	joblog_print_end(rundir, r->target, LOG_SHOWN_KIB);
}

/* " 3 failed", with a comma in front unless it is the first such count. */
static void
print_count(unsigned n, const char *what, bool *first)
{
	if (n == 0)
		return;
	printf("%s%u %s", *first ? "" : ", ", n, what);
	*first = false;
}

/* The seconds that plain nox would have taken, or -1. state: see summary_print. */
static double
by_plain_nox(int state, const struct table *table)
{
	unsigned processors = cpus_available();
	struct plain plain = { 0 };

	for (size_t i = 0; i < table->n; i++)
		plain_add(&plain, &table->records[i], state, processors);
	return plain_seconds(&plain);
}

/* The wall time but for what skipped sessions took when all others had ended. */
static double
time_of_sessions(const struct table *table)
{
	double all = 0, run = 0;

	for (size_t i = 0; i < table->n; i++) {
		const struct record *r = &table->records[i];

		if (r->ended > all)
			all = r->ended;
		if (r->verdict != SKIPPED && r->ended > run)
			run = r->ended;
	}
	return run > 0 ? table->wall - (all - run) : table->wall;
}

/* nox looks for interpreters that are not there, too: that is neither lost nor saved. */
static void
print_speed_up(int state, const struct table *table)
{
	double plain = table->n > 1 ? by_plain_nox(state, table) : -1;
	double took = time_of_sessions(table);

	if (plain < 0 || took <= 0)
		return;
	if (table->wall - took > table->wall * NOTEWORTHY)
		printf(", %s without the skipped ones", screen_duration(took).s);
	printf(", about %s with plain nox: speed-up %.2f", screen_duration(plain).s, plain / took);
}

static void
print_total(int state, const struct table *table)
{
	unsigned counts[VERDICTS] = { 0 }, flaky = 0;
	bool first = true;

	for (size_t i = 0; i < table->n; i++) {
		counts[table->records[i].verdict]++;
		flaky += record_is_flaky(&table->records[i]);
	}
	printf("\nnoxmk: %zu session%s: ", table->n, table->n == 1 ? "" : "s");
	for (enum verdict v = 0; v < VERDICTS; v++)
		print_count(counts[v], verdict_name(v), &first);
	print_count(flaky, "flaky", &first);
	printf("; %s wall time", screen_duration(table->wall).s);
	print_speed_up(state, table);
	printf("\n");
}

int
summary_print(int state, int rundir, struct planfile *plan, const json_t *goals, bool stopped)
{
	json_t *info = rundir_info(rundir);
	struct table table = { 0 };
	char *folder;
	int result = -1;

	if (!info || read_table(&table, rundir, plan, goals, stopped) < 0)
		goto out;
	result = 0;
	if (table.n == 0)
		goto out;
	table.wall = clock_monotonic() - json_number(info, "clock");
	print_table(&table);
	folder = rundir_path(json_text(info, "run"));
	for (size_t i = 0; i < table.n; i++)
		if (record_is_bad(&table.records[i]) && table.records[i].logged &&
		    !table.records[i].live && !screen_is_quiet())
			print_log(rundir, &table.records[i], folder);
	free(folder);
	print_total(state, &table);
	fflush(stdout);
	junit_write(rundir, table.records, table.n);
out:
	clear_table(&table);
	json_decref(info);
	return result;
}

/*
 * Adds the names and verdicts of the bad ones among the targets to the reasons. What these sessions
 * have notified goes to the end of the list, as nox puts it on its queue.
 */
static void
explain_sessions(int rundir, json_t *targets, struct buffer *reasons)
{
	json_t *seen = json_object(), *target, *item;
	size_t i, k;

	json_array_foreach(targets, i, target) {
		const char *name = json_string_value(target);
		struct record record;

		if (json_object_get(seen, name))
			continue;
		json_object_set_new(seen, name, json_true());
		record = read_record(rundir, name, false);
		if (record_is_bad(&record))
			buffer_printf(reasons, "%s %s %s", reasons->len ? "," : "", name,
			    verdict_name(record.verdict));
		json_array_foreach(record.notify, k, item)
			if (json_is_string(json_object_get(item, "target")))
				json_array_append(targets, json_object_get(item, "target"));
		record_clear(&record);
	}
	json_decref(seen);
}

/* Why a goal is not well, in words that go behind "GOAL:"; nothing when it is. */
static void
explain_goal(int rundir, struct planfile *plan, const char *goal, struct buffer *reasons)
{
	const char *complaint = json_string_value(json_object_get(planfile_header(plan),
	    "complaint"));
	json_t *expected = json_object(), *targets = json_array(), *session;
	json_t *goals = json_pack("[s]", goal);
	const char *target;

	if (!strcmp(goal, "ci") && complaint)
		buffer_printf(reasons, " nox cannot select the default sessions: %s", complaint);
	else if (planfile_expand(plan, goals, expected, false) < 0)
		buffer_addstr(reasons, " no target of this plan");
	json_object_foreach(expected, target, session)
		json_array_append_new(targets, json_string(target));
	explain_sessions(rundir, targets, reasons);
	json_decref(goals);
	json_decref(targets);
	json_decref(expected);
}

int
summary_verdict(int rundir, struct planfile *plan, const char *goal)
{
	struct buffer reasons = { 0 };
	int result = 0;

	explain_goal(rundir, plan, goal, &reasons);
	if (reasons.len > 0) {
		warnx("%s:%s", goal, reasons.data);
		result = 1;
	}
	buffer_free(&reasons);
	return result;
}

bool
summary_is_well(int rundir, struct planfile *plan, const char *goal)
{
	struct buffer reasons = { 0 };
	bool well;

	explain_goal(rundir, plan, goal, &reasons);
	well = reasons.len == 0;
	buffer_free(&reasons);
	return well;
}
