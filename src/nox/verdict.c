#include <ctype.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/json.h"
#include "nox/steps.h"
#include "nox/verdict.h"
#include "state/bounds.h"

/* nox's exit code. */
enum code { CODE_0, CODE_1, CODE_OTHER, CODES };

/* What its report says of the session. */
enum word { NOTHING, CUT_OFF, SUCCESS, FAILURE, ABORT, SKIP, WORDS };

/* The word of an entry's "result"; CUT_OFF is not one of them. */
static const char *const results[WORDS] = {
	[SUCCESS] = "success", [FAILURE] = "failed", [ABORT] = "aborted", [SKIP] = "skipped",
};

/* Bytes of what a session notifies, as JSON. */
enum { NOTIFY_MOST = 4 << 20 };

struct evidence {
	int code, signal;   /* -1: none */
	const char *result; /* the report's word, or NULL */
	const char *reason; /* the report's reason, or NULL */
};

/*
 * nox's own report may list prerequisites that ran in the same process; the session's entry has its
 * name, or is the last.
 */
static const json_t *
find_entry(const json_t *report, const char *session)
{
	const json_t *list = json_object_get(report, "sessions"), *item;
	size_t i;

	json_array_foreach(list, i, item) {
		const char *name = json_string_value(json_object_get(item, "name"));

		if (name && !strcmp(name, session))
			return item;
	}
	return json_array_get(list, json_array_size(list) - 1);
}

/* A session passed, but nox stumbled while it wrote the rest of this report. */
static bool
is_cut_off(const struct buffer *text)
{
	static const char start[] = "{\n  \"result\": 1,";

	return text->len >= sizeof(start) - 1 && !memcmp(text->data, start, sizeof(start) - 1);
}

static enum word
read_word(const char *result, const struct buffer *text)
{
	for (enum word word = 0; result && word < WORDS; word++)
		if (results[word] && !strcmp(result, results[word]))
			return word;
	return is_cut_off(text) ? CUT_OFF : NOTHING;
}

/* [{"index":5,"posargs":…}] -> [{"target":"coverage","posargs":…}] */
static json_t *
read_notify(const json_t *report, struct planfile *plan)
{
	const json_t *list = json_object_get(report, "notify"), *item;
	json_t *notify = json_array();
	size_t i;

	json_array_foreach(list, i, item) {
		const json_t *index = json_object_get(item, "index");
		json_t *targets = json_is_integer(index) && json_integer_value(index) >= 0 ?
		    planfile_targets_at(plan, (size_t)json_integer_value(index)) : NULL;
		const json_t *target;
		size_t k;

		json_array_foreach(targets, k, target)
			json_array_append_new(notify, json_pack("{s:O,s:O?}", "target", target,
			    "posargs", json_object_get(item, "posargs")));
		json_decref(targets);
	}
	return notify;
}

/* The reasons of the table below: new strings, or NULL. */

/* nox reports some with the blank line that ends its message. */
static char *
reported(const struct evidence *evidence)
{
	const char *reason = evidence->reason ? evidence->reason : "";
	size_t len = strlen(reason);

	while (len > 0 && isspace((unsigned char)reason[len - 1]))
		len--;
	return len > 0 ? xasprintf("%.*s", (int)len, reason) : NULL;
}

static char *
killed(const struct evidence *evidence)
{
	const char *name = sigabbrev_np(evidence->signal);

	return xasprintf("nox was killed by SIG%s", name ? name : "?");
}

static char *
too_early(const struct evidence *evidence)
{
	if (evidence->reason)
		return reported(evidence);
	return xstrdup("nox exited with status 0 before the session was over");
}

/*
 * What never became a session has exit codes of nox itself: 2 for a bad option or an unmet
 * needs_version, 3 for a session that is not there.
 */
static char *
no_report(const struct evidence *evidence)
{
	switch (evidence->code) {
	case 2:
		return xstrdup("nox: bad option or unmet needs_version (exit 2)");
	default:
		return xasprintf("nox exited with status %d and left no report", evidence->code);
	}
}

static char *
gone(const struct evidence *evidence)
{
	(void)evidence;
	return xstrdup("the noxfile has no such session any more");
}

#define NOT_WRITTEN "nox could not write its report"

static char *
not_written(const struct evidence *evidence)
{
	(void)evidence;
	return xstrdup(NOT_WRITTEN);
}

/* What nox says of a session that is well it takes back when it fails afterwards. */
static char *
too_late(const struct evidence *evidence)
{
	return xasprintf("%s, then nox exited with status %d",
	    strcmp(evidence->result, results[SKIP]) ? "it passed" : "it was skipped",
	    evidence->code);
}

