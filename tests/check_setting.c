#include <stdlib.h>
#include <string.h>

#include "plan/setting.h"
#include "support.h"

START_TEST(a_place_is_quoted_as_toml_wants_it)
{
	static const char *const parts[][4] = {
		{ NULL, NULL, NULL, "tool.noxmk" },
		{ "session", "lint", "uses", "tool.noxmk.session.lint.uses" },
		{ "session", "tests*", "uses", "tool.noxmk.session.\"tests*\".uses" },
		{ "session", "t-3.12(a='x \"y\"')", NULL,
		  "tool.noxmk.session.\"t-3.12(a='x \\\"y\\\"')\"" },
		{ NULL, NULL, "k", "tool.noxmk.k" },
		{ "group", "ü", NULL, "tool.noxmk.group.\"ü\"" },
	};

	for (size_t i = 0; i < countof(parts); i++) {
		char *place = setting_place(parts[i][0], parts[i][1], parts[i][2]);

		ck_assert_str_eq(place, parts[i][3]);
		free(place);
	}
}
END_TEST

START_TEST(a_fault_names_its_place)
{
	struct setting_reader r = { .table = "session", .name = "t*" };

	setting_fault(&r, "uses", "is %s", "odd");
	ck_assert(r.failed);
	ck_assert_str_eq(warnings(),
	    "check: pyproject.toml: tool.noxmk.session.\"t*\".uses: is odd\n");
}
END_TEST

START_TEST(only_the_first_fault_is_told)
{
	struct setting_reader r = { 0 };

	setting_fault(&r, "a", "first");
	setting_fault(&r, "b", "second");
	ck_assert(r.failed);
	ck_assert_str_eq(warnings(), "check: pyproject.toml: tool.noxmk.a: first\n");
}
END_TEST

START_TEST(what_was_checked_before_fails_in_silence)
{
	struct setting_reader r = { .checked = true };

	setting_fault(&r, "a", "first");
	ck_assert(r.failed);
	assert_silent();
}
END_TEST

static const struct {
	const char *value, *message;
} rejected[] = {
	{ "{'b':1}",
	  "tool.noxmk.k: is a table; it takes tea (a name with dots in it needs quotes)" },
	{ "[1]", "tool.noxmk.k: is a list; it takes tea" },
	{ "1.5", "tool.noxmk.k: is 1.5; it takes tea" },
	{ "null", "tool.noxmk.k: is null; it takes tea" },
	{ "'0123456789012345678901234567890123456789012345678901234567'",
	  "is \"0123456789012345678901234567890123456789012345678901234567\"; it" },
	{ "'01234567890123456789012345678901234567890123456789012345678'",
	  "is \"01234567890123456789012345678901234567890123456789012345678…; it" },
};

START_TEST(a_wrong_value_is_shown_in_sixty_bytes)
{
	struct setting_reader r = { 0 };
	json_t *value = json_of(rejected[_i].value);

	setting_reject(&r, "k", value, "tea");
	assert_warned(rejected[_i].message);
	json_decref(value);
}
END_TEST

static const struct {
	const char *name, *key, *value, *message;
} unknown[] = {
	{ NULL, "maks", "1", "tool.noxmk.maks: unknown key; did you mean \"mask\"?\n" },
	{ NULL, "x", "1", "tool.noxmk.x: unknown key; there are mask, session\n" },
	{ NULL, "x", "{}", "tool.noxmk.x: unknown key; there are mask, session\n" },
	{ "t-3", "12", "{}", "tool.noxmk.session.t-3.12: unknown key; a name with dots in it needs "
	  "quotes: tool.noxmk.session.\"t-3.12\"\n" },
	{ "t-3", "12", "1", "tool.noxmk.session.t-3.12: unknown key; there are mask, session\n" },
};

START_TEST(an_unknown_key_comes_with_what_was_meant)
{
	static const char *names[] = { "mask", "session" };
	const struct strings known = { names, countof(names) };
	struct setting_reader r = { .table = unknown[_i].name ? "session" : NULL,
		.name = unknown[_i].name };
	json_t *value = json_of(unknown[_i].value);

	setting_unknown(&r, unknown[_i].key, value, &known);
	ck_assert(r.failed);
	assert_warned(unknown[_i].message);
	json_decref(value);
}
END_TEST

START_TEST(a_wrong_switch_is_left_as_it_was)
{
	struct setting_reader r = { 0 };
	json_t *one = json_integer(1);
	bool on = false;

	setting_read_switch(&r, "k", json_true(), &on);
	ck_assert(on && !r.failed);
	setting_read_switch(&r, "k", json_false(), &on);
	ck_assert(!on && !r.failed);
	on = true;
	setting_read_switch(&r, "k", one, &on);
	ck_assert(on && r.failed);
	json_decref(one);
	assert_warned("tool.noxmk.k: is 1; it takes true or false");
}
END_TEST

START_TEST(a_list_is_of_names)
{
	static const char *const wrong[] = { "'a'", "1", "[1]", "['a','']", "{}" };
	json_t *value = json_of("['a','b']");
	struct setting_reader r = { 0 };
	struct strings list = { 0 };

	setting_read_strings(&r, "k", value, &list);
	ck_assert(!r.failed);
	ck_assert_uint_eq(list.n, 2);
	ck_assert_str_eq(list.v[1], "b");
	json_decref(value);
	free(list.v);
	for (size_t i = 0; i < countof(wrong); i++) {
		struct strings none = { 0 };

		r = (struct setting_reader){ 0 };
		value = json_of(wrong[i]);
		setting_read_strings(&r, "k", value, &none);
		ck_assert_msg(r.failed, "%s", wrong[i]);
		json_decref(value);
		free(none.v);
	}
	assert_warned("tool.noxmk.k: is a string; write [\"a\"]");
	assert_warned("tool.noxmk.k: is \"\"; it takes a list of names");
}
END_TEST

Suite *
check_setting_suite(void)
{
	Suite *suite = suite_create("setting");
	TCase *tc = support_case(suite, "faults");

	tcase_add_test(tc, a_place_is_quoted_as_toml_wants_it);
	tcase_add_test(tc, a_fault_names_its_place);
	tcase_add_test(tc, only_the_first_fault_is_told);
	tcase_add_test(tc, what_was_checked_before_fails_in_silence);
	tcase_add_loop_test(tc, a_wrong_value_is_shown_in_sixty_bytes, 0, countof(rejected));
	tcase_add_loop_test(tc, an_unknown_key_comes_with_what_was_meant, 0, countof(unknown));
	tc = support_case(suite, "values");
	tcase_add_test(tc, a_wrong_switch_is_left_as_it_was);
	tcase_add_test(tc, a_list_is_of_names);
	return suite;
}
