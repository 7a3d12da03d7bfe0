#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/watch.h"
#include "state/record.h"
#include "state/state.h"
#include "support.h"

/* The session has run then, and has had x and no other file. */
static void
put_session(int run, const char *target, const char *op, double started, double ended)
{
	char folder[PATH_MAX], *root = getcwd(folder, sizeof(folder));
	char *text = xasprintf("{'noxmk-trace':1,'target':'%s','root':'%s'}\n{'path':'%s/x',"
	    "'ops':['%s'],'first':'%s','count':1,'before':{'type':'file','size':1},"
	    "'after':{'type':'file','size':2}}\n{'end':1,'complete':true}\n", target, root, root,
	    op, op);
	char *trace = xasprintf("run/%s.trace", target);
	struct record record = { .target = xstrdup(target), .session = xstrdup(target),
		.verdict = PASSED, .started = started, .ended = ended, .exit = -1, .signal = -1,
		.client = -1 };

	file_put_json(trace, text);
	ck_assert_int_eq(record_write(run, -1, &record), 0);
	record_clear(&record);
	free(trace);
	free(text);
}

/* a and b write x at the same time; c reads it later. The caller frees what is printed. */
static char *
watch(double started)
{
	int state = folder_make("state"), run = folder_make("run");
	struct planfile *plan;
	char *printed;

	state_choose("state");
	file_put_json("run/plan.jsonl", "{'schema':1,'noxfile_date':1,'source_build':true}\n"
	    "{'target':'a','requires':[],'after':[],'claims':[],'options':{}}\n"
	    "{'target':'b','requires':[],'after':[],'claims':[],'options':{}}\n"
	    "{'target':'c','requires':[],'after':[],'claims':[],'options':{}}\n");
	put_session(run, "a", "write", 100, 110);
	put_session(run, "b", "write", started, started + 10);
	put_session(run, "c", "read", 130, 140);
	plan = planfile_open(run);
	output_begin();
	watch_tell(state, run, plan);
	printed = output_end();
	planfile_close(plan);
	close(run);
	close(state);
	return printed;
}

/* Next time it may come while they are at it: one run is enough to know that. */
START_TEST(who_came_there_later_is_ordered_too)
{
	char *printed = watch(105), *lesson = file_get("state/hazards.json");
	char *met = file_get("run/.overlaps.json");

	ck_assert_msg(strstr(printed, "  a and b write it\n  c reads it\n"), "%s", printed);
	ck_assert_msg(strstr(printed, "after = [\"a\", \"b\"]"), "%s", printed);
	ck_assert_str_eq(lesson, "{\"schema\":1,\"pairs\":[[\"a\",\"b\",\"x\"],"
	    "[\"a\",\"c\",\"x\"],[\"b\",\"c\",\"x\"]]}");
	/* Who met is another thing. */
	ck_assert_msg(strstr(met, "\"sessions\":[\"a\",\"b\"]"), "%s", met);
	free(met);
	free(lesson);
	free(printed);
}
END_TEST

START_TEST(where_nobody_met_nothing_is_told)
{
	char *printed = watch(115);

	ck_assert_msg(strstr(printed, "noxmk watch: none observed"), "%s", printed);
	ck_assert(!file_there("state/hazards.json"));
	free(printed);
}
END_TEST

START_TEST(a_run_that_was_not_traced_is_told_as_such)
{
	int state = folder_make("state"), run = folder_make("run");
	struct planfile *plan;

	file_put_json("run/plan.jsonl", "{'schema':1,'noxfile_date':1,'source_build':true}\n");
	plan = planfile_open(run);
	watch_tell(state, run, plan);
	assert_warned("no session of that run was traced");
	planfile_close(plan);
	close(run);
	close(state);
}
END_TEST

Suite *
check_watch_suite(void)
{
	Suite *s = suite_create("watch");
	TCase *tc = support_case(s, "watch");

	tcase_add_test(tc, who_came_there_later_is_ordered_too);
	tcase_add_test(tc, where_nobody_met_nothing_is_told);
	tcase_add_test(tc, a_run_that_was_not_traced_is_told_as_such);
	return s;
}
