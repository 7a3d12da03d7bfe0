#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "plan/rule.h"

void
rule_add_value(struct buffer *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '$')
			buffer_addstr(out, "$$");
		else if (*text == '#')
			buffer_addstr(out, "\\#");
		else if (*text == '\n' || *text == '\r')
			buffer_addstr(out, " ");
		else if (*text == '\\' && (text[1] == '#' || text[1] == '\\' || !text[1]))
			/* make halves backslashes before # and joins lines after a last one. */
			buffer_addstr(out, "\\$(_noxmk.nothing)");
		else
			buffer_add(out, text, 1);
	}
}

bool
rule_add_path(struct buffer *out, const char *path)
{
	size_t length = strlen(path);

	if (length == 0)
		return false;
	for (const char *p = path; *p; p++)
		if (strchr("%;|\\", *p) || (unsigned char)*p < ' ' || *p == 0x7f)
			return false;
	/*
	 * make takes NAME(MEMBER) for a member of an archive, which never exists. A blank at the
	 * end would come before the backslash that continues the list.
	 */
	if ((strchr(path, '(') && path[length - 1] == ')') || path[length - 1] == ' ')
		return false;
	for (; *path; path++) {
		if (*path == '$')
			buffer_addstr(out, "$");
		else if (strchr(" #:*?[", *path))
			buffer_addstr(out, "\\");
		buffer_add(out, path, 1);
	}
	return true;
}

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

/* nox.mk compares the values after $(strip), so blanks in them are written as $(strip) does. */
static void
add_environ(struct buffer *out, const json_t *environ)
{
	struct buffer values = { 0 };
	const char *name;
	json_t *value;

	buffer_addstr(out, "\n# variables that the noxfile asked for, and what they were\n"
			   "_noxmk.environ :=");
	json_object_foreach((json_t *)environ, name, value) {
		const char *p = json_string_value(value);

		buffer_printf(out, " %s", name);
		buffer_printf(&values, "%s%s=", values.len ? " " : "", name);
		for (; *p; p++) {
			bool blank = *p == ' ' || (*p >= '\t' && *p <= '\r');

			if (!blank)
				buffer_add(&values, p, 1);
			else if (values.data[values.len - 1] != ' ')
				buffer_add(&values, " ", 1);
		}
		while (values.data[values.len - 1] == ' ')
			values.data[--values.len] = '\0';
	}
	buffer_addstr(out, "\n_noxmk.environ_was := ");
	rule_add_value(out, values.data ? values.data : "");
	buffer_addstr(out, "\n");
	buffer_free(&values);
}

static void
add_depends(struct buffer *out, const struct facts *facts)
{
	buffer_addstr(out, "\n# files that decided this plan\n_noxmk.depends :=");
	for (size_t i = 0; i < facts->depends.n; i++) {
		size_t before = out->len;

		buffer_addstr(out, " \\\n  ");
		if (!rule_add_path(out, facts->depends.v[i])) {
			out->data[out->len = before] = '\0';
			warnx("%s: make cannot name this file: run `noxmk plan` by hand when it "
			      "changes", facts->depends.v[i]);
		}
	}
	buffer_addstr(out, "\n");
}

void
rule_write(const struct plan *plan, const char *inputs, struct buffer *out)
{
	buffer_addstr(out, "# Made by noxmk from the noxfile; make remakes it when that changes.\n"
			   "_noxmk.nothing :=\n_noxmk.planned := ");
	rule_add_value(out, inputs);
	buffer_addstr(out, "\n");
	add_lists(out, plan);
	add_after(out, plan);
	add_environ(out, plan->facts->environ);
	add_depends(out, plan->facts);
	buffer_addstr(out, "\n# requires=\n");
	for (size_t i = 0; i < plan->n; i++) {
		char *start = xasprintf(".noxmk/run/%s: |", plan->sessions[i].target);

		add_order(out, start, plan, &plan->sessions[i].requires);
		free(start);
	}
	buffer_addstr(out, "\n# groups; one that is a goal leaves the order to .noxmk/end\n");
	for (size_t i = 0; i < plan->ngroups; i++) {
		const char *name = plan->groups[i].target;
		char *start = xasprintf("%s: | $(if $(filter %s,$(_noxmk.asked)),.noxmk/end)",
		    name, name);

		add_order(out, start, plan, &plan->groups[i].members);
		free(start);
	}
	buffer_addstr(out, "# end\n");
}
