#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "state/presence.h"
#include "support.h"

START_TEST(nobody_is_waited_for_where_nobody_is)
{
	const char *key = own_key();
	int other = presence_begin(key, "b");

	ck_assert_int_ge(other, 0);
	/* Else this takes longer than the test may. */
	presence_await(key, "a");
	presence_await("another", "b");
	close(other);
	presence_await(key, "b");
}
END_TEST

START_TEST(who_watches_sees_the_end)
{
	const char *key = own_key();
	int presence = presence_begin(key, "a"), watch = presence_watch(key, "a");

	ck_assert_int_ge(watch, 0);
	ck_assert(!fd_is_readable(watch));
	close(presence);
	ck_assert(fd_is_readable(watch));
	close(watch);
	ck_assert_int_eq(presence_watch(key, "a"), -1);
	ck_assert_int_eq(errno, ECONNREFUSED);
}
END_TEST

/* Whoever has inherited it, and whatever its name is. */
START_TEST(who_is_at_work_is_waited_for)
{
	const char *key = own_key();
	char target[300] = "", byte;
	int presence, ends[2];
	pid_t pid;

	for (size_t i = 0; i + 1 < sizeof(target); i++)
		target[i] = 'x';
	ck_assert_int_eq(pipe(ends), 0);
	presence = presence_begin(key, target);
	ck_assert_int_ge(presence, 0);
	pid = fork();
	if (pid == 0) {
		usleep(50000); /* time in which we may not go on */
		(void)!write(ends[1], "", 1);
		_exit(0);
	}
	close(presence);
	close(ends[1]);
	presence_await(key, target);
	ck_assert(fd_is_readable(ends[0]));
	ck_assert_int_eq(read(ends[0], &byte, 1), 1);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	close(ends[0]);
}
END_TEST

Suite *
check_presence_suite(void)
{
	Suite *suite = suite_create("presence");
	TCase *tc = support_case(suite, "presence");

	tcase_add_test(tc, nobody_is_waited_for_where_nobody_is);
	tcase_add_test(tc, who_watches_sees_the_end);
	tcase_add_test(tc, who_is_at_work_is_waited_for);
	return suite;
}
