#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/sig.h"
#include "support.h"

static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGCHLD };

START_TEST(signals_come_by_the_descriptor)
{
	int fd = sig_open();
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	ck_assert_int_eq(sig_next(fd), 0);
	ck_assert_int_eq(poll(&poll_fd, 1, 0), 0);
	raise(signals[_i]);
	ck_assert_int_eq(poll(&poll_fd, 1, 0), 1);
	ck_assert_int_eq(sig_next(fd), signals[_i]);
	ck_assert_int_eq(sig_next(fd), 0);
	ck_assert_int_eq(sigismember(sig_original_mask(), signals[_i]), 0);
	ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
	close(fd);
}
END_TEST

/* A parent that ignores SIGCHLD would make waitpid lose our children. */
START_TEST(sigchld_is_not_ignored)
{
	struct sigaction action;

	signal(SIGCHLD, SIG_IGN);
	close(sig_open());
	ck_assert_int_eq(sigaction(SIGCHLD, NULL, &action), 0);
	ck_assert_ptr_eq(action.sa_handler, SIG_DFL);
}
END_TEST

START_TEST(the_mask_before_is_kept)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	close(sig_open());
	ck_assert_int_eq(sigismember(sig_original_mask(), SIGUSR1), 1);
	ck_assert_int_eq(sigismember(sig_original_mask(), SIGINT), 0);
}
END_TEST

START_TEST(without_a_descriptor_it_dies)
{
	limit_set(RLIMIT_NOFILE, 0);
	sig_open();
}
END_TEST

Suite *
check_sig_suite(void)
{
	Suite *suite = suite_create("sig");
	TCase *tc = support_case(suite, "sig");

	tcase_add_loop_test(tc, signals_come_by_the_descriptor, 0, countof(signals));
	tcase_add_test(tc, sigchld_is_not_ignored);
	tcase_add_test(tc, the_mask_before_is_kept);
	support_exit_test(tc, without_a_descriptor_it_dies, EXIT_HELPER);
	return suite;
}
