#include <stdlib.h>
#include <string.h>

#include "plan/planner.h"
#include "support.h"

/* "lint tests-3.12 [ci: lint tests-3.12] [tests: …]": the whole plan's names in one line. */
static char *
names_of(const struct plan *plan)
{
	struct buffer b = { 0 };

	for (size_t i = 0; i < plan->n; i++)
		buffer_printf(&b, "%s%s", i ? " " : "", plan->sessions[i].target);
	for (size_t i = 0; i < plan->ngroups; i++) {
		const struct plan_group *group = &plan->groups[i];

		buffer_printf(&b, " [%s:", group->target);
		for (size_t k = 0; k < group->members.n; k++)
			buffer_printf(&b, " %s", plan->sessions[group->members.v[k]].target);
		buffer_addstr(&b, "]");
	}
	return b.data;
}

static const struct {
	const char *sessions, *queue, *reserved, *names;
} namings[] = {
	{ "[]", "[]", "", " [ci:]" },
	{ "[{'name':'lint'},{'name':'docs'}]", "[0]", "", "lint docs [ci: lint]" },
	/* Variants make a group of their base name and of each shorter signature. */
	{ "[{'name':'t','session':'t-3.11','signatures':['t-3.11']},"
	  "{'name':'t','session':'t-3.12','signatures':['t-3.12']}]", "[0,1]", "",
	    "t-3.11 t-3.12 [ci: t-3.11 t-3.12] [t: t-3.11 t-3.12]" },
	{ "[{'name':'t','session':'t(a=1)','signatures':['t-3.9(a=1)','t-3.9','t(a=1)']},"
	  "{'name':'t','session':'t(a=2)','signatures':['t-3.9(a=2)','t-3.9','t(a=2)']}]", "[]", "",
	    "t-a-1 t-a-2 [ci:] [t: t-a-1 t-a-2] [t-3.9-a-1: t-a-1] [t-3.9: t-a-1 t-a-2] "
	    "[t-3.9-a-2: t-a-2]" },
	/* A fine name keeps it, whatever comes before; the others are numbered. */
	{ "[{'name':'lint!'},{'name':'lint'},{'name':'lint?'}]", "[]", "",
	    "lint-2 lint lint-3 [ci:]" },
	{ "[{'name':'a b'},{'name':'a-b-2'},{'name':'a?b'}]", "[]", "",
	    "a-b a-b-2 a-b-3 [ci:]" },
	/* The same name twice. */
	{ "[{'name':'x'},{'name':'x'}]", "[1]", "",
	    "x x-2 [ci: x-2] [x-3: x x-2]" },
	/* ci is ours, and so is what the makefile keeps for itself. */
	{ "[{'name':'ci'}]", "[0]", "", "nox-ci [ci: nox-ci]" },
	{ "[{'name':'clean'},{'name':'all'}]", "[0]", "clean all",
	    "nox-clean nox-all [ci: nox-clean]" },
	{ "[{'name':'clean'},{'name':'nox-clean'}]", "[]", "clean", "nox-clean-2 nox-clean [ci:]" },
	{ "[{'name':'clean'}]", "[]", "clean nox-clean ci", "nox-clean-2 [ci:]" },
	{ "[{'name':'Makefile'},{'name':'nox-list'},{'name':'nox-plan'},"
	  "{'name':'noxfile.py'}]", "[]", "",
	    "nox-Makefile nox-nox-list nox-nox-plan nox-noxfile.py [ci:]" },
	/* A tag that is a session's or group's name gets a prefix; members in definition order. */
	{ "[{'name':'a','tags':['slow','a']},{'name':'b','tags':['slow','slow']}]", "[1,0]", "",
	    "a b [ci: b a] [slow: a b]" },
	{ "[{'name':'a','tags':['b']},{'name':'b','tags':['b']}]", "[]", "",
	    "a b [ci:] [tag-b: a b]" },
	{ "[{'name':'a','tags':['clean']}]", "[]", "clean", "a [ci:] [nox-clean: a]" },
	{ "[{'name':'a','tags':['ci']}]", "[]", "", "a [ci:] [tag-ci: a]" },
	{ "[{'name':'a','tags':['x y','x!y']}]", "[]", "", "a [ci:] [x-y: a] [tag-x-y: a]" },
};

static struct strings
words_of(char *text)
{
	struct strings list = { 0 };
	char *word;

	while ((word = strsep(&text, " ")))
		if (*word)
			strings_add(&list, word);
	return list;
}

