#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "report/ongoing.h"
#include "report/report.h"
#include "report/status.h"
#include "state/history.h"
#include "state/makekey.h"
#include "state/now.h"
#include "state/record.h"
#include "state/state.h"
#include "kept.h"
#include "support.h"

/* Seconds for which b, and c, has run by now, at least. */
#define FOR_B 3.0
#define FOR_C 1.0

static int run;
static pid_t helpers[2];

/* A run whose make we could be: a has ended, and nobody has come to d and e. */
static void
setup(void)
{
	char *key = makekey_own(), *where = makekey_where();
	char *info = xasprintf("{\"schema\":1,\"run\":\"" KEPT_RUN "\",\"make\":\"%s\",\"where\":"
		"\"%s\",\"started\":%f,\"clock\":%f,\"jobs\":2}", key, where, clock_now() - 600,
	    clock_monotonic() - 600);

	run = kept_begin();
	file_put(KEPT_FOLDER "/.run.json", info);
	unlink(KEPT_FOLDER "/.ended");
	kept_put(run, kept_record("a", PASSED, 1, 4, NULL));
	free(info);
	free(where);
	free(key);
}

/* In another process: a session that began then, and runs or is held up. */
static pid_t
helper(const char *target, double begun, const char *waits_for)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct now *now = now_open(run, target, 2);

		now_begun(now, begun, 2);
		now_enter(now, waits_for ? NOW_HELD_UP : NOW_RUNS, waits_for ? waits_for : "");
		file_put(target, "");
		for (;;)
			pause();
	}
	file_await(target);
	return pid;
}

static void
begin_helpers(void)
{
	double now = clock_monotonic();

	helpers[0] = helper("c", now - FOR_C, "db <&>");
	helpers[1] = helper("b", now - FOR_B, NULL);
}

static void
end_helpers(void)
{
	for (size_t i = 0; i < countof(helpers); i++) {
		kill(helpers[i], SIGKILL);
		waitpid(helpers[i], NULL, 0);
	}
}

static void
teardown(void)
{
	close(run);
}

static const char *
text_of(const json_t *session, const char *key)
{
	return json_string_value(json_object_get(session, key));
}

static double
number_of(const json_t *session, const char *key)
{
	return json_number_value(json_object_get(session, key));
}

START_TEST(what_runs_longest_comes_first)
{
	json_t *list, *b, *c;

	begin_helpers();
	list = ongoing_of(run, 1e6);
	end_helpers();
	ck_assert_uint_eq(json_array_size(list), 2);
	b = json_array_get(list, 0);
	c = json_array_get(list, 1);
	ck_assert_str_eq(text_of(b, "target"), "b");
	ck_assert_str_eq(text_of(b, "state"), "");
	ck_assert_double_ge(number_of(b, "seconds"), FOR_B);
	ck_assert_double_eq_tol(number_of(b, "began") + number_of(b, "seconds"), 1e6, 1e-3);
	ck_assert_double_eq(number_of(b, "slots"), 2);
	ck_assert_str_eq(text_of(c, "target"), "c");
	ck_assert_str_eq(text_of(c, "state"), "waits for db <&>");
	json_decref(list);
	assert_silent();
}
END_TEST

/* The clock was set, or the run's folder comes from elsewhere. */
START_TEST(none_has_begun_before_its_run)
{
	json_t *list;

	begin_helpers();
	list = ongoing_of(run, FOR_B / 2);
	end_helpers();
	ck_assert_double_eq(number_of(json_array_get(list, 0), "began"), 0);
	json_decref(list);
}
END_TEST

/* What was foretold is a moment old, and b, of 10.5 hours, may have begun since. */
START_TEST(a_run_does_not_end_before_what_runs)
{
	int state = state_open();
	struct now *now = now_open(run, "a", 2);
	double foretold = clock_monotonic();
	char *text;

	file_put(".nox/.noxmk/" HISTORY_NAME, "{\"schema\":1,\"sessions\":{\"b\":[37800.0]}}");
	now_note(now, offsetof(struct now_head, ends), foretold + 1800);
	now_note(now, offsetof(struct now_head, foretold), foretold);
	now_close(now);
	begin_helpers();
	output_begin();
	ck_assert_int_eq(status_print(state, false), 0);
	text = output_end();
	end_helpers();
	ck_assert_ptr_nonnull(strstr(text, ", about 10h"));
	free(text);
	close(state);
	assert_silent();
}
END_TEST

/* Those of which nobody knows: all helpers are dead, or there never was a table. */
START_TEST(who_is_dead_does_not_run)
{
	json_t *list = ongoing_of(run, 600);
	int runtime, table;

	ck_assert_uint_eq(json_array_size(list), 0);
	json_decref(list);
	ongoing_open(run, &runtime, &table);
	ck_assert_int_eq(table, -1);
	ck_assert_int_eq(runtime, -1);
	begin_helpers();
	end_helpers();
	list = ongoing_of(run, 600);
	ck_assert_uint_eq(json_array_size(list), 0);
	json_decref(list);
	ongoing_open(run, &runtime, &table);
	ck_assert_int_ge(table, 0);
	fd_close(&table);
	assert_silent();
}
END_TEST

/* What each format says of what runs, and of what is still to come. */
static const struct {
	const char *format, *says[4];
} formats[] = {
	{ "text", { "took ", ", so far\n1 session has ended, 2 run, 1 passed; `noxmk status` "
		"tells of the others\n", "\nb        running ",
		"\nCritical path so far: 1 session, " } },
	{ "html", { "1 session has ended, 2 run, 1 passed", "; it goes on",
		"<tr><th scope=\"row\">b</th>",
		"<td class=\"r\">waits for db &lt;&amp;&gt;</td>" } },
	{ "md", { "1 session&#58; 1 passed; ",
		"s wall time so far; the run goes on, with 2 at work\n" } },
	{ "svg", { "1 session has ended, 2 run, 1 passed" } },
	{ "json", { "\"state\": \"running\"", "\"state\": \"waits for db <&>\"" } },
	{ "trace", { "traceEvents" } },
	/* Who counts cases may not take those that have ended for all there are. */
	{ "junit", { "<testsuite name=\"nox\" tests=\"5\" failures=\"0\" errors=\"4\"",
		"name=\"b\" time=\"0.000\">\n      <error message=\"it has not ended yet: the run "
		"goes on\"/>", "name=\"e\" time=\"0.000\">\n      <error " } },
};

START_TEST(a_run_that_goes_on_is_told_as_far_as_it_has_come)
{
	char *text;

	begin_helpers();
	text = kept_printed(&(struct report_options){ .format = formats[_i].format }, 0);
	end_helpers();
	for (size_t i = 0; i < countof(formats[_i].says) && formats[_i].says[i]; i++)
		ck_assert_msg(strstr(text, formats[_i].says[i]), "no \"%s\" in: %s",
		    formats[_i].says[i], text);
	free(text);
	assert_silent();
}
END_TEST

Suite *
check_ongoing_suite(void)
{
	Suite *suite = suite_create("ongoing");
	TCase *tc = support_case(suite, "ongoing");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_runs_longest_comes_first);
	tcase_add_test(tc, none_has_begun_before_its_run);
	tcase_add_test(tc, a_run_does_not_end_before_what_runs);
	tcase_add_test(tc, who_is_dead_does_not_run);
	tcase_add_loop_test(tc, a_run_that_goes_on_is_told_as_far_as_it_has_come, 0,
	    countof(formats));
	return suite;
}
