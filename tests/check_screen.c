#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output/screen.h"
#include "support.h"

static const struct {
	double seconds;
	const char *text;
} durations[] = {
	{ 0, "0.0s" }, { 0.04, "0.0s" }, { 0.06, "0.1s" }, { 1.25, "1.2s" }, { 59.96, "60.0s" },
	{ 99.94, "99.9s" }, { 99.95, "1m40s" }, { 100, "1m40s" }, { 245.4, "4m05s" },
	{ 3599.4, "59m59s" }, { 3599.5, "1h00m" }, { 3600, "1h00m" }, { 3719, "1h01m" },
	{ 359999, "99h59m" }, { -1, "?" }, { 1e300, "?" }, { (double)NAN, "?" },
};

START_TEST(times_are_short)
{
	struct screen_duration text = screen_duration(durations[_i].seconds);

	ck_assert_str_eq(text.s, durations[_i].text);
	ck_assert_uint_le(strlen(text.s), 7);
}
END_TEST

static const struct {
	const char *text, *safe;
} texts[] = {
	{ "", "" }, { "plain text", "plain text" }, { "a\tb\nc", "a\\tb\\nc" },
	{ "\033[31mred", "\\033[31mred" }, { "back\\slash", "back\\slash" },
	{ "\r", "\\r" }, { "ü 日本 \u202e", "ü 日本 \\M-b\\M^@\\M-." },
	{ "a\\", "a\\" }, { "\a\b", "\\a\\b" }, { "\x7f", "\\^?" },
};

START_TEST(control_characters_are_made_visible)
{
	char *text = screen_safe(texts[_i].text);

	if (strchr(texts[_i].text, '\033') || strchr(texts[_i].text, '\x7f'))
		for (char *c = text; *c; c++)
			ck_assert_int_ge((unsigned char)*c, ' ');
	else
		ck_assert_str_eq(text, texts[_i].safe);
	free(text);
}
END_TEST

START_TEST(a_ci_finds_no_command_in_a_reason)
{
	char *text;

	setenv("CI", "true", 1);
	text = screen_safe("a ##[error]b #\u200d#vso[c] ## d");
	ck_assert_str_eq(text, "a ##|[error]b #\u200d#|vso[c] ## d");
	free(text);
	unsetenv("CI");
	text = screen_safe("a ##[error]b");
	ck_assert_str_eq(text, "a ##[error]b");
	free(text);
}
END_TEST

START_TEST(no_byte_is_lost_or_reaches_the_screen_as_it_is)
{
	for (int i = 1; i < 256; i++) {
		char byte[] = { (char)i, '\0' }, *text = screen_safe(byte);

		ck_assert_uint_ge(strlen(text), 1);
		for (char *c = text; *c; c++)
			ck_assert((unsigned char)*c >= ' ' && *c != '\x7f');
		free(text);
	}
}
END_TEST

static const struct {
	const char *no, *force, *term, *termout;
	bool colour;
} wishes[] = {
	{ NULL, NULL, NULL, NULL, false },
	{ NULL, "1", NULL, NULL, true },
	{ NULL, "0", NULL, NULL, false },
	{ NULL, "", NULL, NULL, false },
	{ NULL, NULL, NULL, "/dev/pts/0", true },
	{ NULL, NULL, NULL, "", false },
	{ "1", "1", NULL, NULL, false },
	{ "", "1", NULL, NULL, true },
	{ NULL, "1", "dumb", NULL, false },
	{ NULL, "1", "xterm", NULL, true },
};

static void
wish(const char *name, const char *value)
{
	if (value)
		setenv(name, value, 1);
	else
		unsetenv(name);
}

START_TEST(colours_are_where_they_are_wanted)
{
	struct record passed = { .verdict = PASSED };
	bool colour = wishes[_i].colour;

	wish("NO_COLOR", wishes[_i].no);
	wish("FORCE_COLOR", wishes[_i].force);
	wish("TERM", wishes[_i].term);
	wish("MAKE_TERMOUT", wishes[_i].termout);
	output_begin(); /* no terminal */
	ck_assert_str_eq(screen_colour(&passed), colour ? "\033[32m" : "");
	ck_assert_str_eq(screen_plain(), colour ? "\033[0m" : "");
	free(output_end());
}
END_TEST

