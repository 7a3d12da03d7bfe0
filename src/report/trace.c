#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "report/lanes.h"
#include "report/load.h"
#include "report/segments.h"
#include "report/trace.h"
#include "report/waits.h"

/* The processes of the trace. */
enum { SESSIONS = 1, WAITING, USE };

/* Seconds that a step is seen to wait for others: to wait for an answer alone takes less. */
#define WAIT_LEAST 0.05

struct trace {
	struct buffer *out;
	const struct story *story;
	bool begun;
};

/* Takes the event; NULL is none. */
static void
add_event(struct trace *trace, json_t *event)
{
	char *text = event ? json_dumps(event, JSON_COMPACT | JSON_REAL_PRECISION(15)) : NULL;

	if (text)
		buffer_printf(trace->out, "%s\n%s", trace->begun ? "," : "", text);
	trace->begun = trace->begun || text;
	free(text);
	json_decref(event);
}

/* A slice from a moment to a later one, in seconds. Takes args, which may be NULL. */
static void
add_slice(struct trace *trace, int process, size_t lane, const char *name, const char *category,
    struct span span, json_t *args)
{
	if (!(span.to - span.from >= WAITS_NOTEWORTHY)) {
		json_decref(args);
		return;
	}
	add_event(trace, json_pack("{s:s,s:s,s:s,s:i,s:I,s:f,s:f,s:o}", "name", name, "cat",
	    category, "ph", "X", "pid", process, "tid", (json_int_t)lane + 1,
	    "ts", span.from * 1e6, "dur", (span.to - span.from) * 1e6,
	    "args", args ? args : json_object()));
}

static void
name_process(struct trace *trace, int process, const char *name)
{
	add_event(trace, json_pack("{s:s,s:s,s:i,s:{s:s}}", "name", "process_name", "ph", "M",
	    "pid", process, "args", "name", name));
	add_event(trace, json_pack("{s:s,s:s,s:i,s:{s:i}}", "name", "process_sort_index", "ph",
	    "M", "pid", process, "args", "sort_index", process));
}

/* The machine of a lane of sessions; "" where there is one. */
static const char *
machine_of(const struct trace *trace, int process, const size_t *lanes, size_t lane)
{
	const struct table *table = &trace->story->table;

	for (size_t i = 0; process == SESSIONS && i < table->n; i++)
		if (lanes[i] == lane)
			return table->records[i].machine ? table->records[i].machine : "";
	return "";
}

static void
name_lanes(struct trace *trace, int process, const char *name, const size_t *lanes, size_t n)
{
	size_t most = 0, first = 0;
	const char *last = "";

	for (size_t i = 0; i < n; i++)
		if (lanes[i] != NO_LANE && lanes[i] + 1 > most)
			most = lanes[i] + 1;
	for (size_t lane = 0; lane < most; lane++) {
		const char *machine = machine_of(trace, process, lanes, lane);
		char *words;

		first = strcmp(machine, last) ? lane : first;
		last = machine;
		words = xasprintf("%s%s%s %zu", machine, *machine ? ", " : "", name,
		    lane - first + 1);
		add_event(trace, json_pack("{s:s,s:s,s:i,s:I,s:{s:s}}", "name", "thread_name",
		    "ph", "M", "pid", process, "tid", (json_int_t)lane + 1, "args", "name",
		    words));
		free(words);
	}
}

static void
add_steps(struct trace *trace, size_t at, size_t lane)
{
	struct segments segments = segments_of(trace->story, at);

	for (size_t i = 0; i < segments.n; i++) {
		const struct segment *segment = &segments.v[i];
		const char *command = json_text(segment->step, "command");
		const char *kind = json_text(segment->step, "kind");
		json_t *code = json_object_get(segment->step, "exit");

		add_slice(trace, SESSIONS, lane, *command ? command : kind, kind, segment->span,
		    json_pack("{s:O?,s:b}", "exit", code, "cut",
		    json_is_true(json_object_get(segment->step, "cut"))));
		if (segment->waited.to - segment->waited.from >= WAIT_LEAST)
			add_slice(trace, SESSIONS, lane, "waits for others", "wait",
			    segment->waited, NULL);
	}
	free(segments.v);
}

