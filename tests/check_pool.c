#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "slots/pool.h"
#include "support.h"

START_TEST(slots_go_to_the_queue_in_its_order)
{
	int folder = folder_make("run");
	struct pool *a = pool_open(folder, 2, 0), *b = pool_open(folder, 2, 0);
	struct pool *c = pool_open(folder, 2, 0), *d = pool_open(folder, 2, 0);
	struct pollfd fd = { .events = POLLIN };

	ck_assert(pool_try(a, 1, 1) && pool_try(b, 1, 1));
	ck_assert(!pool_try(c, 1, 1) && !pool_try(d, 1, 1));
	/* Only the head of the queue watches. */
	fd.fd = pool_fd(c);
	ck_assert_int_ge(fd.fd, 0);
	ck_assert_int_eq(pool_fd(d), -1);
	ck_assert_int_eq(poll(&fd, 1, 0), 0);
	pool_close(b);
	ck_assert_int_eq(poll(&fd, 1, 1000), 1);
	ck_assert(!pool_try(d, 1, 1) && pool_try(c, 1, 1) && !pool_try(d, 1, 1));
	ck_assert_int_ge(pool_fd(d), 0);
	pool_close(a);
	ck_assert(pool_try(d, 1, 1));
	pool_close(c);
	pool_close(d);
	pool_close(NULL);
	close(folder);
}
END_TEST

START_TEST(those_behind_in_the_queue_look_ever_more_rarely)
{
	int folder = folder_make("run");
	struct pool *a = pool_open(folder, 1, 0), *head = pool_open(folder, 1, 0);
	struct pool *last = pool_open(folder, 1, 0);
	int before = 0;

	ck_assert(pool_try(a, 1, 1) && !pool_try(head, 1, 1) && !pool_try(last, 1, 1));
	ck_assert_int_eq(pool_timeout(head), pool_timeout(head));
	for (int i = 0; i < 20; i++) {
		int now = pool_timeout(last);

		ck_assert_int_gt(now, 0);
		ck_assert_int_ge(now, before);
		ck_assert_int_le(now, 1000);
		before = now;
	}
	pool_close(a);
	pool_close(head);
	pool_close(last);
	close(folder);
}
END_TEST

/* Where nothing can be watched, as in a folder that is gone, the tick has to do. */
START_TEST(nothing_to_watch)
{
	int folder = folder_make("run");
	struct pool *a, *b;

	ck_assert_int_eq(rmdir("run"), 0);
	a = pool_open(folder, 1, 0);
	b = pool_open(folder, 1, 0);

	ck_assert(pool_try(a, 1, 1) && !pool_try(b, 1, 1));
	ck_assert_int_eq(pool_fd(b), -1);
	ck_assert_int_gt(pool_timeout(b), 0);
	pool_close(a);
	ck_assert(pool_try(b, 1, 1));
	pool_close(b);
	close(folder);
	assert_silent();
}
END_TEST

/* However its holder dies. */
START_TEST(slot_of_the_dead)
{
	int folder = folder_make("run"), ends[2], status;
	struct pool *mine = pool_open(folder, 1, 0);
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		struct pool *held = pool_open(folder, 1, 0);

		if (held && pool_try(held, 1, 1))
			(void)!write(ends[1], "x", 1);
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(ends[0], &byte, 1), 1);
	ck_assert(!pool_try(mine, 1, 1));
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(pool_try(mine, 1, 1));
	pool_close(mine);
	close(ends[0]);
	close(ends[1]);
	close(folder);
}
END_TEST

/* A run is known by its make, wherever its folder is. */
START_TEST(the_slots_of_a_run_are_the_same_in_each_of_its_folders)
{
	int one = folder_make("one"), two = folder_make("two"), other = folder_make("other");
	struct pool *a, *b, *c;

	file_put("one/.run.json", "{\"make\":\"1-2-ab\"}");
	file_put("two/.run.json", "{\"make\":\"1-2-ab\"}");
	file_put("other/.run.json", "{\"make\":\"1-2-ac\"}");
	a = pool_open(one, 1, 0);
	b = pool_open(two, 1, 0);
	c = pool_open(other, 1, 0);
	ck_assert(pool_try(a, 1, 1) && !pool_try(b, 1, 1) && pool_try(c, 1, 1));
	pool_close(a);
	ck_assert(pool_try(b, 1, 1));
	pool_close(b);
	pool_close(c);
	close(one);
	close(two);
	close(other);
	assert_silent();
}
END_TEST

