#include <poll.h>
#include <time.h>

#include "base/clock.h"
#include "support.h"

START_TEST(the_clocks_count_seconds)
{
	double now = clock_now(), monotonic = clock_monotonic(), passed;

	ck_assert_double_ge(now, (double)time(NULL) - 1);
	ck_assert_double_le(now, (double)time(NULL) + 1);
	poll(NULL, 0, 20);
	passed = clock_monotonic() - monotonic;
	ck_assert_double_ge(passed, 0.02);
	ck_assert_double_le(passed, 20);
	ck_assert_double_ge(clock_now(), now);
}
END_TEST

Suite *
check_clock_suite(void)
{
	Suite *suite = suite_create("clock");
	TCase *tc = support_case(suite, "clock");

	tcase_add_test(tc, the_clocks_count_seconds);
	return suite;
}
