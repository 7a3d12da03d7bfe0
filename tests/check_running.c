#include "jobs.h"
#include "order/running.h"
#include "support.h"

START_TEST(nothing_runs_and_no_time_passes)
{
	struct schedule *s = schedule_of("1", "");
	struct running running;

	running_begin(&running, s, 2);
	ck_assert_double_eq(running.starts[0], -1);
	ck_assert(!running_advance(&running));
	ck_assert_double_eq(running.now, 0);
	running_start(&running, 0);
	ck_assert(running_advance(&running));
	ck_assert(!running_advance(&running));
	ck_assert_double_eq(running.now, 1);
	ck_assert_uint_eq(running.nended, 0);
	running_free(&running);
	schedule_drop(s);
}
END_TEST

START_TEST(slots_come_back_at_the_end)
{
	struct schedule *s = schedule_of("1 #2;2;9 #9", "");
	struct running running;

	running_begin(&running, s, 3);
	running_start(&running, 0);
	running_start(&running, 1);
	ck_assert_uint_eq(running.free_slots, 0);
	ck_assert(running_advance(&running));
	ck_assert_uint_eq(running.free_slots, 2);
	ck_assert_uint_eq(running.nended, 1);
	ck_assert_uint_eq(running.ended[0], 0);
	ck_assert(running_advance(&running));
	ck_assert_double_eq(running.now, 2);
	/* More than all is all. */
	running_start(&running, 2);
	ck_assert_uint_eq(running.free_slots, 0);
	ck_assert_double_eq(running.starts[2], 2);
	ck_assert(running_advance(&running));
	ck_assert_double_eq(running.now, 11);
	ck_assert_uint_eq(running.free_slots, 3);
	running_free(&running);
	schedule_drop(s);
}
END_TEST

/* 0.1 + 0.2 is not 0.3. */
START_TEST(moments_that_hardly_differ_are_one)
{
	struct schedule *s = schedule_of("0.1;0.2;0.3", "");
	struct running running;

	running_begin(&running, s, 2);
	running_start(&running, 2);
	running_start(&running, 0);
	ck_assert(running_advance(&running));
	running_start(&running, 1);
	ck_assert(running_advance(&running));
	ck_assert_uint_eq(running.nended, 2);
	ck_assert_uint_eq(running.ended[0], 2);
	ck_assert_uint_eq(running.ended[1], 1);
	running_free(&running);
	schedule_drop(s);
}
END_TEST

/* Two clients have four slots, then a third job takes one, then one has all but that. */
START_TEST(clients_share_what_is_free)
{
	struct schedule *s = schedule_of("~4;~8;1", "");
	struct running running;

	running_begin(&running, s, 4);
	running_start(&running, 0);
	running_start(&running, 1);
	running_start(&running, 2);
	/* One slot is free for two: they go half as fast again. */
	ck_assert(running_advance(&running));
	ck_assert_double_eq(running.now, 1);
	ck_assert_double_eq(running.left[0], 2.5);
	ck_assert_double_eq(running.left[1], 6.5);
	ck_assert(running_advance(&running));
	ck_assert_double_eq(running.now, 2.25);
	ck_assert_uint_eq(running.ended[0], 0);
	ck_assert(running_advance(&running));
	ck_assert_double_eq(running.now, 3.25);
	ck_assert_uint_eq(running.ended[0], 1);
	running_free(&running);
	schedule_drop(s);
}
END_TEST

/* On two processors: the work of all is done at the same time, whoever shares them. */
START_TEST(who_wants_more_than_there_is_shares_it)
{
	struct schedule *s = schedule_of("10 *2;3", "");
	struct running running;

	running_begin(&running, s, 2);
	running_start(&running, 0);
	ck_assert_uint_eq(running.free_slots, 1);
	running_start(&running, 1);
	ck_assert(running_advance(&running));
	ck_assert_double_eq_tol(running.now, 4.5, 1e-9);
	ck_assert_uint_eq(running.ended[0], 1);
	ck_assert(running_advance(&running));
	ck_assert_double_eq_tol(running.now, 11.5, 1e-9);
	running_free(&running);
	schedule_drop(s);
}
END_TEST