START_TEST(each_session_has_a_target_of_its_own)
{
	char *reserved = xstrdup(namings[_i].reserved), *names;
	struct facts *facts = facts_of(namings[_i].sessions, namings[_i].queue);
	struct strings words = words_of(reserved);
	struct plan *plan = planner_make(facts, &words);

	names = names_of(plan);
	ck_assert_str_eq(names, namings[_i].names);
	for (size_t i = 0; i < plan->n; i++)
		ck_assert(plan->sessions[i].is_default == indices_has(&facts->queue, i));
	free(names);
	plan_free(plan);
	facts_free(facts);
	free(words.v);
	free(reserved);
}
END_TEST

/* No two targets are the same, whatever names and tags: they are drawn from a few similar ones. */
START_TEST(targets_are_unique)
{
	static const char *const names[] = { "a", "a!", "a?", "a-2", "nox-a", "ci", "!", "a(x)",
		"tag-a", "nox-a-2", "clean" };
	struct strings reserved = { 0 };
	json_t *list = json_array(), *root, *seen = json_object();
	struct facts *facts;
	struct plan *plan;

	srandom((unsigned)_i);
	strings_add(&reserved, "clean");
	strings_add(&reserved, "a");
	for (int n = 0; n < 12; n++)
		json_array_append_new(list, json_pack("{s:s,s:[s],s:[s]}",
		    "name", names[(size_t)random() % countof(names)],
		    "tags", names[(size_t)random() % countof(names)],
		    "signatures", names[(size_t)random() % countof(names)]));
	char *text = json_dumps(list, 0);

	root = facts_json(text, "[0,3]");
	facts = facts_parse(root, "test");
	plan = planner_make(facts, &reserved);
	for (size_t i = 0; i < plan->n + plan->ngroups; i++) {
		const char *target = i < plan->n ? plan->sessions[i].target :
						   plan->groups[i - plan->n].target;

		ck_assert_msg(!json_object_get(seen, target), "%s twice", target);
		ck_assert_str_ne(target, "clean");
		ck_assert_str_ne(target, "a");
		json_object_set_new(seen, target, json_true());
	}
	plan_free(plan);
	facts_free(facts);
	json_decref(root);
	json_decref(list);
	json_decref(seen);
	free(text);
	free(reserved.v);
}
END_TEST

/* "0<1,2 1<" for requires, then the complaints' sessions, then "0>…" for after. */
static char *
edges_of(const struct plan *plan)
{
	struct buffer b = { 0 };

	buffer_addstr(&b, "");
	for (size_t i = 0; i < plan->n; i++) {
		const struct plan_session *s = &plan->sessions[i];

		for (size_t k = 0; k < s->requires.n; k++)
			buffer_printf(&b, "%zu<%zu ", i, s->requires.v[k]);
		for (size_t k = 0; k < s->after.n; k++)
			buffer_printf(&b, "%zu>%zu ", i, s->after.v[k]);
		if (s->complaint)
			buffer_printf(&b, "%zu:%s ", i, s->complaint);
	}
	return b.data;
}

static const struct {
	const char *sessions, *edges;
} graphs[] = {
	{ "[{'name':'a','requires':[1,2]},{'name':'b','requires':[2]},{'name':'c'}]",
	    "0<1 0<2 1<2 " },
	{ "[{'name':'a','requires':[0]}]", "0:requires=a leads back to it " },
	{ "[{'name':'a','requires':[1]},{'name':'b','requires':[0]}]",
	    "0<1 1:requires=a leads back to it " },
	{ "[{'name':'a','requires':[1]},{'name':'b','requires':[2]},{'name':'c','requires':[1,0]}]",
	    "0<1 1<2 2:requires=b leads back to it " },
	{ "[{'name':'a','requires_error':'no x'},{'name':'b'}]", "0:no x " },
	{ "[{'name':'a','requires_error':'no x','requires':[0]}]", "0:no x " },
	/* Notified sessions come after their callers … */
	{ "[{'name':'a','notifies':[2]},{'name':'b','notifies':[2]},{'name':'c'}]", "2>0 2>1 " },
	/* … unless the caller waits for them, by requires= or as they notify it in their turn. */
	{ "[{'name':'a','notifies':[0]}]", "" },
	{ "[{'name':'a','notifies':[1],'requires':[1]},{'name':'b'}]", "0<1 " },
	{ "[{'name':'a','notifies':[2],'requires':[1]},{'name':'b','requires':[2]},{'name':'c'}]",
	    "0<1 1<2 " },
	{ "[{'name':'a','notifies':[1]},{'name':'b','notifies':[0]}]", "1>0 " },
	{ "[{'name':'a','notifies':[1]},{'name':'b','notifies':[2]},{'name':'c','notifies':[0]}]",
	    "1>0 2>1 " },
	{ "[{'name':'a','notifies':[4],'requires':[1,2]},{'name':'b','requires':[3]},"
	  "{'name':'c','requires':[3]},{'name':'d'},{'name':'e'}]", "0<1 0<2 1<3 2<3 4>0 " },
	{ "[{'name':'a','notifies':[3]},{'name':'b','requires':[2]},{'name':'c'},"
	  "{'name':'d','requires':[1,2]}]", "1<2 3<1 3<2 3>0 " },
	/* One environment is a claim, not an order. */
	{ "[{'name':'a','envdir':'/x'},{'name':'b','envdir':'/x'}]", "" },
};

