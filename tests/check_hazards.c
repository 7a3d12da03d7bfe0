#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "plan/hazards.h"
#include "plan/planner.h"
#include "support.h"

#define SESSIONS "[{'name':'a'},{'name':'b'},{'name':'c','requires':[0]}]"
#define FOUR "[{'name':'a'},{'name':'b'},{'name':'c','requires':[0]},{'name':'d'}]"

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
	/* Where c runs, so does what it requires; but b may not, and then its edges are none. */
	{ "[['b','a','x'],['b','c','x']]", "a<b " },
	{ "[['a','b','x'],['b','d','x'],['a','d','x']]", "b<a d<b d<a " },
	{ "[['a','b','x'],['b','d','x'],['d','a','x']]", "b<a d<b " },
	/* Sessions that are gone. */
	{ "[['a','z','x'],['z','a','x']]", "" },
	{ "[['a','b',null,'failed']]", "b<a " },
};

START_TEST(a_pair_is_an_edge)
{
	const struct strings nothing = { 0 };
	struct facts *facts = facts_of(FOUR, "[0,1,2,3]");
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
	{ "['a','b',null]", "learned: both use something" },
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

/* The same where a and b are the parts of t: edges as above, and who claims what: "a:parts:t". */
static const struct {
	const char *pairs, *told;
} parts[] = {
	{ "[['t','d','x']]", "d<a d<b " },
	{ "[['d','t','x']]", "a<d b<d " },
	{ "[['t','c','x']]", "c<b " },
	/* They need no order, and stay what they are for: work for several machines. */
	{ "[['t','t','x']]", "a:parts:t b:parts:t " },
	{ "[['a','b','x'],['t','t','y']]", "a:parts:t b:parts:t " },
	{ "[['d','d','x'],['z','z','x']]", "" },
};

START_TEST(a_session_that_is_cut_is_all_of_its_parts)
{
	const struct strings nothing = { 0 };
	struct facts *facts = facts_of(FOUR, "[0,1,2,3]");
	struct plan *plan = planner_make(facts, &nothing);
	json_t *pairs = json_of(parts[_i].pairs);
	struct buffer told = { 0 };

	plan->sessions[0].whole = plan->sessions[1].whole = "t";
	hazards_apply(plan, pairs);
	buffer_addstr(&told, "");
	for (size_t i = 0; i < plan->n; i++) {
		const struct plan_session *s = &plan->sessions[i];

		for (size_t k = 0; k < s->after.n; k++)
			buffer_printf(&told, "%s<%s ", s->target,
			    plan->sessions[s->after.v[k]].target);
		for (size_t k = 0; k < s->nclaims; k++)
			if (strncmp(s->claims[k].by, HAZARDS_BY, strlen(HAZARDS_BY)) == 0)
				buffer_printf(&told, "%s:%s ", s->target,
				    plan->resources[s->claims[k].resource].name);
	}
	ck_assert_str_eq(told.data, parts[_i].told);
	buffer_free(&told);
	json_decref(pairs);
	plan_free(plan);
	facts_free(facts);
	assert_silent();
}
END_TEST

#define FILE_OF(pairs) "{'schema':1,'pairs':[" pairs "]}"

/* What a file says, and what is wrong with it; NULL: nothing. */
static const struct {
	const char *text, *fault;
} files[] = {
	{ FILE_OF("['a','b.2_C','x $(y) \u00e9/z'],['a','a',null],['b','c','z','failed']"), NULL },
	{ FILE_OF(""), NULL },
	{ "", ": line 1, column 0: not JSON; " },
	{ "{'schema':1,\n'pairs':[['a',", ": line 2, column 14: not JSON; " },
	{ "[]", ": schema: is not 1" },
	{ "7", "not JSON" },
	{ "{'pairs':[]}", ": schema: is not 1" },
	{ "{'schema':2,'pairs':[]}", ": schema: is not 1" },
	{ "{'schema':'1','pairs':[]}", ": schema: is not 1" },
	{ "{'schema':1}", ": pairs: is no list; " },
	{ "{'schema':1,'pairs':{'a':'b'}}", ": pairs: is no list; " },
	{ FILE_OF("['a','b','x'],7"), ": pairs[1]: is not of two targets" },
	{ FILE_OF("{}"), ": pairs[0]: is not of two targets" },
	{ FILE_OF("['a','b']"), ": pairs[0]: is not of two targets" },
	{ FILE_OF("['a','b','x','failed',1]"), ": pairs[0]: is not of two targets" },
	{ FILE_OF("['a',7,'x']"), ": pairs[0]: has a name that no target can have" },
	{ FILE_OF("['','b','x']"), "has a name that no target can have" },
	{ FILE_OF("['../b','b','x']"), "has a name that no target can have" },
	{ FILE_OF("['a','b\\nc','x']"), "has a name that no target can have" },
	{ FILE_OF("['$(shell id)','b','x']"), "has a name that no target can have" },
	{ FILE_OF("['a','b',7]"), ": pairs[0]: says of what in no line of text; " },
	{ FILE_OF("['a','b','x\\ny']"), "says of what in no line of text" },
	{ FILE_OF("['a','b','x\\u001b[2J']"), "says of what in no line of text" },
	{ FILE_OF("['a','b','x\\u009b2J']"), "says of what in no line of text" },
	{ FILE_OF("['a','b','x\\u0000']"), "not JSON" },
	{ FILE_OF("['a','b','x','wrong']"), ": pairs[0]: ends in a word that is not \"failed\"; " },
	{ FILE_OF("['a','b','x',null]"), "ends in a word that is not \"failed\"; " },
};

START_TEST(a_file_is_sound_or_nothing)
{
	json_t *pairs;

	file_put_json("h", files[_i].text);
	pairs = hazards_read(AT_FDCWD, "h", _i % 2, "H=h");
	ck_assert_int_eq(!pairs, files[_i].fault != NULL);
	if (files[_i].fault) {
		assert_warned("H=h: not what `noxmk audit` leaves in hazards.json: ");
		assert_warned(files[_i].fault);
		assert_warned("; nothing is learned from it: an audit writes it anew\n");
		ck_assert_ptr_eq(strchr(warnings(), '\n') + 1, strrchr(warnings(), '\n') + 1);
	} else {
		assert_silent();
	}
	json_decref(pairs);
}
END_TEST

START_TEST(a_file_may_be_anything)
{
	odd_put((enum odd)_i, "h");
	ck_assert_ptr_null(hazards_read(AT_FDCWD, "h", true, "H=h"));
	assert_warned("H=h: not what ");
}
END_TEST

START_TEST(a_file_has_an_end)
{
	const size_t length = ((size_t)16 << 20) + 1;
	char *text = xcalloc(length + 1, 1);

	memset(text, '[', length);
	text[length] = '\0';
	file_put("h", text);
	ck_assert_ptr_null(hazards_read(AT_FDCWD, "h", false, "H=h"));
	assert_warned(": has more than 16 MiB; ");
	text[length - 1] = '\0';
	file_put("h", text);
	ck_assert_ptr_null(hazards_read(AT_FDCWD, "h", false, "H=h"));
	assert_warned(": line 1, column ");
	free(text);
}
END_TEST

START_TEST(only_ours_may_be_missing)
{
	ck_assert_ptr_null(hazards_read(AT_FDCWD, "h", true, "H=h"));
	assert_silent();
	ck_assert_ptr_null(hazards_read(AT_FDCWD, "h", false, "H=h"));
	assert_warned(": No such file or directory; ");
}
END_TEST

Suite *
check_hazards_suite(void)
{
	Suite *suite = suite_create("hazards");
	TCase *tc = support_case(suite, "hazards");

	tcase_add_loop_test(tc, a_pair_is_an_edge, 0, countof(cases));
	tcase_add_loop_test(tc, it_says_why, 0, countof(reasons));
	tcase_add_loop_test(tc, a_session_that_is_cut_is_all_of_its_parts, 0, countof(parts));
	tcase_add_loop_test(tc, a_file_is_sound_or_nothing, 0, countof(files));
	tcase_add_loop_test(tc, a_file_may_be_anything, 0, ODD_THINGS);
	tcase_add_test(tc, a_file_has_an_end);
	tcase_add_test(tc, only_ours_may_be_missing);
	return suite;
}
