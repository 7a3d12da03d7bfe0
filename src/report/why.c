#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/util.h"
#include "output/screen.h"
#include "plan/planfile.h"
#include "report/why.h"
#include "state/record.h"
#include "state/rundir.h"

/* Seconds that are worth a line. The work of make itself between two sessions takes less. */
#define NOTEWORTHY 0.05

/* Columns of the time in front of each line. */
enum { TIMES = 11 };

/* The last thing that a session waited for before make could start its helper. */
struct cause {
	char *target; /* NULL: it waited for nobody */
	double ended; /* Unix time */
	char *what;   /* "it requires lint" */
	char *by;     /* what declares that, for people */
};

/* The other session is the cause if it ended later than the cause so far. Takes what and by. */
static void
propose(struct cause *cause, const struct record *other, char *what, char *by)
{
	if (cause->target && cause->ended >= other->ended) {
		free(what);
		free(by);
		return;
	}
	free(cause->target);
	free(cause->what);
	free(cause->by);
	*cause = (struct cause){ .target = xstrdup(other->target), .ended = other->ended,
		.what = what, .by = by };
}

/* What declares the edge to that target: a key of the configuration, or else nox's own word. */
static char *
declared_by(const json_t *session, const char *target, const char *otherwise)
{
	const char *by = json_text(json_object_get(session, "by"), target);

	return xstrdup(*by ? by : otherwise);
}

/* The claim because of which the two cannot run at once: one of them wants the resource alone. */
static const json_t *
shared_claim(const json_t *session, const json_t *other)
{
	json_t *mine, *theirs;
	size_t i, k;

	json_array_foreach(json_object_get(session, "claims"), i, mine)
		json_array_foreach(json_object_get(other, "claims"), k, theirs)
			if (!strcmp(json_text(mine, "resource"), json_text(theirs, "resource")) &&
			    (use_of(mine) == EXCLUSIVE || use_of(theirs) == EXCLUSIVE))
				return use_of(mine) == EXCLUSIVE ? mine : theirs;
	return NULL;
}

/* Is the other session the cause, in one of four ways? cue: from the session's record, or NULL. */
static void
consider(struct cause *cause, const json_t *session, const char *cue, const json_t *other,
    const struct record *record)
{
	const char *name = record->target;
	const json_t *claim;

	if (json_list_has(json_object_get(session, "requires"), name))
		propose(cause, record, xasprintf("it requires %s", name),
		    declared_by(session, name, "requires= in the noxfile"));
	else if (json_list_has(json_object_get(session, "after"), name))
		propose(cause, record, xasprintf("it comes after %s", name),
		    declared_by(session, name, "session.notify() in the noxfile"));
	else if ((claim = shared_claim(session, other)))
		propose(cause, record, xasprintf("%s and it share %s", name,
		    json_text(claim, "resource")), xstrdup(json_text(claim, "by")));
	else if (cue && !strcmp(cue, name))
		propose(cause, record, xstrdup("it was due then"),
		    xstrdup("the order by expected times"));
}

/* A session whose cause is sought. */
struct waiter {
	struct planfile *plan;
	const json_t *session; /* its line of the plan */
	const char *cue;
	double helper_started; /* Unix time */
	struct cause cause;
};

/* Who ended after the helper had started was no cause; clocks are read a little late. */
static void
consider_record(void *data, const struct record *record)
{
	struct waiter *waiter = data;
	json_t *other = planfile_session(waiter->plan, record->target);

	if (other && strcmp(record->target, json_text(waiter->session, "target")) != 0 &&
	    record->ended <= waiter->helper_started + NOTEWORTHY)
		consider(&waiter->cause, waiter->session, waiter->cue, other, record);
	json_decref(other);
}

static void
print_line(double seconds, const char *what, const char *by)
{
	char *line;

	if (seconds < NOTEWORTHY)
		return;
	line = xasprintf("%s%s%s%s", what, *by ? "  (" : "", by, *by ? ")" : "");
	printf("  %7s  ", screen_duration(seconds).s);
	screen_put_cut(line, screen_left(TIMES));
	putchar('\n');
	free(line);
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

/* Did the session wait after its start, for a build of another one? */
static bool
waits_within(const json_t *wait)
{
	return !strcmp(json_text(wait, "for"), "build");
}

static void
print_wait(const json_t *session, const json_t *wait)
{
	double seconds = json_number(wait, "seconds");
	char *resource = screen_safe(json_text(wait, "resource")), *holder, *what;

	if (waits_within(wait)) {
		print_line(seconds, "for a build of the project by another session", "");
	} else if (strcmp(json_text(wait, "for"), "resource") != 0) {
		print_line(seconds, "for a job slot", "");
	} else {
		holder = screen_safe(json_text(wait, "target"));
		what = xasprintf("for the resource %s, which %s (pid %lld) had",
		    *resource ? resource : "?", *holder ? holder : "another session",
		    (long long)json_integer_value(json_object_get(wait, "pid")));
		print_line(seconds, what, claim_by(session, json_text(wait, "resource")));
		free(holder);
		free(what);
	}
	free(resource);
}

/* Until the helper started the session waited in make, and then in its helper, which noted it. */
static void
print_waits(int rundir, struct planfile *plan, const struct record *record, double run_started)
{
	json_t *session = planfile_session(plan, record->target), *wait;
	struct waiter waiter = { .plan = plan, .session = session, .cue = record->cue,
		.helper_started = record->started };
	double ready = run_started;
	struct cause cause;
	size_t i;

	json_array_foreach(record->waits, i, wait)
		if (!waits_within(wait))
			waiter.helper_started -= json_number(wait, "seconds");
	record_each(rundir, consider_record, &waiter);
	cause = waiter.cause;
	if (cause.target && cause.ended > run_started) {
		char *what = xasprintf("until %s had ended: %s", cause.target, cause.what);

		print_line(cause.ended - run_started, what, cause.by);
		ready = cause.ended;
		free(what);
	}
	print_line(waiter.helper_started - ready, "for a job slot, which make gives", "");
	json_array_foreach(record->waits, i, wait)
		print_wait(session, wait);
	free(cause.target);
	free(cause.what);
	free(cause.by);
	json_decref(session);
}

static void
print_head(const struct record *record, double run_started)
{
	char *line;

	if (record->verdict == NOT_RUN)
		line = xasprintf("%s: not run: %s", record->target,
		    record->reason ? record->reason : "");
	else
		line = xasprintf("%s: %s, started %s into the run, took %s", record->target,
		    verdict_name(record->verdict),
		    screen_duration(record->started - run_started).s,
		    screen_duration(record->duration).s);
	screen_put_cut(line, screen_left(0));
	putchar('\n');
	free(line);
}

int
why_print(int rundir, const char *target)
{
	struct planfile *plan = NULL;
	struct record record = { 0 };
	json_t *info = NULL;
	int result = -1;

	if (strchr(target, '/') || record_read(rundir, target, &record) != 1) {
		warnx("%s: no record in this run (`make nox-list` names the targets)", target);
	} else if ((info = rundir_info(rundir)) && (plan = planfile_open(rundir))) {
		double started = json_number(info, "started");

		print_head(&record, started);
		if (record.verdict != NOT_RUN)
			print_waits(rundir, plan, &record, started);
		result = 0;
	}
	planfile_close(plan);
	json_decref(info);
	record_clear(&record);
	return result;
}
