#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/compare.h"
#include "state/record.h"
#include "support.h"

#define FIRST "20261123T000000.000Z-c0ffee01"
#define SECOND "20261124T000000.000Z-c0ffee02"

static void
begin(const char *name)
{
	char *path = xasprintf(".nox/.noxmk/runs/%s", name);
	char *info = xasprintf("{\"run\":\"%s\",\"started\":100.0}", name);
	char *file = xasprintf("%s/.run.json", path);

	close(folder_make(path));
	file_put(file, info);
	free(file);
	file = xasprintf("%s/.request.json", path);
	file_put(file, "{\"schema\":1,\"goals\":[]}");
	free(file);
	file = xasprintf("%s/.ended", path);
	file_put(file, "");
	free(file);
	file = xasprintf("%s/plan.jsonl", path);
	file_put(file, "{\"schema\":1}\n{\"target\":\"a\",\"session\":\"a\"}\n"
		"{\"target\":\"b\",\"session\":\"b\"}\n{\"target\":\"c\",\"session\":\"c\"}\n"
		"{\"target\":\"d\",\"session\":\"d\"}\n{\"target\":\"e\",\"session\":\"e\"}\n"
		"{\"target\":\"t.part-1\",\"session\":\"t\",\"part\":[1,2],\"whole\":\"t\"}\n"
		"{\"target\":\"t.part-2\",\"session\":\"t\",\"part\":[2,2],\"whole\":\"t\"}\n");
	free(file);
	free(info);
	free(path);
}

static void
put(const char *run, const char *target, enum verdict verdict, double seconds)
{
	char *path = xasprintf(".nox/.noxmk/runs/%s", run);
	int rundir = folder_make(path);
	struct record r = { .target = xstrdup(target), .session = xstrdup(target), .exit = -1,
		.signal = -1, .client = -1, .verdict = verdict, .started = 101,
		.ended = 101 + seconds, .duration = seconds };

	ck_assert_int_eq(record_write(rundir, -1, &r), 0);
	record_clear(&r);
	close(rundir);
	free(path);
}

START_TEST(two_runs_side_by_side)
{
	char *text;

	begin(FIRST);
	begin(SECOND);
	put(FIRST, "a", PASSED, 1);
	put(SECOND, "a", PASSED, 1.1);
	put(FIRST, "b", PASSED, 2);
	put(SECOND, "b", PASSED, 5);
	put(FIRST, "c", PASSED, 1);
	put(SECOND, "c", FAILED, 1);
	put(FIRST, "d", PASSED, 1);
	put(SECOND, "e", NOT_RUN, 0);
	output_begin();
	ck_assert_int_eq(compare_print("-2", "latest", false), 0);
	text = output_end();
	ck_assert_str_eq(text,
	    "before: " FIRST "\n"
	    "after:  " SECOND "\n"
	    "\n"
	    "session  before        time  after         time  change\n"
	    "c        passed        1.0s  failed        1.0s  broken\n"
	    "b        passed        2.0s  passed        5.0s     3.0s more\n"
	    "a        passed        1.0s  passed        1.1s\n"
	    "d        passed        1.0s  -                -\n"
	    "e        -                -  not run          -\n"
	    "the run                3.0s                6.0s     3.0s more\n");
	free(text);
	output_begin();
	ck_assert_int_eq(compare_print("latest", "./.nox/.noxmk/runs/" FIRST, false), 0);
	text = output_end();
	ck_assert_ptr_nonnull(strstr(text, "failed        1.0s  passed        1.0s  mended\n"));
	ck_assert_ptr_nonnull(strstr(text, "passed        2.0s     3.0s less\n"));
	free(text);
	assert_silent();
}
END_TEST

