#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

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

START_TEST(every_target_has_a_line)
{
	struct planfile *plan = plan_of(
	    "[{'name':'lint','description':'Look\\tat it'},{'name':'docs'},"
	    "{'name':'t','session':'t(1)','signatures':['t(1)'],'description':'Try','tags':['x']},"
	    "{'name':'t','session':'t(2)','signatures':['t(2)'],'tags':['x','one']}]", "[0]");
	char *text;

	output_begin();
	list_print(plan);
	text = output_end();
	ck_assert_str_eq(text, "* default session   - other session   + group   . noxmk's own\n"
	    "* lint                  Look\\tat it\n"
	    "- docs                  \n"
	    "- t-1                   t(1): Try\n"
	    "- t-2                   t(2)\n"
	    "+ ci                    the default sessions (1 session: lint)\n"
	    "+ t                     t (2 sessions)\n"
	    "+ x                     tag x (2 sessions)\n"
	    "+ one                   tag one (1 session: t-2)\n"
	    ". nox-audit             which sessions must not run at the same time\n"
	    ". nox-list              this list\n"
	    ". nox-plan              the plan made anew\n"
	    ". rerun-failed          what failed or did not run when it was last to run\n");
	free(text);
	planfile_close(plan);
}
END_TEST

/* Within limits: the second plan has a very long name. */
START_TEST(the_column_of_names_is_as_wide_as_they_are)
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
	list_print(plan);
	text = output_end();
	ck_assert_int_eq(strchr(strstr(text, "lint"), 'D') - strstr(text, "lint"),
	    _i ? 50 : 32);
	free(text);
	free(sessions);
	planfile_close(plan);
}
END_TEST

START_TEST(damaged_lines_do_no_harm)
{
	struct planfile *plan;
	char *text;

	file_put("plan.jsonl", "{\"schema\":1}\n{\"target\":\"a\",\"session\":7}\n{}\n");
	plan = planfile_open(AT_FDCWD);
	output_begin();
	list_print(plan);
	list_print_json(plan);
	text = output_end();
	ck_assert_ptr_nonnull(strstr(text, "- a "));
	free(text);
	planfile_close(plan);
}
END_TEST

START_TEST(programs_get_all_of_it_as_one_object)
{
	struct planfile *plan = plan_of(
	    "[{'name':'build','description':'Make \\u00fc'},"
	    "{'name':'t','session':'t-3.12','signatures':['t-3.12'],'python':'3.12','tags':['x'],"
	    "'requires':[0],'envdir':'/e/t'}]", "[0,1]");
	json_t *expected = json_of(
	    "{'schema':1,'nox':'2024.4.15','noxfile':'noxfile.py','notes':[],"
	    "'targets':['build','t-3.12','ci','t','x','nox-audit','nox-list','nox-plan',"
	    "'rerun-failed'],"
	    "'default':['build','t-3.12'],'tags':{'x':['t-3.12']},'pythons':{'3.12':['t-3.12']},"
	    "'resources':{'env:t':1},"
	    "'sessions':[{'target':'build','session':'build','name':'build','description':"
	    "'Make \\u00fc','python':null,'tags':[],'default':true,'requires':[],'after':[],"
	    "'resources':[]},"
	    "{'target':'t-3.12','session':'t-3.12','name':'t','description':'','python':'3.12',"
	    "'tags':['x'],'default':true,'requires':['build'],'after':[],'resources':"
	    "[{'resource':'env:t','use':'exclusive','by':'its environment'}]}],"
	    "'groups':[{'target':'ci','kind':'default','what':'the default sessions',"
	    "'members':['build','t-3.12']},"
	    "{'target':'t','kind':'name','what':'t','members':['t-3.12']},"
	    "{'target':'x','kind':'tag','what':'tag x','members':['t-3.12']}]}"), *list;
	char *text;

	output_begin();
	list_print_json(plan);
	text = output_end();
	list = json_loads(text, 0, NULL);
	if (!json_equal(list, expected))
		diagnose("%s", text);
	ck_assert(json_equal(list, expected));
	ck_assert_ptr_null(strchr(text, '\xc3')); /* ASCII */
	json_decref(list);
	json_decref(expected);
	free(text);
	planfile_close(plan);
}
END_TEST

START_TEST(notes_of_the_plan_stand_at_its_end)
{
	struct planfile *plan;
	char *text;

	file_put("plan.jsonl", "{\"schema\":1,\"notes\":[\"b reads\\u001b what a leaves\"]}\n");
	plan = planfile_open(AT_FDCWD);
	output_begin();
	list_print(plan);
	text = output_end();
	ck_assert_ptr_nonnull(strstr(text, "\nnote: b reads"));
	ck_assert_ptr_null(strchr(text, '\x1b'));
	free(text);
	planfile_close(plan);
}
END_TEST

Suite *
check_list_suite(void)
{
	Suite *suite = suite_create("list");
	TCase *tc = support_case(suite, "plan");

	tcase_add_test(tc, every_target_has_a_line);
	tcase_add_loop_test(tc, the_column_of_names_is_as_wide_as_they_are, 0, 2);
	tcase_add_test(tc, damaged_lines_do_no_harm);
	tcase_add_test(tc, programs_get_all_of_it_as_one_object);
	tcase_add_test(tc, notes_of_the_plan_stand_at_its_end);
	return suite;
}
