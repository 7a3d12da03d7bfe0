#include "base/median.h"
#include "support.h"

static struct {
	double values[5];
	size_t n;
	double median;
} lists[] = {
	{ { 7 }, 1, 7 },
	{ { 3, 1 }, 2, 2 },
	{ { 10, -1, 2 }, 3, 2 },
	{ { 4, 1, 3, 2 }, 4, 2.5 },
	{ { 5, 5, 1, 1, 5 }, 5, 5 },
};

START_TEST(the_middle_of_sorted_values)
{
	double *values = lists[_i].values;

	ck_assert_double_eq(median(values, lists[_i].n), lists[_i].median);
	for (size_t i = 1; i < lists[_i].n; i++)
		ck_assert_double_le(values[i - 1], values[i]);
}
END_TEST

Suite *
check_median_suite(void)
{
	Suite *suite = suite_create("median");
	TCase *tc = support_case(suite, "median");

	tcase_add_loop_test(tc, the_middle_of_sorted_values, 0, countof(lists));
	return suite;
}
