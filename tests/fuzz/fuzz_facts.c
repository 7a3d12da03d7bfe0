/*
 * The probe's JSON, whatever is in it, to a plan and back: what facts_parse lets through becomes
 * a plan.jsonl in which all of it is found again. (What make gets of it is for fuzz_rule.c, which
 * also makes up facts that are well formed.)
 */

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "fuzz.h"
#include "plan/facts.h"
#include "plan/planfile.h"
#include "plan/planner.h"

/* What the header promises to all who read facts. */
static void
check_facts(const struct facts *facts)
{
	const struct facts_session *s = facts->sessions;

	REQUIRE(facts->nox && facts->noxfile);
	for (size_t i = 0; i < facts->queue.n; i++)
		REQUIRE(facts->queue.v[i] < facts->n);
	for (size_t i = 0; i < facts->n; i++, s++) {
		REQUIRE(s->name && s->session && s->description);
		for (size_t k = 0; k < s->requires.n; k++)
			REQUIRE(s->requires.v[k] < facts->n);
		for (size_t k = 0; k < s->notifies.n; k++)
			REQUIRE(s->notifies.v[k] < facts->n);
	}
}

static void
check_closure(const struct plan *plan, size_t session)
{
	struct indices list = { 0 };

	plan_closure(plan, session, &list);
	REQUIRE(list.n > 0 && list.n <= plan->n && list.v[list.n - 1] == session);
	free(list.v);
}

static void
check_read(const struct plan *plan, struct planfile *file)
{
	for (size_t i = 0; i < plan->n; i++) {
		const struct plan_session *s = &plan->sessions[i];
		json_t *found = planfile_session(file, s->target);
		json_t *at = planfile_targets_at(file, s->facts->number), *all = json_object();

		REQUIRE(found && json_list_has(at, s->target));
		REQUIRE(!strcmp(json_string_value(json_object_get(found, "session")),
		    s->facts->session));
		REQUIRE(fuzz_expand(file, s->target, all) == 0);
		REQUIRE(json_object_get(all, s->target));
		check_closure(plan, i);
		json_decref(all);
		json_decref(found);
		json_decref(at);
	}
	for (size_t i = 0; i < plan->ngroups; i++) {
		json_t *all = json_object();

		REQUIRE(fuzz_expand(file, plan->groups[i].target, all) == 0);
		REQUIRE(json_object_size(all) >= plan->groups[i].members.n);
		json_decref(all);
	}
}

static void
check_plan(const struct plan *plan)
{
	const char *word = "nox";
	struct strings command = { &word, 1 };
	struct buffer lines = { 0 };
	struct planfile *file;

	planfile_write(plan, &(struct planfile_nox){ .noxfile = "noxfile.py", .command = &command },
	    &lines);
	REQUIRE(strlen(lines.data) == lines.len);
	fuzz_file(fuzz_folder(), "plan.jsonl", lines.data, lines.len);
	file = planfile_open(fuzz_folder());
	REQUIRE(file);
	check_read(plan, file);
	planfile_close(file);
	buffer_free(&lines);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *root = json_loadb((const char *)data, size, 0, NULL);
	struct facts *facts = facts_parse(root, "input");
	struct strings reserved = { 0 };
	struct plan *plan = NULL;

	if (facts) {
		check_facts(facts);
		strings_add(&reserved, "clean");
		if ((plan = planner_make(facts, &reserved)))
			check_plan(plan);
		plan_free(plan);
	}
	facts_free(facts);
	json_decref(root);
	free(reserved.v);
	return 0;
}
