#include <string.h>

#include "state/knob.h"
#include "support.h"

static const struct {
	const char *name, *value;
	bool good;
	struct knobs knobs;
} settings[] = {
	{ "NOXMK_OUTPUT", "live", true, { .output = OUTPUT_STREAM, .keep = 20 } },
	{ "NOXMK_OUTPUT", "stream", true, { .output = OUTPUT_STREAM, .keep = 20 } },
	{ "NOXMK_OUTPUT", "prefix", true, { .output = OUTPUT_PREFIX, .keep = 20 } },
	{ "NOXMK_OUTPUT", "board", true, { .output = OUTPUT_BOARD, .keep = 20 } },
	{ "NOXMK_OUTPUT", "quiet", true, { .output = OUTPUT_QUIET, .keep = 20 } },
	{ "NOXMK_OUTPUT", "failed", true, { .output = OUTPUT_FAILED, .keep = 20 } },
	{ "NOXMK_OUTPUT", "final", true, { .output = OUTPUT_FINAL, .keep = 20 } },
	{ "NOXMK_OUTPUT", "auto", true, { .keep = 20 } },
	{ "NOXMK_OUTPUT", "", true, { .keep = 20 } },
	{ "NOXMK_OUTPUT", "Live", false, { .keep = 20 } },
	{ "NOXMK_JOBS", "3", true, { .jobs = 3, .keep = 20 } },
	{ "NOXMK_JOBS", "0", false, { .keep = 20 } },
	{ "NOXMK_KEEP", "1", true, { .keep = 1 } },
	{ "NOXMK_KEEP", "", true, { .keep = 20 } },
	{ "NOXMK_KEEP", "0", false, { .keep = 20 } },
	{ "NOXMK_KEEP", "2 3", false, { .keep = 20 } },
	{ "NOXMK_DEADLINE", "1h30m", true, { .keep = 20, .policy = { .deadline = 5400 } } },
	{ "NOXMK_DEADLINE", "soon", false, { .keep = 20 } },
	{ "NOXMK_FLAKY", "fail", true, { .keep = 20, .policy = { .flaky_fails = true } } },
	{ "NOXMK_FLAKY", "pass", true, { .keep = 20 } },
	{ "NOXMK_FLAKY", "1", false, { .keep = 20 } },
	{ "NOXMK_HEARTBEAT", "5m", true, { .keep = 20, .heartbeat = 300 } },
	{ "NOXMK_HEARTBEAT", "0", true, { .keep = 20 } },
	{ "NOXMK_HEARTBEAT", "", true, { .keep = 20, .heartbeat = 60 } },
	{ "NOXMK_HEARTBEAT", "-1", false, { .keep = 20 } },
	{ "NOXMK_REPORT", "", true, { .keep = 20 } },
	{ "NOXMK_REPORT", "json", true, { .keep = 20, .reports = REPORT_JSON } },
	{ "NOXMK_REPORT", " md  trace\tjson junit md", true,
	    { .keep = 20, .reports = REPORT_JSON | REPORT_MD | REPORT_TRACE | REPORT_JUNIT } },
	{ "NOXMK_REPORT", "html svg", true, { .keep = 20, .reports = REPORT_HTML | REPORT_SVG } },
	{ "NOXMK_REPORT", "json pdf", false, { .keep = 20 } },
	{ "NOXMK_REPORT", "json,md", false, { .keep = 20 } },
	{ "NOXMK_STATUS", "1", true, { .keep = 20 } },
	{ "NOXMK_STATUS", "0", true, { .keep = 20, .no_status = true } },
	{ "NOXMK_TERMINAL", "yes", true, { .keep = 20 } },
	{ "NOXMK_TERMINAL", "0", true, { .keep = 20, .no_terminal = true } },
	{ "NOXMK_STATUS", "on", false, { .keep = 20 } },
	{ "NOXMK_RECHECK", "1", true, { .keep = 20, .recheck = RECHECK_ALL } },
	{ "NOXMK_RECHECK", "0", true, { .keep = 20 } },
	{ "NOXMK_RECHECK", "25%", true, { .keep = 20, .recheck = 0.25 } },
	{ "NOXMK_RECHECK", "300%", true, { .keep = 20, .recheck = 3 } },
	{ "NOXMK_RECHECK", "", true, { .keep = 20, .recheck = RECHECK_UNSAID } },
	{ "NOXMK_RECHECK", "%", false, { .keep = 20, .recheck = RECHECK_UNSAID } },
	{ "NOXMK_RECHECK", "-5%", false, { .keep = 20, .recheck = RECHECK_UNSAID } },
	{ "NOXMK_RECHECK", "25", false, { .keep = 20, .recheck = RECHECK_UNSAID } },
	{ "NOXMK_WATCH", "1", true, { .keep = 20, .watch = true } },
	{ "NOXMK_WATCH", "0", true, { .keep = 20 } },
	{ "NOXMK_WATCH", "2", false, { .keep = 20 } },
	{ "NOXMK_SHARD", "2/4", true, { .keep = 20 } },
	{ "NOXMK_SHARD", "2/4@0123456789abcdef", true, { .keep = 20 } },
	{ "NOXMK_SHARD", "5/4", false, { .keep = 20 } },
	{ "FAIL_FAST", "1", true,
	    { .keep = 20, .policy = { .fail_fast = true, .fail_fast_said = true } } },
	{ "FAIL_FAST", "yes", true,
	    { .keep = 20, .policy = { .fail_fast = true, .fail_fast_said = true } } },
	{ "FAIL_FAST", "0", true, { .keep = 20, .policy = { .fail_fast_said = true } } },
	{ "FAIL_FAST", "wait", true,
	    { .keep = 20, .policy = { .fail_fast = true, .wait = true, .fail_fast_said = true } } },
	{ "FAIL_FAST", "2", false, { .keep = 20 } },
	{ "MAX_FAIL", "3", true, { .keep = 20, .policy = { .max_fail = 3 } } },
	{ "MAX_FAIL", "0", true, { .keep = 20 } },
	{ "MAX_FAIL", "-3", false, { .keep = 20 } },
	{ "NONSENSE", "1", false, { .keep = 20 } },
};

