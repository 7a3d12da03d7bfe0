#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/outlet.h"
#include "output/page.h"
#include "support.h"

static struct page *
open_here(void)
{
	struct page *page;

	setenv("CI", "true", 1);
	page = page_open(AT_FDCWD);
	ck_assert_ptr_nonnull(page);
	return page;
}

START_TEST(without_a_ci_there_is_no_page)
{
	ck_assert_ptr_null(page_open(AT_FDCWD));
	ck_assert(!file_there(".page.now"));
	ck_assert(!page_begin(NULL, 0));
	ck_assert(page_end(NULL, 1));
	page_begin_line(NULL);
	page_end_line(NULL);
	page_note(NULL);
	ck_assert_int_eq(page_state(NULL).lines, 0);
	page_close(NULL);
}
END_TEST

START_TEST(one_has_the_turn_at_a_time)
{
	struct page *a = open_here(), *b = open_here();

	ck_assert(page_begin(a, 0));
	ck_assert(page_begin(a, 0));
	ck_assert(!page_begin(b, 20));
	ck_assert(page_end(a, 0));
	ck_assert(page_begin(b, 0));
	ck_assert(!page_begin(a, 0));
	page_end(b, 0);
	page_close(a);
	page_close(b);
}
END_TEST

START_TEST(a_turn_ends_with_its_process)
{
	struct page *page;
	pid_t pid = fork();

	if (pid == 0)
		_exit(page_begin(open_here(), 0) ? 0 : 1);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	page = open_here();
	ck_assert(page_begin(page, 0));
	page_close(page);
}
END_TEST

START_TEST(lines_add_up_over_helpers)
{
	struct page *a = open_here(), *b = open_here();
	double last = page_state(a).last;

	ck_assert(last > 0 && last <= clock_monotonic());
	ck_assert(page_begin(a, 0));
	page_end(a, 3);
	page_begin_line(b);
	page_end_line(b);
	ck_assert_int_eq(page_state(a).lines, 4);
	/* One that has not got the turn writes its line all the same; it is not counted. */
	ck_assert(page_begin(a, 0));
	page_begin_line(b);
	page_end_line(b);
	ck_assert_int_eq(page_state(a).lines, 4);
	ck_assert(page_state(a).last >= last);
	page_note(b);
	ck_assert_int_eq(page_state(a).lines, 4);
	page_close(a);
	page_close(b);
}
END_TEST

START_TEST(a_page_has_room_for_so_much)
{
	struct page_state full = { 1, PAGE_BYTES + 1, 1 };
	struct page *page = open_here();
	int file = open(".page.now", O_WRONLY);
	char *text;

	ck_assert_int_eq(page_room(NULL), PAGE_BYTES);
	output_begin();
	outlet_open(true);
	printf("not on the page\n");
	ck_assert(page_begin(page, 0));
	printf("1234\n");
	page_end(page, 1);
	page_begin_line(page);
	printf("67\n");
	page_end_line(page);
	ck_assert_int_eq(outlet_close(1000), 0);
	text = output_end();
	ck_assert_int_eq(page_room(page), PAGE_BYTES - 8);
	ck_assert_int_eq(pwrite(file, &full, sizeof(full), 0), sizeof(full));
	ck_assert_int_eq(page_room(page), 0);
	free(text);
	close(file);
	page_close(page);
}
END_TEST

/* Nobody reads: what follows could land in the middle, so nobody else gets the turn any more. */
static int
be_stuck(bool in_a_line)
{
	struct page *page = open_here();
	int ends[2];

	if (pipe(ends) < 0 || dup2(ends[1], STDOUT_FILENO) < 0)
		return 2;
	outlet_open(false);
	if (!in_a_line)
		page_begin(page, 0);
	for (int i = 0; i < 20000; i++) {
		if (in_a_line)
			page_begin_line(page);
		puts("a line that is not read");
		if (in_a_line)
			page_end_line(page);
	}
	if (!in_a_line && page_end(page, 20000))
		return 1;
	page_close(page);
	file_put("ready", "");
	poll(NULL, 0, 60000);
	return 0;
}

START_TEST(lines_wait_for_no_reader)
{
	struct page *page = open_here();
	pid_t pid = fork();

	if (pid == 0)
		_exit(be_stuck(true));
	/* If each line waited, this would take hours. */
	file_await("ready");
	ck_assert_int_eq(page_state(page).lines, 20000);
	ck_assert(page_begin(page, 0));
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	page_close(page);
}
END_TEST

START_TEST(a_turn_that_nobody_reads_lasts_until_its_process_ends)
{
	struct page *page = open_here();
	pid_t pid = fork();

	if (pid == 0)
		_exit(be_stuck(false));
	file_await("ready");
	ck_assert_int_eq(page_state(page).lines, 20000);
	ck_assert(!page_begin(page, 20));
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert(page_begin(page, 0));
	page_close(page);
}
END_TEST

/* A session can write there if there is no runtime folder. */
static const struct page_state odd[] = {
	{ -1, 0, 1 }, { 1, 0, -1 }, { 1, 0, 1e18 }, { 1, 0, 0.0 / 0.0 }, { 1, -1, 1 },
	{ 1, 1LL << 50, 1 },
};

START_TEST(a_state_that_cannot_be_is_none)
{
	struct page *page = open_here();
	int file = open(".page.now", O_WRONLY);

	ck_assert_int_eq(pwrite(file, &odd[_i], sizeof(odd[_i]), 0), sizeof(odd[_i]));
	ck_assert_int_eq(page_state(page).lines, 0);
	ck_assert_int_eq(page_room(page), PAGE_BYTES);
	ck_assert_int_eq(ftruncate(file, 1), 0);
	ck_assert_int_eq(page_state(page).lines, 0);
	close(file);
	page_close(page);
}
END_TEST

START_TEST(whatever_lies_in_its_place_goes)
{
	struct page *page;

	odd_put((enum odd)_i, ".page.now");
	page = open_here();
	ck_assert(page_begin(page, 0));
	page_end(page, 1);
	page_close(page);
}
END_TEST

Suite *
check_page_suite(void)
{
	Suite *suite = suite_create("page");
	TCase *tc = support_case(suite, "page");

	tcase_add_test(tc, without_a_ci_there_is_no_page);
	tcase_add_test(tc, one_has_the_turn_at_a_time);
	tcase_add_test(tc, a_turn_ends_with_its_process);
	tcase_add_test(tc, lines_wait_for_no_reader);
	tcase_add_test(tc, a_turn_that_nobody_reads_lasts_until_its_process_ends);
	tcase_add_test(tc, lines_add_up_over_helpers);
	tcase_add_test(tc, a_page_has_room_for_so_much);
	tcase_add_loop_test(tc, a_state_that_cannot_be_is_none, 0, countof(odd));
	tcase_add_loop_test(tc, whatever_lies_in_its_place_goes, 0, ODD_STRANGER);
	return suite;
}
