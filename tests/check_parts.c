#include <stdlib.h>
#include <string.h>
#include <fcntl.h>

#include "plan/parts.h"
#include "plan/planfile.h"
#include "plan/planner.h"
#include "support.h"

/* The plan for these sessions, all of them default ones, with that configuration; NULL: a fault. */
static struct plan *
plan_of(const char *sessions, const char *config, struct facts **facts)
{
	struct strings nothing = { 0 };
	json_t *root = facts_json(sessions, "[0,1]");

	json_object_set_new(root, "config", json_of(config));
	*facts = facts_parse(root, "test");
	ck_assert_ptr_nonnull(*facts);
	json_decref(root);
	return planner_make(*facts, &nothing);
}

/* "a<b part-args | … [ci: a …] …": those that each session requires or comes after; the groups. */
static char *
words_of(const struct plan *plan)
{
	struct buffer b = { 0 };

	for (size_t i = 0; i < plan->n; i++) {
		const struct plan_session *s = &plan->sessions[i];
		char *args = json_dumps(s->options.part_args, JSON_COMPACT);
		char *env = json_dumps(s->options.env, JSON_COMPACT);

		buffer_printf(&b, "%s%s", i ? " | " : "", s->target);
		for (size_t k = 0; k < s->requires.n; k++)
			buffer_printf(&b, "<%s", plan->sessions[s->requires.v[k]].target);
		for (size_t k = 0; k < s->after.n; k++)
			buffer_printf(&b, ">%s", plan->sessions[s->after.v[k]].target);
		buffer_printf(&b, "%s%s%s%s%s%s", s->whole ? " of " : "", s->whole ? s->whole : "",
		    args ? " " : "", args ? args : "", env ? " " : "", env ? env : "");
		free(args);
		free(env);
	}
	for (size_t i = 0; i < plan->ngroups; i++) {
		const struct plan_group *g = &plan->groups[i];

		buffer_printf(&b, " [%s%s:", g->target, strcmp(g->kind, GROUP_PARTS) ? "" : "!");
		for (size_t k = 0; k < g->members.n; k++)
			buffer_printf(&b, " %s", plan->sessions[g->members.v[k]].target);
		buffer_addstr(&b, "]");
	}
	return b.data;
}

#define TWO "[{'name':'a'},{'name':'t'}]"
#define PYTHONS "[{'name':'t','session':'t-3.1','signatures':['t-3.1']},"          \
	"{'name':'t','session':'t-3.2','signatures':['t-3.2']}]"

static const struct {
	const char *sessions, *config, *words;
} plans[] = {
	{ TWO, "{'session':{'t':{'parts':2,'part-args':['-n{part}','{parts}{','{parts']}}}",
	  "a | t.part-1 of t [\"-n1\",\"2{\",\"{parts\"] | "
	  "t.part-2 of t [\"-n2\",\"2{\",\"{parts\"]"
	  " [ci: a t.part-1 t.part-2] [t!: t.part-1 t.part-2]" },
	/* By a variable. What is whole keeps its braces. */
	{ TWO, "{'session':{'*':{'env':{'P':'{part}/{parts}'}},'t':{'parts':2}}}",
	  "a {\"P\":\"{part}/{parts}\"} | t.part-1 of t {\"P\":\"1/2\"} | t.part-2 of t "
	  "{\"P\":\"2/2\"} [ci: a t.part-1 t.part-2] [t!: t.part-1 t.part-2]" },
	/* The most exact section counts; 1 is no part, and then there is nothing to tell it. */
	{ TWO, "{'session':{'*':{'parts':2,'part-args':['{part}']},'t':{'parts':1},"
	  "'a':{'part-args':['x{part}']}}}",
	  "a.part-1 of a [\"x1\"] | a.part-2 of a [\"x2\"] | t [\"1\"]"
	  " [ci: a.part-1 a.part-2 t] [a!: a.part-1 a.part-2]" },
	/* Who waits for the session waits for all of its parts; what it waits for, they all do. */
	{ "[{'name':'a'},{'name':'t','requires':[0]},{'name':'z','requires':[1]},"
	  "{'name':'y','notifies':[1]}]",
	  "{'session':{'t':{'parts':2,'part-args':['{part}']},'a':{'after':['z']}}}", NULL },
	{ "[{'name':'a'},{'name':'t','requires':[0]},{'name':'z','requires':[1]},"
	  "{'name':'y','notifies':[1]}]",
	  "{'session':{'t':{'parts':2,'part-args':['{part}']},'y':{'after':['a']}}}",
	  "a | t.part-1<a>y of t [\"1\"] | t.part-2<a>y of t [\"2\"] | z<t.part-1<t.part-2 | y>a"
	  " [ci: a t.part-1 t.part-2] [t!: t.part-1 t.part-2]" },
	/* Of one of several of a name. A part can be named by itself. */
	{ PYTHONS, "{'session':{'t-3.2':{'parts':2,'part-args':['{part}']}},"
	  "'group':{'g':['t-3.2.part-2','t-3.1']}}",
	  "t-3.1 | t-3.2.part-1 of t-3.2 [\"1\"] | t-3.2.part-2 of t-3.2 [\"2\"]"
	  " [ci: t-3.1 t-3.2.part-1 t-3.2.part-2] [t: t-3.1 t-3.2.part-1 t-3.2.part-2]"
	  " [t-3.2!: t-3.2.part-1 t-3.2.part-2] [g: t-3.2.part-2 t-3.1]" },
	/* Or configured, which counts before what is said of the session. */
	{ TWO, "{'session':{'t.part-2':{'part-args':['x{part}']},"
	  "'t':{'parts':2,'part-args':['{part}']},'t*':{'parts':3}}}",
	  "a | t.part-1 of t [\"1\"] | t.part-2 of t [\"x2\"]"
	  " [ci: a t.part-1 t.part-2] [t!: t.part-1 t.part-2]" },
	/* A session of the noxfile has its name before a part has. */
	{ "[{'name':'t'},{'name':'t.part-1'}]",
	  "{'session':{'t':{'parts':2,'part-args':['{part}']}}}",
	  "t.part-1-2 of t [\"1\"] | t.part-2 of t [\"2\"] | t.part-1"
	  " [ci: t.part-1-2 t.part-2 t.part-1] [t!: t.part-1-2 t.part-2]" },
};

