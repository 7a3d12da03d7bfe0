#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "report/advice.h"
#include "report/lanes.h"
#include "report/load.h"
#include "report/results.h"
#include "report/work.h"

static json_t *
number_or_null(double number)
{
	json_t *value = number >= 0 ? json_real(number) : NULL;

	return value ? value : json_null();
}

/* For what may not be there, and is 0 then. */
static json_t *
count_or_null(unsigned long long n)
{
	return n > 0 ? json_integer((json_int_t)n) : json_null();
}

static json_t *
list_of(json_t *list)
{
	return json_is_array(list) ? json_incref(list) : json_array();
}

static json_t *
copy_of(const json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	return value ? json_incref(value) : json_null();
}

static json_t *
target_of(const struct story *story, size_t at)
{
	return at == NO_RECORD ? json_null() : json_string(story->table.records[at].target);
}

static json_t *
waited_of(const double seconds[WAITS])
{
	json_t *waited = json_object();

	for (enum wait_kind kind = 0; kind < WAITS; kind++)
		json_object_set_new(waited, wait_kind_name(kind), json_real(seconds[kind]));
	return waited;
}

static json_t *
work_json(const struct work *work)
{
	json_t *object = json_object();

	for (enum step_kind kind = 0; kind < STEP_KINDS; kind++)
		json_object_set_new(object, work_name(kind), json_real(work->seconds[kind]));
	return object;
}

/* What it last waited for, or null. */
static json_t *
before_of(const struct story *story, const struct lead *lead)
{
	if (lead->before == NO_RECORD)
		return json_null();
	return json_pack("{s:o,s:s,s:o,s:o}", "target", target_of(story, lead->before), "for",
	    wait_kind_name(lead->last), "what", json_text_or_null(lead->last == WAIT_EDGE ?
	    lead->what : NULL), "by", json_text_or_null(lead->last == WAIT_EDGE ? lead->by : NULL));
}

/* The steps with times from the run's start. */
static json_t *
steps_of(const struct story *story, const struct record *r)
{
	json_t *steps = json_array(), *step;
	size_t i;

	json_array_foreach(r->steps, i, step) {
		double began = story_moment(story, json_number(step, "started"));

		json_array_append_new(steps, json_pack("{s:s,s:s,s:o,s:f,s:f,s:f,s:b}", "kind",
		    json_text(step, "kind"), "command", json_text(step, "command"), "exit",
		    copy_of(step, "exit"), "began", began, "seconds",
		    json_number(step, "seconds"), "waited", json_number(step, "waited"),
		    "cut", json_is_true(json_object_get(step, "cut"))));
	}
	return steps;
}

/* The verdict, and how it came to that. */
static json_t *
judgement_of(const struct record *r)
{
	char *log = r->logged ? xasprintf("%s.log", r->target) : NULL;
	json_t *object = json_pack("{s:s,s:s,s:s,s:o,s:b,s:b,s:o,s:o,s:o,s:o,s:o,s:o,s:o}",
	    "target", r->target, "session", r->session, "verdict", verdict_name(r->verdict),
	    "reason", json_text_or_null(r->reason), "well", !record_is_bad(r),
	    "flaky", record_is_flaky(r), "exit", r->exit < 0 ? json_null() : json_integer(r->exit),
	    "signal", r->signal < 0 ? json_null() : json_integer(r->signal), "log",
	    json_text_or_null(log), "left", json_text_or_null(r->left), "attempts",
	    list_of(r->attempts), "notify", list_of(r->notify), "recheck",
	    r->recheck ? json_incref(r->recheck) : json_null());

	free(log);
	return object;
}

/* Its times, and what it used. */
static json_t *
measures_of(const struct story *story, size_t at, const struct history *history)
{
	const struct record *r = &story->table.records[at];
	const struct lead *lead = &story->leads[at];
	bool has_run = lead_has_run(r);
	struct expectation usual = history_expect(history, r->target);
	struct work work = { 0 };

	(void)work_add(&work, r);
	return json_pack("{s:o,s:o,s:f,s:o,s:o,s:o,s:f,s:o,s:o,"
			 "s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:O?}",
	    "began", has_run ? json_real(story_moment(story, r->started)) : json_null(),
	    "ended", has_run ? json_real(story_moment(story, r->ended)) : json_null(),
	    "duration", r->duration, "own", number_or_null(r->own),
	    "crowded", number_or_null(r->crowded),
	    "usual", number_or_null(usual.known ? usual.seconds : -1), "cpu", r->cpu,
	    "width", count_or_null(r->width), "told", count_or_null(r->told),
	    "memory", count_or_null(r->memory), "wide", list_of(r->wide),
	    "waited", waited_of(lead->seconds), "waits", list_of(r->waits),
	    "before", before_of(story, lead), "work", work_json(&work),
	    "steps", steps_of(story, r), "slots", count_or_null(r->slots), "samples",
	    r->samples);
}

