#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/lesson.h"
#include "state/state.h"
#include "support.h"

/* What the session does at x: reads, makes, writes or asks for it; "": nothing. */
static void
put_trace(const char *target, const char *does)
{
	static const struct {
		const char *does, *ops, *first, *before;
	} ways[] = {
		{ "reads", "'read'", "read", "{'type':'file','size':1}" },
		{ "makes", "'create','write'", "create", "null" },
		{ "writes", "'write'", "write", "{'type':'file','size':1}" },
		{ "asks", "'probe'", "probe", "{'type':'file','size':2}" },
	};
	char folder[PATH_MAX], *root = getcwd(folder, sizeof(folder));
	struct buffer text = { 0 };
	char *name = xasprintf("run/%s.trace", target);

	buffer_printf(&text, "{'noxmk-trace':1,'target':'%s','root':'%s'}\n", target, root);
	for (size_t i = 0; i < countof(ways); i++)
		if (!strcmp(ways[i].does, does))
			buffer_printf(&text, "{'path':'%s/x','ops':[%s],'first':'%s','count':1,"
			    "'before':%s,'after':{'type':'file','size':2}}\n", root, ways[i].ops,
			    ways[i].first, ways[i].before);
	buffer_addstr(&text, "{'end':1,'complete':true}\n");
	file_put_json(name, text.data);
	buffer_free(&text);
	free(name);
}

struct lesson {
	int state, run;
	struct planfile *plan;
	struct analysis analysis;
};

/*
 * a and b do that at x, and c nothing; they run in this order. The plan has d, too, and the two
 * parts of t, which have not run unless there is a trace of them already.
 */
static struct lesson
lesson_with(const char *a, const char *b)
{
	struct lesson lesson = { 0 };
	struct analysis_source source = { .rules = NOISE_SET(NOISES) - 1 };

	state_choose("state");
	lesson.state = folder_make("state");
	lesson.run = folder_make("run");
	file_put_json("run/plan.jsonl", "{'schema':1,'noxfile_date':1,'source_build':true}\n"
	    "{'target':'a','requires':[],'after':[],'claims':[],'options':{}}\n"
	    "{'target':'b','requires':[],'after':[],'claims':[],'options':{}}\n"
	    "{'target':'c','requires':[],'after':[],'claims':[],'options':{}}\n"
	    "{'target':'d','requires':[],'after':[],'claims':[],'options':{}}\n"
	    "{'target':'t.part-1','requires':[],'after':[],'claims':[],'options':{},"
	    "'part':[1,2],'whole':'t'}\n"
	    "{'target':'t.part-2','requires':[],'after':[],'claims':[],'options':{},"
	    "'part':[2,2],'whole':'t'}\n");
	lesson.plan = planfile_open(lesson.run);
	put_trace("a", a);
	put_trace("b", b);
	put_trace("c", "");
	source.state = lesson.state;
	source.rundir = lesson.run;
	ck_assert_int_eq(analysis_make(&lesson.analysis, lesson.plan, &source), 0);
	return lesson;
}

static void
lesson_leave(struct lesson *lesson)
{
	analysis_clear(&lesson->analysis);
	planfile_close(lesson->plan);
	close(lesson->run);
	close(lesson->state);
}

/* Its file has these pairs, and no other. */
static void
assert_learned(const char *pairs)
{
	char *text = file_get("state/hazards.json");
	char *all = xasprintf("{\"schema\":1,\"pairs\":[%s]}", pairs);

	for (char *quote = all; (quote = strchr(quote, '\''));)
		*quote = '"';
	ck_assert_str_eq(text, all);
	free(all);
	free(text);
}

/* What is learned of what a and b do, by an audit and by a watch. */
static const struct {
	const char *a, *b, *audit, *watch;
} seen[] = {
	{ "makes", "makes", "['a','b','x']", "['a','b','x']" },
	{ "writes", "reads", "['a','b','x']", "['a','b','x']" },
	/* The second may find it or not. That it was written anew does not show. */
	{ "makes", "asks", "['a','b','x']", "" },
	{ "writes", "asks", "", "" },
	{ "asks", "makes", "", "" },
	{ "reads", "reads", "", "" },
};

