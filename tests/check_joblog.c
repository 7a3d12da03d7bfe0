#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fd.h"
#include "output/joblog.h"
#include "support.h"

static char program[] = "/usr/bin/nox", option[] = "-s", name[] = "t(a='1')";
static char *const argv[] = { program, option, name, NULL };

START_TEST(whole_log)
{
	int log = joblog_open(AT_FDCWD, "t", argv, NULL);

	ck_assert_int_ge(log, 0);
	ck_assert_int_eq(fd_write_all(log, "bytes \xff\n", 8), 0);
	joblog_close(log, "t", "exited with status 1");
	assert_file("t.log",
	    "$ /usr/bin/nox -s 't(a='\\''1'\\'')'\nbytes \xff\n\n[exited with status 1.]\n");
	assert_silent();
}
END_TEST

START_TEST(no_log)
{
	int log;

	ck_assert_int_eq(symlink("elsewhere", "t.log"), 0);
	ck_assert_int_eq(joblog_open(AT_FDCWD, "t", argv, NULL), -1);
	assert_warned("t.log: Too many levels");
	ck_assert(!file_there("elsewhere"));
	unlink("t.log");
	limit_set(RLIMIT_FSIZE, 3);
	log = joblog_open(AT_FDCWD, "t", argv, NULL);
	limit_restore();
	ck_assert_int_eq(log, -1);
	assert_warned("t.log: File too large");
}
END_TEST

START_TEST(no_end)
{
	joblog_close(open("/dev/full", O_WRONLY | O_CLOEXEC), "t", "exited with status 0");
	assert_warned("t.log: the end of the log is lost: No space left");
}
END_TEST

START_TEST(a_follower_copies_what_is_written_meanwhile)
{
	int log = joblog_open(AT_FDCWD, "t", argv, NULL);
	struct joblog_follower *f = joblog_follower_open(log);
	struct pollfd fd = { .fd = joblog_follower_fd(f), .events = POLLIN };
	char *shown;

	ck_assert_ptr_nonnull(f);
	output_begin();
	ck_assert_int_eq(poll(&fd, 1, 0), 0);
	ck_assert_int_eq(joblog_follower_timeout(f), -1);
	ck_assert_int_eq(fd_write_all(log, "one\n", 4), 0);
	ck_assert_int_eq(poll(&fd, 1, 1000), 1);
	joblog_follower_copy(f);
	ck_assert_int_eq(poll(&fd, 1, 0), 0);
	joblog_follower_copy(f);
	ck_assert_int_eq(fd_write_all(log, "two\n", 4), 0);
	joblog_follower_close(f);
	joblog_follower_close(NULL);
	shown = output_end();
	/* Neither the first line nor the last: the summary tells that. */
	ck_assert_str_eq(shown, "one\ntwo\n");
	free(shown);
	joblog_close(log, "t", "x");
}
END_TEST

START_TEST(nobody_reads)
{
	int log = joblog_open(AT_FDCWD, "t", argv, NULL);
	struct joblog_follower *f = joblog_follower_open(log);

	ck_assert_int_eq(fd_write_all(log, "one\n", 4), 0);
	output_break();
	joblog_follower_close(f);
	output_restore();
	joblog_close(log, "t", "x");
	assert_silent();
}
END_TEST

/* The kernel's inotify instances are limited: then it looks now and then. */
START_TEST(nothing_to_watch_with)
{
	int log = joblog_open(AT_FDCWD, "t", argv, NULL), fd = fcntl(log, F_DUPFD_CLOEXEC, 0);
	struct joblog_follower *f;
	char *shown;

	close(fd);
	limit_set(RLIMIT_NOFILE, (unsigned long)fd);
	f = joblog_follower_open(log);
	limit_restore();
	ck_assert_int_eq(joblog_follower_fd(f), -1);
	ck_assert_int_gt(joblog_follower_timeout(f), 0);
	output_begin();
	ck_assert_int_eq(fd_write_all(log, "one\n", 4), 0);
	joblog_follower_copy(f);
	joblog_follower_close(f);
	shown = output_end();
	ck_assert_str_eq(shown, "one\n");
	free(shown);
	joblog_close(log, "t", "x");
	/* A descriptor that cannot be watched. */
	f = joblog_follower_open(-1);
	ck_assert_int_eq(joblog_follower_fd(f), -1);
	joblog_follower_close(f);
}
END_TEST

Suite *
check_joblog_suite(void)
{
	Suite *suite = suite_create("joblog");
	TCase *tc = support_case(suite, "log");

	tcase_add_test(tc, whole_log);
	tcase_add_test(tc, no_log);
	tcase_add_test(tc, no_end);
	tc = support_case(suite, "follower");
	tcase_add_test(tc, a_follower_copies_what_is_written_meanwhile);
	tcase_add_test(tc, nobody_reads);
	tcase_add_test(tc, nothing_to_watch_with);
	return suite;
}
