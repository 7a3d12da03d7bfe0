#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/list.h"
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

START_TEST(targets)
{
	struct planfile *plan = plan_of(
	    "[{'name':'lint','description':'Look\\tat it'},{'name':'docs'},"
	    "{'name':'t','session':'t(1)','signatures':['t(1)'],'description':'Try','tags':['x']},"
	    "{'name':'t','session':'t(2)','signatures':['t(2)'],'tags':['x','one']}]", "[0]");
	char *text;

	output_begin();
	ck_assert_int_eq(list_targets(plan, NULL), 0);
	text = output_end();
	ck_assert_str_eq(text, "* default session   - other session   + group\n"
	    "* lint                  Look\\tat it\n"
	    "- docs                  \n"
	    "- t-1                   t(1): Try\n"
	    "- t-2                   t(2)\n"
	    "+ ci                    the default sessions (1 session)\n"
	    "+ t                     t (2 sessions)\n"
	    "+ x                     tag x (2 sessions)\n");
	free(text);
	planfile_close(plan);
}
END_TEST

/* The column of names is as wide as they are, within limits. */
START_TEST(widths)
{
	char name[101], *sessions, *text;
	struct planfile *plan;

	memset(name, 'n', 100);
	name[100] = '\0';
	sessions = xasprintf("[{'name':'%.30s','description':'D'},"
			     "{'name':'lint','description':'D'}%s%s%s]", name,
	    _i ? ",{'name':'" : "", _i ? name : "", _i ? "'}" : "");
	plan = plan_of(sessions, "[]");
	output_begin();
	ck_assert_int_eq(list_targets(plan, NULL), 0);
	text = output_end();
	ck_assert_int_eq(strchr(strstr(text, "lint"), 'D') - strstr(text, "lint"),
	    _i ? 50 : 32);
	free(text);
	free(sessions);
	planfile_close(plan);
}
END_TEST

START_TEST(damaged_lines)
{
	struct planfile *plan;
	char *text;

	file_put("plan.jsonl", "{\"schema\":1}\n{\"target\":\"a\",\"session\":7}\n{}\n");
	plan = planfile_open(AT_FDCWD);
	output_begin();
	ck_assert_int_eq(list_targets(plan, NULL), 0);
	text = output_end();
	ck_assert_ptr_nonnull(strstr(text, "- a "));
	free(text);
	planfile_close(plan);
}
END_TEST

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

/* What show_order prints at -j2 between the two, which have to be there. */
static char *
ordered(struct planfile *plan, const json_t *goals, int expected)
{
	char *text, *end;

	close(folder_make(".noxmk"));
	setenv("MAKEFLAGS", " -j2 --jobserver-auth=3,4 -Ix\\ -j9 -- A=b\\ -j9", 1);
	output_begin();
	ck_assert_int_eq(show_order(plan, goals), expected);
	text = output_end();
	unsetenv("MAKEFLAGS");
	ck_assert(!strncmp(text, WOULD, strlen(WOULD)));
	end = strstr(text, UNKNOWN);
	ck_assert((end != NULL) == (strchr(text, '?') != NULL));
	if (end)
		*end = '\0';
	memmove(text, text + strlen(WOULD), strlen(text) - strlen(WOULD) + 1);
	return text;
}

START_TEST(order)
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

START_TEST(cyclic_order)
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

START_TEST(one_log)
{
	char *text;

	file_put("a.log", "its \xff words\n");
	output_begin();
	ck_assert_int_eq(list_log(AT_FDCWD, "a"), 0);
	text = output_end();
	ck_assert_str_eq(text, "its \xff words\n");
	free(text);
	output_break();
	(void)list_log(AT_FDCWD, "a");
	output_restore();
	assert_silent();
}
END_TEST

START_TEST(no_log)
{
	file_put("a.log", "");
	close(folder_make("b"));
	ck_assert_int_eq(list_log(AT_FDCWD, "b"), -1);
	assert_warned("b: no log in this run (`make nox-list` names the targets)");
	ck_assert_int_eq(list_log(AT_FDCWD, "b/../a"), -1);
	assert_warned("b/../a: no log");
	close(folder_make("c.log"));
	ck_assert_int_eq(list_log(AT_FDCWD, "c"), -1);
}
END_TEST

Suite *
check_list_suite(void)
{
	Suite *suite = suite_create("list");
	TCase *tc = support_case(suite, "plan");

	tcase_add_test(tc, targets);
	tcase_add_loop_test(tc, widths, 0, 2);
	tcase_add_test(tc, damaged_lines);
	tcase_add_loop_test(tc, order, 0, countof(orders));
	tcase_add_test(tc, cyclic_order);
	tc = support_case(suite, "log");
	tcase_add_test(tc, one_log);
	tcase_add_test(tc, no_log);
	return suite;
}
