#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "slots/gate.h"
#include "support.h"

/* Of the tests: how long a command's need counts that is not to be over yet, and one that is. */
#define LONG 1000.0
#define OVER (-1.0)

/* Bytes that reach beyond the notes at the begin of the table. */
enum { DAMAGE = 4096 };

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

/* A session that runs, on a machine with so many processors, and uses so many. */
static struct gate *
session(unsigned processors, unsigned used)
{
	struct gate *gate = gate_open(folder, processors);

	ck_assert_ptr_nonnull(gate);
	gate_enter(gate);
	gate_use(gate, used);
	return gate;
}

static bool
goes(struct gate *gate, unsigned needed, unsigned rank)
{
	const struct gate_need need = { .processors = needed, .settles = OVER, .rank = rank };

	return gate_try(gate, &need);
}

/*
 * What the others use and what is needed: together at most max(2N - 1, N + 1), or what was seen
 * before max(1.75N - 1, N + 1).
 */
static const struct {
	unsigned processors, used, needed;
	bool goes, known_goes;
} rule[] = {
	{ 1, 1, 1, true, true }, { 1, 1, 2, false, false }, { 2, 1, 2, true, true },
	{ 2, 2, 2, false, false }, { 2, 2, 1, true, true }, { 3, 2, 2, true, true },
	{ 3, 2, 3, true, true }, { 4, 3, 3, true, true }, { 4, 3, 4, true, false },
	{ 4, 4, 4, false, false }, { 8, 5, 8, true, true }, { 8, 6, 8, true, false },
	{ 8, 7, 8, true, false }, { 8, 8, 8, false, false }, { 8, 14, 1, true, false },
	{ 8, 15, 1, false, false },
};

START_TEST(a_command_goes_if_it_fits_beside_what_others_use)
{
	struct gate *other = session(rule[_i].processors, rule[_i].used);
	struct gate *own = session(rule[_i].processors, 1);

	const struct gate_need known = { .processors = rule[_i].needed, .settles = OVER,
		.known = true };

	ck_assert_int_eq(gate_try(own, &known), rule[_i].known_goes);
	ck_assert_int_eq(goes(own, rule[_i].needed, 0), rule[_i].goes);
	ck_assert_uint_eq(gate_others(own), rule[_i].used);
	gate_close(own);
	gate_close(other);
	assert_silent();
}
END_TEST

START_TEST(who_is_alone_goes_whatever_it_needs)
{
	struct gate *own = session(2, 1);

	ck_assert(!gate_has_company(own));
	ck_assert(goes(own, 100, 0));
	gate_close(own);
}
END_TEST

START_TEST(what_a_command_may_need_counts_until_it_is_seen)
{
	const struct gate_need unseen = { .processors = 2, .settles = LONG };
	const struct gate_need seen = { .processors = 2, .settles = OVER };
	struct gate *first = session(2, 1), *second = session(2, 1);

	ck_assert(gate_try(first, &unseen));
	ck_assert(!goes(second, 2, 0));
	gate_leave(second);
	ck_assert(gate_try(first, &seen));
	ck_assert(goes(second, 2, 0));
	gate_leave(second);
	/* A command that has ended may need nothing any more. */
	ck_assert(gate_try(first, &unseen));
	ck_assert(!goes(second, 2, 0));
	gate_leave(first);
	ck_assert(goes(second, 2, 0));
	gate_close(first);
	gate_close(second);
}
END_TEST

START_TEST(the_lowest_rank_goes_first_and_then_who_came_first)
{
	struct gate *busy = session(2, 2), *late = session(2, 1), *a = session(2, 1),
		    *b = session(2, 1);

	ck_assert(!goes(late, 2, 9) && !goes(a, 2, 3) && !goes(b, 2, 3));
	gate_use(busy, 1);
	/* The others who wait use nothing. */
	ck_assert(!goes(late, 2, 9) && !goes(b, 2, 3) && goes(a, 2, 3));
	gate_close(a);
	ck_assert(!goes(late, 2, 9) && goes(b, 2, 3));
	gate_close(b);
	ck_assert(goes(late, 2, 9));
	gate_close(late);
	gate_close(busy);
}
END_TEST

