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

static struct mask *
no_mask(void)
{
	static struct mask *mask;
	struct strings none = { 0 };
	char *const variables[] = { NULL };

	if (!mask)
		mask = mask_open(&(struct secrets){ none, none }, variables);
	return mask;
}

START_TEST(a_log_has_its_command_first_and_its_status_last)
{
	int log = joblog_open(AT_FDCWD, "t", argv, no_mask());

	ck_assert_int_ge(log, 0);
	ck_assert_int_eq(fd_write_all(log, "bytes \xff\n", 8), 0);
	joblog_close(log, "t", "exited with status 1", no_mask());
	assert_file("t.log",
	    "$ /usr/bin/nox -s 't(a='\\''1'\\'')'\nbytes \xff\n\n[exited with status 1.]\n");
	assert_silent();
}
END_TEST

START_TEST(the_names_of_masked_values_are_before_the_status)
{
	struct strings patterns = { (const char *[]){ "*TOKEN" }, 1 }, none = { 0 };
	char token[] = "A_TOKEN=/usr/bin/nox", other[] = "B_TOKEN=hunter22";
	char *const variables[] = { token, other, NULL };
	struct mask *mask = mask_open(&(struct secrets){ patterns, none }, variables);

	/* Those of an earlier log do not count. */
	free(mask_text(mask, xstrdup("hunter22")));
	joblog_close(joblog_open(AT_FDCWD, "t", argv, mask), "t", "exited with status 1", mask);
	assert_file("t.log", "$ *** -s 't(a='\\''1'\\'')'\n\n[noxmk: masked: A_TOKEN]\n"
	    "[exited with status 1.]\n");
	mask_close(mask);
}
END_TEST

START_TEST(each_line_says_whose_it_is)
{
	int log = joblog_open(AT_FDCWD, "t", argv, no_mask());
	struct joblog_follower *f;
	char *shown;

	f = joblog_follower_open(log, "t", CI_ANNOTATIONS);
	output_begin();
	ck_assert_int_eq(fd_write_all(log, "one\n::error::x\n::group::y\nwai", 29), 0);
	joblog_tell_ci(f, true, "::add-mask::\033", 13);
	joblog_tell_ci(NULL, false, "::error::\033", 10);
	ck_assert_int_eq(fd_write_all(log, "ting\n", 5), 0);
	joblog_follower_close(f);
	shown = output_end();
	ck_assert_str_eq(shown, "t | one\n::error::x\nt | | ::group::y\nt | wai\n"
	    "::add-mask::\033\n::error::\\033\nt | ting\n");
	free(shown);
	joblog_close(log, "t", "x", no_mask());
}
END_TEST

START_TEST(a_log_that_cannot_be_made_is_said)
{
	int log;

	ck_assert_int_eq(symlink("elsewhere", "t.log"), 0);
	log = joblog_open(AT_FDCWD, "t", argv, no_mask());
	ck_assert_int_ge(log, 0);
	close(log);
	ck_assert(!file_there("elsewhere"));
	limit_set(RLIMIT_FSIZE, 3);
	log = joblog_open(AT_FDCWD, "t", argv, no_mask());
	limit_restore();
	ck_assert_int_eq(log, -1);
	assert_warned("t.log: File too large");
}
END_TEST

START_TEST(a_lost_end_is_said)
{
	joblog_close(open("/dev/full", O_WRONLY | O_CLOEXEC), "t", "exited with status 0",
	    no_mask());
	assert_warned("t.log: the end of the log is lost: No space left");
}
END_TEST

START_TEST(what_is_new_in_a_log_is_shown)
{
	int log = joblog_open(AT_FDCWD, "t", argv, no_mask());
	struct joblog_follower *f = joblog_follower_open(log, NULL, CI_NONE);
	char *shown;

	ck_assert_ptr_nonnull(f);
	output_begin();
	ck_assert_int_eq(joblog_follower_timeout(f), -1);
	ck_assert_int_eq(fd_write_all(log, "one\n", 4), 0);
	joblog_follower_copy(f);
	joblog_follower_copy(f);
	ck_assert_int_eq(fd_write_all(log, "two\n", 4), 0);
	joblog_follower_close(f);
	joblog_follower_close(NULL);
	shown = output_end();
	/* Neither the first line nor the last: the summary tells that. */
	ck_assert_str_eq(shown, "one\ntwo\n");
	free(shown);
	joblog_close(log, "t", "x", no_mask());
}
END_TEST

START_TEST(a_reader_that_went_away_is_no_fault)
{
	int log = joblog_open(AT_FDCWD, "t", argv, no_mask());
	struct joblog_follower *f = joblog_follower_open(log, NULL, CI_NONE);

	ck_assert_int_eq(fd_write_all(log, "one\n", 4), 0);
	output_break();
	joblog_follower_close(f);
	output_restore();
	joblog_close(log, "t", "x", no_mask());
	assert_silent();
}
END_TEST

/* As joblog_print: byte for byte, or, in a CI, through the filter. */
START_TEST(a_growing_log_is_shown_from_its_start)
{
	static const char *const shown[] = {
		"one \xff\n::error::x\n", "one \\377\n| ::error::x\n",
	};
	struct joblog_follower *f;
	char *text;
	int log;

	if (_i == 1)
		setenv("CI", "true", 1);
	file_put("a.log", "one \xff\n");
	log = open("a.log", O_RDWR | O_APPEND | O_CLOEXEC);
	f = joblog_follower_open_all(log, false);
	output_begin();
	ck_assert_int_eq(joblog_follower_step(f), 1);
	ck_assert_int_eq(joblog_follower_step(f), 0);
	ck_assert_int_eq(fd_write_all(log, "::error::x\n", 11), 0);
	ck_assert_int_eq(joblog_follower_step(f), 1);
	ck_assert_int_eq(fd_write_all(log, "two\n", 4), 0);
	joblog_follower_leave(f);
	text = output_end();
	ck_assert_str_eq(text, shown[_i]);
	free(text);
	close(log);
}
END_TEST

