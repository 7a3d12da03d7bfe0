#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/nearest.h"
#include "base/slug.h"
#include "plan/planfile.h"

#define PLAN "plan.jsonl"
#define ANEW "`make nox-plan` makes it anew"

struct planfile {
	FILE *file;
	char *line;
	size_t cap;
	json_t *header;
	json_t *sessions, *groups; /* target -> its line, or the members; NULL until read */
};

/* Takes over both; the keys of `more`, which may be NULL, come last. */
static void
add_line(struct buffer *out, json_t *object, json_t *more)
{
	if (more)
		json_object_update(object, more);
	json_decref(more);
	json_add_line(out, object);
}

static json_t *
string_list(const struct strings *list)
{
	json_t *array = json_array();

	/* A path that is not UTF-8 cannot go into JSON; it is only a hint where nox is. */
	for (size_t i = 0; i < list->n; i++)
		json_array_append_new(array, json_string(list->v[i]));
	return array;
}

static json_t *
target_list(const struct plan *plan, const struct indices *list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->n; i++)
		json_array_append_new(array, json_string(plan->sessions[list->v[i]].target));
	return array;
}

static json_t *
claim_list(const struct plan *plan, const struct plan_session *s)
{
	json_t *array = json_array();

	for (size_t i = 0; i < s->nclaims; i++) {
		const struct plan_claim *claim = &s->claims[i];
		const struct plan_resource *resource = &plan->resources[claim->resource];
		json_t *object = json_pack("{s:s,s:s}", "resource", resource->name, "use",
		    use_name(claim->use));

		if (claim->use == AMOUNT) {
			json_object_set_new(object, "amount", json_integer(claim->amount));
			json_object_set_new(object, "capacity", json_integer(resource->capacity));
		}
		json_object_set_new(object, "by", json_string(claim->by));
		json_array_append_new(array, object);
	}
	return array;
}

/* What only `noxmk list` tells, and what only few sessions have. */
static json_t *
more_of(const struct plan *plan, const struct plan_session *s)
{
	json_t *more = json_pack("{s:o,s:o}", "python", json_text_or_null(s->facts->python),
	    "tags", string_list(&s->facts->tags));

	if (json_array_size(s->facts->leaves) > 0 || s->takes.n > 0)
		json_object_set_new(more, "globals", json_pack("{s:O?,s:o}", "leaves",
		    s->facts->leaves, "takes", target_list(plan, &s->takes)));
	if (s->together.n > 0)
		json_object_set_new(more, "together", target_list(plan, &s->together));
	if (s->whole)
		json_object_update_new(more, json_pack("{s:[i,i],s:s}", "part",
		    (int)s->facts->part, (int)s->facts->parts, "whole", s->whole));
	return more;
}

/* The longest signature is the one that only this session has (nox -j relies on it too). */
static const char *
selector(const struct facts_session *s)
{
	const char *longest = s->session;

	for (size_t i = 0; i < s->signatures.n; i++)
		if (strlen(s->signatures.v[i]) > strlen(longest))
			longest = s->signatures.v[i];
	return longest;
}

void
planfile_write(const struct plan *plan, const struct planfile_nox *nox, struct buffer *out)
{
	const struct facts *facts = plan->facts;

	add_line(out, json_pack("{s:i,s:s,s:o,s:o,s:o,s:o,s:s,s:I,s:O?,"
				"s:o,s:b,s:b,s:I,s:o,s:o,s:s?,s:s?}",
	    "schema", 1, "nox", facts->nox, "command", string_list(nox->command),
	    "args", string_list(&facts->args), "python", json_text_or_null(facts->python),
	    "path", string_list(&facts->path), "noxfile", nox->noxfile,
	    "noxfile_date", (json_int_t)nox->noxfile_date, "environ", nox->environ,
	    /* nox cannot select, but the configuration may have done it. */
	    "complaint", json_text_or_null(plan->groups[0].members.n ? NULL : facts->complaint),
	    "fail_fast", facts->fail_fast, "source_build", plan->source_build,
	    "log_limit", (json_int_t)plan->log_limit, "mask", string_list(&plan->mask),
	    "unmask", string_list(&plan->unmask), "locks", plan->locks, "ci_commands",
	    plan->ci_commands),
	    plan->notes ? json_pack("{s:O}", "notes", plan->notes) : NULL);
	for (size_t i = 0; i < plan->n; i++) {
		const struct plan_session *s = &plan->sessions[i];

		add_line(out, json_pack("{s:s,s:s,s:s,s:i,s:s,s:O?,s:s,s:b,"
					"s:o,s:o,s:o,s:o,s:o,s:o}",
		    "target", s->target, "session", s->facts->session, "name", s->facts->name,
		    "index", (int)s->facts->number, "selector", selector(s->facts),
		    "twin", s->facts->twin, "description", s->facts->description,
		    "default", s->is_default, "requires", target_list(plan, &s->requires),
		    "after", target_list(plan, &s->after), "complaint",
		    json_text_or_null(s->complaint), "by",
		    s->by ? json_incref(s->by) : json_object(), "claims", claim_list(plan, s),
		    "options", options_json(&s->options)), more_of(plan, s));
	}
	for (size_t i = 0; i < plan->ngroups; i++) {
		const struct plan_group *g = &plan->groups[i];

		add_line(out, json_pack("{s:s,s:s,s:o}", "group", g->target, "what", g->what,
		    "members", target_list(plan, &g->members)),
		    json_pack("{s:s}", "kind", g->kind));
	}
}

