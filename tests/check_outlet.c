#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/outlet.h"
#include "support.h"

enum { LINE = 100 }; /* bytes of a line */

static int saved;

/* Standard output goes there until unplug. */
static void
plug(int fd)
{
	fflush(stdout);
	saved = dup(STDOUT_FILENO);
	ck_assert_int_ge(dup2(fd, STDOUT_FILENO), 0);
	close(fd);
	outlet_open(false);
}

static void
unplug(int milliseconds)
{
	outlet_close(milliseconds);
	dup2(saved, STDOUT_FILENO);
	close(saved);
}

static void
open_ends(bool is_socket, int ends[2])
{
	if (is_socket)
		ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	else
		ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	plug(ends[1]);
}

/* All that is there. */
static void
read_on(int fd, struct buffer *text)
{
	char data[4096];
	ssize_t n;

	while ((n = read(fd, data, sizeof(data))) > 0)
		buffer_add(text, data, (size_t)n);
}

/* So many numbered lines, in pieces of one. */
static void
print_lines(int from, int to)
{
	for (int i = from; i < to; i++) {
		printf("%0*d\n", LINE - 1, i);
		fflush(stdout);
	}
}

/* Are these the lines from 0 on? Returns how many; what follows them is at *rest. */
static int
count_lines(const char *text, const char **rest)
{
	char line[LINE + 1];
	int n = 0;

	for (;; n++, text += LINE) {
		snprintf(line, sizeof(line), "%0*d\n", LINE - 1, n);
		if (strncmp(text, line, LINE) != 0)
			break;
	}
	*rest = text;
	return n;
}

START_TEST(what_is_read_is_written_at_once)
{
	struct buffer text = { 0 };
	struct pollfd fds[OUTLETS];
	int ends[2];

	open_ends(_i, ends);
	printf("a line\n");
	fflush(stdout);
	read_on(ends[0], &text);
	ck_assert_str_eq(text.data, "a line\n");
	outlet_poll(fds);
	ck_assert(fds[0].fd < 0 && fds[1].fd < 0);
	ck_assert(!outlet_is_behind() && !outlet_is_full());
	unplug(0);
	buffer_free(&text);
	close(ends[0]);
}
END_TEST

/* A pipe, or a socket, holds less than that. */
START_TEST(what_nobody_reads_is_kept_and_written_later)
{
	struct buffer text = { 0 };
	struct pollfd fds[OUTLETS];
	const char *rest;
	int ends[2];

	open_ends(_i, ends);
	print_lines(0, 8000);
	ck_assert(outlet_is_behind() && outlet_is_full());
	for (int i = 0; i < 10000 && outlet_is_behind(); i++) {
		read_on(ends[0], &text);
		outlet_poll(fds);
		ck_assert_int_eq(poll(fds, OUTLETS, 100000), 1);
		outlet_flush();
	}
	ck_assert(!outlet_is_behind() && !outlet_is_full());
	read_on(ends[0], &text);
	ck_assert_int_eq(count_lines(text.data, &rest), 8000);
	ck_assert_str_eq(rest, "");
	unplug(0);
	buffer_free(&text);
	close(ends[0]);
}
END_TEST

START_TEST(what_is_too_much_is_cut_with_a_word)
{
	struct buffer text = { 0 };
	size_t cut = 0;
	const char *rest;
	int ends[2], n, tail;

	open_ends(_i, ends);
	print_lines(0, 30000);
	while (outlet_is_behind() && !strstr(text.data ? text.data : "", "[noxmk: ")) {
		read_on(ends[0], &text);
		outlet_flush();
	}
	printf("a line\n");
	fflush(stdout);
	read_on(ends[0], &text);
	n = count_lines(text.data, &rest);
	ck_assert_int_gt(n, 8000);
	ck_assert_int_eq(sscanf(rest, "\n[noxmk: %zu bytes are not shown here%n", &cut, &tail), 1);
	ck_assert_uint_eq(cut, (size_t)(30000 - n) * LINE);
	ck_assert_ptr_nonnull(strstr(rest + tail, "]\na line\n"));
	/* That it is not all of it stays known. */
	ck_assert(outlet_is_behind() && !outlet_is_full());
	unplug(0);
	buffer_free(&text);
	close(ends[0]);
}
END_TEST