static void
add_sessions(struct trace *trace)
{
	const struct table *table = &trace->story->table;
	size_t *lanes = lanes_of(table);

	name_process(trace, SESSIONS, "sessions");
	name_lanes(trace, SESSIONS, "slot", lanes, table->n);
	for (size_t i = 0; i < table->n; i++) {
		const struct record *r = &table->records[i];
		struct span span = { story_moment(trace->story, r->started),
			story_moment(trace->story, r->ended) };

		if (lanes[i] == NO_LANE)
			continue;
		add_slice(trace, SESSIONS, lanes[i], r->target, "session", span,
		    json_pack("{s:s,s:o,s:f,s:I,s:I,s:O?}", "verdict", verdict_name(r->verdict),
		    "reason", json_text_or_null(r->reason), "cpu", r->cpu, "width",
		    (json_int_t)r->width, "memory", (json_int_t)r->memory, "more_steps",
		    r->more_steps));
		add_steps(trace, i, lanes[i]);
	}
	free(lanes);
}

/* From when to when it waited for anything but edges; nothing: it did not. */
static struct span
span_of(const struct waits *waits)
{
	size_t first = 0;

	while (first < waits->n && waits->v[first].kind == WAIT_EDGE)
		first++;
	return first == waits->n ? (struct span){ 1, 0 } :
	    (struct span){ waits->v[first].span.from, waits->v[waits->n - 1].span.to };
}

static void
add_waits(struct trace *trace, size_t at, size_t lane, const struct waits *waits)
{
	const char *target = trace->story->table.records[at].target;

	add_slice(trace, WAITING, lane, target, "waiting", span_of(waits), NULL);
	for (size_t i = 0; i < waits->n; i++) {
		const struct wait *wait = &waits->v[i];

		if (wait->kind != WAIT_EDGE)
			add_slice(trace, WAITING, lane,
			    *wait->what ? wait->what : wait_kind_words(wait->kind),
			    wait_kind_name(wait->kind), wait->span,
			    json_pack("{s:s}", "holder", wait->holder));
	}
}

static void
add_waiting(struct trace *trace)
{
	size_t n = trace->story->table.n;
	struct span *spans = xcalloc(n, sizeof(*spans));
	struct waits *waits = xcalloc(n, sizeof(*waits));
	size_t *lanes = xcalloc(n, sizeof(*lanes));

	for (size_t i = 0; i < n; i++) {
		waits[i] = waits_before(trace->story, i);
		spans[i] = span_of(&waits[i]);
	}
	lanes_assign(spans, n, lanes);
	name_process(trace, WAITING, "waiting");
	name_lanes(trace, WAITING, "waiting", lanes, n);
	for (size_t i = 0; i < n; i++) {
		if (lanes[i] != NO_LANE)
			add_waits(trace, i, lanes[i], &waits[i]);
		free(waits[i].v);
	}
	free(waits);
	free(spans);
	free(lanes);
}

static void
add_count(struct trace *trace, const char *name, double at, double value, double before)
{
	if (value != before)
		add_event(trace, json_pack("{s:s,s:s,s:i,s:f,s:{s:f}}", "name", name, "ph", "C",
		    "pid", USE, "ts", at * 1e6, "args", name, value));
}

static void
add_use(struct trace *trace)
{
	struct load load = load_of(trace->story);
	struct load_point before = { .cpu = -1, .mib = -1, .width = -1, .slots = -1 };

	name_process(trace, USE, "use");
	for (size_t i = 0; i < load.n; i++) {
		const struct load_point *now = &load.v[i];

		add_count(trace, "processors", now->at, now->cpu, before.cpu);
		add_count(trace, "threads", now->at, now->width, before.width);
		add_count(trace, "MiB", now->at, now->mib, before.mib);
		add_count(trace, "slots", now->at, now->slots, before.slots);
		before = *now;
	}
	load_clear(&load);
}

void
trace_add(struct buffer *out, const struct story *story)
{
	struct trace trace = { .out = out, .story = story };

	buffer_addstr(out, "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[");
	add_sessions(&trace);
	add_waiting(&trace);
	add_use(&trace);
	buffer_addstr(out, "\n]}\n");
}
