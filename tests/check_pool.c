#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "slots/pool.h"
#include "support.h"

/* The folder of a run. Its key is ours, which nobody else on this machine has. */
static int folder;
static const char *key;

static void
begin(void)
{
	folder = folder_make("run");
	key = own_key();
}

static void
end(void)
{
	close(folder);
	assert_silent();
}

static struct pool *
pool_of(unsigned n, unsigned rank)
{
	return pool_open(folder, key, n, rank);
}

/* Has something come that it waits for? */
static bool
is_woken(const struct pool *pool)
{
	struct pollfd fd = { .fd = pool_fd(pool), .events = POLLIN };

	ck_assert_int_ge(fd.fd, 0);
	return poll(&fd, 1, 0) == 1;
}

static void
await(const struct pool *pool)
{
	struct pollfd fd = { .fd = pool_fd(pool), .events = POLLIN };

	ck_assert_int_ge(fd.fd, 0);
	ck_assert_int_eq(poll(&fd, 1, 100000), 1);
}

START_TEST(who_gives_back_wakes_the_first_and_who_gets_wakes_the_next)
{
	struct pool *a, *b, *c, *d;

	begin();
	a = pool_of(2, 0), b = pool_of(2, 1), c = pool_of(2, 2), d = pool_of(2, 3);
	ck_assert(pool_try(a, 1, 1) && pool_try(b, 1, 1));
	ck_assert(!pool_try(c, 1, 1) && !pool_try(d, 1, 1));
	ck_assert(!is_woken(c) && !is_woken(d));
	pool_close(b);
	ck_assert(is_woken(c) && !is_woken(d));
	ck_assert(!pool_try(d, 1, 1) && pool_try(c, 1, 1));
	ck_assert(is_woken(d) && !pool_try(d, 1, 1));
	ck_assert(!is_woken(d));
	pool_close(a);
	ck_assert(is_woken(d) && pool_try(d, 1, 1));
	ck_assert_int_eq(pool_fd(d), -1);
	pool_close(c);
	pool_close(d);
	pool_close(NULL);
	end();
}
END_TEST

START_TEST(however_many_wait_one_is_woken)
{
	enum { MANY = 50 };
	struct pool *holder, *waiting[MANY];
	unsigned woken = 0;

	begin();
	holder = pool_of(1, 0);
	ck_assert(pool_try(holder, 1, 1));
	for (unsigned i = 0; i < MANY; i++) {
		waiting[i] = pool_of(1, 1 + i);
		ck_assert(!pool_try(waiting[i], 1, 1));
	}
	pool_close(holder);
	for (unsigned i = 0; i < MANY; i++)
		woken += is_woken(waiting[i]);
	ck_assert_uint_eq(woken, 1);
	for (unsigned i = 0; i < MANY; i++) {
		ck_assert(is_woken(waiting[i]) && pool_try(waiting[i], 1, 1));
		pool_close(waiting[i]);
	}
	end();
}
END_TEST

/* The clock is only for what nobody has thought of. */
START_TEST(who_is_told_looks_seldom)
{
	struct pool *a, *first, *last;

	begin();
	a = pool_of(1, 0), first = pool_of(1, 1), last = pool_of(1, 2);
	ck_assert(pool_try(a, 1, 1) && !pool_try(first, 1, 1) && !pool_try(last, 1, 1));
	for (int i = 0; i < 3; i++) {
		ck_assert_int_ge(pool_timeout(first), 1000);
		ck_assert_int_ge(pool_timeout(last), 1000);
	}
	pool_close(a);
	pool_close(first);
	pool_close(last);
	end();
}
END_TEST

/* Where there can be no queue all wait, in any order, and all are told. */
START_TEST(no_queue)
{
	struct pool *a, *b, *c;

	begin();
	ck_assert_int_eq(rmdir("run"), 0);
	a = pool_of(1, 0), b = pool_of(1, 2), c = pool_of(1, 1);
	ck_assert(pool_try(a, 1, 1) && !pool_try(b, 1, 1) && !pool_try(c, 1, 1));
	pool_close(a);
	ck_assert(is_woken(b) && is_woken(c));
	ck_assert(pool_try(b, 1, 1) && !pool_try(c, 1, 1));
	pool_close(b);
	ck_assert(is_woken(c) && pool_try(c, 1, 1));
	pool_close(c);
	end();
}
END_TEST

/* A process that has tried once, and lives on. */
static pid_t
start_other(unsigned rank, bool gets)
{
	int ends[2];
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		struct pool *its = pool_of(1, rank);

		if (pool_try(its, 1, 1) == gets)
			(void)!write(ends[1], "x", 1);
		for (;;)
			pause();
	}
	close(ends[1]);
	ck_assert_int_eq(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	return pid;
}

static void
end_by_kill(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
}

START_TEST(a_holder_that_is_killed_wakes_the_first)
{
	struct pool *mine;
	pid_t pid;

	begin();
	pid = start_other(0, true);
	mine = pool_of(1, 1);
	ck_assert(!pool_try(mine, 1, 1) && !is_woken(mine));
	end_by_kill(pid);
	await(mine);
	ck_assert(pool_try(mine, 1, 1));
	pool_close(mine);
	end();
}
END_TEST

