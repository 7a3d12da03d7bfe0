#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "support.h"

static const char sessions[] =
    "[{'name':'build','description':'Make it','envdir':'/a/b'},"
    "{'name':'t','session':'t(a=1)','signatures':['t(a=1)','t-3.12(a=1)'],'requires':[0]},"
    "{'name':'x','twin':[1,2],'requires_error':'no y','notifies':[0],'tags':['slow']}]";

static void
put_plan(void)
{
	static const char *command[] = { "python3", "-m", "nox", "\xff" };
	static const struct strings words = { command, countof(command) };
	struct facts *facts = facts_of(sessions, "[1]");

	plan_put(AT_FDCWD, facts, "/usr/bin/python3", &words);
	facts_free(facts);
}

START_TEST(a_plan_is_a_line_of_json_for_each_part)
{
	put_plan();
	assert_file("plan.jsonl",
	    "{\"schema\":1,\"nox\":\"2024.4.15\",\"command\":[\"python3\",\"-m\",\"nox\"],"
	    "\"args\":[],\"python\":\"/usr/bin/python3\","
	    "\"path\":[\"/usr/lib/python3\",\"/usr/lib/site\"],"
	    "\"noxfile\":\"noxfile.py\",\"noxfile_date\":7,\"environ\":null,\"complaint\":null,"
	    "\"fail_fast\":false,\"source_build\":true,"
	    "\"log_limit\":8589934592,"
	    "\"mask\":[\"*TOKEN\",\"*TOKEN[!S]*\",\"*TOKENS?*\",\"*PASSWORD*\",\"*SECRET*\","
	    "\"*API_KEY*\"],\"unmask\":[],\"locks\":null,\"ci_commands\":null}\n"
	    "{\"target\":\"build\",\"session\":\"build\",\"name\":\"build\",\"index\":0,"
	    "\"selector\":\"build\",\"twin\":null,"
	    "\"description\":\"Make it\",\"default\":false,\"requires\":[],"
	    "\"after\":[\"x\"],\"complaint\":null,\"by\":{},"
	    "\"claims\":[{\"resource\":\"env:b\",\"use\":\"exclusive\","
	    "\"by\":\"its environment\"}],\"options\":{},\"python\":null,\"tags\":[]}\n"
	    "{\"target\":\"t-a-1\",\"session\":\"t(a=1)\",\"name\":\"t\",\"index\":1,"
	    "\"selector\":\"t-3.12(a=1)\",\"twin\":null,\"description\":\"\",\"default\":true,"
	    "\"requires\":[\"build\"],\"after\":[],\"complaint\":null,\"by\":{},\"claims\":[],"
	    "\"options\":{},\"python\":null,\"tags\":[]}\n"
	    "{\"target\":\"x\",\"session\":\"x\",\"name\":\"x\",\"index\":2,\"selector\":\"x\","
	    "\"twin\":[1,2],\"description\":\"\",\"default\":false,\"requires\":[],\"after\":[],"
	    "\"complaint\":\"no y\",\"by\":{},\"claims\":[],\"options\":{},\"python\":null,"
	    "\"tags\":[\"slow\"]}\n"
	    "{\"group\":\"ci\",\"what\":\"the default sessions\",\"members\":[\"t-a-1\"],"
	    "\"kind\":\"default\"}\n"
	    "{\"group\":\"t\",\"what\":\"t\",\"members\":[\"t-a-1\"],\"kind\":\"name\"}\n"
	    "{\"group\":\"t-3.12-a-1\",\"what\":\"t-3.12(a=1)\",\"members\":[\"t-a-1\"],"
	    "\"kind\":\"name\"}\n"
	    "{\"group\":\"slow\",\"what\":\"tag slow\",\"members\":[\"x\"],\"kind\":\"tag\"}\n");
}
END_TEST

