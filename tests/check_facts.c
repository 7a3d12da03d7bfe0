#include <string.h>

#include "support.h"

START_TEST(all_fields)
{
	struct facts *facts = facts_of(
	    "[{'name':'tests','session':'tests-3.12','description':'Run them','python':'3.12',"
	    "  'envdir':'/p/.nox/tests','parallel':false,'signatures':['tests-3.12'],"
	    "  'tags':['slow','ci'],"
	    "  'requires':[1,1],'notifies':[1],'requires_error':'no session wheel'},"
	    " {'name':'build','python':null,'parallel':null},"
	    " {'name':'x','parallel':true}]", "[1,0,1]");
	const struct facts_session *s = facts->sessions;

	ck_assert_uint_eq(facts->n, 3);
	ck_assert_str_eq(facts->nox, "2024.4.15");
	ck_assert_str_eq(facts->python, "/usr/bin/python3");
	ck_assert_str_eq(facts->noxfile, "/p/noxfile.py");
	ck_assert_ptr_null(facts->complaint);
	ck_assert_uint_eq(facts->path.n, 2);
	ck_assert_ptr_null(facts->inputs);
	ck_assert_ptr_null(facts->changing);
	ck_assert_uint_eq(facts->asked.n, 0);
	/* Each once, in their order. */
	ck_assert_uint_eq(facts->queue.n, 2);
	ck_assert_uint_eq(facts->queue.v[0], 1);
	ck_assert_str_eq(s[0].name, "tests");
	ck_assert_str_eq(s[0].session, "tests-3.12");
	ck_assert_str_eq(s[0].description, "Run them");
	ck_assert_str_eq(s[0].python, "3.12");
	ck_assert_str_eq(s[0].envdir, "/p/.nox/tests");
	ck_assert_str_eq(s[0].complaint, "no session wheel");
	ck_assert_str_eq(s[0].signatures.v[0], "tests-3.12");
	ck_assert_str_eq(s[0].tags.v[1], "ci");
	ck_assert_uint_eq(s[0].requires.n, 1);
	ck_assert_uint_eq(s[0].notifies.v[0], 1);
	ck_assert_ptr_null(s[1].python);
	ck_assert_ptr_null(s[1].envdir);
	ck_assert_ptr_null(s[1].complaint);
	ck_assert_int_eq(s[0].parallel, 0);
	ck_assert_int_eq(s[1].parallel, -1);
	ck_assert_int_eq(s[2].parallel, 1);
	ck_assert_ptr_null(facts->config);
	ck_assert_ptr_null(facts->config_error);
	facts_free(facts);
	assert_silent();
}
END_TEST