/* Lines of several processes in one pipe are not mixed up. */
START_TEST(what_was_kept_is_written_in_whole_lines)
{
	char filler[PIPE_BUF], line[LINE + 1];
	struct buffer text = { 0 };
	int ends[2];

	open_ends(false, ends);
	print_lines(0, 3000);
	while (outlet_is_behind()) {
		ssize_t n = read(ends[0], filler, sizeof(filler));

		ck_assert_int_gt(n, 0);
		buffer_add(&text, filler, (size_t)n);
		/* Another writer takes what room there is first. */
		ck_assert_int_eq(write(STDOUT_FILENO, "x\n", 2), 2);
		outlet_flush();
	}
	read_on(ends[0], &text);
	for (int i = 0; i < 3000; i++) {
		snprintf(line, sizeof(line), "%0*d\n", LINE - 1, i);
		ck_assert_msg(strstr(text.data, line) != NULL, "line %d", i);
	}
	unplug(0);
	buffer_free(&text);
	close(ends[0]);
}
END_TEST

START_TEST(at_the_end_a_reader_has_so_long)
{
	double begun = clock_monotonic();
	struct buffer text = { 0 };
	const char *rest;
	int ends[2], status;
	pid_t reader;

	open_ends(_i, ends);
	print_lines(0, 8000);
	unplug(50);
	ck_assert_double_lt(clock_monotonic() - begun, 9);
	read_on(ends[0], &text);
	ck_assert_int_lt(count_lines(text.data, &rest), 8000);
	close(ends[0]);

	open_ends(_i, ends);
	print_lines(0, 8000);
	reader = fork();
	if (reader == 0) {
		text.len = 0;
		while (text.len < 8000 * LINE)
			read_on(ends[0], &text);
		_exit(count_lines(text.data, &rest) == 8000 ? 0 : 1);
	}
	unplug(10000);
	ck_assert_int_eq(waitpid(reader, &status, 0), reader);
	ck_assert_int_eq(status, 0);
	buffer_free(&text);
	close(ends[0]);
}
END_TEST

/* The process that is left behind writes on, and ends when it has, or when nobody can read it. */
START_TEST(what_is_not_read_at_the_end_is_left_to_another_process)
{
	struct buffer text = { 0 };
	struct pollfd there;
	const char *rest;
	int ends[2];

	open_ends(_i, ends);
	print_lines(0, 8000);
	outlet_hand_over(50);
	unplug(0);
	there = (struct pollfd){ .fd = ends[0], .events = POLLIN };
	while (poll(&there, 1, 100000) > 0 && !(there.revents & POLLHUP))
		read_on(ends[0], &text);
	read_on(ends[0], &text);
	ck_assert_int_eq(count_lines(text.data, &rest), 8000);
	ck_assert_str_eq(rest, "");
	ck_assert_int_eq(waitpid(-1, NULL, 0) > 0, 1);
	close(ends[0]);

	open_ends(_i, ends);
	print_lines(0, 8000);
	outlet_hand_over(50);
	unplug(0);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), 0);
	close(ends[0]);
	ck_assert_int_eq(waitpid(-1, NULL, 0) > 0, 1);
	buffer_free(&text);
}
END_TEST

/* Where all is to be shown, more is kept, whoever reads it then. */
START_TEST(of_what_is_all_to_be_shown_nothing_is_cut)
{
	struct buffer text = { 0 };
	const char *rest;
	int ends[2];

	open_ends(_i, ends);
	outlet_close(0);
	outlet_open(true);
	print_lines(0, 60000);
	while (outlet_is_behind()) {
		read_on(ends[0], &text);
		outlet_flush();
	}
	read_on(ends[0], &text);
	ck_assert_int_eq(count_lines(text.data, &rest), 60000);
	ck_assert_str_eq(rest, "");
	unplug(0);
	buffer_free(&text);
	close(ends[0]);
}
END_TEST

