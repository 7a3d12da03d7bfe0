#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "output/screen.h"
#include "plan/planfile.h"
#include "report/why.h"
#include "state/record.h"
#include "state/rundir.h"

/* Seconds too few to be worth a line; make's own work between two sessions is below it. */
#define NOTEWORTHY 0.05

/* What a session waited for last before make could start its helper. */
struct cause {
	char *target;
	double ended; /* Unix time */
	char *what;   /* "it requires lint" */
	char *by;     /* the declaration */
};

static const char *
text(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

/* The later one counts. Takes what and by. */
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

static bool
names(const json_t *session, const char *key, const char *target)
{
	json_t *item;
	size_t i;

	json_array_foreach(json_object_get(session, key), i, item)
		if (json_is_string(item) && !strcmp(json_string_value(item), target))
			return true;
	return false;
}

/* Who declared that edge: the configuration's key, or else nox's own word. */
static char *
declared_by(const json_t *session, const char *target, const char *otherwise)
{
	const char *by = text(json_object_get(session, "by"), target);

	return xstrdup(*by ? by : otherwise);
}

/* A resource that both claim, and at least one of them not only for reading. */
static const json_t *
shared_claim(const json_t *session, const json_t *other)
{
	json_t *mine, *theirs;
	size_t i, k;

	json_array_foreach(json_object_get(session, "claims"), i, mine)
		json_array_foreach(json_object_get(other, "claims"), k, theirs)
			if (!strcmp(text(mine, "resource"), text(theirs, "resource")) &&
			    (!strcmp(text(mine, "use"), "exclusive") ||
			     !strcmp(text(theirs, "use"), "exclusive")))
				return !strcmp(text(mine, "use"), "exclusive") ? mine : theirs;
	return NULL;
}

/* cue: the target that the session's record names as such, or NULL. */
static void
consider(struct cause *cause, const json_t *session, const char *cue, const json_t *other,
    const struct record *record)
{
	const char *name = record->target;
	const json_t *claim;

	if (names(session, "requires", name))
		propose(cause, record, xasprintf("it requires %s", name),
		    declared_by(session, name, "requires= in the noxfile"));
	else if (names(session, "after", name))
		propose(cause, record, xasprintf("it comes after %s", name),
		    declared_by(session, name, "session.notify() in the noxfile"));
	else if ((claim = shared_claim(session, other)))
		propose(cause, record, xasprintf("%s and it share %s", name,
		    text(claim, "resource")), xstrdup(text(claim, "by")));
	else if (cue && !strcmp(cue, name))
		propose(cause, record, xstrdup("it was due then"),
		    xstrdup("the order by expected times"));
}

/* Of all that had ended by then, which it had to wait for, the last one. */
static struct cause
find_cause(int run, struct planfile *plan, const json_t *session, const char *cue,
    double helper_started)
{
	struct cause cause = { 0 };
	json_t *records = record_list(run), *item;
	size_t i;

	json_array_foreach(records, i, item) {
		json_t *other = planfile_session(plan, json_string_value(item));
		struct record record = { 0 };

		if (other && strcmp(json_string_value(item), text(session, "target")) != 0 &&
		    record_read(run, json_string_value(item), &record) == 1 &&
		    record.ended <= helper_started + NOTEWORTHY)
			consider(&cause, session, cue, other, &record);
		record_clear(&record);
		json_decref(other);
	}
	json_decref(records);
	return cause;
}

static void
print_line(double seconds, const char *what, const char *by)
{
	char *duration, *safe;

	if (seconds < NOTEWORTHY)
		return;
	duration = screen_duration(seconds);
	safe = screen_safe(by);
	printf("  %7s  %s%s%s%s\n", duration, what, *safe ? "  (" : "", safe, *safe ? ")" : "");
	free(duration);
	free(safe);
}

static const char *
claim_by(const json_t *session, const char *resource)
{
	json_t *claim;
	size_t i;

	json_array_foreach(json_object_get(session, "claims"), i, claim)
		if (!strcmp(text(claim, "resource"), resource))
			return text(claim, "by");
	return "";
}

static void
print_wait(const json_t *session, const json_t *wait)
{
	double seconds = json_number_value(json_object_get(wait, "seconds"));
	char *resource = screen_safe(text(wait, "resource")), *holder, *what;

	if (strcmp(text(wait, "for"), "resource") != 0) {
		print_line(seconds, "for a job slot", "");
	} else {
		holder = screen_safe(text(wait, "target"));
		what = xasprintf("for the resource %s, which %s (pid %lld) had",
		    *resource ? resource : "?", *holder ? holder : "another session",
		    (long long)json_integer_value(json_object_get(wait, "pid")));
		print_line(seconds, what, claim_by(session, text(wait, "resource")));
		free(holder);
		free(what);
	}
	free(resource);
}

static void
print_waits(int run, struct planfile *plan, const struct record *record, double run_started)
{
	json_t *session = planfile_session(plan, record->target), *wait;
	double helper_started = record->started, ready = run_started;
	struct cause cause;
	size_t i;

	json_array_foreach(record->waits, i, wait)
		helper_started -= json_number_value(json_object_get(wait, "seconds"));
	cause = find_cause(run, plan, session, record->cue, helper_started);
	if (cause.target && cause.ended > run_started) {
		char *what = xasprintf("until %s had ended: %s", cause.target, cause.what);

		print_line(cause.ended - run_started, what, cause.by);
		ready = cause.ended;
		free(what);
	}
	print_line(helper_started - ready, "for a job slot, which make gives", "");
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
	char *into = screen_duration(record->started - run_started);
	char *took = screen_duration(record->duration);
	char *reason = screen_safe(record->reason ? record->reason : "");

	if (record->verdict == NOT_RUN)
		printf("%s: not run: %s\n", record->target, reason);
	else
		printf("%s: %s, started %s into the run, took %s\n", record->target,
		    verdict_name(record->verdict), into, took);
	free(into);
	free(took);
	free(reason);
}

int
why_print(int run, const char *target)
{
	struct planfile *plan = NULL;
	struct record record = { 0 };
	json_t *facts = NULL;
	int result = -1;

	if (strchr(target, '/') || record_read(run, target, &record) != 1) {
		warnx("%s: no record in this run (`make nox-list` names the targets)", target);
	} else if ((facts = rundir_facts(run)) && (plan = planfile_open(run))) {
		double started = json_number_value(json_object_get(facts, "started"));

		print_head(&record, started);
		if (record.verdict != NOT_RUN)
			print_waits(run, plan, &record, started);
		result = 0;
	}
	planfile_close(plan);
	json_decref(facts);
	record_clear(&record);
	return result;
}