START_TEST(one_that_waits_and_is_killed_wakes_the_next)
{
	struct pool *holder, *mine, *last;
	pid_t first, second;

	begin();
	holder = pool_of(1, 0);
	ck_assert(pool_try(holder, 1, 1));
	first = start_other(1, false);
	second = start_other(2, false);
	mine = pool_of(1, 3), last = pool_of(1, 4);
	ck_assert(!pool_try(mine, 1, 1) && !pool_try(last, 1, 1));
	/* The one that is right before us, and then the other one. */
	end_by_kill(second);
	await(mine);
	ck_assert(!pool_try(mine, 1, 1) && !is_woken(mine) && !is_woken(last));
	end_by_kill(first);
	await(mine);
	ck_assert(!pool_try(mine, 1, 1) && !is_woken(mine));
	pool_close(holder);
	await(mine);
	ck_assert(!is_woken(last) && pool_try(mine, 1, 1) && is_woken(last));
	pool_close(mine);
	pool_close(last);
	end();
}
END_TEST

/* As a keeper: what its helper lends while the session waits is not to stay with it. */
START_TEST(a_forked_child_has_none_of_the_slots)
{
	struct pool *holder, *mine;
	int ready[2];
	char byte;
	pid_t pid;

	begin();
	holder = pool_of(1, 0), mine = pool_of(1, 1);
	ck_assert(pool_try(holder, 1, 1) && !pool_try(mine, 1, 1));
	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		pool_forked(holder);
		(void)!write(ready[1], "", 1);
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	ck_assert(pool_count(holder) == 1 && !is_woken(mine));
	ck_assert(pool_lend(holder) && is_woken(mine) && pool_try(mine, 1, 1));
	ck_assert(!pool_try(holder, 1, 1));
	pool_close(mine);
	ck_assert(is_woken(holder) && pool_try(holder, 1, 1));
	pool_close(holder);
	end_by_kill(pid);
	close(ready[0]);
	close(ready[1]);
	end();
}
END_TEST

/* A run is known by its make, wherever its folder is. */
START_TEST(the_slots_of_a_run_are_the_same_in_each_of_its_folders)
{
	struct pool *a, *b, *c;
	int two;

	begin();
	two = folder_make("two");
	a = pool_of(1, 0), b = pool_open(two, key, 1, 0), c = pool_open(folder, "other", 1, 0);
	ck_assert(pool_try(a, 1, 1) && !pool_try(b, 1, 1) && pool_try(c, 1, 1));
	pool_close(a);
	ck_assert(pool_try(b, 1, 1));
	pool_close(b);
	pool_close(c);
	close(two);
	end();
}
END_TEST

/* Too few are not taken at all: to give them back would wake others, and they us, for ever. */
START_TEST(too_few_slots_wake_nobody)
{
	struct pool *a, *b, *c;

	begin();
	a = pool_of(2, 0), b = pool_of(2, 1), c = pool_of(2, 1);
	ck_assert(pool_try(a, 1, 1) && !pool_try(b, 2, 2) && !pool_try(b, 2, 2));
	ck_assert(!is_woken(b));
	ck_assert(!pool_try(c, 2, 2) && !is_woken(b) && !is_woken(c));
	pool_close(a);
	ck_assert(is_woken(b) && pool_try(b, 2, 2));
	pool_close(b);
	pool_close(c);
	end();
}
END_TEST

/* Without sockets nobody starts, it is said once, and the clock has to do. */
START_TEST(a_slot_that_cannot_be_asked_for_is_waited_for)
{
	struct pool *pool;
	int before = 0;

	begin();
	pool = pool_of(1, 0);
	limit_set(RLIMIT_NOFILE, 0);
	for (int i = 0; i < 12; i++) {
		int now;

		ck_assert(!pool_try(pool, 1, 1) && pool_fd(pool) == -1);
		now = pool_timeout(pool);
		ck_assert(now > 0 && now >= before && now <= 1000);
		before = now;
	}
	limit_restore();
	assert_warned("waiting for a slot: socket: Too many open files");
	ck_assert(pool_try(pool, 1, 1));
	pool_close(pool);
	close(folder);
}
END_TEST

/* Several at once or none, and nobody slips past the one whose turn it is. */
START_TEST(several_slots_are_taken_at_once_or_none)
{
	struct pool *a, *b, *c, *d;

	begin();
	a = pool_of(3, 0), b = pool_of(3, 1), c = pool_of(3, 2), d = pool_of(3, 3);
	ck_assert(pool_try(a, 1, 1) && pool_count(a) == 1);
	ck_assert(!pool_try(b, 3, 3) && pool_count(b) == 0 && !pool_try(c, 1, 1));
	pool_close(a);
	ck_assert(!pool_try(c, 1, 1) && pool_try(b, 3, 3) && pool_count(b) == 3);
	ck_assert(!pool_try(c, 1, 2));
	ck_assert(pool_lend(b) && pool_count(b) == 0);
	ck_assert(pool_try(c, 1, 2) && pool_count(c) == 2);
	/* As many as are there. */
	ck_assert(pool_try(d, 1, 9) && pool_count(d) == 1 && !pool_try(b, 1, 1));
	pool_close(c);
	ck_assert(!pool_try(b, 3, 3) && pool_try(b, 2, 3) && pool_count(b) == 2);
	pool_close(b);
	pool_close(d);
	/* More than all is all. */
	a = pool_of(2, 0);
	ck_assert(pool_try(a, 5, 5) && pool_count(a) == 2);
	pool_close(a);
	end();
}
END_TEST

