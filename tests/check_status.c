#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/status.h"
#include "state/record.h"
#include "state/state.h"
#include "support.h"

#define FOLDER ".nox/.noxmk/runs/20261123T000000.000Z-c0ffee01"

static void
put(int run, const char *target, enum verdict verdict)
{
	struct record r = { .target = xstrdup(target), .session = xstrdup(target), .exit = -1,
		.signal = -1, .verdict = verdict, .logged = verdict != NOT_RUN, .started = 1,
		.ended = 2, .duration = 1 };

	ck_assert_int_eq(record_write(run, -1, &r), 0);
	record_clear(&r);
}

/* A run of so many sessions that has ended. Of t0 to t(bad - 1) that is the verdict. */
static void
put_run(int n, int bad, enum verdict verdict)
{
	int run = folder_make(FOLDER);
	struct buffer plan = { 0 }, members = { 0 };

	file_put(FOLDER "/.run.json", "{\"schema\":1,\"run\":\"20261123T000000.000Z-c0ffee01\","
		"\"make\":\"1-2-3\",\"started\":1.0,\"clock\":1.0,\"jobs\":2}");
	file_put(FOLDER "/.request.json", "{\"schema\":1,\"knobs\":{},\"goals\":[\"ci\"],"
		"\"alone\":\"\",\"posargs\":[],\"processors\":2}");
	file_put(FOLDER "/.ended", "");
	buffer_addstr(&plan, "{\"schema\":1}\n");
	for (int i = 0; i < n; i++) {
		char *target = xasprintf("t%d", i);

		buffer_printf(&plan, "{\"target\":\"%s\",\"session\":\"%s\"}\n", target, target);
		buffer_printf(&members, "%s\"%s\"", i > 0 ? "," : "", target);
		put(run, target, i < bad ? verdict : PASSED);
		free(target);
	}
	buffer_printf(&plan, "{\"group\":\"ci\",\"members\":[%s]}\n", members.data);
	file_put(FOLDER "/plan.jsonl", plan.data);
	buffer_free(&plan);
	buffer_free(&members);
	close(run);
}

static const struct {
	int n, bad;
	enum verdict verdict;
	const char *says;
} ended[] = {
	{ 2, 0, FAILED, "noxmk: 2 of 2 done; 1.0s\n" },
	{ 2, 2, SKIPPED, "noxmk: 2 of 2 done; 1.0s\n" },
	{ 3, 2, FAILED, "noxmk: 3 of 3 done, 2 failed; 1.0s\n"
		"failed: t0, t1; `noxmk log` has their logs\n" },
	{ 2, 1, ABORTED, "noxmk: 2 of 2 done, 1 aborted; 1.0s\n"
		"failed: t0 (aborted); `noxmk log` has their logs\n" },
	{ 3, 2, CANCELLED, "noxmk: 3 of 3 done, 2 cancelled; 1.0s\n"
		"failed: t0 (cancelled), t1 (cancelled); `noxmk log` has their logs\n" },
	{ 3, 2, NOT_RUN, "noxmk: 1 of 3 done, 2 not run; 1.0s\n"
		"without a log: t0 (not run), t1 (not run)\n" },
	{ 23, 22, FAILED, "noxmk: 23 of 23 done, 22 failed; 1.0s\n"
		"failed: t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, t10, t11, t12, t13, t14, t15, "
		"t16, t17, t18, t19 and 2 more; `noxmk log` has their logs\n" },
};

START_TEST(what_failed_is_named)
{
	int state;
	char *text, *expected;

	put_run(ended[_i].n, ended[_i].bad, ended[_i].verdict);
	state = state_open();
	output_begin();
	ck_assert_int_eq(status_print(state, false), 0);
	text = output_end();
	expected = xasprintf("%sThis run has ended: there is none now.\n", ended[_i].says);
	ck_assert_str_eq(text, expected);
	assert_silent();
	free(expected);
	free(text);
	close(state);
}
END_TEST

START_TEST(what_was_notified_counts_when_the_run_has_ended)
{
	int state, run;
	char *text;

	put_run(1, 0, FAILED);
	run = folder_make(FOLDER);
	put(run, "told", FAILED);
	put(run, "p.part-1", PASSED);
	put(run, "p.part-2", PASSED);
	file_put(FOLDER "/plan.jsonl", "{\"schema\":1}\n{\"target\":\"t0\",\"session\":\"t0\"}\n"
	    "{\"target\":\"told\",\"session\":\"told\"}\n"
	    "{\"target\":\"p.part-1\",\"session\":\"p\",\"part\":[1,2],\"whole\":\"p\"}\n"
	    "{\"target\":\"p.part-2\",\"session\":\"p\",\"part\":[2,2],\"whole\":\"p\"}\n"
	    "{\"group\":\"ci\",\"members\":[\"t0\"]}\n");
	state = state_open();
	output_begin();
	ck_assert_int_eq(status_print(state, false), 0);
	text = output_end();
	ck_assert_str_eq(text, "noxmk: 3 of 3 done, 1 failed; 1.0s\n"
	    "failed: told; `noxmk log` has their logs\n"
	    "This run has ended: there is none now.\n");
	free(text);
	assert_silent();
	close(run);
	close(state);
}
END_TEST

START_TEST(a_session_in_parts_counts_once)
{
	int state, run;
	char *text;

	put_run(1, 0, FAILED);
	run = folder_make(FOLDER);
	put(run, "p.part-1", PASSED);
	put(run, "p.part-2", FAILED);
	file_put(FOLDER "/plan.jsonl", "{\"schema\":1}\n{\"target\":\"t0\",\"session\":\"t0\"}\n"
	    "{\"target\":\"p.part-1\",\"session\":\"p\",\"part\":[1,2],\"whole\":\"p\"}\n"
	    "{\"target\":\"p.part-2\",\"session\":\"p\",\"part\":[2,2],\"whole\":\"p\"}\n"
	    "{\"group\":\"ci\",\"members\":[\"p.part-1\",\"t0\",\"p.part-2\"]}\n");
	state = state_open();
	output_begin();
	ck_assert_int_eq(status_print(state, false), 0);
	text = output_end();
	/* That part has the log. */
	ck_assert_str_eq(text, "noxmk: 2 of 2 done, 1 failed; 1.0s\n"
	    "failed: p.part-2; `noxmk log` has their logs\n"
	    "This run has ended: there is none now.\n");
	free(text);
	/* One that is bad counts before one that was not run. */
	unlink(FOLDER "/p.part-1.json");
	output_begin();
	ck_assert_int_eq(status_print(state, false), 0);
	text = output_end();
	ck_assert_ptr_nonnull(strstr(text, "noxmk: 2 of 2 done, 1 failed; 1.0s\n"));
	free(text);
	assert_silent();
	close(run);
	close(state);
}
END_TEST

Suite *
check_status_suite(void)
{
	Suite *suite = suite_create("status");
	TCase *tc = support_case(suite, "status");

	tcase_add_test(tc, what_was_notified_counts_when_the_run_has_ended);
	tcase_add_test(tc, a_session_in_parts_counts_once);
	tcase_add_loop_test(tc, what_failed_is_named, 0, countof(ended));
	return suite;
}