START_TEST(a_session_is_cut)
{
	struct facts *facts;
	struct plan *plan = plan_of(plans[_i].sessions, plans[_i].config, &facts);
	char *words;

	if (plans[_i].words) {
		assert_silent();
		words = words_of(plan);
		ck_assert_str_eq(words, plans[_i].words);
		free(words);
	} else {
		ck_assert_ptr_null(plan);
		assert_warned("a cycle: ");
	}
	plan_free(plan);
	facts_free(facts);
}
END_TEST

static const struct {
	const char *config, *warning;
} faults[] = {
	{ "{'session':{'t*':{'parts':4}}}",
	  "pyproject.toml: tool.noxmk.session.\"t*\".parts: nothing tells a part which one it is: "
	  "part-args = [\"--splits={parts}\", \"--group={part}\"] does, or {part} in env" },
	{ "{'session':{'t':{'parts':2,'part-args':['--splits={parts}']}}}",
	  "tool.noxmk.session.t.parts: nothing tells a part which one it is" },
	{ "{'session':{'t':{'part-args':['{part}']}}}", "pyproject.toml: tool.noxmk.session.t."
	  "part-args: there are no parts to be told of: add parts = 4" },
	{ "{'session':{'t':{'parts':0}}}",
	  "pyproject.toml: tool.noxmk.session.t.parts: is 0; it takes a number from 1 to 100" },
	{ "{'session':{'t':{'parts':101}}}", "is 101; it takes a number from 1 to 100" },
	{ "{'session':{'t':{'parts':'4'}}}", "is \"4\"; it takes a number from 1 to 100" },
	{ "{'session':{'t':{'parts':2,'part-args':'{part}'}}}",
	  "tool.noxmk.session.t.part-args: is a string; write [\"{part}\"]" },
	{ "{'session':{'t':{'parts':2,'part-args':['{part}']}},'group':{'t.part-2':['a']}}",
	  "there is a target \"t.part-2\" already" },
	{ "{'session':{'t.part-2':{'parts':3},'t':{'parts':2,'part-args':['{part}']}}}",
	  "pyproject.toml: tool.noxmk.session.\"t.part-2\".parts: a part is not cut once more: say "
	  "in [tool.noxmk.session.t] how many there are" },
	{ "{'session':{'t':{'parts':2,'part-args':['{part}']},'t.part-*':{'parts':2}}}",
	  "pyproject.toml: tool.noxmk.session.\"t.part-*\".parts: a part is not cut once more" },
	{ "{'session':{'t.part-3':{'parts':3},'t':{'parts':2,'part-args':['{part}']}}}",
	  "pyproject.toml: tool.noxmk.session.\"t.part-3\": no " },
};

START_TEST(what_cannot_be_cut_is_told)
{
	struct facts *facts;

	ck_assert_ptr_null(plan_of(TWO, faults[_i].config, &facts));
	assert_warned(faults[_i].warning);
	ck_assert_ptr_eq(strchr(warnings(), '\n'), strrchr(warnings(), '\n'));
	facts_free(facts);
}
END_TEST

/* To nox each part is the session, by its number in the noxfile, as are those behind it. */
START_TEST(nox_knows_parts_by_their_session)
{
	struct facts *facts;
	struct plan *plan = plan_of("[{'name':'t'},{'name':'a'}]",
	    "{'session':{'t':{'parts':2,'part-args':['{part}']}}}", &facts);
	struct buffer text = { 0 };
	struct planfile *file;
	json_t *line, *targets;

	planfile_write(plan, &(struct planfile_nox){ .noxfile = "noxfile.py",
	    .command = &(struct strings){ 0 } }, &text);
	file_put("plan.jsonl", text.data);
	file = planfile_open(AT_FDCWD);
	line = planfile_session(file, "t.part-2");
	ck_assert_str_eq(json_string_value(json_object_get(line, "session")), "t");
	ck_assert_str_eq(json_string_value(json_object_get(line, "selector")), "t");
	ck_assert_str_eq(json_string_value(json_object_get(line, "whole")), "t");
	ck_assert_int_eq(json_integer_value(json_object_get(line, "index")), 0);
	json_decref(line);
	targets = json_of("['t.part-1','t.part-2']");
	line = planfile_targets_at(file, 0);
	ck_assert(json_equal(line, targets));
	json_decref(line);
	json_decref(targets);
	targets = json_of("['a']");
	line = planfile_targets_at(file, 1);
	ck_assert(json_equal(line, targets));
	json_decref(line);
	json_decref(targets);
	planfile_close(file);
	buffer_free(&text);
	plan_free(plan);
	facts_free(facts);
}
END_TEST

Suite *
check_parts_suite(void)
{
	Suite *suite = suite_create("parts");
	TCase *tc = support_case(suite, "parts");

	tcase_add_loop_test(tc, a_session_is_cut, 0, countof(plans));
	tcase_add_loop_test(tc, what_cannot_be_cut_is_told, 0, countof(faults));
	tcase_add_test(tc, nox_knows_parts_by_their_session);
	return suite;
}
