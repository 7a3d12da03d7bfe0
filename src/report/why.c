#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/util.h"
#include "nox/steps.h"
#include "output/screen.h"
#include "plan/planfile.h"
#include "report/cause.h"
#include "report/company.h"
#include "report/lead.h"
#include "report/ongoing.h"
#include "report/why.h"
#include "state/now.h"
#include "state/record.h"
#include "state/request.h"
#include "state/rundir.h"

/* Columns of the time in front of each line. */
enum { TIMES = 11 };

/* A session whose cause is sought. */
struct waiter {
	struct planfile *plan;
	const json_t *session; /* its line of the plan */
	const struct record *record;
	double helper_started; /* Unix time */
	double first;          /* when the first helper of its machine was; 0: not known yet */
	struct cause cause;
};

/* Who ended after the helper had started was no cause; clocks are read a little late. */
static void
consider_record(void *data, const struct record *record)
{
	struct waiter *waiter = data;
	json_t *other = planfile_session(waiter->plan, record->target);
	double ready = cause_ready(record);

	if (!record_same_machine(record, waiter->record)) {
		json_decref(other);
		return;
	}
	if (record->verdict != NOT_RUN && (waiter->first <= 0 || ready < waiter->first))
		waiter->first = ready;
	if (other && strcmp(record->target, json_text(waiter->session, "target")) != 0 &&
	    record->ended <= waiter->helper_started + CAUSE_LATE)
		cause_consider(&waiter->cause, waiter->session, waiter->record->cue, other, record);
	json_decref(other);
}

static void
put_line(double seconds, const char *what, const char *by)
{
	char *line = xasprintf("%s%s%s%s", what, *by ? "  (" : "", by, *by ? ")" : "");

	printf("  %7s  ", screen_duration(seconds).s);
	screen_put_cut(line, screen_left(TIMES));
	putchar('\n');
	free(line);
}

static void
print_line(double seconds, const char *what, const char *by)
{
	/* The work of make itself between two sessions takes less. */
	if (seconds >= SCREEN_NOTEWORTHY)
		put_line(seconds, what, by);
}

/* What declares the session's claim of that resource. */
static const char *
claim_by(const json_t *session, const char *resource)
{
	json_t *claim;
	size_t i;

	json_array_foreach(json_object_get(session, "claims"), i, claim)
		if (!strcmp(json_text(claim, "resource"), resource))
			return json_text(claim, "by");
	return "";
}

/* The words for a wait, which the caller frees. */
static char *
wait_for_slot(const json_t *wait)
{
	(void)wait;
	return xstrdup("for a job slot");
}

static char *
wait_for_build(const json_t *wait)
{
	(void)wait;
	return xstrdup("for a build of the project by another session");
}

static char *
wait_for_memory(const json_t *wait)
{
	(void)wait;
	return xstrdup("for memory, of which too little was left");
}

static char *
wait_for_processors(const json_t *wait)
{
	char *command = screen_safe(json_text(wait, "command"));
	long long needed = json_integer_value(json_object_get(wait, "needed"));
	char *words = xasprintf("for %lld processor%s%s%s, while others had use for %lld", needed,
	    needed == 1 ? "" : "s", *command ? ", for " : "", command,
	    (long long)json_integer_value(json_object_get(wait, "used")));

	free(command);
	return words;
}

static char *
wait_for_resource(const json_t *wait)
{
	char *resource = screen_safe(json_text(wait, "resource"));
	char *holder = screen_safe(json_text(wait, "target"));
	char *words = xasprintf("for the resource %s, which %s (pid %lld) had",
	    *resource ? resource : "?", *holder ? holder : "another session",
	    (long long)json_integer_value(json_object_get(wait, "pid")));

	free(resource);
	free(holder);
	return words;
}

/* Of very many waits most are told of in sum; see bounds.h. */
static char *
wait_in_sum(const char *what, long long times)
{
	enum wait_kind kind = WAIT_EDGE;

	while (kind + 1 < WAITS && strcmp(wait_kind_name(kind), what) != 0)
		kind++;
	return xasprintf("for %s, %lld times more", wait_kind_words(kind), times);
}

static const struct {
	const char *what;
	char *(*words)(const json_t *wait);
} kinds_of_waits[] = {
	{ "slot", wait_for_slot }, { "resource", wait_for_resource },
	{ "memory", wait_for_memory }, { "build", wait_for_build },
	{ "processors", wait_for_processors },
};