START_TEST(a_value_sets_its_knob)
{
	const struct knobs *wanted = &settings[_i].knobs;
	const struct policy *policy = &wanted->policy;
	struct knobs knobs = knobs_default();

	ck_assert_int_eq(knob_set(&knobs, settings[_i].name, settings[_i].value),
	    settings[_i].good);
	ck_assert_int_eq(*warnings() == '\0', settings[_i].good);
	if (!settings[_i].good)
		return;
	ck_assert_int_eq(knobs.output, wanted->output);
	ck_assert_uint_eq(knobs.jobs, wanted->jobs);
	ck_assert_uint_eq(knobs.keep, wanted->keep);
	ck_assert_uint_eq(knobs.reports, wanted->reports);
	ck_assert_double_eq(knobs.heartbeat,
	    strcmp(settings[_i].name, "NOXMK_HEARTBEAT") ? 60 : wanted->heartbeat);
	ck_assert(knobs.no_status == wanted->no_status);
	ck_assert(knobs.no_terminal == wanted->no_terminal);
	if (!strcmp(settings[_i].name, "NOXMK_RECHECK"))
		ck_assert_double_eq(knobs.recheck, wanted->recheck);
	ck_assert(knobs.watch == wanted->watch);
	ck_assert_double_eq(knobs.policy.deadline, policy->deadline);
	ck_assert(knobs.policy.flaky_fails == policy->flaky_fails);
	ck_assert(knobs.policy.fail_fast == policy->fail_fast);
	ck_assert(knobs.policy.fail_fast_said == policy->fail_fast_said);
	ck_assert(knobs.policy.wait == policy->wait);
	ck_assert_uint_eq(knobs.policy.max_fail, policy->max_fail);
}
END_TEST

static const struct {
	const char *name, *value, *message;
} faults[] = {
	{ "NOXMK_OUTPUT", "lvie",
	    "NOXMK_OUTPUT=lvie: it takes auto, board, stream, prefix, failed, final or quiet; "
	    "did you mean live?\n" },
	{ "NOXMK_OUTPUT", "1",
	    "NOXMK_OUTPUT=1: it takes auto, board, stream, prefix, failed, final or quiet\n" },
	{ "NOXMK_RECHECK", "half",
	    "NOXMK_RECHECK=half: it takes 1, 0, or a share of the run's time, such as 25%\n" },
	{ "FAIL_FAST", "wiat", "FAIL_FAST=wiat: it takes 1, wait or 0; did you mean wait?\n" },
	{ "NOXMK_FLAKY", "fial", "NOXMK_FLAKY=fial: it takes pass or fail; did you mean fail?\n" },
	{ "MAX_FAIL", "x", "MAX_FAIL=x: it takes a number from 0 to 1000000; 0 is no limit\n" },
	{ "NOXMK_DEADLINE", "2 weeks",
	    "NOXMK_DEADLINE=2 weeks: it takes a duration, such as 90, 20m or 1h30m\n" },
	{ "NOXMK_JOBS",
	    "0123456789012345678901234567890123456789012345678901234567890123456789",
	    "NOXMK_JOBS=012345678901234567890123456789012345678901234567890123456789…: it takes "
	    "a number from 1 to 1000000\n" },
	{ "NOXMK_SPEED", "9", "NOXMK_SPEED: there is no such knob\n" },
};

START_TEST(a_bad_value_is_told_with_what_is_taken)
{
	struct knobs knobs = knobs_default();

	ck_assert(!knob_set(&knobs, faults[_i].name, faults[_i].value));
	assert_warned(faults[_i].message);
}
END_TEST

START_TEST(all_knobs_have_names)
{
	size_t n = 0;

	while (knob_name(n))
		n++;
	ck_assert_uint_eq(n, 16);
}
END_TEST

Suite *
check_knob_suite(void)
{
	Suite *suite = suite_create("knob");
	TCase *tc = support_case(suite, "knob");

	tcase_add_loop_test(tc, a_value_sets_its_knob, 0, countof(settings));
	tcase_add_loop_test(tc, a_bad_value_is_told_with_what_is_taken, 0, countof(faults));
	tcase_add_test(tc, all_knobs_have_names);
	return suite;
}
