#include <limits.h>
#include <poll.h>
#include <time.h>

#include "base/clock.h"
#include "support.h"

START_TEST(the_clocks_count_seconds)
{
	double before = (double)time(NULL), now = clock_now();
	double monotonic = clock_monotonic(), passed;

	ck_assert_double_ge(now, before - 1);
	ck_assert_double_le(now, (double)time(NULL) + 1);
	poll(NULL, 0, 20);
	passed = clock_monotonic() - monotonic;
	ck_assert_double_ge(passed, 0.02);
	ck_assert_double_le(passed, 20);
	ck_assert_double_ge(clock_now(), now);
}
END_TEST

START_TEST(processor_time_is_what_we_compute)
{
	double monotonic = clock_monotonic(), processor = clock_processor(), slept;

	poll(NULL, 0, 50);
	slept = clock_processor() - processor;
	ck_assert_double_lt(slept, (clock_monotonic() - monotonic) / 2);
	for (int i = 0; i < 100000000 && clock_processor() - processor < 0.01; i++)
		;
	ck_assert_double_ge(clock_processor() - processor, 0.01);
}
END_TEST

START_TEST(a_timeout_ends_no_later_than_the_time)
{
	double now = clock_monotonic();

	ck_assert_int_eq(clock_until(0, -1), -1);
	ck_assert_int_eq(clock_until(0, 5), 5);
	ck_assert_int_eq(clock_until(now + 1000, 5), 5);
	ck_assert_int_eq(clock_until(now - 1, 5), 0);
	ck_assert_int_eq(clock_until(now - 1, -1), 0);
	ck_assert_int_gt(clock_until(now + 1000, -1), 0);
	ck_assert_int_le(clock_until(now + 1000, -1), 1000 * 1000 + 1);
	ck_assert_int_gt(clock_until(now + 1000, INT_MAX), 0);
	ck_assert_int_lt(clock_until(now + 1000, INT_MAX), INT_MAX);
	ck_assert_int_eq(clock_until(1e12, -1), INT_MAX);
}
END_TEST

Suite *
check_clock_suite(void)
{
	Suite *suite = suite_create("clock");
	TCase *tc = support_case(suite, "clock");

	tcase_add_test(tc, the_clocks_count_seconds);
	tcase_add_test(tc, processor_time_is_what_we_compute);
	tcase_add_test(tc, a_timeout_ends_no_later_than_the_time);
	return suite;
}
