#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/cause.h"
#include "report/why.h"
#include "state/record.h"
#include "state/rundir.h"
#include "support.h"

#define START 1795396700.0

static int run;

/* A run that began at START: `last` requires a, comes after b, shares db with c and reads x. */
static void
begin(void)
{
	char *text = xasprintf("{\"run\":\"R\",\"started\":%f,\"clock\":1.0}", START);

	run = folder_make("run");
	file_put("run/.run.json", text);
	file_put("run/plan.jsonl",
	    "{\"schema\":1}\n"
	    "{\"target\":\"a\",\"session\":\"a\"}\n"
	    "{\"target\":\"b\",\"session\":\"b\"}\n"
	    "{\"target\":\"c\",\"session\":\"c\",\"claims\":[{\"resource\":\"db\",\"use\":"
	    "\"shared\",\"by\":\"c reads\"},{\"resource\":\"x\",\"use\":\"shared\"}]}\n"
	    "{\"target\":\"d\",\"session\":\"d\",\"claims\":[{\"resource\":\"x\",\"use\":"
	    "\"shared\"}]}\n"
	    "{\"target\":\"last\",\"session\":\"last\",\"requires\":[\"a\"],\"after\":[\"b\"],"
	    "\"by\":{\"b\":\"the after of last\"},"
	    "\"claims\":[{\"resource\":\"db\",\"use\":\"exclusive\",\"by\":\"last uses\"},"
	    "{\"resource\":\"x\",\"use\":\"shared\"}]}\n");
	free(text);
}

/* Started and ended in seconds from the run's start. */
static void
put(const char *target, enum verdict verdict, double started, double ended, const char *waits)
{
	struct record r = { .target = xstrdup(target), .session = xstrdup(target), .exit = -1,
		.signal = -1, .verdict = verdict, .started = START + started,
		.ended = START + ended, .duration = ended - started };

	if (waits)
		r.waits = json_of(waits);
	if (verdict == NOT_RUN)
		r.reason = xstrdup("it requires\na");
	ck_assert_int_eq(record_write(run, -1, &r), 0);
	record_clear(&r);
}

static char *
printed(const char *target, int expected)
{
	char *text;
	int result;

	output_begin();
	result = why_print(&(int){ -1 }, run, target);
	text = output_end();
	ck_assert_int_eq(result, expected);
	return text;
}

static void
assert_printed(const char *target, const char *expected)
{
	char *text = printed(target, 0);

	ck_assert_str_eq(text, expected);
	free(text);
	assert_silent();
}

/* Which of a, b, c and d ends last, and what is then said of it. d only reads what last reads. */
static const struct {
	double a, b, c, d;
	const char *says;
} causes[] = {
	{ 5, 2, 3, 1, "     5.0s  until a had ended: it requires a  (requires= in the noxfile)\n" },
	{ 3, 5, 2, 1, "     5.0s  until b had ended: it comes after b  (the after of last)\n" },
	{ 3, 2, 5, 1, "     5.0s  until c had ended: c and it share db  (last uses)\n" },
	{ 5, 1, 1, 5.2,
	    "     5.0s  until a had ended: it requires a  (requires= in the noxfile)\n" },
};

START_TEST(the_last_to_end_is_the_cause)
{
	char *expected = xasprintf("last: passed, started 6.0s into the run, took 2.0s\n%s"
		"     1.0s  for a job slot, which make gives\n", causes[_i].says);

	begin();
	put("a", PASSED, 0, causes[_i].a, NULL);
	put("b", FAILED, 0, causes[_i].b, NULL);
	put("c", PASSED, 0, causes[_i].c, NULL);
	put("d", PASSED, 0, causes[_i].d, NULL);
	put("last", PASSED, 6, 8, NULL);
	assert_printed("last", expected);
	free(expected);
	close(run);
}
END_TEST

START_TEST(what_a_recheck_has_shown_is_told)
{
	struct record r = { .target = xstrdup("b"), .session = xstrdup("b"), .exit = 1,
		.signal = -1, .verdict = FAILED, .started = START, .ended = START + 2,
		.duration = 2, .recheck = json_of("{'verdict':'passed','beside':['c','d'],"
		    "'others':4}") };

	begin();
	ck_assert_int_eq(record_write(run, -1, &r), 0);
	assert_printed("b", "b: failed, started 0.0s into the run, took 2.0s\n"
		"           rechecked: fails only beside c, d and 2 more\n");
	record_clear(&r);
	close(run);
}
END_TEST

/* Nobody gave it a slot late: it had failed. */
START_TEST(what_it_was_tried_before_is_told)
{
	struct record r = { .target = xstrdup("b"), .session = xstrdup("b"), .exit = 0,
		.signal = -1, .verdict = PASSED, .started = START + 6, .ended = START + 8,
		.duration = 2, .waits = json_of("[{'for':'slot','seconds':1}]"),
		.attempts = json_pack("[{s:s,s:s,s:f,s:f,s:s}]", "verdict", "failed", "reason",
		    "exit\0331", "started", START + 1, "duration", 4.5, "log", "b.log.1") };

	begin();
	ck_assert_int_eq(record_write(run, -1, &r), 0);
	assert_printed("b", "b: passed, started 6.0s into the run, took 2.0s\n"
		"     1.0s  for a job slot\n"
		"     4.5s  in an attempt before: failed: exit\\^[1  (.nox/.noxmk/runs/R/b.log.1)\n"
		"     0.5s  until it was tried again\n");
	/* An older record does not say when it was. */
	json_object_del(json_array_get(r.attempts, 0), "started");
	ck_assert_double_eq(cause_tried(&r), 4.5);
	record_clear(&r);
	close(run);
}
END_TEST

