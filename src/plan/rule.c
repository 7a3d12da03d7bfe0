#include <stdlib.h>

#include "plan/rule.h"

static void
add_targets(struct buffer *out, const struct plan *plan, const struct indices *list)
{
	for (size_t i = 0; i < list->n; i++)
		buffer_printf(out, " %s", plan->sessions[list->v[i]].target);
}

/* A rule that starts so: the runs of the sessions in `first` are its prerequisites, if any. */
static void
add_order(struct buffer *out, const char *start, const struct plan *plan,
    const struct indices *first)
{
	if (first->n == 0)
		return;
	buffer_addstr(out, start);
	for (size_t i = 0; i < first->n; i++)
		buffer_printf(out, " .noxmk/run/%s", plan->sessions[first->v[i]].target);
	buffer_addstr(out, "\n");
}

static void
add_lists(struct buffer *out, const struct plan *plan)
{
	buffer_addstr(out, "_noxmk.sessions :=");
	for (size_t i = 0; i < plan->n; i++)
		buffer_printf(out, " %s", plan->sessions[i].target);
	buffer_addstr(out, "\n_noxmk.groups :=");
	for (size_t i = 0; i < plan->ngroups; i++)
		buffer_printf(out, " %s", plan->groups[i].target);
	buffer_addstr(out, "\n\n# goal -> the sessions it runs, those they require included\n");
	for (size_t i = 0; i < plan->n; i++) {
		struct indices all = { 0 };

		plan_closure(plan, i, &all);
		buffer_printf(out, "_noxmk/%s :=", plan->sessions[i].target);
		add_targets(out, plan, &all);
		buffer_addstr(out, "\n");
		free(all.v);
	}
	for (size_t i = 0; i < plan->ngroups; i++) {
		struct indices all = { 0 };

		for (size_t k = 0; k < plan->groups[i].members.n; k++)
			plan_closure(plan, plan->groups[i].members.v[k], &all);
		buffer_printf(out, "_noxmk/%s :=", plan->groups[i].target);
		add_targets(out, plan, &all);
		buffer_addstr(out, "\n");
		free(all.v);
	}
}

static void
add_after(struct buffer *out, const struct plan *plan)
{
	buffer_addstr(out, "\n# session -> those that come first if they run at all\n"
			   "_noxmk.late :=");
	for (size_t i = 0; i < plan->n; i++)
		if (plan->sessions[i].after.n > 0)
			buffer_printf(out, " %s", plan->sessions[i].target);
	buffer_addstr(out, "\n");
	for (size_t i = 0; i < plan->n; i++) {
		if (plan->sessions[i].after.n == 0)
			continue;
		buffer_printf(out, "_noxmk.after/%s :=", plan->sessions[i].target);
		add_targets(out, plan, &plan->sessions[i].after);
		buffer_addstr(out, "\n");
	}
}

void
rule_write(const struct plan *plan, struct buffer *out)
{
	buffer_addstr(out, "# Made by noxmk from the noxfile; it is remade when that changes.\n");
	add_lists(out, plan);
	add_after(out, plan);
	buffer_addstr(out, "\n# requires=\n");
	for (size_t i = 0; i < plan->n; i++) {
		char *start = xasprintf(".noxmk/run/%s: |", plan->sessions[i].target);

		add_order(out, start, plan, &plan->sessions[i].requires);
		free(start);
	}
	buffer_addstr(out, "\n# groups; one that is a goal leaves the order to .noxmk/end\n"
			   "ifeq (,$(_noxmk.shard))\n");
	for (size_t i = 0; i < plan->ngroups; i++) {
		const char *name = plan->groups[i].target;
		char *start = xasprintf("%s: | $(if $(filter %s,$(_noxmk.asked)),.noxmk/end)",
		    name, name);

		add_order(out, start, plan, &plan->groups[i].members);
		free(start);
	}
	buffer_addstr(out, "endif\n# end\n");
}