/* One field at a time: NULL as value takes it away. */
static const struct {
	bool in_session;
	const char *key, *value, *words;
} damages[] = {
	{ false, "schema", NULL, "\"schema\" is not 1" },
	{ false, "schema", "2", "\"schema\" is not 1" },
	{ false, "schema", "'1'", "\"schema\" is not 1" },
	{ false, "sessions", NULL, "\"sessions\" is not a list" },
	{ false, "sessions", "{}", "\"sessions\" is not a list" },
	{ false, "nox", NULL, "\"nox\" is not a string" },
	{ false, "nox", "null", "\"nox\" is not a string" },
	{ false, "nox", "7", "\"nox\" is not a string" },
	{ false, "python", "[]", "\"python\" is not a string" },
	{ false, "noxfile", NULL, "\"noxfile\" is not a string" },
	{ false, "noxfile", "false", "\"noxfile\" is not a string" },
	{ false, "queue_error", "1", "\"queue_error\" is not a string" },
	{ false, "path", NULL, "\"path\" is not a list" },
	{ false, "path", "'/usr'", "\"path\" is not a list" },
	{ false, "path", "['/usr',null]", "\"path\" is not a list of strings" },
	{ false, "inputs", "{}", "\"inputs\" is not a list" },
	{ false, "inputs", "[1]", "\"inputs\" is not a list of inputs" },
	{ false, "inputs", "[['file']]", "\"inputs\" is not a list of inputs" },
	{ false, "inputs", "[['file','/p'],['file',7]]", "\"inputs\" is not a list of inputs" },
	{ false, "asked", "{}", "\"asked\" is not a list" },
	{ false, "asked", "[1]", "\"asked\" is not a list of strings" },
	{ false, "volatile", "[]", "\"volatile\" is not a string" },
	{ false, "args", "[null]", "\"args\" is not a list of strings" },
	{ false, "environ", "[]", "\"environ\" is not an object" },
	{ false, "environ", "null", "\"environ\" is not an object" },
	{ false, "environ", "{'A':7}", "\"environ\" is not variables and their values" },
	{ false, "queue", NULL, "\"queue\" is not a list" },
	{ false, "queue", "0", "\"queue\" is not a list" },
	{ false, "queue", "[0,2]", "\"queue\" is not a list of session numbers" },
	{ false, "queue", "[-1]", "\"queue\" is not a list of session numbers" },
	{ false, "queue", "['0']", "\"queue\" is not a list of session numbers" },
	{ false, "queue", "[0.0]", "\"queue\" is not a list of session numbers" },
	{ true, "name", NULL, "session 1: \"name\" is not a string" },
	{ true, "name", "null", "session 1: \"name\" is not a string" },
	{ true, "session", NULL, "session 1: \"session\" is not a string" },
	{ true, "session", "{}", "session 1: \"session\" is not a string" },
	{ true, "description", NULL, "session 1: \"description\" is not a string" },
	{ true, "python", "3.12", "session 1: \"python\" is not a string" },
	{ true, "envdir", "true", "session 1: \"envdir\" is not a string" },
	{ true, "requires_error", "[]", "session 1: \"requires_error\" is not a string" },
	{ false, "config_error", "[]", "\"config_error\" is not a string" },
	{ true, "parallel", "1", "session 1: \"parallel\" is not true, false or null" },
	{ true, "twin", "1", "session 1: \"twin\" is not two numbers" },
	{ true, "twin", "[1]", "session 1: \"twin\" is not two numbers" },
	{ true, "twin", "[1,'2']", "session 1: \"twin\" is not two numbers" },
	{ true, "signatures", NULL, "session 1: \"signatures\" is not a list" },
	{ true, "signatures", "[[]]", "session 1: \"signatures\" is not a list of strings" },
	{ true, "tags", NULL, "session 1: \"tags\" is not a list" },
	{ true, "tags", "[7]", "session 1: \"tags\" is not a list of strings" },
	{ true, "requires", NULL, "session 1: \"requires\" is not a list" },
	{ true, "requires", "[9223372036854775807]",
	    "\"requires\" is not a list of session numbers" },
	{ true, "notifies", NULL, "session 1: \"notifies\" is not a list" },
	{ true, "notifies", "[true]", "\"notifies\" is not a list of session numbers" },
};

START_TEST(damaged_field)
{
	json_t *root = facts_json("[{'name':'a'},{'name':'b'}]", "[0,1]"), *object = root;

	if (damages[_i].in_session)
		object = json_array_get(json_object_get(root, "sessions"), 1);
	if (damages[_i].value)
		json_object_set_new(object, damages[_i].key, json_of(damages[_i].value));
	else
		json_object_del(object, damages[_i].key);
	ck_assert_ptr_null(facts_parse(root, "probe"));
	assert_warned(damages[_i].words);
	assert_warned("probe: ");
	/* The first fault only. */
	ck_assert_ptr_eq(strchr(warnings(), '\n'), strrchr(warnings(), '\n'));
	json_decref(root);
}
END_TEST

static const char *const not_facts[] = { "[]", "'text'", "null", "7", "{}",
	"{'schema':1,'sessions':[null]}", "{'schema':1,'sessions':[1,[]]}" };

START_TEST(no_facts_at_all)
{
	json_t *root = json_of(not_facts[_i]);

	ck_assert_ptr_null(facts_parse(root, "probe"));
	assert_warned("probe: ");
	json_decref(root);
}
END_TEST

START_TEST(no_sessions)
{
	struct facts *facts = facts_of("[]", "[]");

	ck_assert_uint_eq(facts->n, 0);
	facts_free(facts);
	facts_free(NULL);
}
END_TEST

Suite *
check_facts_suite(void)
{
	Suite *suite = suite_create("facts");
	TCase *tc = support_case(suite, "parse");

	tcase_add_test(tc, all_fields);
	tcase_add_loop_test(tc, damaged_field, 0, countof(damages));
	tcase_add_loop_test(tc, no_facts_at_all, 0, countof(not_facts));
	tcase_add_test(tc, no_sessions);
	return suite;
}
