#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/annotate.h"
#include "report/grammar.h"
#include "support.h"

static char lint[] = "lint", tests[] = "tests", docs[] = "docs";
static struct record records[] = {
	{ .target = lint, .verdict = FAILED, .logged = true },
	{ .target = tests, .verdict = ABORTED, .logged = true },
	{ .target = docs, .verdict = PASSED, .logged = true },
};

static void
be_at(const char *forge)
{
	static const char *const variables[] = { "CI", "GITHUB_ACTIONS", "FORGEJO_ACTIONS",
		"GITEA_ACTIONS", "GITLAB_CI", "TF_BUILD", "TEAMCITY_VERSION", "COLUMNS" };

	for (size_t i = 0; i < countof(variables); i++)
		unsetenv(variables[i]);
	if (forge)
		setenv(forge, "true", 1);
}

/* What is printed, in a project with a.py and b.py. The caller frees. */
static char *
printed(const char *ci_commands)
{
	file_put("a.py", "");
	file_put("b.py", "");
	output_begin();
	annotate_print(AT_FDCWD, records, countof(records), ci_commands);
	return output_end();
}

static void
assert_printed(const char *ci_commands, const char *wanted)
{
	char *text = printed(ci_commands);

	ck_assert_str_eq(text, wanted);
	free(text);
}

START_TEST(github_is_told_each_once)
{
	be_at("GITHUB_ACTIONS");
	file_put("lint.log", "a.py:1: warning: w [-Wx]\nb.py:2:3: E1 50%, it: is\n"
			     "b.py:2:3: E1 50%, it: is\nb.py:2:3: E1 50%, it: is not\n");
	file_put("tests.log", "b.py:2:3: E1 50%, it: is\n");
	file_put("docs.log", "a.py:1:1: E2 of one that passed\n");
	assert_printed(NULL,
	    "::error file=b.py,line=2,col=3,title=lint and 1 more%3A E1::50%25, it: is\n"
	    "::error file=b.py,line=2,col=3,title=lint%3A E1::50%25, it: is not\n"
	    "::warning file=a.py,line=1,title=lint%3A -Wx::w\n");
	assert_silent();
}
END_TEST

/* A name with what stands for something else in a command; a long text is cut, a name is not. */
START_TEST(odd_names_and_long_texts)
{
	struct buffer log = { 0 }, folder = { 0 };
	char *text, *name;

	be_at("GITHUB_ACTIONS");
	for (int i = 0; i < 4; i++)
		buffer_printf(&folder, "%s%0100d", i ? "/" : "", 0);
	close(folder_make(folder.data));
	name = xasprintf("%s/a,b%%.py", folder.data);
	file_put(name, "");
	buffer_printf(&log, "%s:1:1: E1 %01000d\n", name, 0);
	file_put("lint.log", log.data);
	file_put("tests.log", "=== FAILURES ===\n___ test_a ___\nE   assert 0\nE    +  where 0\n"
			      "a.py:3: AssertionError\n");
	text = printed(NULL);
	free(name);
	name = xasprintf("::error file=%s/a%%2Cb%%25.py,line=1,", folder.data);
	ck_assert_ptr_nonnull(strstr(text, name));
	ck_assert_ptr_nonnull(strstr(text, "0…0"));
	ck_assert_ptr_nonnull(strstr(text, "title=tests%3A test_a::assert 0%0A +  where 0\n"));
	ck_assert_uint_lt(strlen(text), 1000);
	free(name);
	free(text);
	buffer_free(&log);
	buffer_free(&folder);
}
END_TEST

START_TEST(others_get_a_table)
{
	be_at("FORGEJO_ACTIONS");
	setenv("GITHUB_ACTIONS", "true", 1);
	file_put("lint.log", "would reformat a.py\nb.py:12:3: E1 ##[x] \xff\n");
	file_put("tests.log", "a.py:3: error: x\n");
	assert_printed(NULL, "\n  where      session  what\n"
			     "- a.py       lint     black would reformat it\n"
			     "- b.py:12:3  lint     E1: ##|[x] \\M^?\n"
			     "- a.py:3     tests    x\n");
	assert_printed("annotations", "::error file=a.py,title=lint::black would reformat it\n"
				      "::error file=b.py,line=12,col=3,title=lint%3A E1::"
				      "##|[x] \\M^?\n"
				      "::error file=a.py,line=3,title=tests::x\n");
}
END_TEST

/* The runners of Forgejo and Gitea, which get the table, know GitHub's commands. */
START_TEST(a_path_is_no_command)
{
	be_at("FORGEJO_ACTIONS");
	close(folder_make("::set-env name=A::"));
	file_put("::set-env name=A::/x.so", "");
	file_put("lint.log", "::set-env name=A::/x.so:1:1: E1 x\n");
	assert_printed(NULL, "\n  where                        session  what\n"
			     "- ::set-env name=A::/x.so:1:1  lint     E1: x\n");
}
END_TEST

START_TEST(nobody_is_told_of_nothing)
{
	file_put("lint.log", "a.py:1:1: E1 x\n");
	be_at(NULL);
	assert_printed("annotations", "");
	be_at("GITHUB_ACTIONS");
	assert_printed("none", "\n  where     session  what\n- a.py:1:1  lint     E1: x\n");
	file_put("lint.log", "nothing\n");
	assert_printed(NULL, "");
	odd_put(ODD_FIFO, "tests.log");
	assert_printed(NULL, "");
	unlink("lint.log");
	assert_printed(NULL, "");
	assert_silent();
}
END_TEST