START_TEST(who_has_not_begun_sees_that_somebody_waits)
{
	struct gate *busy = session(2, 2), *waiting = session(2, 1), *new = gate_open(folder, 2);

	ck_assert(!gate_is_awaited(new));
	ck_assert(!goes(waiting, 2, 0));
	ck_assert(gate_is_awaited(new) && !gate_is_awaited(waiting));
	gate_leave(waiting);
	ck_assert(!gate_is_awaited(new) && gate_has_company(new));
	gate_close(waiting);
	gate_close(busy);
	ck_assert(!gate_has_company(new));
	gate_close(new);
}
END_TEST

START_TEST(a_session_that_was_killed_neither_waits_nor_uses_anything)
{
	struct gate *own = session(2, 2);
	int ready[2];
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		struct gate *other = session(2, 2);

		(void)!goes(other, 2, 0);
		(void)!write(ready[1], "x", 1);
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	ck_assert(gate_is_awaited(own));
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert(!gate_is_awaited(own) && !gate_has_company(own) && goes(own, 2, 0));
	/* Its place is taken again. */
	gate_close(session(2, 1));
	close(ready[0]);
	close(ready[1]);
	gate_close(own);
}
END_TEST

START_TEST(the_load_is_what_others_use_but_for_those_that_wait)
{
	struct gate *a = session(4, 3), *b = session(4, 2), *c = session(4, 2);

	ck_assert_uint_eq(gate_load_of_others(a), 4);
	ck_assert(!goes(c, 4, 0));
	ck_assert_uint_eq(gate_load_of_others(a), 2);
	ck_assert_uint_eq(gate_load_of_others(c), 5);
	/* A session that uses none for a moment is there all the same. */
	gate_use(b, 0);
	ck_assert_uint_eq(gate_load_of_others(a), 1);
	gate_close(a);
	gate_close(b);
	gate_close(c);
}
END_TEST

START_TEST(the_most_that_others_come_to_use_is_known_of_each_or_not_at_all)
{
	struct gate *a = session(8, 1), *b = session(8, 3), *own = session(8, 1);

	ck_assert_uint_eq(gate_most_of_others(own), 0);
	gate_use_at_most(a, 2);
	ck_assert_uint_eq(gate_most_of_others(own), 0);
	gate_use_at_most(b, 3);
	ck_assert_uint_eq(gate_most_of_others(own), 5);
	gate_use(a, 1);
	ck_assert_uint_eq(gate_most_of_others(own), 5);
	/* Who waits uses nothing. */
	ck_assert(!goes(b, 100, 0));
	ck_assert_uint_eq(gate_most_of_others(own), 2);
	gate_leave(b);
	gate_close(a);
	ck_assert_uint_eq(gate_most_of_others(own), 3);
	gate_close(b);
	ck_assert_uint_eq(gate_most_of_others(own), 0);
	gate_close(own);
	assert_silent();
}
END_TEST

START_TEST(what_is_noted_all_sessions_know)
{
	struct gate *a = session(2, 1), *b = gate_open(folder, 2);

	ck_assert_uint_eq(gate_noted(b, "tests"), 0);
	gate_note(a, "tests", 3);
	gate_note(a, "lint", 1);
	gate_note(b, "tests", 2);
	ck_assert_uint_eq(gate_noted(b, "tests"), 3);
	ck_assert_uint_eq(gate_noted(b, "lint"), 1);
	ck_assert_uint_eq(gate_noted(b, ""), 0);
	gate_close(a);
	ck_assert_uint_eq(gate_noted(b, "tests"), 3);
	/* The notes are no sessions. */
	ck_assert(!gate_has_company(b) && gate_load_of_others(b) == 0);
	gate_close(b);
}
END_TEST

START_TEST(of_too_many_subjects_nothing_is_known)
{
	struct gate *gate = session(2, 1);
	unsigned known = 0;
	char name[16];

	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "session%d", i);
		gate_note(gate, name, 2);
	}
	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "session%d", i);
		known += gate_noted(gate, name) == 2;
	}
	ck_assert_uint_gt(known, 100);
	ck_assert_uint_lt(known, 500);
	gate_use(gate, 1);
	ck_assert(!gate_has_company(gate));
	gate_close(gate);
}
END_TEST

