#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/savings.h"
#include "state/record.h"
#include "state/rundir.h"
#include "support.h"

static void
put_as(const char *run, const char *target, enum verdict verdict, double ended, double seconds,
    double crowded)
{
	char *path = xasprintf(".nox/.noxmk/runs/%s", run);
	struct record record = { .target = xstrdup(target), .session = xstrdup(target),
		.exit = -1, .signal = -1, .client = -1, .verdict = verdict, .started = 100,
		.ended = ended, .duration = seconds, .own = seconds - 0.5, .crowded = crowded };
	int dir = folder_make(path);

	ck_assert_int_eq(record_write(dir, -1, &record), 0);
	record_clear(&record);
	close(dir);
	free(path);
}

/* It had all processors, for all but half a second in which nox started and ended. */
static void
put(const char *run, const char *target, enum verdict verdict, double ended, double seconds)
{
	put_as(run, target, verdict, ended, seconds, 0);
}

static void
put_run(const char *run)
{
	char *path = xasprintf(".nox/.noxmk/runs/%s/.run.json", run);
	char *text = xasprintf("{\"schema\":1,\"run\":\"%s\",\"make\":\"1-2\",\"started\":100.0,"
			       "\"clock\":5.0}", run);

	file_put(path, text);
	free(path);
	free(text);
	path = xasprintf(".nox/.noxmk/runs/%s/plan.jsonl", run);
	file_put(path, "{\"schema\":1}\n{\"target\":\"a\",\"session\":\"a\"}\n"
		"{\"target\":\"b\",\"session\":\"b\"}\n"
		"{\"target\":\"t.part-1\",\"session\":\"t\",\"part\":[1,2],\"whole\":\"t\"}\n"
		"{\"target\":\"t.part-2\",\"session\":\"t\",\"part\":[2,2],\"whole\":\"t\"}\n");
	free(path);
	path = xasprintf(".nox/.noxmk/runs/%s/.ended", run);
	file_put(path, "");
	free(path);
}

START_TEST(runs_of_several_sessions_are_summed_up)
{
	int state = folder_make(".nox/.noxmk");
	char *text;

	put("20261123-000001-1", "a", PASSED, 103, 3);
	put("20261123-000001-1", "b", FAILED, 104, 4);
	put_run("20261123-000001-1");
	/* One alone, and one that left nothing. */
	put("20261123-000002-1", "a", PASSED, 200, 100);
	put_run("20261123-000002-1");
	close(folder_make(".nox/.noxmk/runs/20261123-000003-1"));
	put_run("20261123-000003-1");
	output_begin();
	ck_assert_int_eq(savings_print(state), 0);
	text = output_end();
	ck_assert_str_eq(text,
	    "run                            sessions  not well  plain nox     took  speed-up\n"
	    "20261123-000001-1                     2         1       6.5s     4.0s      1.62\n\n"
	    "noxmk: 1 run took 4.0s, plain nox about 6.5s: 2.5s less, 1.62 times as fast\n"
	    "What plain nox would take is worked out from records: `noxmk bench` measures it.\n");
	free(text);
	/* A clock that was set while it ran: when that one ended nobody knows. */
	put("20261123-000001-1", "t.part-1", PASSED, 1e9, 3);
	output_begin();
	ck_assert_int_eq(savings_print(state), 0);
	text = output_end();
	ck_assert_ptr_nonnull(strstr(text, "     4.0s      "));
	free(text);
	unlink(".nox/.noxmk/runs/20261123-000001-1/t.part-1.json");
	/* make -j1 saves nothing. */
	put("20261123-000001-1", "b", FAILED, 110, 4);
	output_begin();
	ck_assert_int_eq(savings_print(state), 0);
	text = output_end();
	ck_assert_ptr_nonnull(strstr(text, "took 10.0s, plain nox about 6.5s: 3.5s more, 0.65"));
	free(text);
	assert_silent();
	close(state);
}
END_TEST

