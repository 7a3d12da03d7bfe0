#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "output/block.h"
#include "output/page.h"
#include "support.h"

static char target[] = "t-3.12", session[] = "t(3.12)", reason[] = "50% is\tlow\033[1m";

/* Of the page. */
static long long room = PAGE_BYTES;

/* One that has passed, and has written a line with a command in it. */
static struct record
passed(void)
{
	file_put("t-3.12.log", "one\n::endgroup::\n");
	return (struct record){ .target = target, .session = session, .verdict = PASSED,
		.started = 1000.25, .duration = 2.5, .logged = true, .exit = 0, .signal = -1 };
}

static char *
printed(enum ci_forge forge, const struct record *r, long long lines)
{
	setenv("CI", "true", 1);
	output_begin();
	ck_assert_int_eq(block_print(forge, AT_FDCWD, r, "runs/R", room), lines);
	return output_end();
}

static const struct {
	enum ci_forge forge;
	long long lines;
	const char *passed, *failed;
} forms[] = {
	{ FORGE_GITHUB, 1,
	    "::group::t-3.12 passed 2.5s\none\n| ::endgroup::\n::endgroup::\n",
	    "--- t-3.12 failed 2.5s: 50% is\\tlow\\^[[1m\none\n| ::endgroup::\n" },
	{ FORGE_FORGEJO, 1,
	    "::group::t-3.12 passed 2.5s\none\n| ::endgroup::\n::endgroup::\n",
	    "--- t-3.12 failed 2.5s: 50% is\\tlow\\^[[1m\none\n| ::endgroup::\n" },
	{ FORGE_GITEA, 1,
	    "::group::t-3.12 passed 2.5s\none\n| ::endgroup::\n::endgroup::\n",
	    "--- t-3.12 failed 2.5s: 50% is\\tlow\\^[[1m\none\n| ::endgroup::\n" },
	{ FORGE_GITLAB, 1,
	    "\033[0Ksection_start:1000:noxmk-t-3-12-0[collapsed=true]\r\033[0Kt-3.12 passed 2.5s\n"
	    "one\n| ::endgroup::\n\033[0Ksection_end:1003:noxmk-t-3-12-0\r\033[0K\n",
	    "\033[0Ksection_start:1000:noxmk-t-3-12-0\r\033[0K"
	    "t-3.12 failed 2.5s: 50% is\\tlow\\^[[1m\n"
	    "one\n| ::endgroup::\n\033[0Ksection_end:1003:noxmk-t-3-12-0\r\033[0K\n" },
	{ FORGE_OTHER, 3,
	    "--- t-3.12 passed 2.5s\none\n| ::endgroup::\n",
	    "--- t-3.12 failed 2.5s: 50% is\\tlow\\^[[1m\none\n| ::endgroup::\n" },
};

START_TEST(each_forge_has_its_form)
{
	struct record r = passed();
	char *text = printed(forms[_i].forge, &r, forms[_i].lines);

	ck_assert_str_eq(text, forms[_i].passed);
	free(text);
	r.verdict = FAILED;
	r.reason = reason;
	text = printed(forms[_i].forge, &r, 3);
	ck_assert_str_eq(text, forms[_i].failed);
	free(text);
	assert_silent();
}
END_TEST

/* The first two attempts; the second log is gone. */
START_TEST(an_earlier_attempt_is_folded)
{
	struct record r = passed();
	char *text;

	file_put("t-3.12.log.1", "100%\n");
	r.attempts = json_of("[{'verdict':'failed','reason':'100%0A','duration':1,"
		"'log':'t-3.12.log.1'},{'verdict':'failed','reason':null,'log':null}]");
	text = printed(FORGE_GITHUB, &r, 2);
	ck_assert_str_eq(text,
		"::group::t-3.12, attempt 1: failed 1.0s: 100%250A\n100%\n::endgroup::\n"
		"::group::t-3.12 passed 2.5s: flaky: it failed first\none\n| ::endgroup::\n"
		"::endgroup::\n");
	free(text);
	text = printed(FORGE_GITEA, &r, 2);
	ck_assert_ptr_nonnull(strstr(text, "failed 1.0s: 100%0A\n"));
	free(text);
	json_decref(r.attempts);
}
END_TEST

