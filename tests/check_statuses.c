#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "report/statuses.h"
#include "state/record.h"
#include "support.h"

/* A run's folder with a plan of a and b, on Forgejo; a script stands in for statuses.py. */
static struct planfile *plan;

static void
begin(const char *python, const char *script)
{
	struct facts *facts = facts_of("[{'name':'a'},{'name':'b'}]", "[]");

	setenv("FORGEJO_ACTIONS", "true", 1);
	setenv("FORGEJO_TOKEN", "t", 1);
	unsetenv("GITEA_TOKEN");
	unsetenv("GITHUB_TOKEN");
	plan_put(AT_FDCWD, facts, python, NULL);
	facts_free(facts);
	plan = planfile_open(AT_FDCWD);
	file_put("python", "#!/bin/sh\n. \"$2\"\n");
	ck_assert_int_eq(chmod("python", 0755), 0);
	file_put("statuses.py", script);
}

static void
post(void)
{
	json_t *goals = json_of("['a','b']");

	statuses_post(".", AT_FDCWD, plan, goals);
	json_decref(goals);
	planfile_close(plan);
}

static const struct {
	enum verdict verdict;
	bool excused;
	const char *state, *description;
} states[] = {
	{ PASSED, false, "success", "passed in 1.5s: w\\thy" },
	{ SKIPPED, false, "success", "skipped in 1.5s: w\\thy" },
	{ FAILED, false, "failure", "failed in 1.5s: w\\thy; fails alone too" },
	{ ABORTED, false, "failure", "aborted in 1.5s: w\\thy" },
	{ CANCELLED, false, "error", "cancelled in 1.5s: w\\thy" },
	{ NOT_RUN, false, "error", "not run: w\\thy" },
	{ NOT_RUN, true, "success", "not run: w\\thy" },
};

START_TEST(each_verdict_is_a_state)
{
	char target[] = "a", reason[] = "w\thy", *text;
	struct record r = { .target = target, .session = target, .verdict = states[_i].verdict,
		.excused = states[_i].excused, .duration = 1.5, .reason = reason,
		.recheck = states[_i].verdict == FAILED ? json_of("{'verdict':'failed'}") : NULL };
	json_t *got, *one, *other;

	begin("./python", "cat >got");
	ck_assert_int_eq(record_write(AT_FDCWD, -1, &r), 0);
	post();
	text = file_get("got");
	got = json_loads(text, 0, NULL);
	one = json_array_get(json_object_get(got, "statuses"), 0);
	other = json_array_get(json_object_get(got, "statuses"), 1);
	ck_assert_str_eq(json_string_value(json_object_get(one, "target")), "a");
	ck_assert_str_eq(json_string_value(json_object_get(one, "state")), states[_i].state);
	ck_assert_str_eq(json_string_value(json_object_get(one, "description")),
	    states[_i].description);
	ck_assert_str_eq(json_string_value(json_object_get(other, "description")),
	    "not run: it has no record");
	json_decref(r.recheck);
	json_decref(got);
	free(text);
	assert_silent();
}
END_TEST

START_TEST(what_it_says_is_one_safe_line)
{
	begin("./python", "printf 'no\\033[1m\\nand more\\n'; exec >&2; cat");
	post();
	ck_assert_pstr_eq(strstr(warnings(), "NOXMK_STATUS"),
	    "NOXMK_STATUS: the forge does not know of all sessions: no\\^[[1m\n");
}
END_TEST

START_TEST(what_hangs_is_ended)
{
	begin("./python", "exec sleep 60"); /* longer than this test may take */
	post();
	assert_warned("the forge does not know of all sessions: no answer in time");
}
END_TEST

START_TEST(a_python_that_is_gone_is_said)
{
	begin("./gone", "");
	post();
	assert_warned("the forge does not know of all sessions: No such file");
}
END_TEST

START_TEST(an_unknown_python_is_said)
{
	begin(NULL, "touch got");
	post();
	assert_warned("NOXMK_STATUS: this nox does not say which Python it runs in");
	ck_assert(!file_there("got"));
}
END_TEST

START_TEST(without_a_token_or_such_a_forge_nothing_happens)
{
	begin("./python", "touch got");
	unsetenv("FORGEJO_TOKEN");
	post();
	begin("./python", "touch got");
	unsetenv("FORGEJO_ACTIONS");
	setenv("GITHUB_ACTIONS", "true", 1);
	post();
	ck_assert(!file_there("got"));
	assert_silent();
}
END_TEST

Suite *
check_statuses_suite(void)
{
	Suite *suite = suite_create("statuses");
	TCase *tc = support_case(suite, "statuses");

	tcase_add_loop_test(tc, each_verdict_is_a_state, 0, countof(states));
	tcase_add_test(tc, what_it_says_is_one_safe_line);
	tcase_add_test(tc, what_hangs_is_ended);
	support_spawn_failure_test(tc, a_python_that_is_gone_is_said);
	tcase_add_test(tc, an_unknown_python_is_said);
	tcase_add_test(tc, without_a_token_or_such_a_forge_nothing_happens);
	return suite;
}