/* Of a run whose sessions were in each other's way nothing is claimed. */
START_TEST(what_is_not_known_is_said)
{
	int state = folder_make(".nox/.noxmk");
	char *text;

	put("20261123-000001-1", "a", PASSED, 103, 3);
	put("20261123-000001-1", "b", PASSED, 104, 4);
	put_run("20261123-000001-1");
	put_as("20261123-000002-1", "a", PASSED, 103, 3, 3);
	put("20261123-000002-1", "b", PASSED, 104, 4);
	put_run("20261123-000002-1");
	output_begin();
	ck_assert_int_eq(savings_print(state), 0);
	text = output_end();
	ck_assert_ptr_nonnull(strstr(text, "  6.5s     4.0s      1.62\n"));
	ck_assert_ptr_nonnull(strstr(text,
	    "20261123-000002-1                     2         0          ?     4.0s         ?\n\n"
	    "noxmk: 1 run took 4.0s, plain nox about 6.5s: 2.5s less, 1.62 times as fast\n"
	    "?: a session was cancelled"));
	free(text);
	/* Once it is known what it takes alone, it counts for earlier runs, too. */
	file_put(".nox/.noxmk/history.json", "{\"schema\":1,\"sessions\":{\"a\":[2]},"
		"\"learned\":{\"a\":{\"alone\":2}}}");
	output_begin();
	ck_assert_int_eq(savings_print(state), 0);
	text = output_end();
	ck_assert_ptr_nonnull(strstr(text, "noxmk: 2 runs took 8.0s, plain nox about 12.0s: "));
	ck_assert_ptr_null(strchr(text, '?'));
	free(text);
	unlink(".nox/.noxmk/history.json");
	folder_remove(".nox/.noxmk/runs/20261123-000001-1");
	output_begin();
	ck_assert_int_eq(savings_print(state), 0);
	text = output_end();
	ck_assert_ptr_null(strstr(text, "noxmk: "));
	free(text);
	close(state);
}
END_TEST

START_TEST(parts_of_a_session_are_one)
{
	int state = folder_make(".nox/.noxmk");
	char *text;

	put("20261123-000001-1", "t.part-1", FAILED, 103, 3);
	put("20261123-000001-1", "t.part-2", FAILED, 104, 4);
	put_run("20261123-000001-1");
	output_begin();
	ck_assert_int_eq(savings_print(state), 0);
	text = output_end();
	ck_assert_ptr_nonnull(strstr(text, "\n20261123-000001-1                     1         1"
	    "          ?     4.0s         ?\n"));
	free(text);
	assert_silent();
	close(state);
}
END_TEST

START_TEST(a_run_that_goes_on_does_not_count_yet)
{
	int state = folder_make(".nox/.noxmk");
	char *text;

	for (int i = 1; i <= 2; i++) {
		char *run = xasprintf("20261123-00000%d-1", i);

		put(run, "a", PASSED, 103, 3);
		put(run, "b", PASSED, 104, 4);
		put_run(run);
		free(run);
	}
	unlink(".nox/.noxmk/runs/20261123-000002-1/.ended");
	output_begin();
	ck_assert_int_eq(savings_print(state), 0);
	text = output_end();
	ck_assert_ptr_null(strstr(text, "20261123-000002-1"));
	ck_assert_ptr_nonnull(strstr(text, "\nnoxmk: 1 run took 4.0s, "));
	ck_assert_ptr_nonnull(strstr(text, "\nnoxmk: not counted: 1 run that goes on\n"));
	free(text);
	assert_silent();
	close(state);
}
END_TEST

/* What it took to look on is no loss. */
START_TEST(a_traced_run_does_not_count)
{
	int state = folder_make(".nox/.noxmk");
	char *text;

	for (int i = 1; i <= 2; i++) {
		char *run = xasprintf("20261123-00000%d-1", i);

		put(run, "a", PASSED, 103, 3);
		put(run, "b", PASSED, 104, 4);
		put_run(run);
		free(run);
	}
	file_put(".nox/.noxmk/runs/20261123-000002-1/b.trace", "");
	output_begin();
	ck_assert_int_eq(savings_print(state), 0);
	text = output_end();
	ck_assert_ptr_null(strstr(text, "20261123-000002-1"));
	ck_assert_ptr_nonnull(strstr(text, "\nnoxmk: 1 run took 4.0s, "));
	ck_assert_ptr_nonnull(strstr(text,
	    "\nnoxmk: not counted: 1 run, traced by an audit or NOXMK_WATCH\n"));
	free(text);
	assert_silent();
	close(state);
}
END_TEST

START_TEST(without_such_a_run_there_is_nothing_to_tell)
{
	int state = folder_make(".nox/.noxmk");

	ck_assert_int_eq(savings_print(state), -1);
	assert_warned("no run of several sessions is kept here: `make -j ci` makes one");
	close(folder_make(".nox/.noxmk/runs/20261123-000003-1"));
	ck_assert_int_eq(savings_print(state), -1);
	close(state);
}
END_TEST

Suite *
check_savings_suite(void)
{
	Suite *suite = suite_create("savings");
	TCase *tc = support_case(suite, "savings");

	tcase_add_test(tc, runs_of_several_sessions_are_summed_up);
	tcase_add_test(tc, what_is_not_known_is_said);
	tcase_add_test(tc, parts_of_a_session_are_one);
	tcase_add_test(tc, a_run_that_goes_on_does_not_count_yet);
	tcase_add_test(tc, a_traced_run_does_not_count);
	tcase_add_test(tc, without_such_a_run_there_is_nothing_to_tell);
	return suite;
}