START_TEST(claims_and_options)
{
	json_t *root = facts_json("[{'name':'a'},{'name':'b'},{'name':'c'}]", "[]");
	struct facts *facts;
	struct planfile *plan;
	json_t *line, *wanted;

	json_object_set_new(root, "queue_error", json_string("no default"));
	json_object_set_new(root, "config", json_of("{'source-build':false,"
	    "'resources':{'memory':'8K'},"
	    "'session':{'a':{'uses':['db','memory:2K'],'reads':['docs'],'jobs':'1..all',"
	    "'timeout':'10m','slow':1,'retries':2,'env':{'K':'v'},'default':true}}}"));
	facts = facts_parse(root, "test");
	plan_put(AT_FDCWD, facts, NULL, NULL);
	plan = planfile_open(AT_FDCWD);
	ck_assert(json_is_false(json_object_get(planfile_header(plan), "source_build")));
	/* The configuration has made a selection where nox could not. */
	ck_assert(json_is_null(json_object_get(planfile_header(plan), "complaint")));
	line = planfile_session(plan, "a");
	wanted = json_of("["
	    "{'resource':'db','use':'exclusive','by':'tool.noxmk.session.a.uses'},"
	    "{'resource':'memory','use':'amount','amount':2048,'capacity':8192,"
	    " 'by':'tool.noxmk.session.a.uses'},"
	    "{'resource':'docs','use':'shared','by':'tool.noxmk.session.a.reads'}]");
	ck_assert(json_equal(json_object_get(line, "claims"), wanted));
	json_decref(wanted);
	wanted = json_of("{'jobs':[1,0],'timeout':600.0,'slow':1.0,'retries':2,'env':{'K':'v'}}");
	ck_assert(json_equal(json_object_get(line, "options"), wanted));
	json_decref(wanted);
	json_decref(line);
	planfile_close(plan);
	facts_free(facts);
	json_decref(root);
}
END_TEST

START_TEST(bytes_that_json_cannot_hold)
{
	struct facts *facts = facts_of("[]", "[]");

	facts->nox = "\xff";
	plan_put(AT_FDCWD, facts, NULL, NULL);
}
END_TEST

/* targets: those of that number, with a blank between each two. */
static void
assert_at(struct planfile *plan, size_t index, const char *targets)
{
	json_t *list = planfile_targets_at(plan, index);
	char *text = json_list_join(list, " ");

	ck_assert_str_eq(text, targets);
	free(text);
	json_decref(list);
}

START_TEST(what_was_written_is_read_back)
{
	struct planfile *plan;
	json_t *line;
	int n = 0;

	put_plan();
	plan = planfile_open(AT_FDCWD);
	ck_assert_ptr_nonnull(plan);
	ck_assert_str_eq(json_text(planfile_header(plan), "noxfile"), "noxfile.py");
	line = planfile_session(plan, "x");
	ck_assert_str_eq(json_text(line, "complaint"), "no y");
	json_decref(line);
	assert_at(plan, 1, "t-a-1");
	ck_assert_ptr_null(planfile_session(plan, "slow"));
	ck_assert_ptr_null(planfile_session(plan, ""));
	ck_assert_ptr_null(planfile_session(plan, "buil"));
	assert_at(plan, 3, "");
	assert_at(plan, 4000, "");
	planfile_rewind(plan);
	for (; (line = planfile_next(plan)); n++)
		json_decref(line);
	ck_assert_int_eq(n, 7);
	planfile_close(plan);
	planfile_close(NULL);
	assert_silent();
}
END_TEST

static const struct {
	const char *text, *words;
} no_plans[] = {
	{ "", "not a plan of this noxmk" },
	{ "\n", "make nox-plan" },
	{ "not JSON\n", "make nox-plan" },
	{ "{\"schema\":1", "make nox-plan" },
	{ "[]\n", "not a plan of this noxmk" },
	{ "{}\n", "not a plan of this noxmk" },
	{ "{\"schema\":2}\n", "not a plan of this noxmk" },
	{ "{\"schema\":\"1\"}\n", "not a plan of this noxmk" },
};

