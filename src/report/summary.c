#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/util.h"
#include "output/joblog.h"
#include "output/screen.h"
#include "report/summary.h"
#include "state/record.h"
#include "state/rundir.h"

/* Of a longer log of a failed session only the end is shown; the file has it all. */
enum { LOG_SHOWN_MAX = 256 * 1024, NAME_WIDTH_MAX = 60 };

struct table {
	struct record *records;
	size_t n;
};

/* A session of the goals that left no record: make stopped before its turn, or its helper died. */
static struct record
missing(const char *target)
{
	return (struct record){ .target = xstrdup(target), .session = xstrdup(target),
		.verdict = NOT_RUN, .reason = xstrdup("no record: make stopped before its end") };
}

static void
add_record(struct table *table, int run, const char *target)
{
	struct record record;

	if (record_read(run, target, &record) != 1)
		record = missing(target);
	table->records = xreallocarray(table->records, table->n + 1, sizeof(*table->records));
	table->records[table->n++] = record;
}

/* In the order of the plan; what else has a record (a notified session) comes last. */
static int
table_fill(struct table *table, int run, struct planfile *plan, const json_t *goals)
{
	json_t *expected = json_object(), *session, *others, *item;
	const char *target;
	size_t i;

	*table = (struct table){ 0 };
	planfile_expand(plan, goals, expected, true);
	json_object_foreach(expected, target, session)
		add_record(table, run, target);
	if (!(others = record_list(run))) {
		json_decref(expected);
		return -1;
	}
	json_array_foreach(others, i, item)
		if (!json_object_get(expected, json_string_value(item)))
			add_record(table, run, json_string_value(item));
	json_decref(others);
	json_decref(expected);
	return 0;
}

static void
table_clear(struct table *table)
{
	for (size_t i = 0; i < table->n; i++)
		record_clear(&table->records[i]);
	free(table->records);
}

static void
print_table(const struct table *table)
{
	size_t width = strlen("session");

	for (size_t i = 0; i < table->n; i++) {
		size_t len = strlen(table->records[i].target);

		if (len > width)
			width = len < NAME_WIDTH_MAX ? len : NAME_WIDTH_MAX;
	}
	printf("\n%-*s  %-9s %8s  %s\n", (int)width, "session", "verdict", "time", "reason");
	for (size_t i = 0; i < table->n; i++) {
		const struct record *r = &table->records[i];
		char *duration = screen_duration(r->duration);
		char *reason = screen_safe(r->reason ? r->reason :
		    record_is_flaky(r) ? "flaky: it failed first" : "");

		printf("%-*s  %s%-9s%s %8s%s%s\n", (int)width, r->target, screen_colour(r),
		    verdict_name(r->verdict), screen_plain(),
		    r->verdict == NOT_RUN ? "-" : duration, *reason ? "  " : "", reason);
		free(duration);
		free(reason);
	}
}

/* Its end, if it is long. */
static void
print_log(int run, const struct record *r, const char *folder)
{
	char *name = xasprintf("%s.log", r->target);
	int log = openat(run, name, O_RDONLY | O_CLOEXEC);
	int error = errno; /* of the open, before printf may set it */
	struct stat st;

	printf("\n%s--- %s %s: %s/%s%s\n", screen_colour(r), r->target,
	    verdict_name(r->verdict), folder, name, screen_plain());
	if (log < 0 || fstat(log, &st) < 0) {
		errno = log < 0 ? error : errno;
		warn("%s", name);
	} else {
		if (st.st_size > LOG_SHOWN_MAX) {
			printf("… its last %d KiB of %lld KiB\n", LOG_SHOWN_MAX / 1024,
			    (long long)st.st_size / 1024);
			lseek(log, -LOG_SHOWN_MAX, SEEK_END);
		}
		fflush(stdout);
		(void)joblog_print(log, true);
	}
	if (log >= 0)
		close(log);
	free(name);
}

static void
print_count(unsigned n, const char *what, bool *first)
{
	if (n == 0)
		return;
	printf("%s%u %s", *first ? "" : ", ", n, what);
	*first = false;
}

static void
print_total(const struct table *table, double wall)
{
	unsigned counts[VERDICTS] = { 0 }, flaky = 0;
	double sum = 0;
	bool first = true;
	char *wall_text = screen_duration(wall), *sum_text;

	for (size_t i = 0; i < table->n; i++) {
		counts[table->records[i].verdict]++;
		flaky += record_is_flaky(&table->records[i]);
		sum += table->records[i].duration;
	}
	sum_text = screen_duration(sum);
	printf("\nnoxmk: %zu session%s: ", table->n, table->n == 1 ? "" : "s");
	for (enum verdict v = 0; v < VERDICTS; v++)
		print_count(counts[v], verdict_name(v), &first);
	print_count(flaky, "flaky", &first);
	printf("; %s wall time", wall_text);
	if (table->n > 1)
		printf(" for %s of sessions, speed-up %.2f", sum_text, wall > 0 ? sum / wall : 1.0);
	printf("\n");
	free(wall_text);
	free(sum_text);
}

