#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "nox/steps.h"
#include "nox/verdict.h"
#include "support.h"

enum { OF_SIGNAL = 0x100 }; /* in `end` below: N + OF_SIGNAL is death by signal N */

static struct planfile *
plan_of_three(void)
{
	struct facts *facts = facts_of("[{'name':'a'},{'name':'b!'},{'name':'c'}]", "[]");
	struct planfile *plan;

	plan_put(AT_FDCWD, facts, NULL, NULL);
	facts_free(facts);
	plan = planfile_open(AT_FDCWD);
	ck_assert_ptr_nonnull(plan);
	return plan;
}

static struct record
judge(int end, const char *report, const char *session)
{
	struct planfile *plan = plan_of_three();
	struct record r = { .target = xstrdup("a"), .session = xstrdup(session) };
	struct buffer text = { 0 };

	for (; *report; report++)
		buffer_add(&text, *report == '\'' ? "\"" : report, 1);
	verdict_judge(&r, end & OF_SIGNAL ? end & 0x7f : end << 8, &text, plan);
	buffer_free(&text);
	planfile_close(plan);
	return r;
}

#define OF(result) "{'result':1,'sessions':[{'name':'a','result':'" result "'}]}"
#define BECAUSE(result, reason) \
	"{'sessions':[{'name':'a','result':'" result "','reason':'" reason "'}]}"
#define WHY(result) BECAUSE(result, "because")
static const char truncated[] = "{\n  'result': 1,\n  'sessions': [\n    {";

static const struct {
	int end;
	const char *report;
	enum verdict verdict;
	const char *reason;
} table[] = {
	/* no report */
	{ 0, "", FAILED, "nox exited with status 0 before the session was over" },
	{ 1, "", FAILED, "nox exited with status 1 and left no report" },
	{ 2, "", FAILED, "nox: bad option or unmet needs_version (exit 2)" },
	{ 3, "", FAILED, "the noxfile has no such session any more" },
	{ 126, "", FAILED, "nox exited with status 126 and left no report" },
	{ 255, "", FAILED, "nox exited with status 255 and left no report" },
	{ OF_SIGNAL + 9, "", FAILED, "nox was killed by SIGKILL" },
	{ OF_SIGNAL + 11, "", FAILED, "nox was killed by SIGSEGV" },
	{ OF_SIGNAL + 40, "", FAILED, "nox was killed by SIG?" },
	/* each result with exit 0, 1, another and a signal */
	{ 0, OF("success"), PASSED, NULL },
	{ 1, OF("success"), FAILED, "it passed, then nox exited with status 1" },
	{ 7, OF("success"), FAILED, "it passed, then nox exited with status 7" },
	{ OF_SIGNAL + 15, OF("success"), FAILED, "nox was killed by SIGTERM" },
	{ 0, OF("failed"), FAILED, "nox exited with 0, but its report says failed" },
	{ 1, OF("failed"), FAILED, NULL },
	{ 7, OF("failed"), FAILED, NULL },
	{ OF_SIGNAL + 15, OF("failed"), FAILED, "nox was killed by SIGTERM" },
	{ 0, OF("aborted"), FAILED, "nox exited with 0, but its report says aborted" },
	{ 1, OF("aborted"), ABORTED, NULL },
	{ OF_SIGNAL + 15, OF("aborted"), FAILED, "nox was killed by SIGTERM" },
	{ 0, OF("skipped"), SKIPPED, NULL },
	{ 1, OF("skipped"), FAILED, "it was skipped, then nox exited with status 1" },
	{ 7, WHY("skipped"), FAILED, "it was skipped, then nox exited with status 7" },
	{ OF_SIGNAL + 15, OF("skipped"), FAILED, "nox was killed by SIGTERM" },
	/* its words */
	{ 1, WHY("failed"), FAILED, "because" },
	{ 0, WHY("skipped"), SKIPPED, "because" },
	{ 1, BECAUSE("failed", "two\\nlines \\n\\n"), FAILED, "two\nlines" },
	{ 1, BECAUSE("failed", "\\n"), FAILED, NULL },
	{ 1, WHY("aborted"), ABORTED, "because" },
	{ 0, WHY("success"), PASSED, "because" },
	{ 1, WHY("success"), FAILED, "it passed, then nox exited with status 1" },
	{ 0, "{'sessions':[{'name':'a','result':'skipped','reason':''}]}", SKIPPED, NULL },
	{ 0, "{'sessions':[{'name':'a','result':'skipped','reason':7}]}", SKIPPED, NULL },
	/* nox wrote a part of its report and then stumbled over a parameter */
	{ 1, truncated, PASSED, "nox could not write its report" },
	{ 1, "{\n  'result': 1,", PASSED, "nox could not write its report" },
	{ 0, truncated, FAILED, "nox exited with status 0 before the session was over" },
	{ 2, truncated, FAILED, "nox: bad option or unmet needs_version (exit 2)" },
	{ 1, "{\n  'result': 1", FAILED, "nox exited with status 1 and left no report" },
	{ 1, "{\n  'result': 0,\n  'sess", FAILED, "nox exited with status 1 and left no report" },
	{ 0, "{\n  'result': 0,\n  'sess", FAILED,
	    "nox exited with status 0 before the session was over" },
	{ OF_SIGNAL + 9, truncated, FAILED, "nox was killed by SIGKILL" },
	/* reports of other shapes */
	{ 0, "{}", FAILED, "nox exited with status 0 before the session was over" },
	{ 0, "[]", FAILED, "nox exited with status 0 before the session was over" },
	{ 0, "'success'", FAILED, "nox exited with status 0 before the session was over" },
	{ 0, "not JSON", FAILED, "nox exited with status 0 before the session was over" },
	{ 0, "{'sessions':[{'name':'a','result':'notifies','reason':'not written'}]}", FAILED,
	    "not written" },
	{ 0, "{'sessions':[]}", FAILED, "nox exited with status 0 before the session was over" },
	{ 0, "{'sessions':{'name':'a','result':'success'}}", FAILED, NULL },
	{ 0, "{'sessions':['success']}", FAILED, NULL },
	{ 0, OF("SUCCESS"), FAILED, NULL },
	{ 1, "{'sessions':[{'name':'a','result':1}]}", FAILED, NULL },
	{ 1, "{'sessions':[{'name':'a'}]}", FAILED, NULL },
	/* ours among prerequisites that nox ran in the same process, or else the last */
	{ 1, "{'sessions':[{'name':'a','result':'success'},"
	  "{'name':'c','result':'failed'}]}", FAILED,
	    "it passed, then nox exited with status 1" },
	{ 1, "{'sessions':[{'name':'c','result':'success'},"
	  "{'name':'a','result':'failed'}]}", FAILED,
	    NULL },
	{ 0, "{'sessions':[{'name':'x','result':'failed'},"
	  "{'name':'y','result':'success'}]}", PASSED,
	    NULL },
	{ 0, "{'sessions':[{'result':'success'}]}", PASSED, NULL },
};