START_TEST(a_long_log_loses_its_middle)
{
	struct record r = passed();
	struct buffer log = { 0 };
	char *text;

	for (int i = 0; i < 30000; i++)
		buffer_printf(&log, "line %d\n", i);
	file_put("t-3.12.log", log.data);
	text = printed(FORGE_OTHER, &r, 1 + 922 + 1 + 2234);
	ck_assert_ptr_nonnull(strstr(text, "\nline 921\n… 279 KiB are left out here; all of it: "
		"runs/R/t-3.12.log\nline 27766\n"));
	ck_assert_ptr_nonnull(strstr(text, "\nline 29999\n"));
	free(text);
	r.verdict = FAILED;
	text = printed(FORGE_OTHER, &r, 12325);
	free(text);
	buffer_free(&log);
}
END_TEST

/* By then of a failed one, and of others; and when the page is full. */
static const struct {
	long long room;
	enum verdict verdict;
	size_t most;
} rooms[] = {
	{ 1 << 20, FAILED, 128 << 10 }, { 800 << 10, FAILED, 100 << 10 }, { 0, FAILED, 4 << 10 },
	{ 1 << 20, PASSED, 32 << 10 }, { 800 << 10, PASSED, 25 << 10 }, { 0, PASSED, 4 << 10 },
};

START_TEST(the_fuller_the_page_the_shorter_a_log)
{
	struct record r = passed();
	struct buffer log = { 0 };
	char *text;

	for (int i = 0; i < 40000; i++)
		buffer_printf(&log, "line %d\n", i);
	file_put("t-3.12.log", log.data);
	setenv("CI", "true", 1);
	r.verdict = rooms[_i].verdict;
	output_begin();
	ck_assert_int_gt(block_print(FORGE_OTHER, AT_FDCWD, &r, "runs/R", rooms[_i].room), 0);
	text = output_end();
	ck_assert_uint_gt(strlen(text), rooms[_i].most - 200);
	ck_assert_uint_lt(strlen(text), rooms[_i].most + 200);
	ck_assert_ptr_nonnull(strstr(text, "\nline 39999\n"));
	free(text);
	buffer_free(&log);
}
END_TEST

START_TEST(a_line_without_end_is_cut_all_the_same)
{
	struct record r = passed();
	char *log = xcalloc(1, 200001), *text;

	memset(log, 'x', 200000);
	file_put("t-3.12.log", log);
	text = printed(FORGE_GITHUB, &r, 1);
	ck_assert_ptr_nonnull(strstr(text, "\n… 163 KiB are left out here; all of it: "));
	ck_assert_ptr_nonnull(strstr(text, "\n::endgroup::\n"));
	ck_assert_uint_lt(strlen(text), 34000);
	free(text);
	free(log);
}
END_TEST

START_TEST(a_lost_log_is_said_and_the_group_is_closed)
{
	struct record r = passed();
	char *text;

	folder_remove("t-3.12.log");
	text = printed(FORGE_GITHUB, &r, 1);
	ck_assert_str_eq(text, "::group::t-3.12 passed 2.5s\n::endgroup::\n");
	assert_warned("t-3.12.log: No such file");
	free(text);
}
END_TEST

START_TEST(a_line_tells_enough_of_these)
{
	struct record r = passed();

	ck_assert(block_is_wanted(&r));
	r.verdict = SKIPPED;
	ck_assert(!block_is_wanted(&r));
	r.verdict = NOT_RUN;
	ck_assert(!block_is_wanted(&r));
	r.verdict = CANCELLED;
	ck_assert(block_is_wanted(&r));
	r.live = true;
	ck_assert(!block_is_wanted(&r));
}
END_TEST

Suite *
check_block_suite(void)
{
	Suite *suite = suite_create("block");
	TCase *tc = support_case(suite, "block");

	tcase_add_loop_test(tc, each_forge_has_its_form, 0, countof(forms));
	tcase_add_test(tc, an_earlier_attempt_is_folded);
	tcase_add_test(tc, a_long_log_loses_its_middle);
	tcase_add_loop_test(tc, the_fuller_the_page_the_shorter_a_log, 0, (int)countof(rooms));
	tcase_add_test(tc, a_line_without_end_is_cut_all_the_same);
	tcase_add_test(tc, a_lost_log_is_said_and_the_group_is_closed);
	tcase_add_test(tc, a_line_tells_enough_of_these);
	return suite;
}