int
summary_print(int run, struct planfile *plan, const json_t *goals)
{
	json_t *info = rundir_info(run);
	struct table table;
	char *folder;

	if (!info || table_fill(&table, run, plan, goals) < 0) {
		if (info)
			table_clear(&table);
		json_decref(info);
		return -1;
	}
	folder = xasprintf(".noxmk/runs/%s", json_string_value(json_object_get(info, "run")));
	if (table.n > 0)
		print_table(&table);
	for (size_t i = 0; i < table.n; i++)
		if (record_is_bad(&table.records[i]) && table.records[i].logged &&
		    !table.records[i].live)
			print_log(run, &table.records[i], folder);
	if (table.n > 0)
		print_total(&table, clock_monotonic() -
		    json_number(info, "clock"));
	fflush(stdout);
	table_clear(&table);
	json_decref(info);
	free(folder);
	return 0;
}

/*
 * The sessions of a goal in `targets`, one by one: each bad one goes into fault, and those it has
 * notified go to the end of the list, as nox puts them on its queue.
 */
static void
find_bad(int run, json_t *targets, struct buffer *fault)
{
	json_t *seen = json_object(), *target, *item;
	size_t i, k;

	json_array_foreach(targets, i, target) {
		const char *name = json_string_value(target);
		struct record record = { 0 };

		if (json_object_get(seen, name))
			continue;
		json_object_set_new(seen, name, json_true());
		if (record_read(run, name, &record) != 1)
			record = missing(name);
		if (record_is_bad(&record))
			buffer_printf(fault, "%s %s %s", fault->len ? "," : "", name,
			    verdict_name(record.verdict));
		json_array_foreach(record.notify, k, item)
			if (json_is_string(json_object_get(item, "target")))
				json_array_append(targets, json_object_get(item, "target"));
		record_clear(&record);
	}
	json_decref(seen);
}

/* Why the goal is not well, in words, or an empty buffer. */
static void
find_fault(int run, struct planfile *plan, const char *goal, struct buffer *fault)
{
	const char *complaint = json_string_value(json_object_get(planfile_header(plan),
	    "complaint"));
	json_t *expected = json_object(), *targets = json_array(), *session;
	json_t *goals = json_pack("[s]", goal);
	const char *target;

	if (!strcmp(goal, "ci") && complaint)
		buffer_printf(fault, " nox cannot select the default sessions: %s", complaint);
	else if (planfile_expand(plan, goals, expected, false) < 0)
		buffer_addstr(fault, " no target of this plan");
	else if (json_object_size(expected) == 0)
		buffer_addstr(fault, " the noxfile selects no session for it");
	json_object_foreach(expected, target, session)
		json_array_append_new(targets, json_string(target));
	find_bad(run, targets, fault);
	json_decref(goals);
	json_decref(targets);
	json_decref(expected);
}

int
summary_verdict(int run, struct planfile *plan, const char *goal)
{
	struct buffer fault = { 0 };
	int result = 0;

	find_fault(run, plan, goal, &fault);
	if (fault.len > 0) {
		warnx("%s:%s", goal, fault.data);
		result = 1;
	}
	buffer_free(&fault);
	return result;
}

int
summary_mark_well(int run, struct planfile *plan, const json_t *goals)
{
	struct buffer well = { 0 };
	json_t *goal;
	size_t i;
	int result;

	buffer_addstr(&well, "");
	json_array_foreach((json_t *)goals, i, goal) {
		struct buffer fault = { 0 };

		find_fault(run, plan, json_string_value(goal), &fault);
		if (fault.len == 0)
			buffer_printf(&well, "%s ", json_string_value(goal));
		buffer_free(&fault);
	}
	result = file_replace(run, ".well", well.data, well.len);
	if (result < 0)
		warn(".well");
	buffer_free(&well);
	return result;
}

static void
add_notified(void *data, const struct record *caller)
{
	json_t *pending = data, *item;
	size_t i;

	json_array_foreach(caller->notify, i, item)
		if (json_is_string(json_object_get(item, "target")))
			json_object_set_new(pending, json_text(item, "target"), json_true());
}

json_t *
summary_notified(int run)
{
	json_t *names = record_list(run), *pending = json_object(), *name;
	size_t i;

	record_each(run, add_notified, pending);
	json_array_foreach(names, i, name)
		json_object_del(pending, json_string_value(name));
	json_decref(names);
	return pending;
}
