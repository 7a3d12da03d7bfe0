#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "output/screen.h"
#include "plan/use.h"
#include "report/cause.h"
#include "report/lead.h"

static const struct {
	const char *name, *words;
} kinds[WAITS] = {
	[WAIT_EDGE] = { "edge", "other sessions to end" },
	[WAIT_SLOT] = { "slot", "a job slot" },
	[WAIT_RESOURCE] = { "resource", "a resource" },
	[WAIT_MEMORY] = { "memory", "memory" },
	[WAIT_BUILD] = { "build", "a build by another session" },
	[WAIT_PROCESSORS] = { "processors", "processors" },
};

/* A table's records, to be found by what they are. */
struct index {
	const struct table *table;
	json_t *positions;     /* target -> record */
	struct indices ended;  /* those that have run, by their ends */
	json_t *users;         /* resource -> those that use it, in that order */
	json_t *writers;       /* resource -> those that use it alone */
};

const char *
wait_kind_name(enum wait_kind kind)
{
	return kinds[kind].name;
}

const char *
wait_kind_words(enum wait_kind kind)
{
	return kinds[kind].words;
}

bool
lead_has_run(const struct record *r)
{
	return r->verdict != NOT_RUN && r->ended >= r->started && r->started > 0 &&
	       r->ended - r->started < LEAD_LONGEST;
}

double
lead_end(const struct record *r, double run_started)
{
	double ended = lead_has_run(r) ? r->ended - run_started : 0;

	return ended > 0 && ended < LEAD_LONGEST ? ended : 0;
}

double
lead_wall(const struct table *table, double run_started)
{
	double wall = 0;

	for (size_t i = 0; i < table->n; i++) {
		double ended = lead_end(&table->records[i], run_started);

		if (ended > wall)
			wall = ended;
	}
	return wall;
}

double
lead_waited(const struct lead *lead)
{
	double seconds = 0;

	for (enum wait_kind kind = WAIT_EDGE + 1; kind < WAITS; kind++)
		seconds += lead->seconds[kind];
	return seconds;
}

static int
compare_ends(const void *a, const void *b, void *data)
{
	const struct table *table = data;
	double x = table->records[*(const size_t *)a].ended;
	double y = table->records[*(const size_t *)b].ended;

	return x < y ? -1 : x > y;
}

static void
add_user(json_t *users, const char *resource, size_t at)
{
	json_t *list = json_object_get(users, resource);

	if (!list) {
		list = json_array();
		json_object_set_new(users, resource, list);
	}
	json_array_append_new(list, json_integer((json_int_t)at));
}

static struct index
index_of(const struct table *table)
{
	struct index index = { .table = table, .positions = json_object(), .users = json_object(),
		.writers = json_object() };
	json_t *claim;
	size_t k;

	for (size_t i = 0; i < table->n; i++) {
		json_object_set_new(index.positions, table->records[i].target,
		    json_integer((json_int_t)i));
		if (lead_has_run(&table->records[i]))
			indices_add(&index.ended, i);
	}
	if (index.ended.n > 0)
		qsort_r(index.ended.v, index.ended.n, sizeof(*index.ended.v), compare_ends,
		    (void *)table);
	for (size_t i = 0; i < index.ended.n; i++) {
		size_t at = index.ended.v[i];
		const json_t *session = json_object_get(table->sessions,
		    table->records[at].target);

		json_array_foreach(json_object_get(session, "claims"), k, claim) {
			add_user(index.users, json_text(claim, "resource"), at);
			if (use_of(claim) == EXCLUSIVE)
				add_user(index.writers, json_text(claim, "resource"), at);
		}
	}
	return index;
}

static void
index_free(struct index *index)
{
	json_decref(index->positions);
	json_decref(index->users);
	json_decref(index->writers);
	free(index->ended.v);
}

static size_t
position(const struct index *index, const char *target)
{
	const json_t *at = target ? json_object_get(index->positions, target) : NULL;

	return at ? (size_t)json_integer_value(at) : NO_RECORD;
}

