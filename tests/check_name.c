#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/clock.h"
#include "base/name.h"
#include "support.h"

static char *
own_name(void)
{
	return xasprintf("noxmk/check-name-%d", (int)getpid());
}

START_TEST(a_name_has_one_owner)
{
	char *name = own_name(), *other = xasprintf("%s-2", name);
	int fd = name_take(name), second;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(name_take(name), -1);
	ck_assert_int_eq(errno, EADDRINUSE);
	second = name_take(other);
	ck_assert_int_ge(second, 0);
	close(fd);
	fd = name_take(name);
	ck_assert_int_ge(fd, 0);
	close(fd);
	close(second);
	free(other);
	free(name);
}
END_TEST

START_TEST(who_watches_a_name_is_told_when_it_is_free)
{
	char *name = own_name();
	int fd = name_take(name), one = name_watch(name), two = name_watch(name);

	ck_assert(one >= 0 && two >= 0);
	ck_assert(!fd_is_readable(one) && !fd_is_readable(two));
	close(fd);
	ck_assert(fd_is_readable(one) && fd_is_readable(two));
	/* It stays so when somebody takes the name anew. */
	fd = name_take(name);
	ck_assert(fd >= 0 && fd_is_readable(one));
	close(fd);
	ck_assert_int_eq(name_watch(name), -1);
	ck_assert_int_eq(errno, ECONNREFUSED);
	close(one);
	close(two);
	free(name);
}
END_TEST

/* The last process that has it, not the first one. */
START_TEST(a_name_is_free_when_its_owner_is_killed)
{
	char *name = own_name();
	int fd = name_take(name), watch = name_watch(name);
	struct pollfd pollfd = { .fd = watch, .events = POLLIN };
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	close(fd);
	ck_assert(!fd_is_readable(watch));
	kill(pid, SIGKILL);
	ck_assert_int_eq(poll(&pollfd, 1, 100000), 1);
	waitpid(pid, NULL, 0);
	close(watch);
	free(name);
}
END_TEST

START_TEST(a_name_that_somebody_has_is_waited_for)
{
	char *name = own_name();
	int ready[2], fd;
	pid_t pid;
	char byte;

	ck_assert_int_eq(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		fd = name_take(name);
		(void)!write(ready[1], "", 1);
		usleep(50000); /* time in which we may not get it */
		_exit(fd < 0);
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	fd = name_wait(name);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	close(fd);
	close(ready[0]);
	close(ready[1]);
	free(name);
}
END_TEST

START_TEST(who_is_told_to_end_does_not_wait)
{
	char *name = own_name();
	int fd = name_take(name);
	double begun = clock_monotonic();
	sigset_t set;

	ck_assert_int_eq(name_owner("noxmk/test/nobody"), 0);
	ck_assert_int_eq(name_owner(name), getpid());
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGINT);
	ck_assert_int_eq(name_wait(name), -1);
	ck_assert_int_eq(errno, EADDRINUSE);
	ck_assert_double_lt(clock_monotonic() - begun, 5);
	signal(SIGINT, SIG_IGN); /* that one is gone then */
	close(fd);
	free(name);
}
END_TEST

Suite *
check_name_suite(void)
{
	Suite *suite = suite_create("name");
	TCase *tc = support_case(suite, "name");

	tcase_add_test(tc, a_name_has_one_owner);
	tcase_add_test(tc, who_watches_a_name_is_told_when_it_is_free);
	tcase_add_test(tc, a_name_is_free_when_its_owner_is_killed);
	tcase_add_test(tc, a_name_that_somebody_has_is_waited_for);
	tcase_add_test(tc, who_is_told_to_end_does_not_wait);
	return suite;
}
