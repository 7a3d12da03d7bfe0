#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "session/share.h"
#include "state/now.h"
#include "support.h"

/*
 * Two processors. `it` computes for four seconds, most of them with two, and has begun just now, as
 * have those of `others` that are said to run; the rest is to come.
 */
#define IT "{'target':'it'}\n"
#define BEFORE "{'schema':1}\n" IT

static const struct {
	const char *plan, *goals, *sessions, *runs;
	bool suffices;
} cases[] = {
	{ BEFORE "{'target':'long'}\n", "'it','long'", "'long':[10]", "long", true },
	{ BEFORE "{'target':'short'}\n", "'it','short'", "'short':[1]", "short", false },
	/* What is to come has the other processor then. */
	{ BEFORE "{'target':'short'}\n{'target':'a'}\n{'target':'b'}\n"
		 "{'target':'c'}\n",
	    "'it','short','a','b','c'", "'short':[1],'a':[3],'b':[3],'c':[3]", "short", true },
	/* What follows it would start later. */
	{ BEFORE "{'target':'long'}\n{'target':'last','requires':['it']}\n",
	    "'it','long','last'", "'long':[10],'last':[9]", "long", false },
	{ BEFORE "{'target':'long'}\n{'target':'last','requires':['it']}\n",
	    "'it','long'", "'long':[10],'last':[9]", "long", true },
	{ BEFORE "{'target':'new'}\n", "'it','new'", "'other':[1]", "new", false },
};

static int state;

static void
setup(void)
{
	state = folder_make("state");
}

static void
teardown(void)
{
	close(state);
}

static void
put_history(const char *sessions)
{
	char *text = xasprintf("{'schema':1,'sessions':{'it':[2.2],%s}}", sessions);

	file_put_json("state/history.json", text);
	free(text);
}

static void
put_request(const char *goals)
{
	char *text = xasprintf("{'schema':1,'knobs':{},'goals':[%s],'alone':'','posargs':[],"
			       "'processors':2,'sessions':2}", goals);

	file_put_json("state/.request.json", text);
	free(text);
}

/* The session runs, for so many seconds by now. */
static void
run(struct now *now, double seconds)
{
	now_begun(now, clock_monotonic() - seconds, 1);
	now_enter(now, NOW_RUNS, "");
}

START_TEST(what_is_to_come_decides)
{
	struct learned learned = { .told = 2, .width = 2, .cpu = 4, .alone = 2.2, .known = true };
	struct now *own = now_open(state, "it", 2), *other = now_open(state, cases[_i].runs, 2);
	struct share_options options = { .state = state, .folder = state, .table = now_table(own),
		.target = "it", .processors = 2, .learned = &learned };

	put_history(cases[_i].sessions);
	put_request(cases[_i].goals);
	file_put_json("state/plan.jsonl", cases[_i].plan);
	run(own, 0);
	run(other, 0);
	ck_assert_int_eq(share_suffices(&options, 1), cases[_i].suffices);
	now_close(other);
	now_close(own);
	assert_silent();
}
END_TEST

/* How wide `it` was, how long it has run, what it computes for, and how long it is in company. */
static const struct {
	unsigned width;
	double begun, cpu, company;
	bool suffices;
} more[] = {
	/* Its workers wait rather than compute: of fewer each waits for more. */
	{ 2, 0, 2.2, 3, false }, { 2, 0, 2.2, 5, true }, { 2, 0, 0, 3, false },
	/* More threads than there are processors are no faster than these. */
	{ 3, 0, 2.2, 5, true }, { 2, 0, 1e8, 3, false },
	/* Twice as many as it was told of are a number of its own: of fewer it uses as many. */
	{ 4, 0, 2.2, 5, false }, { UINT_MAX, 0, 2.2, 5, false },
	/* It may be that but for the last part. */
	{ 2, 1.7, 2.2, 3, true },
	/* It takes longer than ever: its work is still to come. */
	{ 2, 60, 4, 1, false },
};

START_TEST(one_that_waits_is_slower_if_it_is_told_of_fewer)
{
	struct learned learned = { .told = 2, .width = more[_i].width,
		.cpu = more[_i].cpu, .alone = 2.2, .known = true };
	struct now *own = now_open(state, "it", 2), *other = now_open(state, "long", 2);
	struct share_options options = { .state = state, .folder = state, .table = now_table(own),
		.target = "it", .processors = 2, .learned = &learned };
	char *sessions = xasprintf("'long':[%d]", (int)more[_i].company);

	put_history(sessions);
	put_request("'it','long'");
	file_put_json("state/plan.jsonl", BEFORE "{'target':'long'}\n");
	run(own, more[_i].begun);
	run(other, 0);
	ck_assert_int_eq(share_suffices(&options, 1), more[_i].suffices);
	now_close(other);
	now_close(own);
	free(sessions);
	assert_silent();
}
END_TEST