static const struct {
	enum verdict verdict;
	bool excused;
	const char *colour;
} colours[] = {
	{ PASSED, false, "\033[32m" }, { SKIPPED, false, "\033[33m" },
	{ FAILED, false, "\033[31m" }, { ABORTED, false, "\033[31m" },
	{ CANCELLED, false, "\033[31m" }, { NOT_RUN, false, "\033[31m" },
	{ NOT_RUN, true, "\033[33m" },
};

START_TEST(each_verdict_has_its_colour)
{
	struct record record = { .verdict = colours[_i].verdict, .excused = colours[_i].excused };

	setenv("TERM", "xterm", 1);
	setenv("FORCE_COLOR", "1", 1);
	ck_assert_str_eq(screen_colour(&record), colours[_i].colour);
}
END_TEST

START_TEST(a_text_is_put_between_two_others_unless_it_is_empty)
{
	char *text;

	output_begin();
	screen_put("(", "a\nb", ")");
	screen_put("(", "", ")");
	screen_put("(", NULL, ")");
	text = output_end();
	ck_assert_str_eq(text, "(a\\nb)");
	free(text);
}
END_TEST

START_TEST(a_session_that_ended_has_a_line)
{
	char target[] = "lint", reason[] = "it\nbroke";
	struct record r = { .target = target, .verdict = FAILED, .duration = 1.5,
		.reason = reason };
	char *text;

	output_begin();
	screen_ended(&r);
	r.reason = NULL;
	r.verdict = PASSED;
	screen_ended(&r);
	text = output_end();
	ck_assert_str_eq(text, "failed       1.5s  lint: it\\nbroke\npassed       1.5s  lint\n");
	free(text);
}
END_TEST

START_TEST(a_session_that_runs_again_has_a_line)
{
	char target[] = "lint", reason[] = "it\nbroke";
	struct record r = { .target = target, .verdict = ABORTED, .duration = 1.5,
		.reason = reason };
	char *text;

	output_begin();
	screen_retries(&r, 2);
	r.reason = NULL;
	screen_retries(&r, 0.5);
	text = output_end();
	ck_assert_str_eq(text, "retry        1.5s  lint: aborted: it\\nbroke; again in 2.0s\n"
			       "retry        1.5s  lint: aborted; again in 0.5s\n");
	free(text);
}
END_TEST

START_TEST(a_recheck_has_a_line)
{
	char *text;

	output_begin();
	screen_rechecks("lint", "once more");
	text = output_end();
	ck_assert_str_eq(text, "recheck            lint: once more\n");
	free(text);
}
END_TEST

START_TEST(a_session_that_waits_has_a_line)
{
	json_t *blocker = json_of("{'resource':'d\\tb','target':'tests','pid':17}");
	json_t *unknown = json_object();
	char *text;

	output_begin();
	screen_waits("lint", blocker);
	screen_waits("lint", unknown);
	text = output_end();
	ck_assert_str_eq(text, "waits              lint: for tests (pid 17), which has d\\tb\n"
			       "waits              lint: for ? (pid 0), which has ?\n");
	free(text);
	json_decref(blocker);
	json_decref(unknown);
}
END_TEST

static const struct {
	const char *log, *shown;
} logs[] = {
	{ "", "" }, { "$ nox\none", ": one" }, { "$ nox\none\ntwo\n\n", ": two" },
	{ "$ nox\na\nb\tc\n", ": b\\tc" },
};

START_TEST(a_slow_session_has_a_line_with_the_last_of_its_log)
{
	char *text, *expected = xasprintf("slow        1m40s  lint%s\n", logs[_i].shown);
	int log;

	file_put("lint.log", logs[_i].log);
	log = open("lint.log", O_RDONLY | O_CLOEXEC);
	output_begin();
	screen_slow("lint", 100, log);
	text = output_end();
	ck_assert_str_eq(text, expected);
	close(log);
	free(expected);
	free(text);
}
END_TEST