START_TEST(code_and_report_give_the_verdict)
{
	struct record r = judge(table[_i].end, table[_i].report, "a");
	bool died = table[_i].end & OF_SIGNAL;

	ck_assert_str_eq(verdict_name(r.verdict), verdict_name(table[_i].verdict));
	if (table[_i].reason || r.verdict != FAILED)
		ck_assert_pstr_eq(r.reason, table[_i].reason);
	ck_assert_int_eq(r.exit, died ? -1 : table[_i].end);
	ck_assert_int_eq(r.signal, died ? table[_i].end & 0x7f : -1);
	ck_assert_uint_eq(json_array_size(r.notify), 0);
	ck_assert(verdict_is_sound(&r));
	record_clear(&r);
}
END_TEST

/* As a record of another machine may say it. */
START_TEST(a_session_is_not_well_where_nox_failed)
{
	static const struct record odd[] = {
		{ .verdict = PASSED, .exit = 1, .signal = -1 },
		{ .verdict = PASSED, .exit = 7, .signal = -1 },
		{ .verdict = PASSED, .exit = -1, .signal = 9 },
		{ .verdict = PASSED, .exit = 0, .signal = 9 },
		{ .verdict = PASSED, .exit = -1, .signal = -1 },
		{ .verdict = SKIPPED, .exit = 1, .signal = -1 },
	};

	for (size_t i = 0; i < countof(odd); i++)
		ck_assert_msg(!verdict_is_sound(&odd[i]), "%zu", i);
}
END_TEST

/* What was found before is replaced. */
START_TEST(a_verdict_replaces_the_last_one)
{
	struct planfile *plan = plan_of_three();
	struct record r = { .session = xstrdup("a"), .reason = xstrdup("old") };
	struct buffer nothing = { 0 };

	verdict_judge(&r, 0, &nothing, plan);
	ck_assert_ptr_nonnull(strstr(r.reason, "before the session was over"));
	record_clear(&r);
	planfile_close(plan);
}
END_TEST

static const struct {
	const char *notify, *targets;
} notifies[] = {
	{ "[]", "[]" },
	{ "[{'index':1,'posargs':null}]", "[{'target':'b','posargs':null}]" },
	{ "[{'index':2,'posargs':['-v']},{'index':0}]",
	    "[{'target':'c','posargs':['-v']},{'target':'a','posargs':null}]" },
	{ "[{'index':3},{'index':-1},{'index':'1'},{'index':1.0},{},[],7,null]", "[]" },
	{ "[{'index':9223372036854775807}]", "[]" },
	{ "{'index':1}", "[]" },
	{ "'x'", "[]" },
};