START_TEST(a_log_goes_on_in_small_steps)
{
	char *text = xcalloc(1, 10001);
	struct joblog_follower *f;
	int log, steps = 0;

	memset(text, 'x', 10000);
	file_put("a.log", text);
	log = joblog_find(AT_FDCWD, "a");
	f = joblog_follower_open_all(log, true);
	output_begin();
	while (joblog_follower_step(f) > 0)
		steps++;
	free(output_end());
	ck_assert_int_eq(steps, 3);
	joblog_follower_close(f);
	f = joblog_follower_open_all(log, true);
	output_break();
	steps = joblog_follower_step(f);
	output_restore();
	ck_assert_int_eq(steps, -1);
	joblog_follower_leave(f);
	close(log);
	free(text);
}
END_TEST

START_TEST(a_log_is_printed_byte_for_byte)
{
	char *text;

	file_put("a.log", "its \xff words\n");
	output_begin();
	ck_assert_int_eq(joblog_print(AT_FDCWD, "a", false), 0);
	text = output_end();
	ck_assert_str_eq(text, "its \xff words\n");
	free(text);
	output_break();
	(void)joblog_print(AT_FDCWD, "a", false);
	output_restore();
	assert_silent();
}
END_TEST

START_TEST(in_a_ci_a_log_is_printed_through_the_filter)
{
	char *text;

	setenv("CI", "true", 1);
	file_put("a.log", "its \xff words\n::error::x\n");
	output_begin();
	ck_assert_int_eq(joblog_print(AT_FDCWD, "a", false), 0);
	ck_assert_int_eq(joblog_print(AT_FDCWD, "a", true), 0);
	text = output_end();
	ck_assert_str_eq(text, "its \\377 words\n| ::error::x\nits \xff words\n::error::x\n");
	free(text);
}
END_TEST

START_TEST(what_is_no_log_is_said)
{
	file_put("a.log", "");
	close(folder_make("b"));
	ck_assert_int_eq(joblog_print(AT_FDCWD, "b", false), -1);
	assert_warned("b: no log in this run (`make nox-list` names the targets)");
	ck_assert_int_eq(joblog_print(AT_FDCWD, "b/../a", false), -1);
	assert_warned("b/../a: no log");
	close(folder_make("c.log"));
	ck_assert_int_eq(joblog_print(AT_FDCWD, "c", false), -1);
	assert_warned("c: no log");
}
END_TEST

START_TEST(the_end_of_a_log_is_printed_through_the_filter)
{
	static const char head[] = "… its last 2 KiB of 2 KiB\n";
	char *text = xcalloc(1, 3000), *shown;

	memset(text, 'x', 2999);
	memcpy(text + 2991, "\033[H end\n", 8);
	file_put("a.log", text);
	output_begin();
	joblog_print_end(AT_FDCWD, "a", 2);
	joblog_print_end(AT_FDCWD, "a", 3);
	joblog_print_end(AT_FDCWD, "zzz", 3);
	shown = output_end();
	ck_assert(!strncmp(shown, head, strlen(head)));
	ck_assert_uint_eq(strlen(shown), strlen(head) + 2048 + 2999 + 2 * strlen("033"));
	ck_assert_ptr_nonnull(strstr(shown, "x\\033[H end\nx"));
	assert_warned("zzz.log: No such file");
	free(shown);
	free(text);
}
END_TEST

START_TEST(the_last_line_of_a_log_is_what_the_session_wrote)
{
	char *line;

	file_put("a.log", "$ nox -s a\none\n");
	line = joblog_last_line(AT_FDCWD, "a");
	ck_assert_str_eq(line, "one");
	free(line);
	line = joblog_last_line(AT_FDCWD, "none");
	ck_assert_str_eq(line, "");
	free(line);
	odd_put(ODD_FIFO, "b.log");
	line = joblog_last_line(AT_FDCWD, "b");
	ck_assert_str_eq(line, "");
	free(line);
}
END_TEST

Suite *
check_joblog_suite(void)
{
	Suite *suite = suite_create("joblog");
	TCase *tc = support_case(suite, "log");

	tcase_add_test(tc, a_log_has_its_command_first_and_its_status_last);
	tcase_add_test(tc, a_log_that_cannot_be_made_is_said);
	tcase_add_test(tc, the_names_of_masked_values_are_before_the_status);
	tcase_add_test(tc, a_lost_end_is_said);
	tc = support_case(suite, "print");
	tcase_add_test(tc, a_log_is_printed_byte_for_byte);
	tcase_add_test(tc, in_a_ci_a_log_is_printed_through_the_filter);
	tcase_add_test(tc, what_is_no_log_is_said);
	tcase_add_test(tc, the_end_of_a_log_is_printed_through_the_filter);
	tcase_add_test(tc, the_last_line_of_a_log_is_what_the_session_wrote);
	tc = support_case(suite, "follower");
	tcase_add_test(tc, what_is_new_in_a_log_is_shown);
	tcase_add_loop_test(tc, a_growing_log_is_shown_from_its_start, 0, 2);
	tcase_add_test(tc, a_log_goes_on_in_small_steps);
	tcase_add_test(tc, each_line_says_whose_it_is);
	tcase_add_test(tc, a_reader_that_went_away_is_no_fault);
	return suite;
}
