#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/resource.h>

#include "report/markdown.h"
#include "support.h"

static char target[] = "t-3.12";

static void
be_wanted(void)
{
	setenv("CI", "true", 1);
	setenv("GITHUB_STEP_SUMMARY", "summary.md", 1);
}

static struct record
one(enum verdict verdict)
{
	return (struct record){ .target = target, .session = target, .verdict = verdict,
		.duration = 2.5 };
}

START_TEST(only_a_ci_with_such_a_file_has_one)
{
	setenv("GITHUB_STEP_SUMMARY", "summary.md", 1);
	ck_assert(!markdown_is_wanted());
	setenv("CI", "true", 1);
	ck_assert(markdown_is_wanted());
	setenv("GITHUB_STEP_SUMMARY", "", 1);
	ck_assert(!markdown_is_wanted());
	unsetenv("GITHUB_STEP_SUMMARY");
	ck_assert(!markdown_is_wanted());
}
END_TEST

START_TEST(it_is_added_to_what_is_there)
{
	struct markdown markdown = { 0 };
	struct record r = one(PASSED);

	be_wanted();
	file_put("summary.md", "before\n");
	markdown_add(&markdown, &r, NULL);
	r.verdict = NOT_RUN;
	markdown_add(&markdown, &r, "why not");
	markdown_write(&markdown, "2 sessions: 1 passed; 3.5s");
	assert_file("summary.md", "before\n| session | verdict | time | reason |\n"
		"|---|---|--:|---|\n| t-3.12 | passed | 2.5s |  |\n"
		"| t-3.12 | **not run** | - | why not |\n\n"
		"2 sessions&#58; 1 passed; 3.5s\n\n");
	assert_silent();
}
END_TEST

/* Of what Markdown, HTML or the forge's own additions could take for anything but text. */
START_TEST(text_of_others_is_text)
{
	static const char hostile[] = "a|b\n# c <img src=x> [d](http://e) `f` @g #1 &lt; *h* "
				      "_i_ \\ ~j~ $k$ ::l:: é\033[1m\xff\u202e";
	struct markdown markdown = { 0 };
	struct record r = one(FAILED);
	char *text, *cell;

	be_wanted();
	markdown_add(&markdown, &r, hostile);
	markdown_write(&markdown, "");
	text = file_get("summary.md");
	cell = strstr(text, "2.5s | ") + strlen("2.5s | ");
	*strstr(cell, " |\n") = '\0';
	ck_assert_uint_eq(strcspn(cell, "|\n\r\t<>[]()`@*_\\~$:./!\"'=+{}"), strlen(cell));
	/* Each & and # is of a number. */
	for (char *p = cell; (p = strpbrk(p, "&#")); p += 2) {
		char *end;

		ck_assert(p[0] == '&' && p[1] == '#');
		ck_assert(strtol(p + 2, &end, 10) > 0 && *end == ';');
	}
	ck_assert_ptr_nonnull(strstr(cell, "a&#124;b&#92;n&#35; c &#60;img"));
	ck_assert_ptr_nonnull(strstr(cell, "é"));
	ck_assert_ptr_null(strstr(cell, "\u202e"));
	free(text);
}
END_TEST

START_TEST(a_sign_within_a_word_is_bare)
{
	static const struct {
		const char *text, *bare;
	} cases[] = { { "py3-dev, 3.11; 5%", "py3-dev, 3.11; 5%" }, { "a/b", "a/b" },
		{ "- a", "&#45; a" }, { "1. a", "1&#46; a" }, { "a - b", "a &#45; b" },
		{ "www.x.org", "www&#46;x.org" }, { "a--", "a-&#45;" }, { "a:b", "a&#58;b" } };

	for (size_t i = 0; i < countof(cases); i++) {
		struct markdown markdown = { 0 };
		struct record r = one(FAILED);
		char *cell = xasprintf("2.5s | %s |\n", cases[i].bare), *text;

		be_wanted();
		markdown_add(&markdown, &r, cases[i].text);
		markdown_write(&markdown, "");
		text = file_get("summary.md");
		ck_assert_msg(strstr(text, cell) != NULL, "%s: %s", cell, text);
		free(cell);
		free(text);
		unlink("summary.md");
	}
}
END_TEST

START_TEST(what_the_forge_would_not_take_is_left_out)
{
	struct markdown markdown = { 0 };
	struct record r = one(PASSED);
	char *reason = xcalloc(1, 5001), *text;

	be_wanted();
	memset(reason, '|', 5000);
	for (int i = 0; i < 2000; i++)
		markdown_add(&markdown, &r, reason);
	markdown_write(&markdown, "2000 sessions");
	text = file_get("summary.md");
	ck_assert_uint_lt(strlen(text), 600 * 1024);
	ck_assert_ptr_nonnull(strstr(text, " more sessions\n\n2000 sessions\n"));
	assert_silent();
	for (int i = 0; i < 2000; i++)
		markdown_add(&markdown, &r, reason);
	markdown_write(&markdown, "2000 sessions");
	assert_warned("GITHUB_STEP_SUMMARY: no room for the summary");
	assert_file("summary.md", text);
	free(text);
	free(reason);
}
END_TEST

START_TEST(a_file_that_cannot_be_written_is_warned_of)
{
	struct markdown markdown = { 0 };
	struct record r = one(PASSED);

	be_wanted();
	odd_put((enum odd)_i, "summary.md");
	markdown_add(&markdown, &r, NULL);
	markdown_write(&markdown, "");
	assert_warned(_i == ODD_HUGE ? "GITHUB_STEP_SUMMARY: no room" :
	    "GITHUB_STEP_SUMMARY=summary.md: ");
}
END_TEST

START_TEST(a_full_disk_is_warned_of)
{
	struct markdown markdown = { 0 };
	struct record r = one(PASSED);

	be_wanted();
	markdown_add(&markdown, &r, NULL);
	limit_set(RLIMIT_FSIZE, 3);
	markdown_write(&markdown, "");
	limit_restore();
	assert_warned("GITHUB_STEP_SUMMARY=summary.md: File too large");
}
END_TEST

Suite *
check_markdown_suite(void)
{
	Suite *suite = suite_create("markdown");
	TCase *tc = support_case(suite, "markdown");

	tcase_add_test(tc, only_a_ci_with_such_a_file_has_one);
	tcase_add_test(tc, it_is_added_to_what_is_there);
	tcase_add_test(tc, text_of_others_is_text);
	tcase_add_test(tc, a_sign_within_a_word_is_bare);
	tcase_add_test(tc, what_the_forge_would_not_take_is_left_out);
	tcase_add_loop_test(tc, a_file_that_cannot_be_written_is_warned_of, 0, ODD_STRANGER);
	tcase_add_test(tc, a_full_disk_is_warned_of);
	return suite;
}
