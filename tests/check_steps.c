#include <stdlib.h>
#include <string.h>

#include "nox/steps.h"
#include "support.h"

START_TEST(steps_are_kept)
{
	json_t *entry = json_of("{'steps':[{'kind':'environment','command':'created','exit':0,"
		"'started':100.5,'seconds':2.5,'waited':0},{'kind':'run','command':'pytest -q',"
		"'exit':null,'started':103,'seconds':4,'waited':0.5}]}");
	json_t *steps = steps_read(entry, 200), *expected = json_of(
		"[{'kind':'environment','command':'created','exit':0,'started':100.5,"
		"'seconds':2.5,'waited':0.0},{'kind':'run','command':'pytest -q','exit':null,"
		"'started':103.0,'seconds':4.0,'waited':0.5}]");

	ck_assert(json_equal(steps, expected));
	json_decref(expected);
	json_decref(steps);
	json_decref(entry);
}
END_TEST

/* Reports of other noxes, and of a session that has written one itself. */
static const struct {
	const char *entry, *steps;
} strangers[] = {
	{ "{}", NULL },
	{ "{'steps':7}", NULL },
	{ "{'steps':[7,{'kind':'x'},{}]}", NULL },
	{ "{'steps':[{'kind':7},{'kind':'run','command':3,'exit':'no','started':-1,'seconds':[]}]}",
	    "[{'kind':'run','command':'','exit':null,'started':0.0,'seconds':0.0,'waited':0.0}]" },
};

START_TEST(what_is_no_step_is_none)
{
	json_t *entry = json_of(strangers[_i].entry), *steps = steps_read(entry, 200);
	json_t *expected = strangers[_i].steps ? json_of(strangers[_i].steps) : NULL;

	ck_assert(expected ? json_equal(steps, expected) : !steps);
	json_decref(expected);
	json_decref(steps);
	json_decref(entry);
}
END_TEST

START_TEST(a_step_that_has_not_ended_was_cut_off)
{
	json_t *entry = json_of("{'steps':[{'kind':'run','command':'a','exit':0,'started':100,"
		"'seconds':1,'waited':0},{'kind':'install','command':'b','exit':null,"
		"'started':101.5,'waited':2.0},{'kind':'run','command':'c','started':300}]}");
	json_t *steps = steps_read(entry, 104), *expected = json_of(
		"[{'kind':'run','command':'a','exit':0,'started':100.0,'seconds':1.0,'waited':0.0},"
		"{'kind':'install','command':'b','exit':null,'started':101.5,'seconds':0.5,"
		"'waited':2.0,'cut':true},{'kind':'run','command':'c','exit':null,'started':300.0,"
		"'seconds':0.0,'waited':0.0,'cut':true}]");

	ck_assert_msg(json_equal(steps, expected), "%s", json_dumps(steps, 0));
	ck_assert_str_eq(json_string_value(json_object_get(steps_cut(steps), "command")), "c");
	json_array_remove(steps, 2);
	json_array_remove(steps, 1);
	ck_assert_ptr_null(steps_cut(steps));
	ck_assert_ptr_null(steps_cut(NULL));
	json_decref(expected);
	json_decref(steps);
	json_decref(entry);
}
END_TEST

/* Of a loop with a thousand commands the first are kept. */
START_TEST(they_are_bounded)
{
	json_t *entry = json_object(), *list = json_array(), *steps;

	for (int i = 0; i < 1000; i++)
		json_array_append_new(list, json_pack("{s:s,s:s}", "kind", "run", "command",
		    "c"));
	json_object_set_new(entry, "steps", list);
	steps = steps_read(entry, 200);
	ck_assert_uint_eq(json_array_size(steps), 200);
	json_decref(steps);
	json_decref(entry);
}
END_TEST

/* The secret goes before the command is cut: no half of it is left. */
START_TEST(secrets_are_hidden)
{
	static char variable[] = "A_TOKEN=0123456789abcdef0123456789abcdef";
	char *environment[] = { variable, NULL }, *long_one;
	struct secrets secrets = { 0 };
	struct mask *mask;
	json_t *steps = json_of("[{'kind':'run','command':'x'},{'kind':'run','command':'y'}]");
	const char *text;

	secrets_add_usual(&secrets.mask);
	mask = mask_open(&secrets, environment);
	json_object_set_new(json_array_get(steps, 0), "command",
	    json_string("curl -u 0123456789abcdef0123456789abcdef"));
	long_one = xasprintf("%098d0123456789abcdef0123456789abcdef%0300d", 0, 0);
	json_object_set_new(json_array_get(steps, 1), "command", json_string(long_one));
	steps_hide(steps, mask);
	text = json_string_value(json_object_get(json_array_get(steps, 0), "command"));
	ck_assert_str_eq(text, "curl -u ***");
	text = json_string_value(json_object_get(json_array_get(steps, 1), "command"));
	ck_assert_uint_le(strlen(text), 202);
	ck_assert_ptr_null(strchr(text, '1'));
	steps_hide(NULL, mask);
	free(long_one);
	json_decref(steps);
	mask_close(mask);
	secrets_clear(&secrets);
}
END_TEST

Suite *
check_steps_suite(void)
{
	Suite *suite = suite_create("steps");
	TCase *tc = support_case(suite, "steps");

	tcase_add_test(tc, steps_are_kept);
	tcase_add_loop_test(tc, what_is_no_step_is_none, 0, countof(strangers));
	tcase_add_test(tc, a_step_that_has_not_ended_was_cut_off);
	tcase_add_test(tc, they_are_bounded);
	tcase_add_test(tc, secrets_are_hidden);
	return suite;
}