/* The client has both slots that are free, and so four processors are to do the work of five. */
START_TEST(clients_share_with_them_too)
{
	struct schedule *s = schedule_of("8 *2;~12", "");
	struct running running;

	running_begin(&running, s, 4);
	running_start(&running, 0);
	running_start(&running, 1);
	ck_assert(running_advance(&running));
	ck_assert_double_eq_tol(running.now, 5, 1e-9);
	ck_assert_uint_eq(running.ended[0], 1);
	ck_assert_double_eq_tol(running.left[0], 4, 1e-9);
	ck_assert(running_advance(&running));
	ck_assert_double_eq_tol(running.now, 9, 1e-9);
	running_free(&running);
	schedule_drop(s);
}
END_TEST

static const struct {
	const char *job;
	double demand; /* on four processors */
} demands[] = { { "1", 1 }, { "1 *0.3", 1 }, { "1 *2.5", 2.5 }, { "1 *9", 4 }, { "1 #2", 2 },
	{ "1 #2 *1.5", 2 }, { "1 #9", 4 } };

START_TEST(a_job_wants_its_slots_at_least_and_all_at_most)
{
	struct schedule *s = schedule_of(demands[_i].job, "");

	ck_assert_double_eq(schedule_demand(&s->jobs[0], 4), demands[_i].demand);
	schedule_drop(s);
}
END_TEST

/* Of two processors, whatever the slots are: a job that sleeps keeps none busy. */
START_TEST(jobs_share_the_processors_that_there_are)
{
	struct schedule *s = schedule_of("2 *1;2 *1;2 *2;2", "");
	struct running r;

	s->processors = 2;
	running_begin(&r, s, 8);
	for (size_t i = 0; i < 4; i++)
		running_start(&r, i);
	ck_assert(running_advance(&r));
	ck_assert_double_eq_tol(r.now, 2, 1e-6);
	ck_assert_uint_eq(r.nended, 1);
	ck_assert(running_advance(&r));
	ck_assert_double_eq_tol(r.now, 4, 1e-6);
	ck_assert_uint_eq(r.nended, 3);
	running_free(&r);
	running_begin(&r, s, 8);
	running_start(&r, 0);
	running_start(&r, 1);
	running_start(&r, 3);
	ck_assert(running_advance(&r));
	ck_assert_double_eq_tol(r.now, 2, 1e-6);
	running_free(&r);
	/* Half a second of work and half a second of sleep, four times on one processor. */
	schedule_clear(s);
	free(s);
	s = schedule_of("1 *0.5;1 *0.5;1 *0.5;1 *0.5", "");
	s->processors = 1;
	running_begin(&r, s, 8);
	for (size_t i = 0; i < 4; i++)
		running_start(&r, i);
	ck_assert(running_advance(&r));
	ck_assert_double_eq_tol(r.now, 2, 1e-6);
	running_free(&r);
	schedule_clear(s);
	free(s);
}
END_TEST

Suite *
check_running_suite(void)
{
	Suite *suite = suite_create("running");
	TCase *tc = support_case(suite, "running");

	tcase_add_test(tc, nothing_runs_and_no_time_passes);
	tcase_add_test(tc, slots_come_back_at_the_end);
	tcase_add_test(tc, moments_that_hardly_differ_are_one);
	tcase_add_test(tc, clients_share_what_is_free);
	tcase_add_test(tc, who_wants_more_than_there_is_shares_it);
	tcase_add_test(tc, clients_share_with_them_too);
	tcase_add_test(tc, jobs_share_the_processors_that_there_are);
	tcase_add_loop_test(tc, a_job_wants_its_slots_at_least_and_all_at_most, 0,
	    countof(demands));
	return suite;
}
