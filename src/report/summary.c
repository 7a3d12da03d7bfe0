#include <err.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/overlap.h"
#include "base/clock.h"
#include "base/cpus.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/util.h"
#include "output/ci.h"
#include "output/joblog.h"
#include "output/page.h"
#include "output/screen.h"
#include "report/annotate.h"
#include "report/chain.h"
#include "report/company.h"
#include "report/hint.h"
#include "report/lead.h"
#include "report/junit.h"
#include "report/logs.h"
#include "report/markdown.h"
#include "report/plain.h"
#include "report/remark.h"
#include "report/report.h"
#include "report/summary.h"
#include "report/table.h"
#include "state/history.h"
#include "state/knob.h"
#include "state/record.h"
#include "state/rundir.h"
#include "state/runtime.h"

/*
 * So much is shown of the log of a failed session, from its end on; the file has all of it. A page
 * of a CI that has had it before has limits.
 */
enum { LOG_SHOWN_KIB = 256, LOG_AGAIN_KIB = 32 };

/* All of them have so much room on such a page, besides what is left of it for logs. */
enum { LOGS_KIB = 512 };

/* Columns: of verdict and time, with the gaps; of reasons, if it can be. */
enum { FIXED = 22, REASONS = 24 };

/*
 * Lines of a screen, where there is none: logs of failed sessions that stand so near to the end are
 * not shown once more.
 */
enum { SCREEN = 40 };

/* Lines of a summary at most, but for those of its sessions, and for the messages of make. */
enum { SUMMARY_LINES = 8 };