struct planfile *
planfile_open(int dirfd)
{
	struct planfile *plan = xcalloc(1, sizeof(*plan));
	int fd = file_open(dirfd, PLAN, O_RDONLY, FILE_MOST);

	if (fd < 0 || !(plan->file = fdopen(fd, "r"))) {
		if (errno == ENOENT)
			warnx("there is no plan: `noxmk plan` or `make nox-list` makes it");
		else
			warnx(PLAN ": %s: " ANEW, file_why(errno));
		fd_close(&fd);
		goto fail;
	}
	plan->header = planfile_next(plan);
	if (json_integer_value(json_object_get(plan->header, "schema")) != 1) {
		warnx(PLAN ": not a plan of this noxmk: " ANEW);
		goto fail;
	}
	return plan;
fail:
	planfile_close(plan);
	return NULL;
}

struct planfile *
planfile_find(int dirfd)
{
	bool is_there = faccessat(dirfd, PLAN, F_OK, AT_SYMLINK_NOFOLLOW) == 0;

	return is_there ? planfile_open(dirfd) : NULL;
}

void
planfile_close(struct planfile *plan)
{
	if (!plan)
		return;
	if (plan->file)
		fclose(plan->file);
	free(plan->line);
	json_decref(plan->header);
	json_decref(plan->sessions);
	json_decref(plan->groups);
	free(plan);
}

const json_t *
planfile_header(const struct planfile *plan)
{
	return plan->header;
}

char *
planfile_complaint(const struct planfile *plan)
{
	const char *complaint = json_string_value(json_object_get(plan->header, "complaint"));

	return complaint ? xasprintf("nox cannot select the default sessions: %s", complaint) :
	    NULL;
}

void
planfile_rewind(struct planfile *plan)
{
	rewind(plan->file);
	if (getline(&plan->line, &plan->cap, plan->file) < 0)
		warnx(PLAN ": empty");
}

static json_t *
parse_line(const struct planfile *plan)
{
	json_error_t error;
	json_t *object = json_loads(plan->line, 0, &error);

	if (!object)
		warnx(PLAN ": %s: " ANEW, error.text);
	return object;
}

json_t *
planfile_next(struct planfile *plan)
{
	if (getline(&plan->line, &plan->cap, plan->file) < 0)
		return NULL;
	return parse_line(plan);
}

/* Only the line that starts with {"target":"NAME", is parsed. */
json_t *
planfile_session(struct planfile *plan, const char *target)
{
	char *start = xasprintf("{\"target\":\"%s\",", target);
	size_t len = strlen(start);
	json_t *found = NULL;

	planfile_rewind(plan);
	while (!found && getline(&plan->line, &plan->cap, plan->file) >= 0)
		if (strncmp(plan->line, start, len) == 0)
			found = parse_line(plan);
	free(start);
	return found;
}

/* Parts have the number of their session, and so no session's line comes before that place. */
json_t *
planfile_targets_at(struct planfile *plan, size_t index)
{
	json_t *targets = json_array(), *line;
	bool more = true;

	planfile_rewind(plan);
	for (size_t i = 0; i < index && more; i++)
		more = getline(&plan->line, &plan->cap, plan->file) >= 0;
	while (more && (line = planfile_next(plan))) {
		json_int_t number = json_integer_value(json_object_get(line, "index"));

		more = *json_text(line, "target") && number <= (json_int_t)index;
		if (more && number == (json_int_t)index)
			json_array_append(targets, json_object_get(line, "target"));
		json_decref(line);
	}
	return targets;
}