static char *
disputed(const struct evidence *evidence)
{
	return xasprintf("nox exited with 0, but its report says %s", evidence->result);
}

struct judgement {
	enum verdict verdict;
	char *(*reason)(const struct evidence *);
};

static const struct judgement on_gone = { FAILED, gone };

/* A session whose nox was killed has not passed, whatever the report says. */
static const struct judgement on_death = { FAILED, killed };

static const struct judgement on_exit_with[WORDS][CODES] = {
	/*            CODE_0                 CODE_1                   CODE_OTHER */
	[NOTHING] = { { FAILED, too_early }, { FAILED, no_report },   { FAILED, no_report } },
	[CUT_OFF] = { { FAILED, too_early }, { PASSED, not_written }, { FAILED, no_report } },
	[SUCCESS] = { { PASSED, reported },  { FAILED, too_late },    { FAILED, too_late }  },
	[FAILURE] = { { FAILED, disputed },  { FAILED, reported },    { FAILED, reported }  },
	[ABORT]   = { { FAILED, disputed },  { ABORTED, reported },   { ABORTED, reported } },
	[SKIP]    = { { SKIPPED, reported }, { FAILED, too_late },    { FAILED, too_late }  },
};

static const struct judgement *
judge(const struct evidence *evidence, enum word word)
{
	enum code code = evidence->code == 0 ? CODE_0 : evidence->code == 1 ? CODE_1 : CODE_OTHER;

	return evidence->signal >= 0 ? &on_death : &on_exit_with[word][code];
}

/* The shim says so; nox by itself has an exit code of its own for that. */
static bool
is_gone(const struct evidence *evidence, const json_t *report, struct planfile *plan)
{
	const json_t *python = json_object_get(planfile_header(plan), "python");

	if (json_is_true(json_object_get(report, "gone")))
		return true;
	return !report && evidence->code == 3 && !json_is_string(python);
}

/*
 * Without nox's start and end, by its report; that takes part in the duration. Of a session that
 * was cut off there are notes, which say when it began.
 */
static double
own_seconds(const struct record *r, const json_t *entry, double now)
{
	const json_t *seconds = json_object_get(entry, "duration");
	double own = json_is_number(seconds) ? json_number_value(seconds) : -1;

	if (json_is_number(json_object_get(entry, "began")))
		own = now - json_number(entry, "began") - json_number(entry, "waited");
	return own >= 0 && own <= r->duration ? own : -1;
}

/* Words that no program can be given would also make a record that nobody reads. */
static void
check_notify(struct record *r)
{
	if (json_dumpb(r->notify, NULL, 0, 0) <= NOTIFY_MOST)
		return;
	json_array_clear(r->notify);
	if (r->verdict == PASSED)
		record_decide(r, FAILED, xstrdup("the posargs that it notifies others with are "
						 "longer than 4 MiB"));
}

void
verdict_judge(struct record *r, int status, const struct buffer *text, struct planfile *plan)
{
	json_t *report = text->len ? json_loadb(text->data, text->len, 0, NULL) : NULL;
	const json_t *entry = find_entry(report, r->session);
	struct evidence evidence = {
		.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
		.signal = WIFSIGNALED(status) ? WTERMSIG(status) : -1,
		.result = json_string_value(json_object_get(entry, "result")),
		.reason = json_string_value(json_object_get(entry, "reason")) };
	const struct judgement *judgement = judge(&evidence, read_word(evidence.result, text));
	double now = clock_now();

	r->gone = is_gone(&evidence, report, plan);
	if (r->gone)
		judgement = &on_gone;
	r->exit = evidence.code;
	r->signal = evidence.signal;
	r->notify = read_notify(report, plan);
	r->own = own_seconds(r, entry, now);
	r->steps = steps_read(entry, now);
	r->more_steps = bounds_more_steps(json_object_get(entry, "steps"),
	    json_object_get(entry, "more_steps"));
	record_decide(r, judgement->verdict, judgement->reason(&evidence));
	check_notify(r);
	json_decref(report);
}

bool
verdict_is_sound(const struct record *r)
{
	if (r->verdict != PASSED && r->verdict != SKIPPED)
		return true;
	if (r->verdict == PASSED && r->exit == 1 && r->reason && !strcmp(r->reason, NOT_WRITTEN))
		return r->signal < 0;
	return r->exit == 0 && r->signal < 0;
}