/* Ten errors, of which the sessions have told some themselves, one without a file. */
START_TEST(a_forge_has_room_for_ten)
{
	struct buffer log = { 0 };
	char *text, *end;
	int n = 0;

	be_at("GITHUB_ACTIONS");
	buffer_addstr(&log, "::error file=a.py,line=1::told\n::error::of no file\n");
	for (int i = 1; i <= 15; i++)
		buffer_printf(&log, "a.py:%d:1: E1 error\n", i);
	file_put("lint.log", log.data);
	file_put("tests.log", "b.py:1: warning: w\n");
	records[0].announced[LEVEL_ERROR] = 2;
	text = printed(NULL);
	for (const char *p = text; (p = strstr(p, "::error ")); p++)
		n++;
	ck_assert_int_eq(n, 8);
	ck_assert_ptr_null(strstr(text, "a.py,line=1,"));
	ck_assert_ptr_nonnull(strstr(text, "line=9,"));
	end = strstr(text, "\nnoxmk: ");
	ck_assert_ptr_nonnull(end);
	ck_assert_str_eq(end, "\nnoxmk: 6 more errors are in the log of lint\n");
	free(text);
	/* One that has passed has used it up, whose log nobody reads. */
	records[0].announced[LEVEL_ERROR] = 0;
	records[2].announced[LEVEL_ERROR] = 12;
	file_put("tests.log", "a.py:1:1: E1 error\n");
	file_put("lint.log", "");
	assert_printed(NULL, "\nnoxmk: 1 more error is in the log of tests\n");
	/* In a table it is one like the others. */
	file_put("tests.log", "::error file=b.py,line=10::told\n");
	file_put("lint.log",
	    "::error file=a.py,line=1::told\n::error::of no file\na.py:1:1: E1 error\n");
	be_at("GITEA_ACTIONS");
	text = printed(NULL);
	ck_assert_ptr_nonnull(strstr(text, "\n- a.py:1   lint     told\n"));
	ck_assert_ptr_null(strstr(text, "a.py:1:1"));
	ck_assert_ptr_null(strstr(text, "of no file"));
	records[2].announced[LEVEL_ERROR] = 0;
	free(text);
	buffer_free(&log);
}
END_TEST

START_TEST(what_is_not_shown_is_counted)
{
	struct buffer log = { 0 };
	char *text;

	be_at("CI");
	for (int i = 1; i <= 700; i++)
		buffer_printf(&log, "a.py:%d: warning: w\n", i);
	buffer_addstr(&log, "a.py:1: error: x\n");
	file_put("lint.log", log.data);
	file_put("tests.log", "b.py:1: warning: w\n");
	text = printed(NULL);
	ck_assert_ptr_nonnull(strstr(text, "what\n- a.py:1   lint     x\n- a.py:1   lint     w\n"));
	ck_assert_ptr_nonnull(strstr(text,
	    "\nnoxmk: 652 more warnings are in the logs of lint, tests\n"));
	free(text);
	buffer_free(&log);
}
END_TEST

/* Of tests that pytest has no line of the summary tells, but of no other. */
START_TEST(a_test_is_told_of_once)
{
	char *here = getcwd(NULL, 0);
	char *log = xasprintf("=== FAILURES ===\n%s/a.py:7: AssertionError: assert 1 == 2\n"
			      "=== short test summary info ===\n"
			      "FAILED a.py::test_a - AssertionError: assert 1 ==...\n"
			      "FAILED b.py::test_b - assert 1 == 2\n"
			      "FAILED b.py::test_c - other\nFAILED b.py::test_d - other\n"
			      "FAILED b.py::test_e - ...\n", here);

	be_at("GITHUB_ACTIONS");
	file_put("lint.log", log);
	assert_printed(NULL, "::error file=a.py,line=7,title=lint::AssertionError: assert 1 == 2\n"
			     "::error file=b.py,title=lint%3A test_c::other\n"
			     "::error file=b.py,title=lint%3A test_d::other\n"
			     "::error file=b.py,title=lint%3A test_e::...\n");
	free(log);
	free(here);
}
END_TEST

/* Of a long log the start and the end are read. */
START_TEST(a_long_log)
{
	int log = open("lint.log", O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	static const char start[] = "a.py:1:1: E1 start\n", end[] = "\na.py:3:1: E1 end\n",
		middle[] = "\na.py:2:1: E1 middle\n";

	be_at("GITHUB_ACTIONS");
	ck_assert_int_eq(ftruncate(log, 40 << 20), 0);
	ck_assert_int_gt(pwrite(log, start, strlen(start), 0), 0);
	ck_assert_int_gt(pwrite(log, middle, strlen(middle), 20 << 20), 0);
	ck_assert_int_gt(pwrite(log, end, strlen(end), 40 << 20), 0);
	close(log);
	assert_printed(NULL, "::error file=a.py,line=1,col=1,title=lint%3A E1::start\n"
			     "::error file=a.py,line=3,col=1,title=lint%3A E1::end\n");
}
END_TEST

Suite *
check_annotate_suite(void)
{
	Suite *suite = suite_create("annotate");
	TCase *tc = support_case(suite, "annotate");

	tcase_add_test(tc, github_is_told_each_once);
	tcase_add_test(tc, odd_names_and_long_texts);
	tcase_add_test(tc, others_get_a_table);
	tcase_add_test(tc, a_path_is_no_command);
	tcase_add_test(tc, nobody_is_told_of_nothing);
	tcase_add_test(tc, a_forge_has_room_for_ten);
	tcase_add_test(tc, what_is_not_shown_is_counted);
	tcase_add_test(tc, a_test_is_told_of_once);
	tcase_add_test(tc, a_long_log);
	return suite;
}
