#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "support.h"

START_TEST(a_closed_descriptor_is_none)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), same = fd;

	fd_close(&fd);
	ck_assert_int_eq(fd, -1);
	ck_assert_int_eq(fcntl(same, F_GETFD), -1);
	fd_close(&fd);
	ck_assert_int_eq(fd, -1);
}
END_TEST

static int other_end;
static volatile sig_atomic_t alarms;

static void
on_alarm_drain(int signal)
{
	char data[65536];

	(void)signal;
	if (alarms++ >= 1)
		(void)!read(other_end, data, sizeof(data));
}

START_TEST(a_signal_does_not_cut_writing_short)
{
	char data[65536];
	int ends[2], result;

	memset(data, 'x', sizeof(data));
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	fcntl(ends[1], F_SETFL, O_NONBLOCK);
	while (write(ends[1], data, sizeof(data)) > 0)
		;
	fcntl(ends[1], F_SETFL, 0);
	/* Or the handler waits for the next byte, and that for the handler. */
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	other_end = ends[0];
	alarms = 0;
	alarm_every(10000, on_alarm_drain);
	result = fd_write_all(ends[1], data, sizeof(data));
	alarm_end();
	ck_assert_int_eq(result, 0);
	ck_assert_int_ge(alarms, 2);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(what_cannot_be_written_says_why)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	ck_assert_int_eq(fd_write_all(full, "x", 1), -1);
	ck_assert_int_eq(errno, ENOSPC);
	ck_assert_int_eq(fd_write_all(full, "x", 0), 0);
	close(full);
}
END_TEST

/* A pipe that is full holds up the writer until the other end reads. */
START_TEST(a_full_pipe_is_waited_for)
{
	char data[65536];
	int ends[2], result;

	memset(data, 'x', sizeof(data));
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	while (write(ends[1], data, sizeof(data)) > 0)
		;
	other_end = ends[0];
	alarms = 0;
	alarm_every(10000, on_alarm_drain);
	result = fd_write_all(ends[1], data, sizeof(data));
	alarm_end();
	ck_assert_int_eq(result, 0);
	ck_assert_int_ge(alarms, 2);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(what_a_descriptor_offers_is_forgotten)
{
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
	ck_assert(!fd_is_readable(ends[0]));
	ck_assert_int_eq(write(ends[1], "some", 4), 4);
	ck_assert(fd_is_readable(ends[0]));
	fd_drain(ends[0]);
	ck_assert(!fd_is_readable(ends[0]));
	close(ends[1]);
	ck_assert(fd_is_readable(ends[0]));
	close(ends[0]);
	fd_drain(-1);
	assert_silent();
}
END_TEST

/* Somebody who has it may never let it go. */
START_TEST(a_lock_is_waited_for_with_a_limit)
{
	int theirs = open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	int ours = open("file", O_RDWR | O_CLOEXEC);
	double begun = clock_monotonic();
	sigset_t set;

	ck_assert_int_eq(fd_lock(theirs, LOCK_EX), 0);
	ck_assert_int_eq(fd_lock(ours, LOCK_SH | LOCK_NB), -1);
	ck_assert_int_eq(fd_lock_within(ours, LOCK_SH, 100), -1);
	ck_assert_int_eq(errno, EWOULDBLOCK);
	ck_assert_double_ge(clock_monotonic() - begun, 0.1);
	/* Nor does who is told to end wait. */
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGTERM);
	begun = clock_monotonic();
	ck_assert_int_eq(fd_lock(ours, LOCK_EX), -1);
	ck_assert_double_lt(clock_monotonic() - begun, 5);
	signal(SIGTERM, SIG_IGN); /* that one is gone then */
	ck_assert_int_eq(fd_lock(theirs, LOCK_UN), 0);
	ck_assert_int_eq(fd_lock(ours, LOCK_EX), 0);
	close(ours);
	close(theirs);
}
END_TEST

START_TEST(a_lock_that_is_let_go_is_had)
{
	int theirs = open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	int ours = open("file", O_RDWR | O_CLOEXEC);
	pid_t child;

	ck_assert_int_eq(fd_lock(theirs, LOCK_EX), 0);
	child = fork();
	if (child == 0) {
		poll(NULL, 0, 100);
		_exit(0);
	}
	close(theirs);
	ck_assert_int_eq(fd_lock(ours, LOCK_EX), 0);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	close(ours);
}
END_TEST

START_TEST(each_who_appends_knows_where_that_is)
{
	int one = open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	int other = open("file", O_RDWR | O_CLOEXEC);
	char *text;

	ck_assert_int_eq(fd_append(one, "one ", 4), 0);
	ck_assert_int_eq(fd_append(other, "two ", 4), 4);
	ck_assert_int_eq(fd_append(one, "three", 5), 8);
	/* Where it has written it can write again. */
	ck_assert_int_eq(pwrite(other, "TWO", 3, 4), 3);
	text = file_get("file");
	ck_assert_str_eq(text, "one TWO three");
	free(text);
	close(other);
	close(one);
	one = open("/dev/full", O_RDWR | O_CLOEXEC);
	ck_assert_int_eq(fd_append(one, "x", 1), -1);
	close(one);
	ck_assert_int_eq(fd_append(-1, "x", 1), -1);
}
END_TEST

Suite *
check_fd_suite(void)
{
	Suite *suite = suite_create("fd");
	TCase *tc = support_case(suite, "fd");

	tcase_add_test(tc, a_closed_descriptor_is_none);
	tcase_add_test(tc, a_signal_does_not_cut_writing_short);
	tcase_add_test(tc, what_cannot_be_written_says_why);
	tcase_add_test(tc, a_full_pipe_is_waited_for);
	tcase_add_test(tc, what_a_descriptor_offers_is_forgotten);
	tcase_add_test(tc, each_who_appends_knows_where_that_is);
	tcase_add_test(tc, a_lock_is_waited_for_with_a_limit);
	tcase_add_test(tc, a_lock_that_is_let_go_is_had);
	return suite;
}
