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

START_TEST(what_is_to_come_decides)
{
	struct learned learned = { .told = 2, .width = 2, .cpu = 4, .alone = 2.2, .known = true };
	struct now *own = now_open(state, "it", 2), *other = now_open(state, cases[_i].runs, 2);
	struct share_options options = { .state = state, .folder = state, .table = now_table(own),
		.target = "it", .processors = 2, .learned = &learned };

	put_history(cases[_i].sessions);
	put_request(cases[_i].goals);
	file_put_json("state/plan.jsonl", cases[_i].plan);
	now_begun(own, clock_monotonic(), 1);
	now_begun(other, clock_monotonic(), 1);
	ck_assert_int_eq(share_suffices(&options, 1), cases[_i].suffices);
	now_close(other);
	now_close(own);
	assert_silent();
}
END_TEST

START_TEST(without_a_plan_nobody_knows)
{
	struct learned learned = { .told = 2, .width = 2, .cpu = 4, .alone = 2.2, .known = true };
	struct share_options options = { .state = state, .folder = state, .table = -1,
		.target = "it", .processors = 2, .learned = &learned };

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
	tcase_add_test(tc, without_a_plan_nobody_knows);
	return suite;
}