/* Had that one ended by that time, and can it have been waited for? Clocks may have been set. */
static bool
may_be_before(const struct index *index, size_t other, size_t self, double time)
{
	const struct record *r = &index->table->records[self];
	const struct record *o = other == NO_RECORD ? NULL : &index->table->records[other];

	return o && other != self && lead_has_run(o) && o->ended <= time + CAUSE_LATE &&
	       o->started < r->started && record_same_machine(o, r);
}

static void
consider(const struct index *index, struct cause *cause, size_t self, size_t other, double ready)
{
	const struct table *table = index->table;
	const struct record *r = &table->records[self];

	if (may_be_before(index, other, self, ready))
		cause_consider(cause, json_object_get(table->sessions, r->target), r->cue,
		    json_object_get(table->sessions, table->records[other].target),
		    &table->records[other]);
}

/* Of a list of users the last one that had ended by then. */
static void
consider_last_user(const struct index *index, struct cause *cause, size_t self,
    const json_t *users, double ready)
{
	for (size_t i = json_array_size(users); i-- > 0;) {
		size_t other = (size_t)json_integer_value(json_array_get(users, i));

		if (may_be_before(index, other, self, ready)) {
			consider(index, cause, self, other, ready);
			return;
		}
	}
}

static void
consider_names(const struct index *index, struct cause *cause, size_t self, const json_t *names,
    double ready)
{
	json_t *name;
	size_t i;

	json_array_foreach(names, i, name)
		consider(index, cause, self, position(index, json_string_value(name)), ready);
}

/* The edge that held it up last. Only those are considered that an edge may come from. */
static struct cause
find_cause(const struct index *index, size_t self)
{
	const struct record *r = &index->table->records[self];
	const json_t *session = json_object_get(index->table->sessions, r->target);
	double ready = cause_ready(r);
	struct cause cause = { 0 };
	json_t *claim;
	size_t i;

	if (!session)
		return cause;
	consider_names(index, &cause, self, json_object_get(session, "requires"), ready);
	consider_names(index, &cause, self, json_object_get(session, "after"), ready);
	json_array_foreach(json_object_get(session, "claims"), i, claim)
		consider_last_user(index, &cause, self, json_object_get(use_of(claim) ==
		    EXCLUSIVE ? index->users : index->writers, json_text(claim, "resource")),
		    ready);
	consider(index, &cause, self, position(index, r->cue), ready);
	return cause;
}

static void
add_waits(struct lead *lead, const struct record *r)
{
	json_t *wait;
	size_t i;

	json_array_foreach(r->waits, i, wait)
		for (enum wait_kind kind = WAIT_EDGE + 1; kind < WAITS; kind++)
			if (!strcmp(json_text(wait, "for"), kinds[kind].name) &&
			    json_number(wait, "seconds") > 0 &&
			    json_number(wait, "seconds") < LEAD_LONGEST)
				lead->seconds[kind] += json_number(wait, "seconds");
}

/* Who had the resource that it waited for longest. */
static size_t
holder(const struct index *index, size_t self)
{
	const struct record *r = &index->table->records[self];
	size_t found = NO_RECORD, i;
	double longest = 0;
	json_t *wait;

	json_array_foreach(r->waits, i, wait) {
		size_t other = position(index, json_text(wait, "target"));

		if (!strcmp(json_text(wait, "for"), "resource") &&
		    json_number(wait, "seconds") > longest &&
		    may_be_before(index, other, self, r->started)) {
			longest = json_number(wait, "seconds");
			found = other;
		}
	}
	return found;
}

/* Who ended just before it started, and left it the slot. */
static size_t
giver(const struct index *index, size_t self)
{
	double limit = index->table->records[self].started + CAUSE_LATE;
	size_t low = 0, high = index->ended.n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (index->table->records[index->ended.v[middle]].ended <= limit)
			low = middle + 1;
		else
			high = middle;
	}
	while (low-- > 0)
		if (may_be_before(index, index->ended.v[low], self,
		    index->table->records[self].started))
			return index->ended.v[low];
	return NO_RECORD;
}

