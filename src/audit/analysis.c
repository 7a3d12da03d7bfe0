#include <err.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/alias.h"
#include "audit/analysis.h"
#include "audit/kept.h"
#include "audit/remedy.h"
#include "base/fd.h"
#include "base/json.h"
#include "state/record.h"
#include "state/request.h"
#include "state/runtime.h"
#include "state/state.h"

/* More than that are not compared: each is compared with each. */
enum { MOST_SESSIONS = 1000 };

/* Has the run a record of that session, whatever became of it? *failed: it has not passed. */
static bool
has_ended(int rundir, const char *target, bool *failed)
{
	struct record record = { 0 };
	int found = rundir < 0 ? 0 : record_read(rundir, target, &record);

	*failed = found < 0 || (found == 1 && record.verdict != PASSED);
	record_clear(&record);
	return found != 0;
}

/* The sessions of the run's goals, by target: a new reference. */
static json_t *
wanted_of(struct planfile *plan, const struct analysis_source *source)
{
	json_t *wanted = json_object();
	struct request request = { 0 };

	if (source->wants_all && source->rundir >= 0 &&
	    request_read(source->rundir, &request) == 0)
		planfile_expand(plan, request.goals, wanted, false);
	request_clear(&request);
	return wanted;
}

/* Takes the reference of its line. */
static void
read_session(struct analysis *a, struct planfile *plan, json_t *line,
    const struct analysis_source *source, const json_t *wanted)
{
	const char *target = json_text(line, "target");
	struct trace trace = { 0 };
	int found = source->keeps ?
		kept_read(source->state, source->rundir, plan, line, source->stores, &trace) :
		trace_read(source->rundir, target, &trace);
	bool failed, ended = has_ended(source->rundir, target, &failed);

	if (found == 1 && a->n < MOST_SESSIONS) {
		a->sessions = xreallocarray(a->sessions, a->n + 1, sizeof(*a->sessions));
		a->sessions[a->n++] = (struct analysis_session){ line, trace, failed };
		return;
	}
	if (found == 1)
		a->left_out++;
	else if (found < 0 || json_object_get(wanted, target) || ended)
		strings_add(&a->missing, xstrdup(target));
	trace_clear(&trace);
	json_decref(line);
}

static void
read_traces(struct analysis *a, struct planfile *plan, const struct analysis_source *source)
{
	json_t *wanted = wanted_of(plan, source), *line;

	planfile_rewind(plan);
	while ((line = planfile_next(plan))) {
		const char *target = json_text(line, "target");

		if (*target && !strchr(target, '/'))
			read_session(a, plan, line, source, wanted);
		else
			json_decref(line);
	}
	json_decref(wanted);
}

/* Their lines of the plan. The caller frees. */
static const json_t **
lines_of(const struct analysis *a)
{
	const json_t **lines = xcalloc(a->n, sizeof(json_t *));

	for (size_t i = 0; i < a->n; i++)
		lines[i] = a->sessions[i].line;
	return lines;
}

static void
sort(struct analysis *a)
{
	const json_t **lines = lines_of(a);
	size_t *order = declared_order(lines, a->n);
	struct analysis_session *sorted = xcalloc(a->n, sizeof(*sorted));

	for (size_t i = 0; i < a->n; i++)
		sorted[i] = a->sessions[order[i]];
	free(a->sessions);
	a->sessions = sorted;
	free(order);
	free(lines);
}

/* The paths of noxmk's own folders. */
static void
add_own(struct clash_scene *scene)
{
	char *state = realpath(state_path(), NULL), *runtime = NULL;
	int base = runtime_base(&runtime);

	fd_close(&base);
	if (state)
		strings_add(&scene->own, state);
	if (runtime)
		strings_add(&scene->own, runtime);
}

/* Nothing is wrong between sessions that the plan keeps apart or in order. */
static void
excuse_declared(struct analysis *a)
{
	const json_t **lines = lines_of(a);
	struct declared declared = declared_of(lines, a->n);

	for (size_t i = 0; i < a->clashes.n; i++) {
		struct clash *clash = &a->clashes.v[i];

		if (declared_has(&declared, clash->first, clash->second)) {
			clash->level = LEVEL_HARMLESS;
			clash->rule = NOISE_DECLARED;
		}
	}
	declared_clear(&declared);
	free(lines);
}

