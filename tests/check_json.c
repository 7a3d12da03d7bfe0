#include <stdlib.h>

#include "base/json.h"
#include "support.h"

START_TEST(what_is_not_there_has_a_default)
{
	json_t *object = json_of("{'text':'a','number':1.5,'whole':2,'other':[]}");
	char *copy = json_text_copy(object, "text");

	ck_assert_str_eq(json_text(object, "text"), "a");
	ck_assert_str_eq(json_text(object, "number"), "");
	ck_assert_str_eq(json_text(object, "none"), "");
	ck_assert_str_eq(json_text(NULL, "text"), "");
	ck_assert_str_eq(copy, "a");
	ck_assert_ptr_null(json_text_copy(object, "other"));
	ck_assert_double_eq(json_number(object, "number"), 1.5);
	ck_assert_double_eq(json_number(object, "whole"), 2);
	ck_assert_double_eq(json_number(object, "text"), 0);
	ck_assert_double_eq(json_number(NULL, "text"), 0);
	free(copy);
	json_decref(object);
}
END_TEST

START_TEST(text_that_json_cannot_hold_is_null)
{
	json_t *text = json_text_or_null("\xc3\xa9");

	ck_assert_str_eq(json_string_value(text), "\xc3\xa9");
	json_decref(text);
	ck_assert(json_is_null(json_text_or_null(NULL)));
	ck_assert(json_is_null(json_text_or_null("\xff")));
}
END_TEST

START_TEST(only_whole_strings_of_a_list_count)
{
	json_t *list = json_of("['lint',7,null,'tests']");

	ck_assert(json_list_has(list, "lint"));
	ck_assert(json_list_has(list, "tests"));
	ck_assert(!json_list_has(list, "test"));
	ck_assert(!json_list_has(list, "7"));
	ck_assert(!json_list_has(NULL, "lint"));
	json_decref(list);
}
END_TEST

START_TEST(the_strings_of_a_list_become_one)
{
	static const struct {
		const char *list, *joined;
	} cases[] = { { "[]", "" }, { "['a']", "a" }, { "['a','','b c']", "a, , b c" },
		{ "['a',7,null,'b']", "a, b" } };

	for (size_t i = 0; i < countof(cases); i++) {
		json_t *list = json_of(cases[i].list);
		char *joined = json_list_join(list, ", ");

		ck_assert_str_eq(joined, cases[i].joined);
		free(joined);
		json_decref(list);
	}
}
END_TEST

START_TEST(values_become_lines)
{
	struct buffer lines = { 0 };

	json_add_line(&lines, json_pack("{s:s}", "a", "\xc3\xa9\n"));
	json_add_line(&lines, json_pack("[i]", 1));
	ck_assert_str_eq(lines.data, "{\"a\":\"\\u00E9\\n\"}\n[1]\n");
	buffer_free(&lines);
}
END_TEST

Suite *
check_json_suite(void)
{
	Suite *suite = suite_create("json");
	TCase *tc = support_case(suite, "json");

	tcase_add_test(tc, what_is_not_there_has_a_default);
	tcase_add_test(tc, text_that_json_cannot_hold_is_null);
	tcase_add_test(tc, only_whole_strings_of_a_list_count);
	tcase_add_test(tc, the_strings_of_a_list_become_one);
	tcase_add_test(tc, values_become_lines);
	return suite;
}