START_TEST(what_is_seen_is_learned)
{
	struct lesson lesson = lesson_with(seen[_i].a, seen[_i].b);

	file_put_json("state/hazards.json", "{'schema':1,'pairs':[]}");
	lesson_of_watch(&lesson.analysis, lesson.state);
	assert_learned(seen[_i].watch);
	lesson_of_audit(&lesson.analysis, lesson.plan, lesson.state);
	assert_learned(seen[_i].audit);
	lesson_forget(lesson.state);
	ck_assert_int_lt(access("state/hazards.json", F_OK), 0);
	lesson_leave(&lesson);
	assert_silent();
}
END_TEST

/* What is learned when that session has failed by these, and whether it was proven to be them. */
static const struct {
	const char *a, *b, *target, *others;
	bool proven;
	const char *pairs;
} failures[] = {
	{ "writes", "asks", "b", "['a']", false, "['a','b','x','failed']" },
	{ "writes", "asks", "a", "['c','b']", false, "['a','b','x','failed']" },
	{ "writes", "asks", "c", "['a','b']", false, "" },
	{ "writes", "asks", "a", "['c']", false, "" },
	{ "writes", "asks", "c", "['a']", true, "['a','c',null,'failed']" },
	{ "writes", "asks", "c", "['a','b']", true, "" },
	{ "writes", "asks", "z", "['a']", true, "" },
	{ "writes", "asks", "a", "['z',7]", true, "" },
};

START_TEST(what_a_failure_shows_is_learned)
{
	struct lesson lesson = lesson_with(failures[_i].a, failures[_i].b);
	json_t *others = json_of(failures[_i].others);

	file_put_json("state/hazards.json", "{'schema':1,'pairs':[]}");
	lesson_of_failure(&lesson.analysis, lesson.state, failures[_i].target, others,
	    failures[_i].proven);
	assert_learned(failures[_i].pairs);
	json_decref(others);
	lesson_leave(&lesson);
	assert_silent();
}
END_TEST

/* What was learned before, and is left of it after an audit of a that does this, b that asks. */
static const struct {
	const char *a, *before, *after;
} audits[] = {
	{ "writes", "['a','b','x','failed']", "['a','b','x','failed']" },
	{ "reads", "['a','b','x','failed']", "" },
	{ "writes", "['a','b','x']", "" },
	{ "makes", "['a','b','y','failed']", "['a','b','y','failed']" },
	/* Nothing can speak against these: nobody knows what it is, or one was not seen. */
	{ "reads", "['a','c',null,'failed']", "['a','c',null,'failed']" },
	{ "reads", "['a','d','x','failed'],['d','b','x']", "['a','d','x','failed'],['d','b','x']" },
	{ "reads", "['t','a','x'],['t','t','x']", "['t','a','x'],['t','t','x']" },
	/* Nobody is called so any more. */
	{ "reads", "['a','z','x','failed'],['z','b',null,'failed'],['t.part-3','a','x']", "" },
};

START_TEST(an_audit_ends_what_it_does_not_see)
{
	struct lesson lesson = lesson_with(audits[_i].a, "asks");
	char *text = xasprintf("{'schema':1,'pairs':[%s]}", audits[_i].before);

	file_put_json("state/hazards.json", text);
	lesson_of_audit(&lesson.analysis, lesson.plan, lesson.state);
	assert_learned(audits[_i].after);
	/* A usual run that is watched ends the same, but teaches nothing of this. */
	file_put_json("state/hazards.json", text);
	lesson_review(&lesson.analysis, lesson.plan, lesson.state);
	assert_learned(audits[_i].after);
	free(text);
	lesson_leave(&lesson);
	assert_silent();
}
END_TEST

