#include <stdlib.h>
#include <string.h>

#include "report/company.h"
#include "support.h"

static char lint[] = "lint", log_of_nox[] = "it broke";

static const struct {
	struct record record;
	bool may;
} cases[] = {
	{ { .verdict = FAILED, .exit = 1, .signal = -1, .logged = true, .own = 2 }, true },
	{ { .verdict = ABORTED, .exit = 1, .signal = -1, .logged = true, .own = 2 }, true },
	{ { .verdict = FAILED, .exit = -1, .signal = 9, .logged = true, .own = -1 }, true },
	{ { .verdict = FAILED, .exit = 2, .signal = -1, .logged = true, .own = 2 }, true },
	/* nox has run no session; it was not started; there was no command; it passed, late. */
	{ { .verdict = FAILED, .exit = 2, .signal = -1, .logged = true, .own = -1 }, false },
	{ { .verdict = FAILED, .exit = 3, .signal = -1, .logged = true, .own = -1 }, false },
	{ { .verdict = FAILED, .exit = -1, .signal = -1, .logged = true, .own = -1 }, false },
	{ { .verdict = FAILED, .exit = 1, .signal = -1, .own = -1 }, false },
	{ { .verdict = FAILED, .exit = 0, .signal = -1, .logged = true, .own = 2 }, false },
	{ { .verdict = PASSED, .exit = 0, .signal = -1, .logged = true, .own = 2 }, false },
	{ { .verdict = CANCELLED, .exit = 1, .signal = -1, .logged = true, .own = 2 }, false },
	{ { .verdict = NOT_RUN, .exit = -1, .signal = -1 }, false },
};

START_TEST(only_what_ran_and_failed_may_be_its_company_s_fault)
{
	ck_assert(company_may_matter(&cases[_i].record) == cases[_i].may);
}
END_TEST

START_TEST(company_is_who_ran_meanwhile_the_longest_first)
{
	char before[] = "before", after[] = "after", brief[] = "brief", all[] = "all";
	char within[] = "within", also[] = "also", not[] = "not";
	const struct record records[] = {
		{ .target = before, .started = 90, .ended = 100 },
		{ .target = brief, .started = 109, .ended = 200 },
		{ .target = within, .started = 103, .ended = 106, .verdict = FAILED },
		{ .target = lint, .started = 100, .ended = 110, .verdict = FAILED },
		{ .target = all, .started = 95, .ended = 120 },
		{ .target = also, .started = 104, .ended = 107 },
		{ .target = not, .started = 101, .ended = 109, .verdict = NOT_RUN },
		{ .target = after, .started = 110, .ended = 120 },
	};
	json_t *company = company_of(&records[3], records, countof(records));
	json_t *wanted = json_of("['all','also','within','brief']");

	ck_assert(json_equal(company, wanted));
	json_decref(wanted);
	json_decref(company);
}
END_TEST

/* How a recheck went, and what is said of it. */
static const struct {
	enum verdict verdict;
	int exit, signal;
	const char *beside, *words;
} rechecks[] = {
	{ PASSED, 0, -1, "['a']", "fails only beside a" },
	{ PASSED, 0, -1, "['a','b','c']", "fails only beside a, b, c" },
	{ PASSED, 0, -1, "['a','b','c','d','e']", "fails only beside a, b, c and 2 more" },
	{ FAILED, 1, -1, "['a']", "fails alone too" },
	{ FAILED, -1, 11, "['a']", "fails alone too" },
	{ ABORTED, 1, -1, "['a']", "fails alone too" },
	{ SKIPPED, 1, -1, "['a']", "is skipped when alone" },
	{ FAILED, -1, -1, "['a']", "not known if it fails alone: it broke" },
	{ CANCELLED, 1, -1, "['a']", "not known if it fails alone: it broke" },
	{ NOT_RUN, -1, -1, "['a']", "not known if it fails alone: it broke" },
};

START_TEST(the_hazards_with_its_company_are_named)
{
	struct record r = { .target = lint, .verdict = FAILED,
		.recheck = json_of("{'verdict':'passed','beside':['a'],'others':1}") };
	char *words;

	company_blame(&r, json_of("[{'words':'both write x'}]"));
	words = company_words(&r);
	ck_assert_str_eq(words, "fails only beside a: both write x");
	free(words);
	company_blame(&r, json_of("[{'words':'1'},{'words':'2'},{'words':'3'},{}]"));
	words = company_words(&r);
	ck_assert_str_eq(words, "fails only beside a: 1; 2; and 2 more");
	free(words);
	json_decref(r.recheck);
	r.recheck = json_of("{'verdict':'failed','beside':['a'],'others':1}");
	company_blame(&r, json_of("[{'words':'a, lint write x'}]"));
	words = company_words(&r);
	ck_assert_str_eq(words, "fails alone too, maybe by what others left: a, lint write x");
	free(words);
	json_decref(r.recheck);
	r.recheck = NULL;
	company_blame(&r, json_of("[]"));
	ck_assert_ptr_null(r.recheck);
}
END_TEST

