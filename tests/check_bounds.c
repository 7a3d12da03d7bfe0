#include <stdlib.h>
#include <string.h>

#include "state/bounds.h"
#include "support.h"

static json_t *
list_of(int n, const char *item)
{
	json_t *list = json_array();

	for (int i = 0; i < n; i++)
		json_array_append_new(list, json_of(item));
	return list;
}

static void
assert_equal(const json_t *json, const char *expected)
{
	json_t *other = json_of(expected);

	ck_assert_msg(json_equal(json, other), "%s", json_dumps(json, JSON_ENCODE_ANY));
	json_decref(other);
}

START_TEST(the_first_steps_are_kept_and_the_others_counted)
{
	json_t *list = list_of(BOUNDS_STEPS, "{'kind':'run','seconds':1}");
	json_t *first = bounds_first(list, BOUNDS_STEPS), *more, *again;

	ck_assert(json_equal(first, list));
	json_decref(first);
	ck_assert_ptr_null(bounds_more_steps(list, NULL));
	for (int i = 0; i < 3; i++)
		json_array_append_new(list, json_of("{'kind':'run','seconds':1.5}"));
	json_array_append_new(list, json_of("{'kind':'install','seconds':0.25}"));
	first = bounds_first(list, BOUNDS_STEPS);
	more = bounds_more_steps(list, NULL);
	ck_assert_uint_eq(json_array_size(first), BOUNDS_STEPS);
	assert_equal(more, "{'steps':4,'install':0.25,'run':4.5}");
	again = bounds_more_steps(list, more);
	assert_equal(again, "{'steps':8,'install':0.5,'run':9.0}");
	json_decref(again);
	again = bounds_more_steps(first, more);
	ck_assert(json_equal(again, more));
	json_decref(again);
	json_decref(first);
	json_decref(more);
	json_decref(list);
}
END_TEST

static const struct {
	const char *told, *more;
} strange[] = {
	{ "7", NULL },
	{ "{}", NULL },
	{ "{'steps':0,'run':3}", NULL },
	{ "{'steps':-1,'run':3}", NULL },
	{ "{'steps':4611686018427387904,'run':3}", NULL },
	{ "{'steps':2,'run':1e300,'install':-1}", "{'steps':2,'install':0.0,'run':0.0}" },
	{ "{'steps':2,'run':'x','x':1}", "{'steps':2,'install':0.0,'run':0.0}" },
};

START_TEST(what_cannot_be_is_nothing)
{
	json_t *told = json_loads(strange[_i].told, JSON_DECODE_ANY, NULL), *more;

	if (!told)
		told = json_of(strange[_i].told);
	more = bounds_more_steps(NULL, told);
	if (strange[_i].more)
		assert_equal(more, strange[_i].more);
	else
		ck_assert_ptr_null(more);
	json_decref(more);
	json_decref(told);
	ck_assert_ptr_null(bounds_first(NULL, 3));
	ck_assert_ptr_null(bounds_waits(NULL));
}
END_TEST

START_TEST(many_waits_become_one_of_a_kind)
{
	json_t *list = list_of(BOUNDS_WAITS, "{'for':'slot','seconds':1,'started':5}"), *waits;

	waits = bounds_waits(list);
	ck_assert(json_equal(waits, list));
	json_decref(waits);
	for (int i = 0; i < 5; i++) {
		json_array_append_new(list, json_of("{'for':'build','seconds':0.5,'started':5}"));
		json_array_append_new(list, json_of("{'for':'slot','seconds':2,'started':5}"));
	}
	waits = bounds_waits(list);
	ck_assert_uint_eq(json_array_size(waits), BOUNDS_WAITS + 2);
	assert_equal(json_array_get(waits, 0), "{'for':'slot','seconds':1,'started':5}");
	assert_equal(json_array_get(waits, BOUNDS_WAITS),
	    "{'for':'build','seconds':2.5,'times':5}");
	assert_equal(json_array_get(waits, BOUNDS_WAITS + 1),
	    "{'for':'slot','seconds':10.0,'times':5}");
	json_decref(list);
	list = bounds_waits(waits);
	ck_assert(json_equal(list, waits));
	for (int i = 0; i < 100; i++) {
		json_t *odd = json_pack("{s:o,s:f}", "for", json_sprintf("odd %d", i), "seconds",
		    1.0);

		bounds_add_wait(waits, odd);
		json_decref(odd);
	}
	ck_assert_uint_lt(json_array_size(waits), BOUNDS_WAITS + 20);
	json_decref(list);
	json_decref(waits);
}
END_TEST

START_TEST(a_text_is_cut_between_characters)
{
	for (size_t shift = 0; shift < 3; shift++) {
		struct buffer text = { 0 };
		char *cut;

		buffer_addstr(&text, shift == 0 ? "" : shift == 1 ? "a" : "ab");
		for (int i = 0; i < 3000; i++)
			buffer_addstr(&text, "\u20ac");
		cut = bounds_text(text.data);
		ck_assert_uint_le(strlen(cut), 4100);
		ck_assert_str_eq(cut + strlen(cut) - 6, "\u20ac…");
		free(cut);
	}
	ck_assert_ptr_null(bounds_text(NULL));
}
END_TEST

Suite *
check_bounds_suite(void)
{
	Suite *suite = suite_create("bounds");
	TCase *tc = support_case(suite, "bounds");

	tcase_add_test(tc, the_first_steps_are_kept_and_the_others_counted);
	tcase_add_loop_test(tc, what_cannot_be_is_nothing, 0, countof(strange));
	tcase_add_test(tc, many_waits_become_one_of_a_kind);
	tcase_add_test(tc, a_text_is_cut_between_characters);
	return suite;
}