/* It took three seconds last time, since others had the processors: they made its workers wait. */
START_TEST(what_it_takes_alone_counts)
{
	struct learned learned = { .told = 2, .width = 2, .cpu = 4, .alone = 2.2, .known = true };
	struct now *own = now_open(state, "it", 2), *other = now_open(state, "long", 2);
	struct share_options options = { .state = state, .folder = state, .table = now_table(own),
		.target = "it", .processors = 2, .learned = &learned };

	file_put_json("state/history.json", "{'schema':1,'sessions':{'it':[3],'long':[5]}}");
	put_request("'it','long'");
	file_put_json("state/plan.jsonl", BEFORE "{'target':'long'}\n");
	run(own, 0);
	run(other, 0);
	ck_assert(share_suffices(&options, 1));
	learned.alone = -1;
	ck_assert(!share_suffices(&options, 1));
	now_close(other);
	now_close(own);
	assert_silent();
}
END_TEST

/* For how long the other one has run, which takes ten seconds; NEVER: it is yet to come. */
#define NEVER (-1.0)
static const struct {
	double seconds;
	bool ended, suffices;
} pasts[] = {
	{ NEVER, false, true }, { 0, false, true }, { 1, false, true }, { 9, false, false },
	{ 60, false, false }, { 1, true, false }, { NEVER, true, false },
};

START_TEST(what_others_have_done_is_not_to_come)
{
	struct learned learned = { .told = 2, .width = 2, .cpu = 4, .alone = 2.2, .known = true };
	struct now *own = now_open(state, "it", 2), *other = now_open(state, "long", 2);
	struct share_options options = { .state = state, .folder = state, .table = now_table(own),
		.target = "it", .processors = 2, .learned = &learned };
	struct record ended = { .verdict = PASSED };

	put_history("'long':[10]");
	put_request("'it','long'");
	file_put_json("state/plan.jsonl", BEFORE "{'target':'long'}\n");
	run(own, 0);
	if (pasts[_i].seconds >= 0)
		run(other, pasts[_i].seconds);
	if (pasts[_i].ended)
		now_ended(other, &ended);
	ck_assert_int_eq(share_suffices(&options, 1), pasts[_i].suffices);
	now_close(other);
	now_close(own);
	assert_silent();
}
END_TEST

START_TEST(a_history_of_no_use_was_warned_of_before)
{
	struct learned learned = { .told = 2, .width = 2, .cpu = 4, .alone = 2.2, .known = true };
	struct share_options options = { .state = state, .folder = state, .table = -1,
		.target = "it", .processors = 2, .learned = &learned };

	put_request("'it'");
	file_put_json("state/plan.jsonl", BEFORE);
	file_put("state/history.json", "{\"schema\":1,\"sessions\":{\"it\":[2.2,-1]}}");
	ck_assert(!share_suffices(&options, 1));
	assert_silent();
}
END_TEST

START_TEST(without_a_request_or_a_plan_nobody_knows)
{
	struct learned learned = { .told = 2, .width = 2, .cpu = 4, .alone = 2.2, .known = true };
	struct share_options options = { .state = state, .folder = state, .table = -1,
		.target = "it", .processors = 2, .learned = &learned };

	put_history("'long':[10]");
	file_put_json("state/plan.jsonl", BEFORE "{'target':'long'}\n");
	ck_assert(!share_suffices(&options, 1));
	put_request("'it','long'");
	ck_assert(share_suffices(&options, 1));
	ck_assert_int_eq(unlink("state/plan.jsonl"), 0);
	ck_assert(!share_suffices(&options, 1));
}
END_TEST

Suite *
check_share_suite(void)
{
	Suite *suite = suite_create("share");
	TCase *tc = support_case(suite, "share");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, what_is_to_come_decides, 0, (int)countof(cases));
	tcase_add_loop_test(tc, one_that_waits_is_slower_if_it_is_told_of_fewer, 0,
	    (int)countof(more));
	tcase_add_test(tc, what_it_takes_alone_counts);
	tcase_add_loop_test(tc, what_others_have_done_is_not_to_come, 0, (int)countof(pasts));
	tcase_add_test(tc, a_history_of_no_use_was_warned_of_before);
	tcase_add_test(tc, without_a_request_or_a_plan_nobody_knows);
	return suite;
}