START_TEST(a_slow_session_may_have_no_log)
{
	char *text;

	output_begin();
	screen_slow("lint", 1, -1);
	text = output_end();
	ck_assert_str_eq(text, "slow         1.0s  lint\n");
	free(text);
}
END_TEST

START_TEST(a_failed_session_has_the_last_lines_of_its_log)
{
	char lint[] = "lint", reason[] = "1 error";
	struct record r = { .target = lint, .verdict = FAILED, .duration = 1, .reason = reason };
	const char *lines[] = { "a\tb \x9b", "c" };
	struct tail tail = { .lines = { lines, 2 }, .whole = true };
	char *text;

	output_begin();
	screen_failed(&r, &tail);
	tail.whole = false;
	setenv("MAKE_TERMOUT", "x", 1);
	setenv("COLUMNS", "16", 1);
	setenv("NO_COLOR", "1", 1);
	lines[1] = "0123456789abcdef";
	screen_failed(&r, &tail);
	text = output_end();
	ck_assert_str_eq(text, "failed       1.0s  lint: 1 error\n    a b \\M^[\n    c\n"
	    "failed       1.0s  lint: 1 error\n    … all of it: noxmk log lint\n    a b \\M^[\n"
	    "    012345…bcdef\n");
	free(text);
}
END_TEST

/* In 40 columns, of which 4 are indent. */
static const struct {
	const char *line, *shown;
} wide_lines[] = {
	{ "____________ test_of_a_name ____________", "____________ test_of_a_name ________" },
	{ "====", "====" },
	{ "========================================", "====================================" },
	{ "_________________________ test_name ____", "______________________ test_name ___" },
	/* Too long by more than its rows have: what is left is cut as any line. */
	{ "---- a_name_of_more_than_forty_columns_itself ----",
	  "--- a_name_of_more…olumns_itself ---" },
	{ "0000000000000000000000000000000000000000", "000000000000000000…00000000000000000" },
};

START_TEST(a_heading_as_wide_as_the_screen_keeps_its_name)
{
	char lint[] = "lint", *text, *wanted;
	struct record r = { .target = lint, .verdict = FAILED, .duration = 1 };
	const char *lines[] = { wide_lines[_i].line };
	struct tail tail = { .lines = { lines, 1 }, .whole = true };

	setenv("MAKE_TERMOUT", "x", 1);
	setenv("COLUMNS", "40", 1);
	setenv("NO_COLOR", "1", 1);
	output_begin();
	screen_failed(&r, &tail);
	text = output_end();
	wanted = xasprintf("failed       1.0s  lint\n    %s\n", wide_lines[_i].shown);
	ck_assert_str_eq(text, wanted);
	free(wanted);
	free(text);
}
END_TEST

Suite *
check_screen_suite(void)
{
	Suite *suite = suite_create("screen");
	TCase *tc = support_case(suite, "screen");

	tcase_add_loop_test(tc, times_are_short, 0, countof(durations));
	tcase_add_loop_test(tc, control_characters_are_made_visible, 0, countof(texts));
	tcase_add_test(tc, a_ci_finds_no_command_in_a_reason);
	tcase_add_test(tc, no_byte_is_lost_or_reaches_the_screen_as_it_is);
	tcase_add_loop_test(tc, colours_are_where_they_are_wanted, 0, countof(wishes));
	tcase_add_loop_test(tc, each_verdict_has_its_colour, 0, countof(colours));
	tcase_add_test(tc, a_text_is_put_between_two_others_unless_it_is_empty);
	tc = support_case(suite, "lines");
	tcase_add_test(tc, a_session_that_ended_has_a_line);
	tcase_add_test(tc, a_session_that_runs_again_has_a_line);
	tcase_add_test(tc, a_recheck_has_a_line);
	tcase_add_loop_test(tc, a_heading_as_wide_as_the_screen_keeps_its_name, 0,
	    countof(wide_lines));
	tcase_add_test(tc, a_session_that_waits_has_a_line);
	tcase_add_loop_test(tc, a_slow_session_has_a_line_with_the_last_of_its_log, 0,
	    countof(logs));
	tcase_add_test(tc, a_slow_session_may_have_no_log);
	tcase_add_test(tc, a_failed_session_has_the_last_lines_of_its_log);
	return suite;
}
