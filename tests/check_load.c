#include <stdlib.h>

#include "report/load.h"
#include "support.h"

#define START 1795396700.0
#define MIB 1048576

static struct record records[3];
static struct story story;

/* Two at once: one of 4 s by samples, which waits a second at the gate, and one without. */
static void
setup(void)
{
	records[0] = (struct record){ .verdict = PASSED, .started = START, .ended = START + 4,
		.cpu = 6, .slots = 2, .width = 3, .memory = 9 * MIB,
		.waits = json_of("[{'for':'slot','seconds':3},{'for':'processors','seconds':1,"
			"'started':1795396701}]"),
		.samples = json_of("{'every':1,'cpu':[1.0,0.0,2.5,2.5],'width':[1,0,3,3],"
			"'mib':[4.5,4.5,9.0,8.0]}") };
	records[1] = (struct record){ .verdict = FAILED, .started = START + 2.5, .ended = START + 3,
		.cpu = 1, .slots = 1, .width = 2, .memory = 100 * MIB };
	records[2] = (struct record){ .verdict = NOT_RUN, .cpu = 5, .slots = 1 };
	story = (struct story){ .table = { .records = records, .n = 3 }, .started = START,
		.wall = 4, .request = { .processors = 8 } };
}

static void
teardown(void)
{
	for (size_t i = 0; i < countof(records); i++)
		record_clear(&records[i]);
}

START_TEST(what_all_use_is_added_up)
{
	static const struct load_point expected[] = {
		{ 0, 1, 4.5, 1, 2 }, { 1, 0, 4.5, 0, 0 }, { 2, 2.5, 9, 3, 2 },
		{ 2.5, 4.5, 109, 5, 3 }, { 3, 2.5, 8, 3, 2 }, { 4, 0, 0, 0, 0 },
	};
	struct load load = load_of(&story);

	ck_assert_uint_eq(load.n, countof(expected));
	for (size_t i = 0; i < load.n; i++) {
		ck_assert_double_eq_tol(load.v[i].at, expected[i].at, 1e-6);
		ck_assert_double_eq_tol(load.v[i].cpu, expected[i].cpu, 1e-6);
		ck_assert_double_eq_tol(load.v[i].mib, expected[i].mib, 1e-6);
		ck_assert_double_eq_tol(load.v[i].width, expected[i].width, 1e-6);
		ck_assert_double_eq_tol(load.v[i].slots, expected[i].slots, 1e-6);
	}
	ck_assert_double_eq_tol(load.mib, 109, 1e-6);
	ck_assert_double_eq_tol(load.cpu, 7.0 / 4, 1e-6);
	load_clear(&load);
}
END_TEST

/* It is in words what was used of how much. */
START_TEST(it_is_told_in_words)
{
	char *words = load_words(&story);

	ck_assert_str_eq(words, "1.8 of 8 processors used on average, at most 109.0 MiB of memory "
		"at once");
	free(words);
	story.request.processors = 0;
	records[1].memory = 2048ULL * MIB;
	words = load_words(&story);
	ck_assert_str_eq(words,
	    "1.8 processors used on average, at most 2.0 GiB of memory at once");
	free(words);
	story.table.n = 0;
	ck_assert_ptr_null(load_words(&story));
}
END_TEST

/* The second begins when the first has ended: their memory was not there at once. */
START_TEST(who_comes_after_another_was_not_beside_it)
{
	struct load load;

	records[1].started = START + 4;
	records[1].ended = START + 5;
	story.wall = 5;
	load = load_of(&story);
	ck_assert_double_eq_tol(load.mib, 100, 1e-6);
	load_clear(&load);
}
END_TEST

START_TEST(of_very_many_changes_few_are_told)
{
	enum { MANY = 20000 };
	struct record *many = xcalloc(MANY, sizeof(*many));
	struct load load;

	for (int i = 0; i < MANY; i++)
		many[i] = (struct record){ .verdict = PASSED, .started = START + i * 0.001,
			.ended = START + i * 0.001 + 1, .cpu = 1, .slots = 1, .memory = MIB };
	story.table = (struct table){ .records = many, .n = MANY };
	story.wall = MANY * 0.001 + 1;
	load = load_of(&story);
	ck_assert_uint_le(load.n, 1001);
	ck_assert_uint_gt(load.n, 500);
	ck_assert_double_eq_tol(load.mib, 1000, 1.5);
	ck_assert_double_eq(load.v[load.n - 1].slots, 0);
	ck_assert_double_eq(load.v[load.n - 1].cpu, 0);
	load_clear(&load);
	free(many);
}
END_TEST

/* What no clock can have told. */
START_TEST(a_liars_record_is_bounded)
{
	struct load load;

	records[1].cpu = 1e300;
	records[1].ended = 1e300;
	records[0].cpu = -5;
	load = load_of(&story);
	ck_assert_double_eq(load.cpu, 0);
	ck_assert_double_le(load.mib, 110);
	load_clear(&load);
}
END_TEST

Suite *
check_load_suite(void)
{
	Suite *suite = suite_create("load");
	TCase *tc = support_case(suite, "load");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_all_use_is_added_up);
	tcase_add_test(tc, it_is_told_in_words);
	tcase_add_test(tc, who_comes_after_another_was_not_beside_it);
	tcase_add_test(tc, of_very_many_changes_few_are_told);
	tcase_add_test(tc, a_liars_record_is_bounded);
	return suite;
}
