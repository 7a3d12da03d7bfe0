#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "session/outcome.h"
#include "support.h"

static void
assert_outcome(const struct record *record, enum verdict verdict, const char *reason)
{
	ck_assert_str_eq(verdict_name(record->verdict), verdict_name(verdict));
	ck_assert_pstr_eq(record->reason, reason);
}

START_TEST(what_comes_later_replaces_what_came_before)
{
	struct record record = { 0 };

	outcome_not_started(&record, "nox", ENOENT);
	assert_outcome(&record, FAILED, "cannot start nox: No such file or directory");
	outcome_timed_out(&record, 3600);
	assert_outcome(&record, FAILED, "timeout after 1h00m");
	outcome_orphaned(&record);
	assert_outcome(&record, CANCELLED, "its helper was killed");
	record_clear(&record);
}
END_TEST

static const struct {
	const char *session;
	bool may_run;
	enum verdict verdict;
	const char *reason;
	bool excused;
} sessions[] = {
	{ "{}", true, PASSED, NULL, false },
	{ "{'complaint':null,'requires':['good']}", true, PASSED, NULL, false },
	{ "{'complaint':'a cycle','requires':['bad']}", false, FAILED, "a cycle", false },
	{ "{'requires':['good','bad','skip']}", false, NOT_RUN, "it requires bad, which failed",
	    false },
	{ "{'requires':['skip','bad']}", false, NOT_RUN, "it requires skip, which was skipped",
	    true },
	/* Who is not run because of one that was skipped is no failure either. */
	{ "{'requires':['excused']}", false, NOT_RUN, "it requires excused, which was not run",
	    true },
	{ "{'requires':['none']}", false, NOT_RUN, "it requires none, which has no record",
	    false },
	/* What cannot be read does not count. */
	{ "{'requires':['damaged']}", false, NOT_RUN, "it requires damaged, which has no record",
	    false },
	{ "{'requires':[7]}", false, NOT_RUN, "it requires , which has no record", false },
};

static void
put(int rundir, const char *target, enum verdict verdict, bool excused)
{
	struct record record = { .target = xstrdup(target), .session = xstrdup(target),
		.verdict = verdict, .excused = excused };

	ck_assert_int_eq(record_write(rundir, -1, &record), 0);
	record_clear(&record);
}

START_TEST(what_is_required_must_have_passed)
{
	struct record record = { 0 };
	json_t *session = json_of(sessions[_i].session);
	int rundir = folder_make("run");

	put(rundir, "good", PASSED, false);
	put(rundir, "bad", FAILED, false);
	put(rundir, "skip", SKIPPED, false);
	put(rundir, "excused", NOT_RUN, true);
	file_put("run/damaged.json", "{\"schema\":1,\"verdict\":\"skipped\"}");
	ck_assert_int_eq(outcome_may_run(&record, session, rundir), sessions[_i].may_run);
	assert_outcome(&record, sessions[_i].verdict, sessions[_i].reason);
	ck_assert_int_eq(record.excused, sessions[_i].excused);
	record_clear(&record);
	json_decref(session);
	close(rundir);
}
END_TEST

static const struct {
	enum verdict before;
	unsigned attempts; /* before the last one */
	const char *stopped;
	bool tried, flaky_fails;
	enum verdict after;
	const char *reason;
} ends[] = {
	{ PASSED, 0, NULL, true, false, PASSED, NULL },
	{ PASSED, 0, NULL, true, true, PASSED, NULL },
	{ FAILED, 0, NULL, true, true, FAILED, NULL },
	{ PASSED, 0, "SIGINT", false, false, NOT_RUN, "SIGINT" },
	{ PASSED, 0, "SIGINT", true, true, CANCELLED, "SIGINT" },
	{ FAILED, 1, "SIGINT", true, false, CANCELLED, "SIGINT" },
	{ PASSED, 2, NULL, true, false, PASSED, NULL },
	{ PASSED, 2, NULL, true, true, FAILED, "flaky: passed at attempt 3 only (NOXMK_FLAKY)" },
	/* One that was asked to end while it passed says so, and not that it is flaky. */
	{ PASSED, 1, "SIGINT", true, true, CANCELLED, "SIGINT" },
	{ FAILED, 2, NULL, true, true, FAILED, NULL },
};

START_TEST(the_last_word_is_of_stops_and_flakiness)
{
	struct record record = { .verdict = ends[_i].before };

	for (unsigned i = 0; i < ends[_i].attempts; i++) {
		if (!record.attempts)
			record.attempts = json_array();
		json_array_append_new(record.attempts, json_object());
	}
	outcome_settle(&record, ends[_i].stopped, ends[_i].tried, ends[_i].flaky_fails);
	assert_outcome(&record, ends[_i].after, ends[_i].reason);
	record_clear(&record);
}
END_TEST

Suite *
check_outcome_suite(void)
{
	Suite *suite = suite_create("outcome");
	TCase *tc = support_case(suite, "outcome");

	tcase_add_test(tc, what_comes_later_replaces_what_came_before);
	tcase_add_loop_test(tc, what_is_required_must_have_passed, 0, countof(sessions));
	tcase_add_loop_test(tc, the_last_word_is_of_stops_and_flakiness, 0, countof(ends));
	return suite;
}
