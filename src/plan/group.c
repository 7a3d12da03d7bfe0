#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "base/slug.h"
#include "plan/group.h"

enum progress { UNKNOWN, AT_WORK, DONE };

struct grouping {
	struct plan *plan;
	const struct config *config;
	const struct match *match;
	size_t nfound;           /* groups that the plan had before */
	struct indices *members; /* of each group of the configuration */
	enum progress *progress;
};

/* Adds those that `members` lacks; `more` has no session twice. */
static void
add_members(const struct grouping *g, struct indices *members, const struct indices *more)
{
	bool *seen = xcalloc(g->plan->n, sizeof(*seen));

	for (size_t i = 0; i < members->n; i++)
		seen[members->v[i]] = true;
	for (size_t i = 0; i < more->n; i++)
		if (!seen[more->v[i]])
			indices_add(members, more->v[i]);
	free(seen);
}

static int
warn_unknown(const struct grouping *g, const char *place, const char *name)
{
	struct strings groups = { 0 };
	const char *meant;

	for (size_t i = 0; i < g->config->ngroups; i++)
		strings_add(&groups, g->config->groups[i].name);
	for (size_t i = 0; i < g->nfound; i++)
		strings_add(&groups, g->plan->groups[i].target);
	meant = nearest(name, &groups);
	if (meant)
		warnx(CONFIG_FILE ": %s: no session or group is called \"%s\"; did you mean "
		      "\"%s\"?", place, name, meant);
	else
		match_warn(g->match, place, name);
	free(groups.v);
	return -1;
}

/* A group of nox by its target, by what it stands for, or by the bare name of its tag. */
static const struct plan_group *
find_group(const struct grouping *g, const char *name)
{
	for (size_t i = 0; i < g->nfound; i++) {
		const struct plan_group *group = &g->plan->groups[i];

		if (!strcmp(group->target, name) || !strcmp(group->what, name) ||
		    (!strncmp(group->what, "tag ", 4) && !strcmp(group->what + 4, name)))
			return group;
	}
	return NULL;
}

static int resolve(struct grouping *, size_t group);

static int
add_name(struct grouping *g, const char *place, const char *name, struct indices *members)
{
	struct match_hits hits = match_find(g->match, name);
	const struct plan_group *group = find_group(g, name);
	struct indices list = { 0 };
	size_t other = 0;
	int result = 0;

	while (other < g->config->ngroups && strcmp(g->config->groups[other].name, name) != 0)
		other++;
	for (size_t i = 0; i < hits.n; i++)
		indices_add(&list, hits.v[i].session);
	if (hits.n > 0) {
		add_members(g, members, &list);
	} else if (other < g->config->ngroups) {
		if (g->progress[other] == AT_WORK) {
			warnx(CONFIG_FILE ": %s: \"%s\": the group contains itself", place, name);
			result = -1;
		} else if ((result = resolve(g, other)) == 0) {
			add_members(g, members, &g->members[other]);
		}
	} else if (group) {
		add_members(g, members, &group->members);
	} else {
		result = warn_unknown(g, place, name);
	}
	free(hits.v);
	free(list.v);
	return result;
}

static int
resolve(struct grouping *g, size_t group)
{
	const struct config_group *config = &g->config->groups[group];
	char *place = setting_place("group", config->name, NULL);
	int result = 0;

	if (g->progress[group] == UNKNOWN) {
		g->progress[group] = AT_WORK;
		for (size_t i = 0; i < config->members.n && result == 0; i++)
			result = add_name(g, place, config->members.v[i], &g->members[group]);
		g->progress[group] = DONE;
	}
	free(place);
	return result;
}

/* The name is used as the target: it must be fit for one, and not taken. */
static int
check_name(const struct grouping *g, const char *name)
{
	char *place = setting_place("group", name, NULL), *slug = slug_make(name);
	int result = -1;

	if (!strcmp(name, g->plan->groups[0].target)) {
		warnx(CONFIG_FILE ": %s: \"%s\" is the default sessions: write default = true or "
		      "false into the sessions' own sections", place, name);
		goto out;
	}
	if (strcmp(slug, name) != 0) {
		warnx(CONFIG_FILE ": %s: \"%s\" is no name for a target: call it \"%s\"", place,
		    name, slug);
		goto out;
	}
	for (size_t i = 0; i < g->plan->n + g->nfound; i++) {
		const char *taken = i < g->plan->n ? g->plan->sessions[i].target :
						     g->plan->groups[i - g->plan->n].target;

		if (!strcmp(name, taken)) {
			warnx(CONFIG_FILE ": %s: there is a target \"%s\" already, from the "
			      "noxfile: call the group something else", place, name);
			goto out;
		}
	}
	result = 0;
out:
	free(place);
	free(slug);
	return result;
}

int
group_all(struct plan *plan, const struct config *config, const struct match *match)
{
	struct grouping g = { .plan = plan, .config = config, .match = match,
		.nfound = plan->ngroups };
	int result = 0;

	g.members = xcalloc(config->ngroups, sizeof(*g.members));
	g.progress = xcalloc(config->ngroups, sizeof(*g.progress));
	for (size_t i = 0; i < config->ngroups && result == 0; i++)
		if (check_name(&g, config->groups[i].name) < 0 || resolve(&g, i) < 0)
			result = -1;
	for (size_t i = 0; i < config->ngroups; i++) {
		if (result == 0)
			plan_add_group(plan, "configuration", xstrdup(config->groups[i].name),
			    xstrdup("group of " CONFIG_FILE))->members = g.members[i];
		else
			free(g.members[i].v);
	}
	free(g.members);
	free(g.progress);
	return result;
}