START_TEST(edges_follow_requires_and_notify)
{
	struct strings nothing = { 0 };
	struct facts *facts = facts_of(graphs[_i].sessions, "[]");
	struct plan *plan = planner_make(facts, &nothing);
	char *edges = edges_of(plan);

	ck_assert_str_eq(edges, graphs[_i].edges);
	free(edges);
	plan_free(plan);
	facts_free(facts);
}
END_TEST

/* Notified sessions give way to what the configuration orders; groups get names as others do. */
START_TEST(configuration_changes_names_and_edges)
{
	static const char *names[] = { "quick" };
	const struct strings reserved = { names, 1 };
	json_t *root = facts_json("[{'name':'a','notifies':[1]},{'name':'b'},{'name':'c'}]", "[0]");
	struct facts *facts;
	struct plan *plan;
	char *edges, *targets;

	json_object_set_new(root, "config", json_of("{'session':{'a':{'after':['b'],"
	    "'default':false},'b':{'needs':['c'],'default':true}},'group':{'quick':['a']}}"));
	facts = facts_parse(root, "test");
	plan = planner_make(facts, &reserved);
	edges = edges_of(plan);
	targets = names_of(plan);
	ck_assert_str_eq(edges, "0>1 1<2 ");
	ck_assert_str_eq(targets, "a b c [ci: b] [nox-quick: a]");
	free(edges);
	free(targets);
	plan_free(plan);
	facts_free(facts);
	json_decref(root);
	assert_silent();
}
END_TEST

/* As `nox -s` does it; but where nothing would be left, all stays. */
START_TEST(groups_are_narrowed_to_the_pythons_of_nox)
{
	const struct strings nothing = { 0 };
	json_t *root = facts_json(
	    "[{'name':'t','session':'t-3.11','python':'3.11','tags':['x']},"
	    "{'name':'t','session':'t-3.12','python':'3.12','tags':['x']},"
	    "{'name':'d','session':'d-3.9','python':'3.9','tags':['y']},"
	    "{'name':'l','session':'l','tags':['x','y']}]", "[0]");
	struct facts *facts;
	struct plan *plan;
	char *targets;

	json_object_set_new(root, "pythons", json_of("['3.11','3.10']"));
	facts = facts_parse(root, "test");
	plan = planner_make(facts, &nothing);
	targets = names_of(plan);
	ck_assert_str_eq(targets, "t-3.11 t-3.12 d-3.9 l [ci: t-3.11] [t: t-3.11] [d: d-3.9] "
	    "[x: t-3.11] [y: d-3.9 l]");
	free(targets);
	plan_free(plan);
	facts_free(facts);
	json_decref(root);
}
END_TEST

START_TEST(no_plan)
{
	static const char *const faults[][3] = {
		{ "config", "{'sesion':{}}",
		  "pyproject.toml: tool.noxmk.sesion: unknown key; did you "
		  "mean \"session\"?\n" },
		{ "config", "{'session':{'b':{}}}",
		  "pyproject.toml: tool.noxmk.session.b: no session " },
		{ "config_error", "'Expected = (at line 3)'",
		  "pyproject.toml: Expected = (at line 3)\n" },
	};
	const struct strings nothing = { 0 };
	json_t *root = facts_json("[{'name':'a'}]", "[0]");
	struct facts *facts;

	json_object_set_new(root, faults[_i][0], json_of(faults[_i][1]));
	facts = facts_parse(root, "test");
	ck_assert_ptr_null(planner_make(facts, &nothing));
	assert_warned(faults[_i][2]);
	facts_free(facts);
	json_decref(root);
}
END_TEST

Suite *
check_planner_suite(void)
{
	Suite *suite = suite_create("planner");
	TCase *tc = support_case(suite, "names");

	tcase_add_loop_test(tc, each_session_has_a_target_of_its_own, 0, countof(namings));
	tcase_add_loop_test(tc, targets_are_unique, 0, 20);
	tcase_add_test(tc, groups_are_narrowed_to_the_pythons_of_nox);
	tc = support_case(suite, "order");
	tcase_add_loop_test(tc, edges_follow_requires_and_notify, 0, countof(graphs));
	tcase_add_test(tc, configuration_changes_names_and_edges);
	tcase_add_loop_test(tc, no_plan, 0, 3);
	return suite;
}