static void
print_wait(const json_t *session, const json_t *wait)
{
	const char *what = json_text(wait, "for"), *resource = json_text(wait, "resource");
	long long times = json_integer_value(json_object_get(wait, "times"));
	char *words;

	for (size_t i = 0; i < countof(kinds_of_waits); i++)
		if (!strcmp(what, kinds_of_waits[i].what)) {
			words = times > 0 ? wait_in_sum(what, times) :
			    kinds_of_waits[i].words(wait);
			print_line(json_number(wait, "seconds"), words,
			    !strcmp(what, "resource") ? claim_by(session, resource) : "");
			free(words);
		}
}

/* Each that failed, with its log, and the pauses behind them. */
static void
print_attempts(const struct record *record, const json_t *info)
{
	char *folder = rundir_path(json_text(info, "run"));
	double pauses = cause_tried(record);
	json_t *attempt;
	size_t i;

	json_array_foreach(record->attempts, i, attempt) {
		const char *log = json_text(attempt, "log");
		char *reason = screen_safe(json_text(attempt, "reason"));
		char *words = xasprintf("in an attempt before: %s%s%s", json_text(attempt,
		    "verdict"), *reason ? ": " : "", reason);
		char *path = *log ? xasprintf("%s/%s", folder, log) : xstrdup("");

		put_line(json_number(attempt, "duration"), words, path);
		pauses -= json_number(attempt, "duration");
		free(path);
		free(words);
		free(reason);
	}
	print_line(pauses, "until it was tried again", "");
	free(folder);
}

/* Until the helper started the session waited in make, and then in its helper, which noted it. */
static void
print_waits(int rundir, struct planfile *plan, const struct record *record, double run_started)
{
	json_t *session = planfile_session(plan, record->target), *wait;
	struct waiter waiter = { .plan = plan, .session = session, .record = record,
		.helper_started = cause_ready(record) };
	double ready = run_started;
	const struct cause *cause = &waiter.cause;
	size_t i;

	record_each(rundir, consider_record, &waiter);
	/* Of several machines each began when it did. */
	if (record->machine && waiter.first > run_started)
		run_started = ready = waiter.first;
	if (cause->target && cause->ended > run_started) {
		char *what = xasprintf("until %s had ended: %s", cause->target, cause->what);

		print_line(cause->ended - run_started, what, cause->by);
		ready = cause->ended;
		free(what);
	}
	print_line(waiter.helper_started - ready, "for a job slot, which make gives", "");
	json_array_foreach(record->waits, i, wait)
		print_wait(session, wait);
	cause_clear(&waiter.cause);
	json_decref(session);
}

/* ", part 2 of 4", or "". The caller frees. */
static char *
words_of_part(const json_t *session)
{
	const json_t *part = json_object_get(session, "part");

	return part ? xasprintf(", part %lld of %lld",
	    (long long)json_integer_value(json_array_get(part, 0)),
	    (long long)json_integer_value(json_array_get(part, 1))) : xstrdup("");
}

static void
print_head(const struct record *record, const json_t *session, double run_started)
{
	char *part = words_of_part(session), *line;

	if (record->verdict == NOT_RUN)
		line = xasprintf("%s%s: not run: %s", record->target, part,
		    record->reason ? record->reason : "");
	else
		line = xasprintf("%s%s: %s, started %s into the run, took %s", record->target,
		    part, verdict_name(record->verdict),
		    screen_duration(record->started - run_started).s,
		    screen_duration(record->duration).s);
	screen_put_cut(line, screen_left(0));
	putchar('\n');
	free(line);
	free(part);
}

/* What its recheck has shown, if there was one. */
static void
print_recheck(const struct record *record)
{
	char *words = company_words(record), *line;

	if (!words)
		return;
	line = xasprintf("%*srechecked: %s", TIMES, "", words);
	screen_put_cut(line, screen_left(0));
	putchar('\n');
	free(line);
	free(words);
}

/* In which step the session was killed, if it was, however soon. */
static void
print_cut(const struct record *record)
{
	const json_t *step = steps_cut(record->steps);
	char *words;

	if (!step)
		return;
	words = xasprintf("into this it was cut off: %s", json_text(step, "command"));
	put_line(json_number(step, "seconds"), words, "");
	free(words);
}