/* Who has one and wants others keeps none while it waits, and comes before who has had none. */
START_TEST(who_wants_more_gives_back_what_it_has)
{
	struct pool *a, *b, *c;

	begin();
	a = pool_of(2, 7), b = pool_of(2, 0), c = pool_of(2, 1);
	ck_assert(pool_try(a, 1, 1) && pool_try(b, 1, 1) && !pool_try(c, 1, 1));
	ck_assert(!pool_try(a, 2, 2) && pool_count(a) == 0);
	/* c waits behind a, though a slot is free, and its rank is lower. */
	ck_assert(is_woken(c) && !pool_try(c, 1, 1) && !is_woken(c));
	pool_close(b);
	ck_assert(is_woken(a) && pool_try(a, 2, 2) && pool_count(a) == 2);
	ck_assert(pool_lend(a) && !pool_lend(a));
	ck_assert(is_woken(c) && pool_try(c, 1, 1));
	pool_close(a);
	pool_close(c);
	end();
}
END_TEST

/* It comes before all others as long as it wants one, and no longer. */
START_TEST(who_lends_again_before_it_has_its_slot_leaves_the_queue)
{
	struct pool *a, *b, *c;

	begin();
	a = pool_of(1, 0), b = pool_of(1, 1), c = pool_of(1, 2);
	ck_assert(pool_try(a, 1, 1) && pool_lend(a));
	ck_assert(pool_try(b, 1, 1) && !pool_try(a, 1, 1) && !pool_try(c, 1, 1));
	ck_assert(!pool_lend(a));
	pool_close(b);
	ck_assert(is_woken(c) && pool_try(c, 1, 1) && !pool_try(a, 1, 1));
	pool_close(c);
	ck_assert(is_woken(a) && pool_try(a, 1, 1));
	pool_close(a);
	end();
}
END_TEST

/* The lowest rank first, whoever came first. */
START_TEST(the_lowest_rank_goes_first)
{
	struct pool *a, *b, *c, *d;

	begin();
	a = pool_of(1, 7), b = pool_of(1, 5), c = pool_of(1, 6), d = pool_of(1, 0);
	ck_assert(pool_try(b, 1, 1) && !pool_try(a, 1, 1) && !pool_try(c, 1, 1));
	/* c is the first when d comes. */
	ck_assert(!pool_try(d, 1, 1));
	pool_close(b);
	ck_assert(!pool_try(a, 1, 1) && !pool_try(c, 1, 1) && pool_try(d, 1, 1));
	ck_assert(is_woken(c) && !pool_try(c, 1, 1) && !pool_try(a, 1, 1));
	pool_close(d);
	ck_assert(!pool_try(a, 1, 1) && pool_try(c, 1, 1));
	/* Who goes without a slot is in nobody's way. */
	b = pool_of(1, 0);
	ck_assert(!pool_try(b, 1, 1) && !pool_try(a, 1, 1));
	pool_close(b);
	ck_assert(is_woken(a) && !pool_try(a, 1, 1));
	pool_close(c);
	ck_assert(is_woken(a) && pool_try(a, 1, 1));
	pool_close(a);
	end();
}
END_TEST

Suite *
check_pool_suite(void)
{
	Suite *suite = suite_create("pool");
	TCase *tc = support_case(suite, "events");

	tcase_add_test(tc, who_gives_back_wakes_the_first_and_who_gets_wakes_the_next);
	tcase_add_test(tc, however_many_wait_one_is_woken);
	tcase_add_test(tc, who_is_told_looks_seldom);
	tcase_add_test(tc, no_queue);
	tcase_add_test(tc, a_holder_that_is_killed_wakes_the_first);
	tcase_add_test(tc, one_that_waits_and_is_killed_wakes_the_next);
	tcase_add_test(tc, a_forked_child_has_none_of_the_slots);
	tc = support_case(suite, "slots");
	tcase_add_test(tc, the_slots_of_a_run_are_the_same_in_each_of_its_folders);
	tcase_add_test(tc, too_few_slots_wake_nobody);
	tcase_add_test(tc, a_slot_that_cannot_be_asked_for_is_waited_for);
	tcase_add_test(tc, several_slots_are_taken_at_once_or_none);
	tcase_add_test(tc, who_wants_more_gives_back_what_it_has);
	tcase_add_test(tc, who_lends_again_before_it_has_its_slot_leaves_the_queue);
	tcase_add_test(tc, the_lowest_rank_goes_first);
	return suite;
}