/*
 * Adds a session behind those that it requires; one that is there already stays where it is. begun:
 * those that this was called for, so that a cycle in a damaged file comes to an end.
 */
static void
expand_session(const json_t *all, const char *target, json_t *begun, json_t *sessions)
{
	json_t *session = json_object_get(all, target), *item;
	size_t i;

	if (!session || json_object_get(begun, target))
		return;
	json_object_set_new(begun, target, json_true());
	json_array_foreach(json_object_get(session, "requires"), i, item)
		if (json_is_string(item))
			expand_session(all, json_string_value(item), begun, sessions);
	if (!json_object_get(sessions, target))
		json_object_set(sessions, target, session);
}

/* Once: many goals may be looked up, each for itself. */
static void
read_targets(struct planfile *plan)
{
	const char *name;
	json_t *line;

	if (plan->sessions)
		return;
	plan->sessions = json_object();
	plan->groups = json_object();
	planfile_rewind(plan);
	while ((line = planfile_next(plan))) {
		if ((name = json_string_value(json_object_get(line, "target"))))
			json_object_set(plan->sessions, name, line);
		else if ((name = json_string_value(json_object_get(line, "group"))))
			json_object_set(plan->groups, name, json_object_get(line, "members"));
		json_decref(line);
	}
}

bool
planfile_has_session(struct planfile *plan, const char *target)
{
	if (!plan)
		return false;
	read_targets(plan);
	return json_object_get(plan->sessions, target) != NULL;
}

void
planfile_add_after(struct planfile *plan, const char *target, const char *other)
{
	json_t *after;

	read_targets(plan);
	after = json_object_get(json_object_get(plan->sessions, target), "after");
	if (after && json_object_get(plan->sessions, other) && !json_list_has(after, other))
		json_array_append_new(after, json_string(other));
}

static bool
expand_goal(const struct planfile *plan, const char *goal, json_t *begun, json_t *sessions)
{
	const json_t *members = json_object_get(plan->groups, goal), *item;
	size_t i;

	if (!members && !json_object_get(plan->sessions, goal))
		return false;
	json_array_foreach(members, i, item)
		if (json_is_string(item))
			expand_session(plan->sessions, json_string_value(item), begun, sessions);
	if (!members)
		expand_session(plan->sessions, goal, begun, sessions);
	return true;
}

/* Names the target that may be meant: people know the session's name better. */
static void
warn_unknown(const struct planfile *plan, const char *goal)
{
	const json_t *const tables[] = { plan->sessions, plan->groups };
	char *slug = slug_make(goal);
	struct strings names = { 0 };
	const char *name, *meant;
	json_t *value;

	for (size_t i = 0; i < countof(tables); i++)
		json_object_foreach((json_t *)tables[i], name, value)
			strings_add(&names, name);
	meant = nearest(slug, &names);
	warnx("%s: no target of this plan (`make nox-list` lists them)%s%s%s", goal,
	    meant ? "; did you mean " : "", meant ? meant : "", meant ? "?" : "");
	free(names.v);
	free(slug);
}

int
planfile_expand(struct planfile *plan, const json_t *goals, json_t *sessions, bool warns)
{
	json_t *begun = json_object();
	const json_t *goal;
	int result = 0;
	size_t i;

	read_targets(plan);
	json_array_foreach(goals, i, goal) {
		if (expand_goal(plan, json_string_value(goal), begun, sessions))
			continue;
		result = -1;
		if (warns)
			warn_unknown(plan, json_string_value(goal));
	}
	json_decref(begun);
	return result;
}

const json_t *
planfile_group(struct planfile *plan, const char *target)
{
	read_targets(plan);
	return json_object_get(plan->groups, target);
}

json_t *
planfile_parts(struct planfile *plan, const char *target)
{
	json_t *line = planfile_session(plan, target);
	const json_t *members = line ? NULL : planfile_group(plan, target);
	const char *first = json_string_value(json_array_get(members, 0));
	bool is_cut;

	/* Most are in one piece, and to see that takes no more than to find their line. */
	if (!line && first)
		line = planfile_session(plan, first);
	is_cut = !strcmp(json_text(line, "whole"), target);
	json_decref(line);
	return is_cut ? json_copy((json_t *)members) : NULL;
}

bool
planfile_knows(struct planfile *plan, const char *target)
{
	read_targets(plan);
	if (json_object_get(plan->sessions, target) || json_object_get(plan->groups, target))
		return true;
	warn_unknown(plan, target);
	return false;
}
