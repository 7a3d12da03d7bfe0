#include <unistd.h>

#include "report/plain.h"
#include "support.h"

/*
 * A session on four processors. seconds: its duration; nox: those of it that go into the start and
 * end of nox; crowded: see record.h.
 */
static struct record
session_of(double seconds, double nox, double crowded)
{
	static char target[] = "a";

	return (struct record){ .target = target, .session = target, .told = 4, .width = 4,
		.duration = seconds, .own = seconds - nox, .crowded = crowded };
}

static void
add(struct plain *plain, struct record r)
{
	int state = folder_make("state");
	struct history *history = history_load(state);

	plain_add(plain, &r, history, 4);
	history_free(history);
	close(state);
	json_decref(r.waits);
}

/* That of one session after another one of 10 seconds, 1 of which is nox's. */
static double
together(struct record r)
{
	struct plain plain = { 0 };

	add(&plain, session_of(10, 1, 0));
	add(&plain, r);
	return plain_seconds(&plain);
}

START_TEST(sessions_follow_each_other_and_nox_starts_once)
{
	struct plain plain = { 0 };

	ck_assert_double_eq(plain_seconds(&plain), -1);
	add(&plain, session_of(3, 0.5, 0));
	ck_assert_double_eq(plain_seconds(&plain), 3);
	add(&plain, session_of(2, 0.25, 0));
	ck_assert_double_eq(plain_seconds(&plain), 2.5 + 1.75 + 0.25);
	add(&plain, session_of(5, 1, 0));
	ck_assert_double_eq(plain_seconds(&plain), 2.5 + 1.75 + 4 + 0.25);
}
END_TEST

START_TEST(a_fork_is_no_start_of_nox)
{
	static char forked[] = "", why[] = "the noxfile starts a thread";
	struct record first = session_of(3, 0.5, 0), r = session_of(2, 0.25, 0);
	struct plain plain = { 0 };

	first.fork = r.fork = forked;
	add(&plain, r);
	add(&plain, first);
	add(&plain, r);
	ck_assert_double_eq(plain_seconds(&plain), 1.75 + 2.5 + 1.75 + 0.5);
	r.fork = why;
	add(&plain, r);
	ck_assert_double_eq(plain_seconds(&plain), 1.75 + 2.5 + 1.75 + 1.75 + 0.25);
}
END_TEST

START_TEST(what_nox_would_not_run_does_not_count)
{
	struct record r = session_of(7, 1, 0);

	r.verdict = SKIPPED;
	ck_assert_double_eq(together(r), 10);
	r.verdict = NOT_RUN;
	ck_assert_double_eq(together(r), 10);
	/* nox goes on after a failure, too. */
	r.verdict = FAILED;
	ck_assert_double_eq(together(r), 9 + 6 + 1);
	/* And it would not have cancelled anything. */
	r.verdict = CANCELLED;
	ck_assert_double_eq(together(r), -1);
}
END_TEST

/* Under nox there is no build of another session, nor a gate. */
START_TEST(waits_for_other_sessions_do_not_count)
{
	struct record r = session_of(7, 1, 0);
	struct plain plain = { 0 };

	/* Neither the duration nor what nox spent in the session has these seconds. */
	r.waits = json_of("[{'for':'slot','seconds':50},{'for':'processors','seconds':2},"
		"{'for':'build','seconds':1}]");
	ck_assert_double_eq(together(r), 9 + 6 + 1);
	/* No session is longer than all of it. */
	r = session_of(7, -2, 0);
	add(&plain, r);
	add(&plain, r);
	ck_assert_double_eq(plain_seconds(&plain), 7 + 7);
}
END_TEST

START_TEST(what_is_not_known_is_not_claimed)
{
	struct record r = session_of(7, 1, 0);
	struct plain plain = { 0 };

	r.own = -1;
	ck_assert_double_eq(together(r), -1);
	ck_assert_double_eq(together(session_of(7, 1, -1)), -1);
	ck_assert_double_eq(together(session_of(7, 1, 5)), -1);
	/* For a short while only others were in the way. */
	ck_assert_double_eq(together(session_of(7, 1, 0.5)), 9 + 5.5 + 1);
	/* Too short for a look, it may have lost half of its time. */
	r = session_of(0.8, 0.1, -1);
	r.width = 0;
	ck_assert_double_eq_tol(together(r), 9 + 0.3 + 0.1, 1e-9);
	r.duration = 1.8;
	ck_assert_double_eq(together(r), -1);
	/* One of which nothing is known is enough. */
	add(&plain, session_of(7, 1, 5));
	add(&plain, session_of(7, 1, 0));
	ck_assert_double_eq(plain_seconds(&plain), -1);
}
END_TEST

START_TEST(what_it_took_alone_before_counts)
{
	close(folder_make("state"));
	file_put("state/history.json", "{\"schema\":1,\"sessions\":{\"a\":[1]},"
		"\"learned\":{\"a\":{\"alone\":4}}}");
	ck_assert_double_eq(together(session_of(7, 1, 5)), 9 + 3 + 1);
	/* What this run tells counts more, but where that is little more. */
	ck_assert_double_eq(together(session_of(7, 1, 0)), 9 + 6 + 1);
	ck_assert_double_eq(together(session_of(5.5, 1, 0)), 9 + 3 + 1);
	ck_assert_double_eq(together(session_of(3.5, 1, 0)), 9 + 2.5 + 1);
	/* It took less now, though others were in the way. */
	ck_assert_double_eq(together(session_of(3, 1, 2)), 9 + 2 + 1);
	/* It is done before its nox has started. */
	ck_assert_double_eq(together(session_of(7, 5, 6)), 9 + 0 + 1);
	assert_silent();
}
END_TEST

/* Each part does again what the whole does once. */
START_TEST(parts_take_no_more_than_the_whole_took_uncut)
{
	static char whole[] = "w";
	struct record r = session_of(4, 1, 0);

	r.whole = whole;
	r.part = 1;
	r.parts = 3;
	ck_assert_double_eq(together(r), -1);
	file_put("state/history.json", "{\"schema\":1,\"sessions\":{\"w\":[1]},"
		"\"learned\":{\"w\":{\"alone\":6}}}");
	ck_assert_double_eq(together(r), 9 + 2 + 1);
	/* The whole is shorter by now, or this is one of its short parts. */
	r.duration = 2;
	r.own = 1;
	ck_assert_double_eq(together(r), 9 + 1 + 1);
	assert_silent();
}
END_TEST

Suite *
check_plain_suite(void)
{
	Suite *suite = suite_create("plain");
	TCase *tc = support_case(suite, "plain");

	tcase_add_test(tc, sessions_follow_each_other_and_nox_starts_once);
	tcase_add_test(tc, a_fork_is_no_start_of_nox);
	tcase_add_test(tc, what_nox_would_not_run_does_not_count);
	tcase_add_test(tc, waits_for_other_sessions_do_not_count);
	tcase_add_test(tc, what_is_not_known_is_not_claimed);
	tcase_add_test(tc, what_it_took_alone_before_counts);
	tcase_add_test(tc, parts_take_no_more_than_the_whole_took_uncut);
	return suite;
}