START_TEST(what_a_recheck_shows_is_said_in_words)
{
	const struct record recheck = { .target = lint, .verdict = rechecks[_i].verdict,
		.exit = rechecks[_i].exit, .signal = rechecks[_i].signal, .own = 1,
		.logged = true, .reason = log_of_nox };
	json_t *beside = json_of(rechecks[_i].beside);
	struct record r = { .recheck = company_recheck(&recheck, 1.5, beside) };
	char *words = company_words(&r);

	ck_assert_str_eq(words, rechecks[_i].words);
	ck_assert_double_eq(company_rechecked(&r, 1), 1.5);
	ck_assert_str_eq(json_string_value(json_object_get(r.recheck, "log")), "lint.log");
	free(words);
	json_decref(r.recheck);
	json_decref(beside);
}
END_TEST

START_TEST(the_reason_comes_first)
{
	char empty[] = "";
	struct record r = { .reason = log_of_nox };
	char *both, *reason = company_reason(&r), *words;

	r.recheck = json_of("{'verdict':'failed'}");
	both = company_reason(&r);
	r.reason = empty;
	words = company_reason(&r);
	ck_assert_str_eq(reason, "it broke");
	ck_assert_str_eq(both, "it broke; fails alone too");
	ck_assert_str_eq(words, "fails alone too");
	json_decref(r.recheck);
	r = (struct record){ 0 };
	ck_assert_ptr_null(company_reason(&r));
	free(words);
	free(both);
	free(reason);
}
END_TEST

START_TEST(odd_records_do_no_harm)
{
	static const char *const texts[] = { "{}", "{'verdict':7}",
		"{'verdict':'passed','beside':7}", "{'verdict':'passed','beside':[7],'others':-3}",
		"{'verdict':'passed','others':9007199254740992,'seconds':'x'}" };
	struct record r = { .recheck = json_of(texts[_i]) };
	char *words = company_words(&r);

	ck_assert_ptr_nonnull(words);
	ck_assert_double_eq(company_rechecked(&r, 1), 0);
	free(words);
	json_decref(r.recheck);
}
END_TEST

/* Sessions that ran at once, of which so many failed, and what is said of those. */
static const struct {
	size_t failed;
	const char *said;
} hints[] = {
	{ 0, "" },
	{ 1, "noxmk: a failed while others ran: NOXMK_RECHECK=1 tells whether it fails alone "
	     "too\n" },
	{ 3, "noxmk: a, b, c failed while others ran: NOXMK_RECHECK=1 tells whether they fail "
	     "alone too\n" },
	{ 5, "noxmk: a, b, c and 2 more failed while others ran: NOXMK_RECHECK=1 tells whether "
	     "they fail alone too\n" },
};

START_TEST(the_hint_names_all_in_doubt)
{
	char names[][2] = { "x", "a", "b", "c", "d", "e" };
	struct record records[countof(names)];
	char *text;

	for (size_t i = 0; i < countof(names); i++)
		records[i] = (struct record){ .target = names[i], .started = 100, .ended = 110,
			.verdict = i <= hints[_i].failed ? FAILED : PASSED, .exit = 1,
			.signal = -1, .logged = true, .own = 2 };
	records[0].recheck = json_of("{'verdict':'failed'}");
	output_begin();
	company_hint(records, countof(records));
	text = output_end();
	ck_assert_str_eq(text, hints[_i].said);
	json_decref(records[0].recheck);
	free(text);
}
END_TEST

Suite *
check_company_suite(void)
{
	Suite *suite = suite_create("company");
	TCase *tc = support_case(suite, "company");

	tcase_add_loop_test(tc, only_what_ran_and_failed_may_be_its_company_s_fault, 0,
	    countof(cases));
	tcase_add_test(tc, company_is_who_ran_meanwhile_the_longest_first);
	tcase_add_test(tc, the_hazards_with_its_company_are_named);
	tcase_add_loop_test(tc, what_a_recheck_shows_is_said_in_words, 0, countof(rechecks));
	tcase_add_test(tc, the_reason_comes_first);
	tcase_add_loop_test(tc, odd_records_do_no_harm, 0, 5);
	tcase_add_loop_test(tc, the_hint_names_all_in_doubt, 0, countof(hints));
	return suite;
}
