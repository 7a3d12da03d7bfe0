#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pool.h"
#include "support.h"

START_TEST(slots)
{
	int folder = folder_make("run");
	struct pool *a = pool_open(folder, 2), *b = pool_open(folder, 2), *c = pool_open(folder, 2);
	struct pool *d = pool_open(folder, 2);
	struct pollfd fd = { .events = POLLIN };

	ck_assert(pool_try(a) && pool_try(b) && !pool_try(c) && !pool_try(d));
	/* Only the head of the queue watches. */
	fd.fd = pool_fd(c);
	ck_assert_int_ge(fd.fd, 0);
	ck_assert_int_eq(pool_fd(d), -1);
	ck_assert_int_eq(poll(&fd, 1, 0), 0);
	pool_close(b);
	ck_assert_int_eq(poll(&fd, 1, 1000), 1);
	ck_assert(!pool_try(d) && pool_try(c) && !pool_try(d));
	ck_assert_int_ge(pool_fd(d), 0);
	pool_close(a);
	ck_assert(pool_try(d));
	pool_close(c);
	pool_close(d);
	pool_close(NULL);
	close(folder);
	ck_assert(file_there("run/.slot-0") && file_there("run/.slot-1"));
	ck_assert(!file_there("run/.slot-2"));
}
END_TEST

START_TEST(patience)
{
	int folder = folder_make("run");
	struct pool *a = pool_open(folder, 1), *head = pool_open(folder, 1);
	struct pool *last = pool_open(folder, 1);
	int before = 0;

	ck_assert(pool_try(a) && !pool_try(head) && !pool_try(last));
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

/* Where nothing can be watched, the tick has to do. AT_FDCWD is no descriptor below /proc. */
START_TEST(nothing_to_watch)
{
	struct pool *a = pool_open(AT_FDCWD, 1), *b = pool_open(AT_FDCWD, 1);

	ck_assert(pool_try(a) && !pool_try(b));
	ck_assert_int_eq(pool_fd(b), -1);
	ck_assert_int_gt(pool_timeout(b), 0);
	pool_close(a);
	ck_assert(pool_try(b));
	pool_close(b);
	assert_silent();
}
END_TEST

/* However its holder dies. */
START_TEST(slot_of_the_dead)
{
	int folder = folder_make("run"), ends[2], status;
	struct pool *mine = pool_open(folder, 1);
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		struct pool *held = pool_open(folder, 1);

		if (held && pool_try(held))
			(void)!write(ends[1], "x", 1);
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(ends[0], &byte, 1), 1);
	ck_assert(!pool_try(mine));
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(pool_try(mine));
	pool_close(mine);
	close(ends[0]);
	close(ends[1]);
	close(folder);
}
END_TEST

START_TEST(no_queue)
{
	ck_assert_ptr_null(pool_open(-1, 1));
	assert_warned("cannot wait for a free slot: .queue: Bad file descriptor");
}
END_TEST

/* What nobody will ever get, nobody waits for. */
START_TEST(no_folder)
{
	int folder = folder_make("run");
	struct pool *pool = pool_open(folder, 3);

	unlink("run/.queue");
	ck_assert_int_eq(rmdir("run"), 0);
	ck_assert(pool_try(pool));
	assert_warned(".slot-0: going on without a slot: No such file");
	pool_close(pool);
	close(folder);
}
END_TEST

static const struct {
	const char *flags;
	bool needed;
} flags[] = {
	{ "", false },
	{ "k", false },
	{ " -j", true },
	{ "k -j", true },
	{ "kj", false }, /* no make writes it: -j is a word of its own */
	{ " -j1", false },
	{ " -j4 --jobserver-auth=3,4", false },
	{ "k -j4 --jobserver-auth=fifo:/tmp/x", false },
	{ " -j --jobserver-auth=3,4", false },
	{ " -j --jobserver-fds=3,4", false },
	{ "s -j -- A=1", true },
	{ " -- -j", false },
	{ " -- A=-j B=1", false },
	{ " -j2 -j", true },
	{ " -j -j2", false },
	{ " -jx", false },
	{ " -l 3 -j", true },
	{ "--no-print-directory -j", true },
	{ "  -j  ", true },
	{ " --jobs", false }, /* make itself writes the short form */
};

START_TEST(needed)
{
	ck_assert_int_eq(pool_is_needed(flags[_i].flags), flags[_i].needed);
}
END_TEST

Suite *
check_pool_suite(void)
{
	Suite *suite = suite_create("pool");
	TCase *tc = support_case(suite, "slots");

	tcase_add_test(tc, slots);
	tcase_add_test(tc, patience);
	tcase_add_test(tc, nothing_to_watch);
	tcase_add_test(tc, slot_of_the_dead);
	tcase_add_test(tc, no_queue);
	tcase_add_test(tc, no_folder);
	tc = support_case(suite, "flags");
	tcase_add_loop_test(tc, needed, 0, countof(flags));
	return suite;
}