/* How wide the session was, if anybody looked. */
static void
print_width(const struct record *record)
{
	char *wide = json_list_join(record->wide, ", "), *safe = screen_safe(wide), *line;
	char *few = screen_safe(record->few ? record->few : "");
	struct buffer words = { 0 };

	if (record->told > 0)
		buffer_printf(&words, "told of %u processor%s%s%s%s, ", record->told,
		    record->told == 1 ? "" : "s", *few ? " (" : "", few, *few ? ")" : "");
	buffer_printf(&words, "used %u", record->width);
	if (*safe)
		buffer_printf(&words, " (%s)", safe);
	if (record->memory > 0)
		buffer_printf(&words, ", and %llu MiB of memory", record->memory >> 20);
	line = xasprintf("%*s%s", TIMES, "", words.data);
	screen_put_cut(line, screen_left(0));
	putchar('\n');
	free(line);
	free(few);
	free(safe);
	free(wide);
	buffer_free(&words);
}

/* Whether it was forked, if that was to be. */
static void
print_fork(const struct record *record)
{
	char *why = record->fork ? screen_safe(record->fork) : NULL, *line;

	if (!why)
		return;
	line = *why ? xasprintf("%*shad a nox of its own: %s", TIMES, "", why) :
	    xasprintf("%*sforked from a nox that had read the noxfile", TIMES, "");
	screen_put_cut(line, screen_left(0));
	putchar('\n');
	free(line);
	free(why);
}

/* What a session does that has no record yet. NULL: that run has not been asked for it. */
static char *
words_of_now(const struct now_entry *entry, int rundir, const char *target)
{
	char *what, *words;

	if (!entry) {
		json_t *active = request_active(rundir);

		words = json_object_get(active, target) ? xstrdup("is still to begin") : NULL;
		json_decref(active);
		return words;
	}
	what = screen_safe(entry->what);
	if (entry->begun <= 0 || entry->phase == NOW_WAITS)
		words = xasprintf("waits for %s", *what ? what : "its turn");
	else
		words = xasprintf("runs, for %s so far%s%s",
		    screen_duration(now_seconds(entry, clock_monotonic())).s,
		    *what ? ", and waits for " : "", what);
	free(what);
	return words;
}

static bool
has_record(void *target, int rundir)
{
	struct record record = { 0 };
	bool has = record_read(rundir, target, &record) == 1;

	record_clear(&record);
	return has;
}

/* Of one that has no record in this run: what it does, if the run goes on, and its last run. */
static int
print_now(int state, int rundir, const char *target)
{
	int runtime, table, before = -1, result = -1;
	struct now_view view = { 0 };
	char *words = NULL;

	ongoing_open(rundir, &runtime, &table);
	if (rundir_may_live(rundir) && !rundir_has_ended(rundir)) {
		view = now_look(table);
		words = words_of_now(now_find(&view, target), rundir, target);
	}
	if (words) {
		printf("%s: %s\n", target, words);
		before = rundir_newest_that(state, has_record, (char *)target);
		if (before >= 0)
			printf("%*sin its last run:\n", TIMES, "");
		result = before < 0 ? 0 : why_print(&state, before, target);
	} else {
		warnx("%s: no record in this run (`make nox-list` names the targets)", target);
	}
	free(words);
	now_view_clear(&view);
	fd_close(&before);
	fd_close(&table);
	fd_close(&runtime);
	return result;
}

int
why_print(void *data, int rundir, const char *target)
{
	struct planfile *plan = NULL;
	struct record record = { 0 };
	json_t *info = NULL;
	int result = -1;

	if (strchr(target, '/')) {
		warnx("%s: there is no such target (`make nox-list` names them)", target);
	} else if (record_read(rundir, target, &record) != 1) {
		result = print_now(*(const int *)data, rundir, target);
	} else if ((info = rundir_info(rundir)) && (plan = planfile_open(rundir))) {
		double started = json_number(info, "started");
		json_t *session = planfile_session(plan, target);

		print_head(&record, session, started);
		json_decref(session);
		if (record.verdict != NOT_RUN)
			print_waits(rundir, plan, &record, started);
		print_attempts(&record, info);
		if (record.width > 0)
			print_width(&record);
		print_cut(&record);
		print_fork(&record);
		print_recheck(&record);
		result = 0;
	}
	planfile_close(plan);
	json_decref(info);
	record_clear(&record);
	return result;
}