START_TEST(what_the_helper_waited_for_is_told)
{
	begin();
	put("c", PASSED, 0, 5, NULL);
	/* Its helper began at 1: c, which ended after that, was no edge but a lock. */
	put("last", FAILED, 6, 8, "[{'for':'slot','seconds':1},{'for':'resource','seconds':3,"
		"'resource':'db','target':'c','pid':7},{'for':'slot','seconds':0.5},"
		"{'for':'resource','seconds':0.5},{'for':'slot','seconds':0.01}]");
	assert_printed("last", "last: failed, started 6.0s into the run, took 2.0s\n"
		"     1.0s  for a job slot, which make gives\n"
		"     1.0s  for a job slot\n"
		"     3.0s  for the resource db, which c (pid 7) had  (last uses)\n"
		"     0.5s  for a job slot\n"
		"     0.5s  for the resource ?, which another session (pid 0) had\n");
	close(run);
}
END_TEST

/* What it waited for while it ran did not delay its helper, which began at 4.9. */
START_TEST(what_the_session_waited_for_is_told)
{
	begin();
	put("a", PASSED, 0, 4, NULL);
	put("last", PASSED, 6, 8, "[{'for':'memory','seconds':1},{'for':'build','seconds':2},"
		"{'for':'processors','seconds':3,'command':'py\\u001btest','needed':4,'used':2},"
		"{'for':'processors','seconds':0.5,'needed':1},{'for':'weather','seconds':0.1},"
		"{'for':'processors','seconds':7,'times':49}]");
	assert_printed("last", "last: passed, started 6.0s into the run, took 2.0s\n"
		"     4.0s  until a had ended: it requires a  (requires= in the noxfile)\n"
		"     0.9s  for a job slot, which make gives\n"
		"     1.0s  for memory, of which too little was left\n"
		"     2.0s  for a build of the project by another session\n"
		"     3.0s  for 4 processors, for py\\^[test, while others had use for 2\n"
		"     0.5s  for 1 processor, while others had use for 0\n"
		"     7.0s  for processors, 49 times more\n");
	close(run);
}
END_TEST

/* told, width, MiB, commands, and what is said of them. */
static const struct {
	unsigned told, width;
	unsigned long long memory;
	const char *wide, *says, *few;
} widths[] = {
	{ 4, 0, 700, NULL, "", NULL },
	{ 4, 4, 700, "['pytest','mypy']",
	    "           told of 4 processors, used 4 (pytest, mypy), and 700 MiB of memory\n",
	    NULL },
	{ 1, 3, 0, "['x\\u001b']", "           told of 1 processor, used 3 (x\\^[)\n", NULL },
	{ 0, 2, 0, NULL, "           used 2\n", NULL },
	{ 3, 2, 0, NULL, "           told of 3 processors (others had the\\n rest of 4), used 2\n",
	    "others had the\n rest of 4" },
};

START_TEST(how_wide_it_was_is_told)
{
	struct record r = { .exit = -1, .signal = -1, .started = START, .ended = START + 1,
		.duration = 1, .told = widths[_i].told, .width = widths[_i].width,
		.memory = widths[_i].memory << 20 };
	char *expected = xasprintf("a: passed, started 0.0s into the run, took 1.0s\n%s",
	    widths[_i].says);

	r.target = xstrdup("a");
	r.session = xstrdup("a");
	r.few = widths[_i].few ? xstrdup(widths[_i].few) : NULL;
	r.wide = widths[_i].wide ? json_of(widths[_i].wide) : NULL;
	begin();
	ck_assert_int_eq(record_write(run, -1, &r), 0);
	assert_printed("a", expected);
	free(expected);
	record_clear(&r);
	close(run);
}
END_TEST

START_TEST(who_waited_for_nothing_has_no_line)
{
	begin();
	put("a", PASSED, 0.01, 1, NULL);
	put("last", NOT_RUN, 1, 1, NULL);
	assert_printed("a", "a: passed, started 0.0s into the run, took 1.0s\n");
	assert_printed("last", "last: not run: it requires\\na\n");
	close(run);
}
END_TEST

START_TEST(without_a_record_or_a_plan_nothing_is_told)
{
	static const char *const targets[] = { "a", "../run/a", "zzz" };
	static const char *const warned[] = { "there is no plan", "there is no such target",
		"no record in this run" };

	begin();
	put("a", PASSED, 0, 1, NULL);
	if (_i == 0)
		unlink("run/plan.jsonl");
	free(printed(targets[_i], -1));
	assert_warned(warned[_i]);
	close(run);
}
END_TEST

Suite *
check_why_suite(void)
{
	Suite *suite = suite_create("why");
	TCase *tcase = support_case(suite, "why");

	tcase_add_loop_test(tcase, the_last_to_end_is_the_cause, 0, countof(causes));
	tcase_add_test(tcase, what_the_helper_waited_for_is_told);
	tcase_add_test(tcase, what_it_was_tried_before_is_told);
	tcase_add_test(tcase, what_the_session_waited_for_is_told);
	tcase_add_test(tcase, what_a_recheck_has_shown_is_told);
	tcase_add_loop_test(tcase, how_wide_it_was_is_told, 0, countof(widths));
	tcase_add_test(tcase, who_waited_for_nothing_has_no_line);
	tcase_add_loop_test(tcase, without_a_record_or_a_plan_nothing_is_told, 0, 3);
	return suite;
}
