#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "state/now.h"
#include "support.h"

#define TABLE "run/.sessions.now"

static int folder;

static void
setup(void)
{
	folder = folder_make("run");
}

static void
teardown(void)
{
	close(folder);
}

/* In another process: an entry, and then nothing more until it is killed. */
static pid_t
helper(const char *target)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct now *now = now_open(folder, target, 2);

		now_begun(now, clock_monotonic(), 1);
		now_enter(now, NOW_RUNS, "");
		(void)!now_draws(now);
		file_put(target, "");
		for (;;)
			pause();
	}
	file_await(target);
	return pid;
}

static void
kill_helper(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

START_TEST(what_helpers_tell_is_seen)
{
	struct now *a = now_open(folder, "a", 4), *b = now_open(folder, "b", 4);
	struct now_view view;
	struct record record = { .verdict = FAILED, .duration = 1.5 };

	now_enter(a, NOW_WAITS, "database");
	now_begun(b, 17.5, 3);
	now_enter(b, NOW_RUNS, "");
	view = now_look(now_table(a));
	ck_assert_uint_eq(view.n, 2);
	ck_assert_str_eq(view.entries[0].target, "a");
	ck_assert_str_eq(view.entries[0].what, "database");
	ck_assert_uint_eq(view.entries[0].jobs, 4);
	ck_assert_uint_eq(view.entries[1].phase, NOW_RUNS);
	ck_assert_uint_eq(view.entries[1].slots, 3);
	ck_assert(view.entries[1].begun == 17.5);
	now_view_clear(&view);
	now_ended(b, &record);
	now_close(b);
	view = now_look(now_table(a));
	ck_assert_uint_eq(view.entries[1].phase, NOW_ENDED);
	ck_assert_uint_eq(view.entries[1].verdict, FAILED);
	ck_assert_int_eq(view.entries[1].bad, 1);
	now_view_clear(&view);
	now_close(a);
	assert_silent();
}
END_TEST

/* A later entry is that of a second try, or of a session that was notified again. */
START_TEST(the_last_entry_of_a_session_counts)
{
	struct now_entry entries[] = { { .target = "a" }, { .target = "b" }, { .target = "a" } };
	struct now_view view = { .entries = entries, .n = countof(entries) };

	ck_assert_ptr_eq(now_find(&view, "a"), &entries[2]);
	ck_assert_ptr_eq(now_find(&view, "b"), &entries[1]);
	ck_assert_ptr_null(now_find(&view, "c"));
	ck_assert_ptr_null(now_find(&(struct now_view){ 0 }, "a"));
}
END_TEST

static const struct {
	struct now_entry entry;
	double time, seconds;
} clocks[] = {
	{ { .phase = NOW_RUNS, .since = 12, .begun = 10 }, 15, 5 },
	{ { .phase = NOW_HELD_UP, .since = 12, .begun = 10 }, 15, 2 },
	{ { .phase = NOW_WAITS, .since = 12 }, 15, 0 },
	{ { .phase = NOW_HELD_UP, .since = 12, .begun = 13 }, 15, 0 },
};

START_TEST(a_session_that_is_held_up_runs_no_longer)
{
	ck_assert(now_seconds(&clocks[_i].entry, clocks[_i].time) == clocks[_i].seconds);
}
END_TEST

START_TEST(who_was_killed_is_known_to_be_dead)
{
	pid_t pid = helper("killed");
	struct now *own = now_open(folder, "own", 2);
	int table = now_open_table(folder);

	ck_assert(now_lives(table, 0, own));
	ck_assert(now_lives(table, 1, own));
	kill_helper(pid);
	ck_assert(!now_lives(table, 0, own));
	ck_assert(now_lives(table, 1, own));
	now_close(own);
	ck_assert(!now_lives(table, 1, NULL));
	close(table);
}
END_TEST

START_TEST(one_draws_and_the_next_one_when_it_is_killed)
{
	pid_t pid = helper("drawer");
	struct now *own = now_open(folder, "own", 2);

	ck_assert(!now_draws(own));
	kill_helper(pid);
	ck_assert(now_draws(own));
	ck_assert(now_draws(own));
	pid = helper("second");
	now_leave(own);
	ck_assert(now_draws(own));
	kill_helper(pid);
	now_close(own);
}
END_TEST

START_TEST(a_time_of_the_head_is_noted)
{
	struct now *now = now_open(folder, "a", 2);
	struct now_view view;

	now_note(now, offsetof(struct now_head, ends), 12.5);
	view = now_look(now_table(now));
	ck_assert(view.head.ends == 12.5);
	ck_assert_uint_eq(view.n, 1);
	now_view_clear(&view);
	now_close(now);
}
END_TEST

/* Of many that come at once, none loses its entry. */
START_TEST(those_that_come_at_once_all_have_an_entry)
{
	enum { HELPERS = 20 };
	pid_t pids[HELPERS];
	int table;
	struct now_view view;

	for (int i = 0; i < HELPERS; i++)
		if ((pids[i] = fork()) == 0) {
			now_close(now_open(folder, "a", 2));
			_exit(0);
		}
	for (int i = 0; i < HELPERS; i++)
		waitpid(pids[i], NULL, 0);
	table = now_open_table(folder);
	view = now_look(table);
	ck_assert_uint_eq(view.n, HELPERS);
	for (int i = 0; i < HELPERS; i++)
		ck_assert_str_eq(view.entries[i].target, "a");
	now_view_clear(&view);
	close(table);
}
END_TEST

/* Whatever lies there, people see less, and nobody waits or fails. */
START_TEST(a_thing_in_the_place_of_the_table_does_no_harm)
{
	struct now *now;
	struct now_view view;

	odd_put((enum odd)_i, TABLE);
	ck_assert_int_lt(now_open_table(folder) < 0 ? -1 : 0, 1);
	now = now_open(folder, "a", 2);
	now_enter(now, NOW_RUNS, "");
	view = now_look(now_table(now));
	now_view_clear(&view);
	now_close(now);
}
END_TEST

START_TEST(a_table_of_garbage_has_sound_entries)
{
	char *garbage = xcalloc(1, 4001);
	int table;
	struct now_view view;

	memset(garbage, 0xff, 4000);
	file_put(TABLE, garbage);
	table = now_open_table(folder);
	view = now_look(table);
	ck_assert(view.head.ends == 0);
	ck_assert_uint_gt(view.n, 5);
	for (size_t i = 0; i < view.n; i++) {
		ck_assert_uint_lt(view.entries[i].phase, NOW_PHASES);
		ck_assert_uint_lt(view.entries[i].verdict, VERDICTS);
		ck_assert_uint_lt(strlen(view.entries[i].target), sizeof(view.entries[i].target));
		ck_assert(view.entries[i].begun == 0);
	}
	now_view_clear(&view);
	close(table);
	free(garbage);
}
END_TEST

Suite *
check_now_suite(void)
{
	Suite *suite = suite_create("now");
	TCase *tc = support_case(suite, "now");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_helpers_tell_is_seen);
	tcase_add_test(tc, the_last_entry_of_a_session_counts);
	tcase_add_loop_test(tc, a_session_that_is_held_up_runs_no_longer, 0, countof(clocks));
	tcase_add_test(tc, who_was_killed_is_known_to_be_dead);
	tcase_add_test(tc, one_draws_and_the_next_one_when_it_is_killed);
	tcase_add_test(tc, a_time_of_the_head_is_noted);
	tcase_add_test(tc, those_that_come_at_once_all_have_an_entry);
	tcase_add_loop_test(tc, a_thing_in_the_place_of_the_table_does_no_harm, 0, ODD_THINGS);
	tcase_add_test(tc, a_table_of_garbage_has_sound_entries);
	return suite;
}