START_TEST(damaged_header)
{
	file_put("plan.jsonl", no_plans[_i].text);
	ck_assert_ptr_null(planfile_open(AT_FDCWD));
	assert_warned(no_plans[_i].words);
}
END_TEST

START_TEST(cannot_open)
{
	ck_assert_ptr_null(planfile_open(AT_FDCWD));
	assert_warned("there is no plan: `noxmk plan` or `make nox-list` makes it");
	ck_assert_int_eq(symlink("plan.jsonl", "plan.jsonl"), 0);
	ck_assert_ptr_null(planfile_open(AT_FDCWD));
	assert_warned("plan.jsonl: a link: `make nox-plan` makes it anew");
	unlink("plan.jsonl");
	close(folder_make("plan.jsonl"));
	ck_assert_ptr_null(planfile_open(AT_FDCWD));
}
END_TEST

START_TEST(where_there_may_be_none_only_a_bad_one_is_told)
{
	ck_assert(!planfile_find(-1) && !planfile_find(AT_FDCWD));
	assert_silent();
	file_put("plan.jsonl", "{\"schema\":1}\n");
	planfile_close(planfile_find(AT_FDCWD));
	assert_silent();
	file_put("plan.jsonl", "[]\n");
	ck_assert(!planfile_find(AT_FDCWD));
	assert_warned("plan.jsonl: not a plan of this noxmk");
}
END_TEST

START_TEST(emptied_while_open)
{
	struct planfile *plan;

	put_plan();
	plan = planfile_open(AT_FDCWD);
	file_put("plan.jsonl", "");
	ck_assert_ptr_null(planfile_session(plan, "x"));
	assert_warned("plan.jsonl: empty");
	assert_at(plan, 0, "");
	planfile_close(plan);
}
END_TEST

/* goal -> what runs, or NULL for no such goal; `lines` follow a good header. */
static const struct {
	const char *lines, *goal, *runs;
} expansions[] = {
	{ "{'target':'a','requires':['b','c']}\n{'target':'b','requires':['c']}\n{'target':'c'}\n",
	    "a", "c b a " },
	{ "{'target':'a'}\n{'target':'b'}\n{'group':'g','members':['b','a','b']}\n", "g", "b a " },
	{ "{'target':'a'}\n{'group':'g','members':[]}\n", "g", "" },
	{ "{'target':'a'}\n", "b", NULL },
	{ "{'target':'a'}\n", "", NULL },
	{ "", "ci", NULL },
	/* What only a damaged file has: cycles, unknown names, other types. */
	{ "{'target':'a','requires':['a']}\n", "a", "a " },
	{ "{'target':'a','requires':['b']}\n{'target':'b','requires':['c']}\n"
	  "{'target':'c','requires':['a','b']}\n", "a", "c b a " },
	{ "{'target':'a','requires':['zzz']}\n", "a", "a " },
	{ "{'target':'a','requires':[1,null,{}]}\n", "a", "a " },
	{ "{'target':'a','requires':'b'}\n{'target':'b'}\n", "a", "a " },
	{ "{'target':'a','requires':{'b':1}}\n{'target':'b'}\n", "a", "a " },
	{ "{'target':7}\n{'target':'a'}\n", "a", "a " },
	{ "{'target':'a'}\n{'group':'g','members':[7,'zzz','a']}\n", "g", "a " },
	{ "{'target':'a'}\n{'group':'g','members':'a'}\n", "g", "" },
	{ "{'target':'a'}\n{'group':'g'}\n", "g", NULL },
	{ "{'target':'a'}\n{'group':'a','members':[]}\n", "a", "" },
	{ "{'target':'a'}\nnot JSON\n{'target':'b'}\n", "a", "a " },
	{ "{'target':'a','requires':['b']}\n{'target':'b'}\n{'target':'b','requires':['a']}\n", "a",
	    "b a " },
};

