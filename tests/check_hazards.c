#include <stdlib.h>
#include <string.h>

#include "plan/hazards.h"
#include "plan/planner.h"
#include "support.h"

#define SESSIONS "[{'name':'a'},{'name':'b'},{'name':'c','requires':[0]}]"

/* What pairs add to the plan of these: "b<a " for b after a. */
static const struct {
	const char *pairs, *edges;
} cases[] = {
	{ "[['a','b','x']]", "b<a " },
	{ "[['b','a','x']]", "a<b " },
	{ "[['a','b','x'],['a','b','y']]", "b<a " },
	/* What is ordered stays so, and there is no cycle. */
	{ "[['a','c','x']]", "" },
	{ "[['c','a','x']]", "" },
	{ "[['a','b','x'],['b','a','y']]", "b<a " },
	{ "[['c','b','x'],['b','a','y']]", "b<c " },
	/* Sessions that are gone, and what is no pair. */
	{ "[['a','z','x'],['z','a','x'],['a','a','x']]", "" },
	{ "[7,[],['a'],[7,'b'],['a',7],{}]", "" },
	{ "{}", "" },
	{ "[['a','b']]", "b<a " },
	{ "[['a','b',null,'failed']]", "b<a " },
};

START_TEST(a_pair_is_an_edge)
{
	const struct strings nothing = { 0 };
	struct facts *facts = facts_of(SESSIONS, "[0,1,2]");
	struct plan *plan = planner_make(facts, &nothing);
	json_t *pairs = json_of(cases[_i].pairs);
	struct buffer edges = { 0 };

	hazards_apply(plan, pairs);
	buffer_addstr(&edges, "");
	for (size_t i = 0; i < plan->n; i++)
		for (size_t k = 0; k < plan->sessions[i].after.n; k++)
			buffer_printf(&edges, "%s<%s ", plan->sessions[i].target,
			    plan->sessions[plan->sessions[i].after.v[k]].target);
	ck_assert_str_eq(edges.data, cases[_i].edges);
	buffer_free(&edges);
	json_decref(pairs);
	plan_free(plan);
	facts_free(facts);
	assert_silent();
}
END_TEST

/* What an edge is declared by. */
static const struct {
	const char *pair, *by;
} reasons[] = {
	{ "['a','b','.coverage']", "learned: both use .coverage" },
	{ "['a','b','.coverage','failed']", "learned: one fails otherwise, both use .coverage" },
	{ "['a','b',null,'failed']", "learned: one fails otherwise" },
	{ "['a','b',7,'other']", "learned: both use something" },
};

START_TEST(it_says_why)
{
	const struct strings nothing = { 0 };
	struct facts *facts = facts_of(SESSIONS, "[0,1,2]");
	struct plan *plan = planner_make(facts, &nothing);
	char *text = xasprintf("[%s]", reasons[_i].pair);
	json_t *pairs = json_of(text);
	json_t *line = json_of("{'by':{'a':'learned: both use x','c':'tool.noxmk'}}");
	const struct plan_session *b = &plan->sessions[1];

	hazards_apply(plan, pairs);
	ck_assert_str_eq(json_string_value(json_object_get(b->by, "a")), reasons[_i].by);
	ck_assert(hazards_made(line, "a") && !hazards_made(line, "c") && !hazards_made(line, "d"));
	json_decref(pairs);
	json_decref(line);
	free(text);
	plan_free(plan);
	facts_free(facts);
}
END_TEST

Suite *
check_hazards_suite(void)
{
	Suite *suite = suite_create("hazards");
	TCase *tc = support_case(suite, "hazards");

	tcase_add_loop_test(tc, a_pair_is_an_edge, 0, countof(cases));
	tcase_add_loop_test(tc, it_says_why, 0, countof(reasons));
	return suite;
}
