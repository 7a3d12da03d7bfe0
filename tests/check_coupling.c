#include <stdlib.h>
#include <string.h>

#include "plan/planner.h"
#include "support.h"

#define GLOBAL(from) "'ties':[{'global':true,'what':'wheel','from':[" from "]}]"
#define FILES(from) "'ties':[{'global':false,'what':'coverage report','from':[" from "]}]"

/* What a session waits for (<) and takes from (^), and whether there is a note with that text. */
static const struct {
	const char *sessions, *queue, *config, *edges, *note;
} ties[] = {
	{ "[{'name':'a'},{'name':'b'}]", "[0,1]", "{}", "", NULL },
	/* Files: in the noxfile's order of the default sessions, or else of all. */
	{ "[{'name':'a'},{'name':'b'," FILES("0") "}]", "[0,1]", "{}", "b<a ",
	    "b reads what \"a\" leaves (coverage report), and nothing declares it: it comes after, "
	    "as in the noxfile. To declare it: [tool.noxmk.session.b] after = [\"a\"]" },
	{ "[{'name':'a'},{'name':'b'," FILES("0") "}]", "[1,0]", "{}", "", NULL },
	{ "[{'name':'b'," FILES("1") "},{'name':'a'}]", "[1,0]", "{}", "b<a ", "reads what" },
	{ "[{'name':'a'},{'name':'b'," FILES("0") "}]", "[0]", "{}", "b<a ", NULL },
	{ "[{'name':'b'," FILES("1") "},{'name':'a'}]", "[]", "{}", "", NULL },
	/* A session of several variants, with a name that TOML must quote. */
	{ "[{'name':'a','session':'a-1'},{'name':'a','session':'a-2'},{'name':'b c',"
	  FILES("0,1") "}]", "[0,1,2]", "{}", "b-c<a-1 b-c<a-2 ",
	    "[tool.noxmk.session.\"b c\"] after = [\"a\"]" },
	/* What is declared stays as declared. */
	{ "[{'name':'a'},{'name':'b'," FILES("0") "}]", "[0,1]", "{'session':{'b':{'after':[]}}}",
	    "", NULL },
	{ "[{'name':'a'},{'name':'b'," FILES("0") "}]", "[0,1]",
	    "{'session':{'b':{'after':['a']}}}", "b<a ", NULL },
	{ "[{'name':'a'},{'name':'b'," FILES("0") "},{'name':'c'}]", "[0,1]",
	    "{'session':{'b':{'needs':['c']}}}", "", NULL },
	{ "[{'name':'a'},{'name':'c'},{'name':'b','requires':[1]," FILES("0") "}]", "[0,1,2]", "{}",
	    "", NULL },
	{ "[{'name':'a','notifies':[1]},{'name':'b'," FILES("0") "}]", "[0,1]", "{}", "b<a ",
	    NULL },
	/* The configuration's defaults count. */
	{ "[{'name':'a'},{'name':'b'," FILES("0") "}]", "[0]", "{'session':{'b':{'default':true}}}",
	    "b<a ", "reads what" },
	/* What waits for the session cannot come before it. */
	{ "[{'name':'a','requires':[1]},{'name':'b'," FILES("0") "}]", "[1,0]", "{}", "", NULL },
	/* Global variables: requires= gives the order, but does not carry them. */
	{ "[{'name':'a'},{'name':'b'," GLOBAL("0") "}]", "[0,1]", "{}", "b<a b^a ",
	    "b reads the global variable wheel, which \"a\" assigns" },
	{ "[{'name':'a'},{'name':'b','requires':[0]," GLOBAL("0") "}]", "[0,1]", "{}", "b^a ",
	    "global variable wheel" },
	{ "[{'name':'a'},{'name':'b'," GLOBAL("0") "}]", "[1]", "{}", "b<a b^a ", NULL },
	{ "[{'name':'a'},{'name':'b'," GLOBAL("0") "}]", "[0,1]",
	    "{'session':{'b':{'after':['a']}}}", "b<a b^a ", NULL },
	{ "[{'name':'a'},{'name':'b'," GLOBAL("0") "}]", "[0,1]", "{'session':{'b':{'after':[]}}}",
	    "", NULL },
	/* The last in nox's order wins. */
	{ "[{'name':'a'},{'name':'c'},{'name':'b'," GLOBAL("0,1") "}]", "[1,0,2]", "{}",
	    "b<a b<c b^c b^a ", "\"a\", \"c\" assign, and" },
	/* Two that pass it to and fro: no cycle. */
	{ "[{'name':'a'," GLOBAL("1") "},{'name':'b'," GLOBAL("0") "}]", "[0,1]", "{}", "b<a b^a ",
	    "b reads" },
};

static char *
edges_of(const struct plan *plan)
{
	struct buffer b = { 0 };

	buffer_addstr(&b, "");
	for (size_t i = 0; i < plan->n; i++) {
		const struct plan_session *s = &plan->sessions[i];

		for (size_t k = 0; k < s->after.n; k++)
			buffer_printf(&b, "%s<%s ", s->target,
			    plan->sessions[s->after.v[k]].target);
		for (size_t k = 0; k < s->takes.n; k++)
			buffer_printf(&b, "%s^%s ", s->target,
			    plan->sessions[s->takes.v[k]].target);
	}
	return b.data;
}

START_TEST(tied_sessions_keep_their_places)
{
	const struct strings nothing = { 0 };
	json_t *root = facts_json(ties[_i].sessions, ties[_i].queue);
	struct facts *facts;
	struct plan *plan;
	char *edges;

	json_object_set_new(root, "config", json_of(ties[_i].config));
	facts = facts_parse(root, "test");
	ck_assert_ptr_nonnull(facts);
	plan = planner_make(facts, &nothing);
	ck_assert_ptr_nonnull(plan);
	edges = edges_of(plan);
	ck_assert_str_eq(edges, ties[_i].edges);
	ck_assert_uint_eq(json_array_size(plan->notes), ties[_i].note ? 1 : 0);
	if (ties[_i].note) {
		const char *note = json_string_value(json_array_get(plan->notes, 0));

		ck_assert_msg(strstr(note, ties[_i].note) != NULL, "%s", note);
	}
	free(edges);
	plan_free(plan);
	facts_free(facts);
	json_decref(root);
	assert_silent();
}
END_TEST

START_TEST(the_edge_tells_what_made_it)
{
	const struct strings nothing = { 0 };
	struct facts *facts = facts_of("[{'name':'a'},{'name':'b'," GLOBAL("0") "}]", "[0,1]");
	struct plan *plan = planner_make(facts, &nothing);

	ck_assert_str_eq(json_string_value(json_object_get(plan->sessions[1].by, "a")),
	    "the noxfile's code (global wheel)");
	plan_free(plan);
	facts_free(facts);
}
END_TEST

Suite *
check_coupling_suite(void)
{
	Suite *suite = suite_create("coupling");
	TCase *tc = support_case(suite, "ties");

	tcase_add_loop_test(tc, tied_sessions_keep_their_places, 0, countof(ties));
	tcase_add_test(tc, the_edge_tells_what_made_it);
	return suite;
}