static void
compare(struct analysis *a, const struct planfile *plan, unsigned rules)
{
	struct clash_scene scene = { .n = a->n, .rules = rules, .root = a->root,
		.builds_apart = json_is_true(json_object_get(planfile_header(plan),
		    "source_build")) };

	a->actors = xcalloc(a->n, sizeof(*a->actors));
	for (size_t i = 0; i < a->n; i++) {
		const char *whole = json_text(a->sessions[i].line, "whole");

		a->actors[i] = access_of(&a->sessions[i].trace, rules);
		a->actors[i].whole = *whole ? whole : NULL;
		if (a->sessions[i].trace.runs > a->runs)
			a->runs = a->sessions[i].trace.runs;
	}
	alias_spread(a->actors, a->n);
	scene.actors = a->actors;
	if (rules & NOISE_SET(NOISE_OWN_STATE))
		add_own(&scene);
	a->clashes = clash_find(&scene);
	for (size_t i = 0; i < scene.own.n; i++)
		free((char *)scene.own.v[i]);
	free(scene.own.v);
}

/* What the clashes come to, and what helps. */
static void
weigh(struct analysis *a)
{
	a->hazards = hazard_find(&a->clashes, a->root, a->home);
	for (size_t i = 0; i < a->hazards.n; i++) {
		const struct hazard *hazard = &a->hazards.v[i];
		json_t *remedy;

		if (hazard->level == LEVEL_HARMLESS)
			continue;
		remedy = remedy_of(hazard, &a->clashes, a->actors);
		remedy_merge(a->remedies, remedy);
		json_decref(remedy);
	}
}

static bool
any_fits(const struct analysis_filter *filter, const struct clash *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (filter->fits(filter->data, v[i].first, v[i].second))
			return true;
	return false;
}

void
analysis_narrow(struct analysis *a, const struct analysis_filter *filter)
{
	struct clash *v = a->clashes.v;
	size_t kept = 0;

	for (size_t at = 0, end; at < a->clashes.n; at = end) {
		bool whole;

		end = hazard_path_end(&a->clashes, at);
		whole = filter->whole && any_fits(filter, v + at, end - at);
		for (size_t i = at; i < end; i++) {
			struct clash clash = v[i];

			if (whole || any_fits(filter, &clash, 1))
				v[kept++] = clash;
			else if (!clash.is_path)
				free((char *)clash.path);
		}
	}
	a->clashes.n = kept;
	hazard_clear(&a->hazards);
	json_object_clear(a->remedies);
	weigh(a);
}

int
analysis_make(struct analysis *a, struct planfile *plan, const struct analysis_source *source)
{
	char folder[PATH_MAX];

	*a = (struct analysis){ .home = getenv("HOME"), .remedies = json_object() };
	read_traces(a, plan, source);
	if (a->n == 0) {
		if (source->rundir >= 0 && !source->keeps)
			warnx("no session of that run was traced: those of an audit are, and those "
			    "of a make with NOXMK_WATCH=1");
		else
			warnx("no session has been traced: `noxmk audit` runs the default sessions "
			    "so");
		return -1;
	}
	/* A run that comes from elsewhere has the paths of there. */
	if (a->sessions[0].trace.root)
		a->root = xstrdup(a->sessions[0].trace.root);
	else
		a->root = xstrdup(getcwd(folder, sizeof(folder)) ? folder : "/");
	sort(a);
	compare(a, plan, source->rules);
	if (source->rules & NOISE_SET(NOISE_DECLARED))
		excuse_declared(a);
	weigh(a);
	return 0;
}

void
analysis_clear(struct analysis *a)
{
	hazard_clear(&a->hazards);
	clash_clear(&a->clashes);
	for (size_t i = 0; i < a->n; i++) {
		access_clear(&a->actors[i]);
		trace_clear(&a->sessions[i].trace);
		json_decref(a->sessions[i].line);
	}
	for (size_t i = 0; i < a->missing.n; i++)
		free((char *)a->missing.v[i]);
	free(a->missing.v);
	free(a->sessions);
	free(a->actors);
	free(a->root);
	json_decref(a->remedies);
	*a = (struct analysis){ 0 };
}