START_TEST(notified_sessions_become_targets)
{
	char *report = xasprintf("{'sessions':[],'notify':%s}", notifies[_i].notify);
	struct record r = judge(0, report, "a");
	json_t *wanted = json_of(notifies[_i].targets);
	char *text = json_dumps(r.notify, 0);

	ck_assert_msg(json_equal(r.notify, wanted), "%s", text);
	free(text);
	free(report);
	json_decref(wanted);
	record_clear(&r);
}
END_TEST

/* No record could hold them, and then the verdict would be lost, too. */
START_TEST(posargs_without_end_fail_who_notifies)
{
	char *word = xcalloc(5 << 20, 1), *report;
	struct record r;

	memset(word, 'x', (5 << 20) - 1);
	report = xasprintf("{'sessions':[{'name':'a','result':'success'}],"
			   "'notify':[{'index':1,'posargs':['%s']}]}", word);
	r = judge(0, report, "a");
	ck_assert_str_eq(verdict_name(r.verdict), "failed");
	ck_assert_ptr_nonnull(strstr(r.reason, "posargs"));
	ck_assert_uint_eq(json_array_size(r.notify), 0);
	record_clear(&r);
	free(report);
	free(word);
}
END_TEST

/* What nox itself takes, at its start and end, is none of the session's; nonsense is unknown. */
START_TEST(the_time_in_the_session_is_as_reported)
{
	static const struct {
		const char *duration;
		double own;
	} cases[] = { { "9.5", 9.5 }, { "0", 0 }, { "10", 10 }, { "10.5", -1 }, { "-1", -1 },
		{ "\"9\"", -1 }, { "null", -1 } };
	struct planfile *plan = plan_of_three();

	for (size_t i = 0; i < countof(cases); i++) {
		struct record r = { .session = xstrdup("a"), .duration = 10, .own = 7 };
		struct buffer text = { 0 };

		buffer_printf(&text, "{\"sessions\":[{\"result\":\"success\",\"duration\":%s}]}",
		    cases[i].duration);
		verdict_judge(&r, 0, &text, plan);
		ck_assert_double_eq(r.own, cases[i].own);
		record_clear(&r);
		buffer_free(&text);
	}
	planfile_close(plan);
}
END_TEST

/* Of one that is killed there are the notes of a moment before, and the verdict is as without. */
START_TEST(of_a_session_that_was_cut_off_the_notes_tell)
{
	struct planfile *plan = plan_of_three();
	struct record r = { .session = xstrdup("a"), .duration = 10 };
	struct buffer text = { 0 };

	buffer_printf(&text, "{\"schema\":1,\"sessions\":[{\"began\":%f,\"waited\":1,\"steps\":["
		"{\"kind\":\"run\",\"command\":\"x\",\"exit\":null,\"started\":%f}]}]}",
	    clock_now() - 6, clock_now() - 2);
	verdict_judge(&r, 9, &text, plan);
	ck_assert_int_eq(r.verdict, FAILED);
	ck_assert_str_eq(r.reason, "nox was killed by SIGKILL");
	ck_assert_double_ge(r.own, 5);
	ck_assert_double_le(r.own, 10);
	ck_assert_double_ge(json_number(steps_cut(r.steps), "seconds"), 2);
	json_decref(r.steps);
	json_decref(r.notify);
	r.steps = r.notify = NULL;
	verdict_judge(&r, 0, &text, plan);
	ck_assert_str_eq(r.reason, "nox exited with status 0 before the session was over");
	ck_assert_int_eq(r.verdict, FAILED);
	record_clear(&r);
	buffer_free(&text);
	planfile_close(plan);
}
END_TEST

Suite *
check_verdict_suite(void)
{
	Suite *suite = suite_create("verdict");
	TCase *tc = support_case(suite, "verdict");

	tcase_add_loop_test(tc, code_and_report_give_the_verdict, 0, countof(table));
	tcase_add_test(tc, a_session_is_not_well_where_nox_failed);
	tcase_add_test(tc, a_verdict_replaces_the_last_one);
	tcase_add_loop_test(tc, notified_sessions_become_targets, 0, countof(notifies));
	tcase_add_test(tc, posargs_without_end_fail_who_notifies);
	tcase_add_test(tc, the_time_in_the_session_is_as_reported);
	tcase_add_test(tc, of_a_session_that_was_cut_off_the_notes_tell);
	return suite;
}