/* Who has not passed would have done more, and a trace that is not whole has not all. */
START_TEST(only_what_was_seen_ends_anything)
{
	struct lesson lesson = lesson_with("reads", "reads");

	for (size_t i = 0; i < 2; i++) {
		lesson.analysis.sessions[1].failed = i == 0;
		lesson.analysis.sessions[1].trace.complete = i == 0;
		file_put_json("state/hazards.json", "{'schema':1,'pairs':[['a','b','x']]}");
		lesson_of_audit(&lesson.analysis, lesson.plan, lesson.state);
		assert_learned("['a','b','x']");
	}
	lesson.analysis.sessions[1].trace.complete = true;
	lesson_of_audit(&lesson.analysis, lesson.plan, lesson.state);
	assert_learned("");
	lesson_leave(&lesson);
}
END_TEST

START_TEST(parts_are_learned_as_one_session)
{
	struct lesson lesson;

	close(folder_make("run"));
	put_trace("t.part-1", "makes");
	put_trace("t.part-2", "makes");
	lesson = lesson_with("makes", "");
	lesson_of_audit(&lesson.analysis, lesson.plan, lesson.state);
	assert_learned("['a','t','x'],['t','t','x']");
	lesson_leave(&lesson);
	put_trace("t.part-2", "");
	lesson = lesson_with("makes", "");
	lesson_review(&lesson.analysis, lesson.plan, lesson.state);
	assert_learned("['a','t','x']");
	lesson_leave(&lesson);
	put_trace("t.part-1", "");
	lesson = lesson_with("makes", "");
	/* Not before each of them has been seen. */
	lesson.analysis.sessions[3].failed = true;
	lesson_review(&lesson.analysis, lesson.plan, lesson.state);
	assert_learned("['a','t','x']");
	lesson.analysis.sessions[3].failed = false;
	lesson_review(&lesson.analysis, lesson.plan, lesson.state);
	assert_learned("");
	lesson_leave(&lesson);
	assert_silent();
}
END_TEST

START_TEST(a_name_may_have_any_bytes)
{
	struct lesson lesson = lesson_with("makes", "makes");
	char *what = lesson.analysis.hazards.v->what;

	lesson.analysis.hazards.v->what = xstrdup("x\n\x1b\xe9");
	free(what);
	lesson_of_audit(&lesson.analysis, lesson.plan, lesson.state);
	lesson_review(&lesson.analysis, lesson.plan, lesson.state);
	assert_silent();
	lesson_leave(&lesson);
}
END_TEST

START_TEST(what_was_learned_may_be_anything)
{
	struct lesson lesson = lesson_with("makes", "makes");
	json_t *others = json_of("['b']");

	odd_put((enum odd)_i, "state/hazards.json");
	lesson_of_failure(&lesson.analysis, lesson.state, "a", others, false);
	assert_learned("['a','b','x','failed']");
	lesson_of_audit(&lesson.analysis, lesson.plan, lesson.state);
	assert_learned("['a','b','x','failed']");
	json_decref(others);
	lesson_leave(&lesson);
}
END_TEST

Suite *
check_lesson_suite(void)
{
	Suite *suite = suite_create("lesson");
	TCase *tc = support_case(suite, "lesson");

	tcase_add_loop_test(tc, what_is_seen_is_learned, 0, countof(seen));
	tcase_add_loop_test(tc, what_a_failure_shows_is_learned, 0, countof(failures));
	tcase_add_loop_test(tc, an_audit_ends_what_it_does_not_see, 0, countof(audits));
	tcase_add_test(tc, only_what_was_seen_ends_anything);
	tcase_add_test(tc, parts_are_learned_as_one_session);
	tcase_add_test(tc, a_name_may_have_any_bytes);
	tcase_add_loop_test(tc, what_was_learned_may_be_anything, 0, ODD_THINGS);
	return suite;
}