/* What it waited for last: a resource, or a slot, if it did for longer than make takes. */
static void
find_before(const struct index *index, struct lead *lead, size_t self)
{
	size_t found = NO_RECORD;

	lead->before = lead->edge;
	lead->last = WAIT_EDGE;
	if (lead->seconds[WAIT_RESOURCE] >= SCREEN_NOTEWORTHY &&
	    lead->seconds[WAIT_RESOURCE] >= lead->seconds[WAIT_SLOT]) {
		found = holder(index, self);
		lead->last = WAIT_RESOURCE;
	} else if (lead->seconds[WAIT_SLOT] >= SCREEN_NOTEWORTHY) {
		found = giver(index, self);
		lead->last = WAIT_SLOT;
	}
	if (found != NO_RECORD)
		lead->before = found;
	else
		lead->last = WAIT_EDGE;
}

static const char *
machine_of(const struct record *r)
{
	return r->machine ? r->machine : "";
}

/* When each machine's make could start its first helper: before that it was at work itself. */
static json_t *
first_ready(const struct index *index, double run_started)
{
	json_t *firsts = json_object();

	for (size_t i = 0; i < index->ended.n; i++) {
		const struct record *r = &index->table->records[index->ended.v[i]];
		const json_t *first = json_object_get(firsts, machine_of(r));
		double ready = cause_ready(r);

		ready = ready > run_started ? ready : run_started;
		if (!first || ready < json_number_value(first))
			json_object_set_new(firsts, machine_of(r), json_real(ready));
	}
	return firsts;
}

static void
fill(const struct index *index, struct lead *lead, size_t self, double first)
{
	const struct record *r = &index->table->records[self];
	struct cause cause = { 0 };
	double ready = first, waited;

	*lead = (struct lead){ .edge = NO_RECORD, .before = NO_RECORD };
	if (!lead_has_run(r))
		return;
	add_waits(lead, r);
	cause = find_cause(index, self);
	if (cause.target && cause.ended > first) {
		lead->edge = position(index, cause.target);
		lead->what = cause.what;
		lead->by = cause.by;
		cause.what = cause.by = NULL;
		lead->seconds[WAIT_EDGE] = cause.ended - first;
		ready = cause.ended;
	}
	cause_clear(&cause);
	/* What is left of the time until make started the helper, make had no slot for it. */
	waited = cause_ready(r) - ready;
	if (waited >= SCREEN_NOTEWORTHY && waited < LEAD_LONGEST)
		lead->seconds[WAIT_SLOT] += waited;
	find_before(index, lead, self);
}

struct lead *
leads_new(const struct table *table, double run_started)
{
	struct index index = index_of(table);
	struct lead *leads = xcalloc(table->n, sizeof(*leads));
	json_t *firsts = first_ready(&index, run_started);

	for (size_t i = 0; i < table->n; i++)
		fill(&index, &leads[i], i, json_number(firsts, machine_of(&table->records[i])));
	json_decref(firsts);
	index_free(&index);
	return leads;
}

void
leads_free(struct lead *leads, size_t n)
{
	for (size_t i = 0; leads && i < n; i++) {
		free(leads[i].what);
		free(leads[i].by);
	}
	free(leads);
}

double
lead_after(const struct record *r, double moment)
{
	double seconds = r->ended - (r->started > moment ? r->started : moment);

	return seconds < 0 ? 0 : seconds < r->duration ? seconds : r->duration;
}

struct indices
leads_path(const struct table *table, const struct lead *leads)
{
	struct indices back = { 0 }, path = { 0 };
	size_t at = NO_RECORD;

	for (size_t i = 0; i < table->n; i++) {
		const struct record *r = &table->records[i];

		if (lead_has_run(r) && r->verdict != SKIPPED &&
		    (at == NO_RECORD || r->ended > table->records[at].ended))
			at = i;
	}
	/* It has an end, as each of them started before the one behind it. */
	for (; at != NO_RECORD; at = leads[at].before)
		indices_add(&back, at);
	for (size_t i = back.n; i-- > 0;)
		indices_add(&path, back.v[i]);
	free(back.v);
	return path;
}