static void
put_lines(const char *lines)
{
	char *text = xasprintf("{'schema':1}\n%s", lines);

	file_put_json("plan.jsonl", text);
	free(text);
}

static int
expand(struct planfile *plan, const char *goal, json_t *into)
{
	json_t *goals = json_pack("[s]", goal);
	int result = planfile_expand(plan, goals, into, false);

	json_decref(goals);
	return result;
}

START_TEST(a_goal_is_expanded_to_its_sessions)
{
	json_t *into = json_object(), *line;
	struct buffer runs = { 0 };
	struct planfile *plan;
	const char *name;
	int result;

	put_lines(expansions[_i].lines);
	plan = planfile_open(AT_FDCWD);
	ck_assert_ptr_nonnull(plan);
	result = expand(plan, expansions[_i].goal, into);
	ck_assert_int_eq(result, expansions[_i].runs ? 0 : -1);
	buffer_addstr(&runs, "");
	json_object_foreach(into, name, line)
		buffer_printf(&runs, "%s ", name);
	ck_assert_str_eq(runs.data, expansions[_i].runs ? expansions[_i].runs : "");
	buffer_free(&runs);
	json_decref(into);
	planfile_close(plan);
}
END_TEST

START_TEST(expansions_merge)
{
	json_t *into = json_object(), *line;
	struct buffer runs = { 0 };
	struct planfile *plan;
	const char *name;

	put_lines("{'target':'a','requires':['b']}\n{'target':'b'}\n"
		  "{'target':'c','requires':['b']}\n");
	plan = planfile_open(AT_FDCWD);
	ck_assert_int_eq(expand(plan, "c", into), 0);
	ck_assert_int_eq(expand(plan, "a", into), 0);
	ck_assert_int_eq(expand(plan, "c", into), 0);
	json_object_foreach(into, name, line)
		buffer_printf(&runs, "%s ", name);
	ck_assert_str_eq(runs.data, "b c a ");
	buffer_free(&runs);
	json_decref(into);
	planfile_close(plan);
}
END_TEST

/* Each adds its own, as in several calls; what is unknown adds nothing and is told. */
START_TEST(several_goals_at_once)
{
	json_t *goals = json_pack("[s,s,s,s]", "c", "zzz", "a", "c"), *into = json_object(), *line;
	struct buffer runs = { 0 };
	struct planfile *plan;
	const char *name;

	put_lines("{'target':'a','requires':['b']}\n{'target':'b'}\n"
		  "{'target':'c','requires':['b']}\n");
	plan = planfile_open(AT_FDCWD);
	ck_assert_int_eq(planfile_expand(plan, goals, into, true), -1);
	json_object_foreach(into, name, line)
		buffer_printf(&runs, "%s ", name);
	ck_assert_str_eq(runs.data, "b c a ");
	assert_warned("zzz: no target of this plan");
	buffer_free(&runs);
	json_decref(into);
	json_decref(goals);
	planfile_close(plan);
}
END_TEST

Suite *
check_planfile_suite(void)
{
	Suite *suite = suite_create("planfile");
	TCase *tc = support_case(suite, "write");

	tcase_add_test(tc, a_plan_is_a_line_of_json_for_each_part);
	tcase_add_test(tc, claims_and_options);
	support_exit_test(tc, bytes_that_json_cannot_hold, EXIT_HELPER);
	tc = support_case(suite, "read");
	tcase_add_test(tc, what_was_written_is_read_back);
	tcase_add_loop_test(tc, damaged_header, 0, countof(no_plans));
	tcase_add_test(tc, cannot_open);
	tcase_add_test(tc, where_there_may_be_none_only_a_bad_one_is_told);
	tcase_add_test(tc, emptied_while_open);
	tc = support_case(suite, "expand");
	tcase_add_loop_test(tc, a_goal_is_expanded_to_its_sessions, 0, countof(expansions));
	tcase_add_test(tc, expansions_merge);
	tcase_add_test(tc, several_goals_at_once);
	return suite;
}
