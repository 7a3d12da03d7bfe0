#include <jansson.h>
#include <stdlib.h>

#include "plan/plan.h"

struct plan_group *
plan_add_group(struct plan *plan, const char *kind, char *target, char *what)
{
	struct plan_group *group;

	plan->groups = xreallocarray(plan->groups, plan->ngroups + 1, sizeof(*plan->groups));
	group = &plan->groups[plan->ngroups++];
	*group = (struct plan_group){ .target = target, .kind = kind, .what = what };
	return group;
}

void
plan_free(struct plan *plan)
{
	if (!plan)
		return;
	for (size_t i = 0; i < plan->nresources; i++)
		free(plan->resources[i].name);
	free(plan->resources);
	free(plan->mask.v);
	json_decref(plan->notes);
	free(plan->unmask.v);
	for (size_t i = 0; i < plan->n; i++) {
		for (size_t k = 0; k < plan->sessions[i].nclaims; k++)
			free(plan->sessions[i].claims[k].by);
		free(plan->sessions[i].claims);
		options_clear(&plan->sessions[i].options);
		json_decref(plan->sessions[i].by);
		free(plan->sessions[i].target);
		free(plan->sessions[i].complaint);
		free(plan->sessions[i].requires.v);
		free(plan->sessions[i].after.v);
		free(plan->sessions[i].together.v);
		free(plan->sessions[i].takes.v);
	}
	for (size_t i = 0; i < plan->ngroups; i++) {
		free(plan->groups[i].target);
		free(plan->groups[i].what);
		free(plan->groups[i].members.v);
	}
	free(plan->sessions);
	free(plan->groups);
	facts_free(plan->cut);
	free(plan);
}

static bool
leads_to(const struct plan *plan, size_t from, size_t to, bool *seen)
{
	const struct indices *lists[] = { &plan->sessions[from].requires,
					  &plan->sessions[from].after };

	if (from == to)
		return true;
	if (seen[from])
		return false;
	seen[from] = true;
	for (size_t l = 0; l < countof(lists); l++)
		for (size_t k = 0; k < lists[l]->n; k++)
			if (leads_to(plan, lists[l]->v[k], to, seen))
				return true;
	return false;
}

bool
plan_waits_for(const struct plan *plan, size_t from, size_t to)
{
	bool *seen = xcalloc(plan->n, sizeof(*seen));
	bool result = leads_to(plan, from, to, seen);

	free(seen);
	return result;
}

static void
visit(const struct plan *plan, size_t i, bool *seen, struct indices *list)
{
	if (seen[i])
		return;
	seen[i] = true;
	for (size_t k = 0; k < plan->sessions[i].requires.n; k++)
		visit(plan, plan->sessions[i].requires.v[k], seen, list);
	indices_add(list, i);
}

void
plan_closure(const struct plan *plan, size_t session, struct indices *list)
{
	bool *seen = xcalloc(plan->n, sizeof(*seen));

	for (size_t i = 0; i < list->n; i++)
		seen[list->v[i]] = true;
	visit(plan, session, seen, list);
	free(seen);
}
