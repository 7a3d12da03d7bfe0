#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/show.h"
#include "support.h"

static struct planfile *
plan_of(const char *sessions, const char *queue)
{
	struct facts *facts = facts_of(sessions, queue);
	struct planfile *plan;

	plan_put(AT_FDCWD, facts, NULL, NULL);
	facts_free(facts);
	plan = planfile_open(AT_FDCWD);
	ck_assert_ptr_nonnull(plan);
	return plan;
}

static const struct {
	const char *goals, *text;
	int result;
} orders[] = {
	{ "['b']", "2 sessions of noxfile.py, 2 at once, in about 2.0s\n"
		   "    0.0s    1.0s?  a\n"
		   "    1.0s    2.0s?  b   requires a\n", 0 },
	{ "['a']", "1 session of noxfile.py, 2 at once, in about 1.0s\n"
		   "    0.0s    1.0s?  a\n", 0 },
	{ "[]", "0 sessions of noxfile.py, 2 at once, in about 0.0s\n", 0 },
	/* Who waits for whom counts among those that run only. */
	{ "['d']", "1 session of noxfile.py, 2 at once, in about 1.0s\n"
		   "    0.0s    1.0s?  d\n", 0 },
	{ "['d','c','e']", "3 sessions of noxfile.py, 2 at once, in about 2.0s\n"
			   "    0.0s    1.0s?  c\n"
			   "    0.0s    1.0s?  e\n"
			   "    1.0s    2.0s?  d   after c, e\n", 0 },
	{ "['f','c']", "4 sessions of noxfile.py, 2 at once, in about 3.0s\n"
		       "    0.0s    1.0s?  a\n"
		       "    0.0s    1.0s?  c\n"
		       "    1.0s    2.0s?  b   requires a\n"
		       "    2.0s    3.0s?  f   requires a, b\n", 0 },
	{ "['zzz','a']", "1 session of noxfile.py, 2 at once, in about 1.0s\n"
			 "    0.0s    1.0s?  a\n", 1 },
};

#define WOULD "noxmk: would run "
#define UNKNOWN "noxmk: ? has never passed here: it is expected to take as long as others\n"

/* What show_print prints at -j2 between the two, which have to be there. */
static char *
ordered(struct planfile *plan, const json_t *goals, int expected)
{
	int state = folder_make(".nox/.noxmk");
	char *text, *end;

	setenv("MAKEFLAGS", " -j2 --jobserver-auth=3,4 -- A=-j9", 1);
	output_begin();
	ck_assert_int_eq(show_print(state, plan, goals), expected);
	text = output_end();
	unsetenv("MAKEFLAGS");
	close(state);
	ck_assert(!strncmp(text, WOULD, strlen(WOULD)));
	end = strstr(text, UNKNOWN);
	ck_assert((end != NULL) == (strchr(text, '?') != NULL));
	if (end)
		*end = '\0';
	memmove(text, text + strlen(WOULD), strlen(text) - strlen(WOULD) + 1);
	return text;
}

START_TEST(sessions_stand_in_order_with_what_they_wait_for)
{
	struct planfile *plan = plan_of("[{'name':'d'},{'name':'a'},{'name':'b','requires':[1]},"
		"{'name':'c','notifies':[0]},{'name':'e','notifies':[0]},"
		"{'name':'f','requires':[1,2]}]", "[]");
	json_t *goals = json_of(orders[_i].goals);
	char *text;

	text = ordered(plan, goals, orders[_i].result);
	ck_assert_str_eq(text, orders[_i].text);
	if (orders[_i].result)
		assert_warned("zzz: no target of this plan");
	free(text);
	json_decref(goals);
	planfile_close(plan);
}
END_TEST