START_TEST(without_a_table_nobody_waits)
{
	ck_assert_ptr_null(gate_open(-1, 2));
	assert_warned(".gate.now: sessions do not wait for free processors: ");
	gate_close(NULL);
}
END_TEST

/* Somebody else's bytes in its place: no crash, and no wait for ever. */
START_TEST(a_damaged_table_holds_nobody_up)
{
	char others[DAMAGE] = "";
	struct gate *own;

	/* For more than one entry: none of them is anybody's, since nobody has its lock. */
	memset(others, '?', sizeof(others) - 1);
	file_put("run/.gate.now", others);
	own = session(2, 1);
	ck_assert(!gate_is_awaited(own) && !gate_has_company(own) && goes(own, 2, 0));
	gate_close(own);
}
END_TEST

/* 0: it is cut off. */
static const int damages[] = { 0xff, 0x01, 0x7f, 0 };

/* Whoever has damaged it: a session says again what it uses at each look. */
START_TEST(a_table_that_is_damaged_while_sessions_run_is_mended)
{
	struct gate *busy = session(2, 1), *own = session(2, 1);
	char damage[DAMAGE] = "";

	memset(damage, damages[_i], sizeof(damage) - 1);
	file_put("run/.gate.now", damage);
	gate_use(busy, 1);
	gate_use(own, 1);
	ck_assert(!gate_is_awaited(own) && gate_load_of_others(own) == 1 && goes(own, 2, 0));
	gate_close(own);
	gate_close(busy);
}
END_TEST

/* Those of the same function whose wide command is yet to come. */
START_TEST(siblings_are_counted_until_their_command_has_come)
{
	struct gate *one = session(8, 1), *two = session(8, 1), *other = session(8, 1);

	ck_assert_uint_eq(gate_count_siblings(one), 0);
	gate_belong(one, "tests");
	gate_belong(two, "tests");
	gate_belong(other, "lint");
	ck_assert_uint_eq(gate_count_siblings(one), 1);
	ck_assert_uint_eq(gate_count_siblings(other), 0);
	gate_belong(two, NULL);
	ck_assert_uint_eq(gate_count_siblings(one), 0);
	/* One that begins after that belongs to its function all the same. */
	gate_enter(one);
	ck_assert_uint_eq(gate_count_siblings(two), 1);
	gate_close(one);
	ck_assert_uint_eq(gate_count_siblings(two), 0);
	gate_close(two);
	gate_close(other);
}
END_TEST

Suite *
check_gate_suite(void)
{
	Suite *suite = suite_create("gate");
	TCase *tc = support_case(suite, "gate");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, a_command_goes_if_it_fits_beside_what_others_use, 0,
	    (int)countof(rule));
	tcase_add_test(tc, who_is_alone_goes_whatever_it_needs);
	tcase_add_test(tc, what_a_command_may_need_counts_until_it_is_seen);
	tcase_add_test(tc, the_lowest_rank_goes_first_and_then_who_came_first);
	tcase_add_test(tc, who_has_not_begun_sees_that_somebody_waits);
	tcase_add_test(tc, a_session_that_was_killed_neither_waits_nor_uses_anything);
	tcase_add_test(tc, the_load_is_what_others_use_but_for_those_that_wait);
	tcase_add_test(tc, the_most_that_others_come_to_use_is_known_of_each_or_not_at_all);
	tcase_add_test(tc, what_is_noted_all_sessions_know);
	tcase_add_test(tc, of_too_many_subjects_nothing_is_known);
	tcase_add_test(tc, siblings_are_counted_until_their_command_has_come);
	tcase_add_test(tc, without_a_table_nobody_waits);
	tcase_add_test(tc, a_damaged_table_holds_nobody_up);
	tcase_add_loop_test(tc, a_table_that_is_damaged_while_sessions_run_is_mended, 0,
	    (int)countof(damages));
	return suite;
}