static json_t *
session_of(const struct story *story, size_t at, const struct history *history,
    const size_t *lanes)
{
	const struct record *r = &story->table.records[at];
	const json_t *line = json_object_get(story->table.sessions, r->target);
	json_t *session = judgement_of(r), *measures = measures_of(story, at, history);

	if (!session || !measures) {
		json_decref(session);
		json_decref(measures);
		return NULL;
	}
	json_object_update(session, measures);
	json_decref(measures);
	json_object_set_new(session, "lane", lanes[at] == NO_LANE ? json_null() :
	    json_integer((json_int_t)lanes[at]));
	json_object_set_new(session, "more_steps", r->more_steps ?
	    json_incref(r->more_steps) : json_null());
	json_object_set_new(session, "machine", json_text_or_null(r->machine));
	if (r->part > 0)
		json_object_update_new(session, json_pack("{s:[I,I],s:s}", "part",
		    (json_int_t)r->part, (json_int_t)r->parts, "whole", r->whole));
	json_object_set_new(session, "cue", json_text_or_null(r->cue));
	json_object_set_new(session, "requires", list_of(json_object_get(line, "requires")));
	json_object_set_new(session, "after", list_of(json_object_get(line, "after")));
	json_object_set_new(session, "claims", list_of(json_object_get(line, "claims")));
	return session;
}

static json_t *
sessions_of(const struct story *story, const struct history *history)
{
	size_t *lanes = lanes_of(&story->table);
	json_t *sessions = json_array();

	for (size_t i = 0; i < story->table.n; i++)
		json_array_append_new(sessions, session_of(story, i, history, lanes));
	free(lanes);
	return sessions;
}

static json_t *
counts_of(const struct story *story)
{
	json_t *counts = json_object();

	for (enum verdict v = 0; v < VERDICTS; v++) {
		json_int_t n = 0;

		for (size_t i = 0; i < story->table.wholes.n; i++)
			n += story->table.wholes.v[i].verdict == v;
		json_object_set_new(counts, verdict_name(v), json_integer(n));
	}
	return counts;
}

static json_t *
run_of(const struct story *story)
{
	const struct request *request = &story->request;

	return json_pack("{s:s,s:s,s:f,s:f,s:o,s:o,s:o,s:o,s:o,s:o}", "name", story_name(story),
	    "state", story_state(story), "started", story->started, "wall", story->wall,
	    "jobs", count_or_null(story->jobs), "processors", count_or_null(request->processors),
	    "goals", list_of(request->goals), "knobs", json_is_object(request->knob_texts) ?
	    json_incref(request->knob_texts) : json_object(), "noxfile",
	    copy_of(planfile_header(story->plan), "noxfile"), "verdicts", counts_of(story));
}

static json_t *
path_of(const struct story *story)
{
	json_t *path = json_array();

	for (size_t i = 0; i < story->path.n; i++)
		json_array_append_new(path, target_of(story, story->path.v[i]));
	return path;
}

static json_t *
all_waited(const struct story *story)
{
	double seconds[WAITS] = { 0 };

	for (size_t i = 0; i < story->table.n; i++)
		for (enum wait_kind kind = 0; kind < WAITS; kind++)
			seconds[kind] += story->leads[i].seconds[kind];
	return waited_of(seconds);
}

static json_t *
used_together(const struct story *story)
{
	struct load load = load_of(story);
	json_t *use = json_pack("{s:f,s:o}", "processors", load.cpu, "mib",
	    number_or_null(load.mib > 0 ? load.mib : -1));

	load_clear(&load);
	return use;
}

json_t *
results_of(const struct story *story, const struct history *history)
{
	struct work work = work_of(&story->table);

	return json_pack("{s:i,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:O}", "schema", 1,
	    "noxmk", NOXMK_VERSION, "run", run_of(story),
	    "sessions", sessions_of(story, history), "critical_path", path_of(story),
	    "waited", all_waited(story), "resources", story_resources(story),
	    "work", work_json(&work), "use", used_together(story),
	    "predictions", advice_of(story, history),
	    "overlaps", story->overlaps ? json_incref(story->overlaps) : json_null(),
	    "running", story->ongoing);
}

void
results_add(struct buffer *out, const struct story *story, const struct history *history)
{
	json_t *results = results_of(story, history);
	char *text = results ? json_dumps(results, JSON_INDENT(1) | JSON_REAL_PRECISION(15)) : NULL;

	buffer_addstr(out, text ? text : "null");
	buffer_addstr(out, "\n");
	free(text);
	json_decref(results);
}
