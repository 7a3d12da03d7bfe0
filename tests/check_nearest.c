#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "support.h"

static const struct {
	const char *word, *meant;
} slips[] = {
	{ "lint", "lint" }, { "lnt", "lint" }, { "lintt", "lint" }, { "ilnt", "lint" },
	{ "LINT", "lint" }, { "linz", "lint" }, { "int", "lint" }, { "unittests", "unit_tests" },
	{ "unit-tets", "unit_tests" }, { "tests-312", "tests-3.12" }, { "a", NULL },
	{ "doc", "docs" }, { "zzzz", NULL }, { "", NULL }, { "li", NULL }, { "typecheck", NULL },
	{ "ab", NULL }, { "lxyt", NULL }, { "dosc", "docs" }, { "tests-3.1", "tests-3.12" },
	{ "unit", NULL }, { "unittest", "unit_tests" }, { "untitests", "unit_tests" },
};

START_TEST(a_slip_finds_its_word)
{
	static const char *words[] = { "lint", "unit_tests", "tests-3.12", "tests-3.11", "docs" };
	static const char *letters[] = { "b" };
	const struct strings list = { words, countof(words) }, few = { letters, 1 }, none = { 0 };
	const char *found = nearest(slips[_i].word, &list);

	if (!strcmp(slips[_i].word, "a"))
		ck_assert_ptr_null(nearest("a", &few)); /* nothing in common */
	else if (slips[_i].meant)
		ck_assert_str_eq(found, slips[_i].meant);
	else
		ck_assert_ptr_null(found);
	ck_assert_ptr_null(nearest(slips[_i].word, &none));
}
END_TEST

START_TEST(very_long_words_are_not_compared)
{
	enum { LENGTH = 100000 };
	char *word = xcalloc(LENGTH + 1, 1);
	const char *words[] = { word, "lint" };
	const struct strings list = { words, 2 };

	memset(word, 'x', LENGTH);
	ck_assert_str_eq(nearest("lnt", &list), "lint");
	ck_assert_ptr_null(nearest(word, &list));
	free(word);
}
END_TEST

/* The words, and the one that is nearest to "tests". */
static const struct {
	const char *words[3], *nearest;
} choices[] = {
	{ { "tess", "tests", "tets" }, "tests" },
	{ { "tests-1", "testss", "tets-x" }, "testss" },
	/* Of two that are as near the first. */
	{ { "testa", "testb", "zzz" }, "testa" },
	{ { "testb", "testa", "zzz" }, "testb" },
	/* Two neighbours swapped are one edit, and two bytes changed are two. */
	{ { "xxsts", "tesst", "yysts" }, "tesst" },
	/* Two slips in five letters are few enough, and three are not. */
	{ { "texxs", "xxxxx", "zz" }, "texxs" },
	{ { "txxxs", "xxxxx", "zz" }, NULL },
	/* Case does not count. */
	{ { "Test", "TESTS", "test" }, "TESTS" },
	/* More than a third is another word. */
	{ { "tesxyz", "xxxts", "te" }, NULL },
	{ { "", "", "" }, NULL },
};

START_TEST(the_nearest_of_several_is_chosen)
{
	struct strings list = { 0 };
	const char *found;

	for (size_t i = 0; i < countof(choices[_i].words); i++)
		strings_add(&list, choices[_i].words[i]);
	found = nearest("tests", &list);
	if (choices[_i].nearest)
		ck_assert_str_eq(found, choices[_i].nearest);
	else
		ck_assert_ptr_null(found);
	free(list.v);
}
END_TEST

Suite *
check_nearest_suite(void)
{
	Suite *suite = suite_create("nearest");
	TCase *tc = support_case(suite, "nearest");

	tcase_add_loop_test(tc, a_slip_finds_its_word, 0, countof(slips));
	tcase_add_loop_test(tc, the_nearest_of_several_is_chosen, 0, countof(choices));
	tcase_add_test(tc, very_long_words_are_not_compared);
	return suite;
}