/* Too few at once are given back, and that wakes nobody: else we would wake ourselves for ever. */
START_TEST(too_few_slots_ring_no_bell)
{
	int folder = folder_make("run");
	struct pool *a = pool_open(folder, 2, 0), *b = pool_open(folder, 2, 0);
	struct pollfd fd = { .events = POLLIN };

	ck_assert(pool_try(a, 1, 1) && !pool_try(b, 2, 2) && !pool_try(b, 2, 2));
	fd.fd = pool_fd(b);
	ck_assert_int_ge(fd.fd, 0);
	ck_assert_int_eq(poll(&fd, 1, 0), 0);
	pool_close(a);
	ck_assert_int_eq(poll(&fd, 1, 1000), 1);
	ck_assert(pool_try(b, 2, 2));
	pool_close(b);
	close(folder);
}
END_TEST

/* Without sockets nobody starts, and it is said once. */
START_TEST(a_slot_that_cannot_be_asked_for_is_waited_for)
{
	int folder = folder_make("run");
	struct pool *pool = pool_open(folder, 1, 0);

	limit_set(RLIMIT_NOFILE, 0);
	ck_assert(!pool_try(pool, 1, 1));
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
	int folder = folder_make("run");
	struct pool *a = pool_open(folder, 3, 0), *b = pool_open(folder, 3, 1);
	struct pool *c = pool_open(folder, 3, 2), *d = pool_open(folder, 3, 3);

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
	a = pool_open(folder, 2, 0);
	ck_assert(pool_try(a, 5, 5) && pool_count(a) == 2);
	pool_close(a);
	close(folder);
	assert_silent();
}
END_TEST

/* The lowest rank first, whoever came first. */
START_TEST(the_lowest_rank_goes_first)
{
	int folder = folder_make("run");
	struct pool *a = pool_open(folder, 1, 7), *b = pool_open(folder, 1, 5);
	struct pool *c = pool_open(folder, 1, 6), *d;

	ck_assert(!pool_try(a, 1, 1) && !pool_try(c, 1, 1) && pool_try(b, 1, 1));
	ck_assert(!pool_try(a, 1, 1) && !pool_try(c, 1, 1));
	/* c is at the head when d comes. */
	d = pool_open(folder, 1, 0);
	pool_close(b);
	ck_assert(!pool_try(c, 1, 1) && pool_try(d, 1, 1));
	pool_close(d);
	ck_assert(!pool_try(a, 1, 1) && pool_try(c, 1, 1));
	/* Who goes without a slot is in nobody's way. */
	b = pool_open(folder, 1, 0);
	ck_assert(!pool_try(a, 1, 1));
	pool_close(b);
	pool_close(c);
	ck_assert(pool_try(a, 1, 1));
	pool_close(a);
	close(folder);
	assert_silent();
}
END_TEST

Suite *
check_pool_suite(void)
{
	Suite *suite = suite_create("pool");
	TCase *tc = support_case(suite, "slots");

	tcase_add_test(tc, slots_go_to_the_queue_in_its_order);
	tcase_add_test(tc, those_behind_in_the_queue_look_ever_more_rarely);
	tcase_add_test(tc, nothing_to_watch);
	tcase_add_test(tc, slot_of_the_dead);
	tcase_add_test(tc, the_slots_of_a_run_are_the_same_in_each_of_its_folders);
	tcase_add_test(tc, too_few_slots_ring_no_bell);
	tcase_add_test(tc, a_slot_that_cannot_be_asked_for_is_waited_for);
	tc = support_case(suite, "flags");
	tcase_add_test(tc, several_slots_are_taken_at_once_or_none);
	tcase_add_test(tc, the_lowest_rank_goes_first);
	return suite;
}