START_TEST(two_runs_as_json)
{
	json_t *json, *expected = json_of("{'schema':1,"
		"'before':{'run':'" FIRST "','state':'ended','started':100.0,'wall':3.0},"
		"'after':{'run':'" SECOND "','state':'ended','started':100.0,'wall':3.0},"
		"'sessions':["
		"{'target':'c','before':{'verdict':'passed','duration':1.0},"
		"'after':{'verdict':'failed','duration':2.0},'more':1.0,'turned':'broken'},"
		"{'target':'a','before':{'verdict':'passed','duration':2.0},'after':null,"
		"'more':null,'turned':null},"
		"{'target':'b','before':null,'after':{'verdict':'not run','duration':null},"
		"'more':null,'turned':null}]}");
	char *text;

	begin(FIRST);
	begin(SECOND);
	put(FIRST, "a", PASSED, 2);
	put(SECOND, "b", NOT_RUN, 0);
	put(FIRST, "c", PASSED, 1);
	put(SECOND, "c", FAILED, 2);
	output_begin();
	ck_assert_int_eq(compare_print("-2", "latest", true), 0);
	text = output_end();
	json = json_loads(text, 0, NULL);
	ck_assert_msg(json_equal(json, expected), "%s", text);
	json_decref(json);
	json_decref(expected);
	free(text);
	assert_silent();
}
END_TEST

/* The caller frees. */
static char *
compared(void)
{
	output_begin();
	ck_assert_int_eq(compare_print("-2", "latest", false), 0);
	return output_end();
}

START_TEST(of_a_run_that_goes_on_what_has_ended_is_compared)
{
	char *text;

	begin(FIRST);
	begin(SECOND);
	put(FIRST, "a", PASSED, 1);
	put(FIRST, "b", PASSED, 2);
	put(SECOND, "b", FAILED, 2);
	put(SECOND, "c", PASSED, 2);
	unlink(".nox/.noxmk/runs/" SECOND "/.ended");
	text = compared();
	ck_assert_ptr_nonnull(strstr(text, "\nafter:  " SECOND
	    ", which goes on: what has ended in it is compared\n"));
	ck_assert_ptr_nonnull(strstr(text,
	    "b        passed        2.0s  failed        2.0s  broken\n"
	    "c        -                -  passed        2.0s\nthe run "));
	ck_assert_ptr_null(strstr(text, "\na "));
	/* How long it has taken so far is no change. */
	ck_assert_ptr_null(strstr(text, " more\n"));
	free(text);
	assert_silent();
}
END_TEST

START_TEST(a_session_in_parts_is_one)
{
	char *text;

	begin(FIRST);
	begin(SECOND);
	put(FIRST, "t.part-1", PASSED, 1);
	put(FIRST, "t.part-2", PASSED, 2);
	put(SECOND, "t.part-1", PASSED, 1);
	put(SECOND, "t.part-2", FAILED, 4);
	text = compared();
	ck_assert_ptr_nonnull(strstr(text,
	    "\nt         passed        3.0s  failed        5.0s  broken     2.0s more\nthe run"));
	free(text);
	/* One part is not taken for all of it. */
	unlink(".nox/.noxmk/runs/" SECOND "/t.part-1.json");
	text = compared();
	ck_assert_ptr_nonnull(strstr(text,
	    "\nt         passed        3.0s  -                -\n"
	    "t.part-2  -                -  failed        4.0s\nthe run"));
	free(text);
	assert_silent();
}
END_TEST

START_TEST(a_run_that_is_not_there)
{
	begin(FIRST);
	put(FIRST, "a", PASSED, 1);
	output_begin();
	ck_assert_int_eq(compare_print("-2", "latest", true), -1);
	free(output_end());
	assert_warned("-2: only 1 run is kept");
}
END_TEST

Suite *
check_compare_suite(void)
{
	Suite *suite = suite_create("compare");
	TCase *tc = support_case(suite, "compare");

	tcase_add_test(tc, two_runs_side_by_side);
	tcase_add_test(tc, two_runs_as_json);
	tcase_add_test(tc, of_a_run_that_goes_on_what_has_ended_is_compared);
	tcase_add_test(tc, a_session_in_parts_is_one);
	tcase_add_test(tc, a_run_that_is_not_there);
	return suite;
}