/* Who waits for the end of one stream does not wait for the reader of the other. */
START_TEST(what_is_left_behind_lets_go_of_what_it_does_not_need)
{
	int ends[2], errors[2], stderr_was = dup(STDERR_FILENO);
	struct pollfd there;

	open_ends(_i, ends);
	ck_assert_int_eq(pipe2(errors, O_CLOEXEC), 0);
	dup2(errors[1], STDERR_FILENO);
	close(errors[1]);
	print_lines(0, 8000);
	outlet_hand_over(50);
	unplug(0);
	dup2(stderr_was, STDERR_FILENO);
	close(stderr_was);
	there = (struct pollfd){ .fd = errors[0], .events = POLLIN };
	ck_assert_int_eq(poll(&there, 1, 100000), 1);
	ck_assert(there.revents & POLLHUP);
	close(errors[0]);
	close(ends[0]);
	ck_assert_int_gt(waitpid(-1, NULL, 0), 0);
}
END_TEST

/* As /dev/full shows, and a reader that went away. */
START_TEST(an_error_is_no_reason_to_keep_anything)
{
	int ends[2];

	plug(open("/dev/full", O_WRONLY | O_CLOEXEC));
	printf("a line\n");
	ck_assert_int_eq(fflush(stdout), EOF);
	ck_assert(!outlet_is_behind());
	ck_assert(outlet_close(0) < 0 && errno == ENOSPC);
	unplug(0);
	signal(SIGPIPE, SIG_IGN);
	open_ends(_i, ends);
	print_lines(0, 8000);
	close(ends[0]);
	outlet_flush();
	ck_assert(!outlet_is_full());
	ck_assert_int_eq(outlet_close(10000), 0);
	unplug(0);
}
END_TEST

START_TEST(a_forked_child_leaves_to_its_parent_what_is_kept)
{
	int ends[2], status;
	pid_t child;

	open_ends(false, ends);
	print_lines(0, 8000);
	child = fork();
	if (child == 0) {
		outlet_forked();
		_exit(outlet_is_full() ? 1 : 0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	ck_assert(outlet_is_full());
	unplug(0);
	close(ends[0]);
}
END_TEST

START_TEST(a_file_and_errors_are_as_ever)
{
	plug(open("file", O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
	printf("a line\n");
	fflush(stdout);
	assert_file("file", "a line\n");
	fprintf(stderr, "an error: ");
	fprintf(stderr, "its reason\n");
	assert_warned("an error: its reason\n");
	printf("another\n");
	unplug(0);
	assert_file("file", "a line\nanother\n");
}
END_TEST

START_TEST(what_is_kept_settles_once_it_is_read)
{
	struct buffer text = { 0 };
	int ends[2];
	bool early;

	open_ends(_i, ends);
	print_lines(0, 8000);
	early = outlet_settle(20);
	for (int i = 0; i < 100 && !outlet_settle(20); i++)
		read_on(ends[0], &text);
	read_on(ends[0], &text);
	early |= outlet_taken() != (size_t)8000 * LINE;
	unplug(0);
	ck_assert(!early);
	ck_assert_uint_eq(text.len, (size_t)8000 * LINE);
	buffer_free(&text);
	close(ends[0]);
}
END_TEST

Suite *
check_outlet_suite(void)
{
	Suite *suite = suite_create("outlet");
	TCase *tc = support_case(suite, "outlet");

	tcase_add_loop_test(tc, what_is_read_is_written_at_once, 0, 2);
	tcase_add_loop_test(tc, what_nobody_reads_is_kept_and_written_later, 0, 2);
	tcase_add_loop_test(tc, what_is_too_much_is_cut_with_a_word, 0, 2);
	tcase_add_test(tc, what_was_kept_is_written_in_whole_lines);
	tcase_add_loop_test(tc, at_the_end_a_reader_has_so_long, 0, 2);
	tcase_add_loop_test(tc, what_is_not_read_at_the_end_is_left_to_another_process, 0, 2);
	tcase_add_loop_test(tc, of_what_is_all_to_be_shown_nothing_is_cut, 0, 2);
	tcase_add_loop_test(tc, what_is_left_behind_lets_go_of_what_it_does_not_need, 0, 2);
	tcase_add_loop_test(tc, an_error_is_no_reason_to_keep_anything, 0, 2);
	tcase_add_test(tc, a_forked_child_leaves_to_its_parent_what_is_kept);
	tcase_add_test(tc, a_file_and_errors_are_as_ever);
	tcase_add_loop_test(tc, what_is_kept_settles_once_it_is_read, 0, 2);
	return suite;
}