static void
print_table(const struct remarks *remarks)
{
	const struct wholes *wholes = &remarks->table->wholes;
	int width = table_names_width(wholes->v, wholes->n, FIXED, REASONS);
	int limit = screen_left(0) > 0 ? width : 0;

	printf("\n%-*s  %-9s %8s  %s\n", width, "session", "verdict", "time", "reason");
	for (size_t i = 0; i < wholes->n; i++) {
		const struct record *r = &wholes->v[i];
		char *words = remark_of(remarks, r);

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

/* share: so many KiB of a page, at most. */
static void
print_log(int rundir, const struct record *r, const char *folder, unsigned share)
{
	unsigned most = r->shown > 0 && ci_forge() != FORGE_NONE ? LOG_AGAIN_KIB : LOG_SHOWN_KIB;

	putchar('\n');
	logs_print_head(r, folder);
	joblog_print_end(rundir, r->target, (int)at_most(most, share));
}

/* The page of the CI, whose end is near, or NULL. The caller closes. */
static struct page *
open_page(int rundir, const json_t *info)
{
	struct page *page;
	int runtime;

	if (ci_forge() == FORGE_NONE)
		return NULL;
	runtime = runtime_find(json_text(info, "make"));
	page = page_open(runtime >= 0 ? runtime : rundir);
	fd_close(&runtime);
	return page;
}

/* Is the session's log to be shown at the end? Not if it was while the session ran. */
static bool
is_told(const struct record *r)
{
	return record_is_bad(r) && r->logged && !r->live;
}

/*
 * Were all of these logs shown so late that they are on the screen with the summary? What ended
 * later has its lines there, too.
 */
static bool
are_in_view(const struct table *table)
{
	long long lines = SUMMARY_LINES + (long long)table->n;
	struct screen_size size;
	double first = INFINITY;

	for (size_t i = 0; i < table->n; i++) {
		const struct record *r = &table->records[i];

		if (is_told(r) && r->shown == 0)
			return false;
		if (is_told(r) && r->ended < first)
			first = r->ended;
	}
	for (size_t i = 0; i < table->n; i++) {
		const struct record *r = &table->records[i];

		if (r->verdict == NOT_RUN || r->ended >= first)
			lines += r->shown > 0 ? r->shown : 1;
	}
	return lines <= (screen_size(&size) && size.lines > 0 ? size.lines : SCREEN);
}

/* Does the page of a CI have them all, likewise? */
static bool
are_on_page(const struct table *table, const struct page *page)
{
	long long lines = page_state(page).lines + (long long)table->n;

	for (size_t i = 0; i < table->n; i++) {
		const struct record *r = &table->records[i];

		/* The page may be a later one than that which had it. */
		if (is_told(r) && (r->shown == 0 || r->shown > lines || lines - r->shown >= SCREEN))
			return false;
	}
	return true;
}

/* KiB of the page for each of these logs, if that is one. */
static unsigned
share_of(const struct table *table, const struct page *page)
{
	unsigned told = 0, room = LOGS_KIB + (unsigned)(page_room(page) / 1024);

	for (size_t i = 0; i < table->n; i++)
		told += is_told(&table->records[i]);
	if (!page || told == 0)
		return LOG_SHOWN_KIB;
	return room > told ? room / told : 1;
}

static void
print_logs(int rundir, const struct table *table, const json_t *info)
{
	struct page *page = open_page(rundir, info);
	char *folder = rundir_path(json_text(info, "run"));
	bool seen = page ? are_on_page(table, page) : are_in_view(table);
	bool again = !screen_is_quiet() && !seen;
	unsigned share = share_of(table, page);

	for (size_t i = 0; i < table->n && again; i++)
		if (is_told(&table->records[i]))
			print_log(rundir, &table->records[i], folder, share);
	page_close(page);
	free(folder);
}

/* " 3 failed", with a comma in front unless it is the first such count. */
static void
add_count(struct buffer *out, unsigned n, const char *what, bool *first)
{
	if (n == 0)
		return;
	buffer_printf(out, "%s%u %s", *first ? "" : ", ", n, what);
	*first = false;
}

/* The seconds that plain nox would have taken, or -1. */
static double
by_plain_nox(const struct remarks *remarks)
{
	const struct table *table = remarks->table;
	unsigned processors = cpus_available();
	struct plain plain = { 0 };

	for (size_t i = 0; i < table->n; i++)
		plain_add(&plain, &table->records[i], remarks->history, processors);
	return plain_seconds(&plain);
}

/* The wall time but for what skipped sessions took when all others had ended. */
static double
time_of_sessions(const struct table *table, double wall)
{
	double all = 0, run = 0;

	for (size_t i = 0; i < table->n; i++) {
		const struct record *r = &table->records[i];

		if (r->ended > all)
			all = r->ended;
		if (r->verdict != SKIPPED && r->ended > run)
			run = r->ended;
	}
	return run > 0 ? wall - (all - run) : wall;
}

static bool
any_is_bad(const struct table *table)
{
	for (size_t i = 0; i < table->n; i++)
		if (record_is_bad(&table->records[i]))
			return true;
	return false;
}

/*
 * nox looks for interpreters that are not there, too: that is neither lost nor saved. What has
 * failed may have ended early, and because of its company: that is no gain.
 */
static void
add_speed_up(struct buffer *out, const struct remarks *remarks)
{
	const struct table *table = remarks->table;
	double wall = remarks->wall, plain = table->n > 1 ? by_plain_nox(remarks) : -1;
	double took = time_of_sessions(table, wall);

	if (plain < 0 || took <= 0)
		return;
	if (wall - took > wall * REMARK_NOTEWORTHY)
		buffer_printf(out, ", %s without the skipped ones", screen_duration(took).s);
	buffer_printf(out, ", about %s with plain nox", screen_duration(plain).s);
	if (plain >= took && !any_is_bad(table))
		buffer_printf(out, ": speed-up %.2f", plain / took);
}

char *
summary_total(const struct remarks *remarks)
{
	const struct table *table = remarks->table;
	struct buffer out = { 0 };
	unsigned counts[VERDICTS] = { 0 }, flaky = 0, slow = 0, leaked = 0;
	double rechecked = company_rechecked(table->records, table->n);
	const struct wholes *wholes = &table->wholes;
	bool first = true;

	for (size_t i = 0; i < wholes->n; i++) {
		const struct record *r = &wholes->v[i];

		counts[r->verdict]++;
		flaky += record_is_flaky(r);
		slow += remark_is_slow(remarks, r);
		leaked += remark_has_leaked(r);
	}
	buffer_printf(&out, "%zu session%s: ", wholes->n, wholes->n == 1 ? "" : "s");
	for (enum verdict v = 0; v < VERDICTS; v++)
		add_count(&out, counts[v], verdict_name(v), &first);
	add_count(&out, flaky, "flaky", &first);
	add_count(&out, slow, "slow", &first);
	add_count(&out, leaked, "leaked", &first);
	buffer_printf(&out, "; %s wall time", screen_duration(remarks->wall).s);
	if (rechecked > 0)
		buffer_printf(&out, ", %s more to recheck", screen_duration(rechecked).s);
	/* What runs has its share of the time, and plain nox would take nobody knows how long. */
	if (!remarks->goes_on)
		add_speed_up(&out, remarks);
	return out.data;
}

void
summary_fill(struct markdown *markdown, const struct remarks *remarks)
{
	const struct wholes *wholes = &remarks->table->wholes;

	for (size_t i = 0; i < wholes->n; i++) {
		char *words = remark_of(remarks, &wholes->v[i]);

		markdown_add(markdown, &wholes->v[i], words);
		free(words);
	}
}

/* The same for people who do not look at the log. */
static void
write_markdown(const struct remarks *remarks, const json_t *overlaps, const char *total)
{
	struct markdown markdown = { 0 };

	summary_fill(&markdown, remarks);
	markdown_add_overlaps(&markdown, overlaps);
	markdown_write(&markdown, total);
}

/* Without what was run once more. Of a run that has ended before, the clock does not tell. */
static double
wall_of(const struct summary *s, const struct table *table, const json_t *info)
{
	if (rundir_has_ended(s->rundir))
		return lead_wall(table, json_number(info, "started"));
	return clock_monotonic() - json_number(info, "clock") -
	       company_rechecked(table->records, table->n);
}

/*
 * JUnit, always, and what else is wanted. The bits of those that are wanted and there. *lacks: is
 * one missing?
 */
static unsigned
write_reports(const struct summary *s, const struct table *table, const json_t *info,
    const json_t *overlaps, bool *lacks)
{
	bool junit = junit_write(s->rundir, table, info, overlaps);
	unsigned written = report_write(s->state, s->rundir,
	    s->stopped ? TABLE_STOPPED : TABLE_ENDED, s->reports);

	written |= junit ? s->reports & REPORT_JUNIT : 0;
	*lacks = !junit || written != s->reports;
	return written;
}

/* Of a run with sessions. False when a report of it cannot be written. */
static bool
print_summary(const struct summary *s, const struct table *table, const json_t *info,
    const json_t *overlaps)
{
	const json_t *header = planfile_header(s->plan);
	struct history *history = history_load(s->state);
	struct remarks remarks = { .table = table, .history = history,
		.wall = wall_of(s, table, info) };
	char *total = summary_total(&remarks);
	bool lacks;

	print_table(&remarks);
	print_logs(s->rundir, table, info);
	if (!s->annotated)
		annotate_print(s->rundir, table->records, table->n,
		    json_string_value(json_object_get(header, "ci_commands")));
	putchar('\n');
	chain_print(table, remarks.wall);
	if (s->hints)
		company_hint(table->records, table->n);
	if (!s->stopped)
		hint_print(s->state, table->records, table->n);
	/* Whoever waits for the reports may read meanwhile. */
	fflush(stdout);
	report_print_names(write_reports(s, table, info, overlaps, &lacks),
	    json_text(info, "run"));
	printf("noxmk: %s\n", total);
	fflush(stdout);
	if (markdown_is_wanted())
		write_markdown(&remarks, overlaps, total);
	free(total);
	history_free(history);
	return !lacks;
}

int
summary_print(const struct summary *summary)
{
	enum table_of of = summary->stopped ? TABLE_STOPPED : TABLE_ENDED;
	json_t *info = rundir_info(summary->rundir), *overlaps = NULL;
	struct table table = { 0 };
	int result = -1;

	if (!info ||
	    table_read(&table, summary->rundir, summary->plan, summary->goals, of) < 0)
		goto out;
	result = 0;
	if (table.n == 0)
		goto out;
	overlaps = overlap_read(summary->rundir);
	if (!print_summary(summary, &table, info, overlaps) && summary->is_strict)
		result = -1;
out:
	table_clear(&table);
	json_decref(overlaps);
	json_decref(info);
	return result;
}

/*
 * Adds the names and verdicts of the bad ones among the targets to the reasons; the goal, if it is
 * a session itself, has been named. What these sessions have notified goes to the end of the list,
 * as nox puts it on its queue.
 */
static void
explain_sessions(int rundir, const char *goal, json_t *targets, struct buffer *reasons)
{
	json_t *seen = json_object(), *target, *item;
	size_t i, k;

	json_array_foreach(targets, i, target) {
		const char *name = json_string_value(target);
		struct record record;

		if (json_object_get(seen, name))
			continue;
		json_object_set_new(seen, name, json_true());
		record = table_record(rundir, name, TABLE_ENDED);
		if (record_is_bad(&record))
			buffer_printf(reasons, "%s%s%s %s", reasons->len ? "," : "",
			    strcmp(name, goal) ? " " : "", strcmp(name, goal) ? name : "",
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
	char *complaint = planfile_complaint(plan);
	json_t *expected = json_object(), *targets = json_array(), *session;
	json_t *goals = json_pack("[s]", goal);
	const char *target;

	if (!strcmp(goal, "ci") && complaint)
		buffer_printf(reasons, " %s", complaint);
	else if (planfile_expand(plan, goals, expected, false) < 0)
		buffer_addstr(reasons, " no target of this plan");
	json_object_foreach(expected, target, session)
		json_array_append_new(targets, json_string(target));
	explain_sessions(rundir, goal, targets, reasons);
	free(complaint);
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