START_TEST(a_circle_in_a_damaged_plan_ends)
{
	struct planfile *plan;
	json_t *goals = json_of("['a']");
	char *text;

	file_put("plan.jsonl", "{\"schema\":1}\n"
		"{\"target\":\"a\",\"requires\":[\"b\",7],\"after\":[\"a\"]}\n"
		"{\"target\":\"b\",\"requires\":[\"a\"],\"after\":\"x\"}\n");
	plan = planfile_open(AT_FDCWD);
	text = ordered(plan, goals, 0);
	ck_assert_str_eq(text, "2 sessions of , 2 at once, in about 0.0s\n"
			       "    0.0s    1.0s?  b   requires a\n"
			       "    0.0s    1.0s?  a   requires b   after a\n");
	free(text);
	json_decref(goals);
	planfile_close(plan);
}
END_TEST

static const char claims[] =
    "{'schema':1,'noxfile':'n.py'}\n"
    "{'target':'a','claims':[{'resource':'db','use':'exclusive'}]}\n"
    "{'target':'b','claims':[{'resource':'db','use':'shared'},{'resource':'x','use':'shared'}]}\n"
    "{'target':'c','claims':[{'resource':'db\\u001b','use':'shared'},"
    "{'resource':'x','use':'shared'}]}\n"
    "{'target':'d','claims':[{'resource':'db','use':'exclusive'},"
    "{'resource':'memory','use':'amount','amount':3,'capacity':4}],'options':{'jobs':[2,4]}}\n";

START_TEST(users_of_a_resource_say_who_has_it_before)
{
	char *copy = xstrdup(claims), *text;
	json_t *goals = json_of("['a','b','c','d']");
	struct planfile *plan;

	for (char *c = copy; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	file_put("plan.jsonl", copy);
	plan = planfile_open(AT_FDCWD);
	text = ordered(plan, goals, 0);
	ck_assert_ptr_nonnull(strstr(text, "?  a\n"));
	ck_assert_ptr_nonnull(strstr(text, "?  b   db after a\n"));
	ck_assert_ptr_nonnull(strstr(text, "?  c\n"));
	ck_assert_ptr_nonnull(strstr(text, "?  d   db after b   3 of memory   2 slots\n"));
	free(text);
	free(copy);
	json_decref(goals);
	planfile_close(plan);
}
END_TEST

/* What it used last time is expected, unless it says how many slots it takes. */
START_TEST(how_wide_they_are_is_told)
{
	struct planfile *plan;
	json_t *goals = json_of("['a','b','c']");
	char *text;

	file_put("plan.jsonl", "{\"schema\":1}\n{\"target\":\"a\"}\n{\"target\":\"b\"}\n"
		"{\"target\":\"c\",\"options\":{\"jobs\":[2,4]}}\n");
	close(folder_make(".nox/.noxmk"));
	file_put(".nox/.noxmk/history.json", "{\"schema\":1,\"sessions\":{\"a\":[3],\"b\":[1],"
		"\"c\":[1]},\"learned\":{\"a\":{\"width\":2,\"cpu\":6,\"alone\":3},"
		"\"b\":{\"width\":1},\"c\":{\"width\":4}}}");
	plan = planfile_open(AT_FDCWD);
	text = ordered(plan, goals, 0);
	/* Two processors have six seconds of work with the first, one with the second. */
	ck_assert_str_eq(text, "3 sessions of , 2 at once, in about 4.5s\n"
			       "    0.0s    3.5s   a   2 processors\n"
			       "    0.0s    1.5s   b\n"
			       "    3.5s    4.5s   c   2 slots\n");
	free(text);
	json_decref(goals);
	planfile_close(plan);
}
END_TEST

Suite *
check_show_suite(void)
{
	Suite *suite = suite_create("show");
	TCase *tc = support_case(suite, "show");

	tcase_add_loop_test(tc, sessions_stand_in_order_with_what_they_wait_for, 0,
	    countof(orders));
	tcase_add_test(tc, a_circle_in_a_damaged_plan_ends);
	tcase_add_test(tc, how_wide_they_are_is_told);
	tcase_add_test(tc, users_of_a_resource_say_who_has_it_before);
	return suite;
}
