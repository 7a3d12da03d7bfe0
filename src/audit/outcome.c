#include <stdlib.h>
#include <string.h>

#include "audit/outcome.h"
#include "base/json.h"
#include "state/record.h"

/* Those that have run, or were skipped. */
static void
add_session(void *data, const struct record *r)
{
	struct outcome *outcome = data;
	bool ran = r->verdict != NOT_RUN && r->verdict != CANCELLED;

	json_object_set_new(outcome->sessions, r->target, json_pack("{s:s?,s:f,s:f}", "verdict",
	    ran ? verdict_name(r->verdict) : NULL, "started", r->started, "ended", r->ended));
}

static const json_t *
session_of(const struct outcome *outcome, const char *target)
{
	return json_object_get(outcome->sessions, target);
}

/* Where the first in the order started after that one. */
static size_t
place_of(const struct outcome *outcome, double started)
{
	size_t i = 0;

	while (i < json_array_size(outcome->order) &&
	    json_number(session_of(outcome, json_string_value(json_array_get(outcome->order, i))),
		"started") <= started)
		i++;
	return i;
}

static void
sort(struct outcome *outcome)
{
	const char *target;
	json_t *session;

	json_object_foreach(outcome->sessions, target, session)
		if (outcome_verdict(outcome, target))
			json_array_insert_new(outcome->order,
			    place_of(outcome, json_number(session, "started")),
			    json_string(target));
}

int
outcome_read(struct outcome *outcome, int rundir, const char *root)
{
	/* What both leave the same in may still be read by turns. */
	struct analysis_source source = { .state = -1, .rundir = rundir,
		.rules = (NOISE_SET(NOISES) - 1) & ~NOISE_SET(NOISE_SAME) };
	struct planfile *plan = planfile_open(rundir);
	int result = -1;

	outcome->sessions = json_object();
	outcome->order = json_array();
	outcome->root = xstrdup(root);
	outcome->leaving = leaving_of(root);
	record_each(rundir, add_session, outcome);
	sort(outcome);
	if (plan)
		result = analysis_make(&outcome->analysis, plan, &source);
	planfile_close(plan);
	return result;
}

void
outcome_clear(struct outcome *outcome)
{
	json_decref(outcome->sessions);
	json_decref(outcome->order);
	leaving_clear(&outcome->leaving);
	analysis_clear(&outcome->analysis);
	free(outcome->root);
	*outcome = (struct outcome){ 0 };
}

const char *
outcome_verdict(const struct outcome *outcome, const char *target)
{
	return json_string_value(json_object_get(session_of(outcome, target), "verdict"));
}

json_t *
outcome_beside(const struct outcome *outcome, const char *target)
{
	const json_t *ours = session_of(outcome, target), *name;
	json_t *beside = json_array();
	size_t i;

	json_array_foreach(outcome->order, i, name) {
		const json_t *theirs = session_of(outcome, json_string_value(name));

		if (theirs != ours &&
		    json_number(theirs, "started") < json_number(ours, "ended") &&
		    json_number(ours, "started") < json_number(theirs, "ended"))
			json_array_append(beside, (json_t *)name);
	}
	return beside;
}

json_t *
outcome_before(const struct outcome *outcome, const char *target)
{
	json_t *before = json_array(), *name;
	size_t i;

	json_array_foreach(outcome->order, i, name) {
		if (!strcmp(json_string_value(name), target))
			break;
		json_array_append(before, name);
	}
	return before;
}

void
outcome_add_writers(const struct outcome *outcome, const char *path, json_t *targets)
{
	char *whole = xasprintf("%s/%s", outcome->root, path);

	for (size_t i = 0; i < outcome->analysis.n; i++) {
		const struct actor *actor = &outcome->analysis.actors[i];
		const struct access *access = access_find(actor, whole);

		if (access && (access->how & ACCESS_WRITES) &&
		    !json_list_has(targets, actor->target))
			json_array_append_new(targets, json_string(actor->target));
	}
	free(whole);
}
