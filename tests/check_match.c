#include <stdlib.h>
#include <string.h>

#include "plan/match.h"
#include "plan/planner.h"
#include "support.h"

/*
 * 0 lint, 1 and 2 variants of t, 3 a session called as 4's base name, 4 one of its variants, 5 one
 * with the signs of a pattern in its name, 6 one that this pattern would fit.
 */
#define SESSIONS                                                                         \
	"[{'name':'lint'},"                                                              \
	"{'name':'t','session':'t-3.1(a=1)','signatures':['t-3.1(a=1)','t-3.1']},"       \
	"{'name':'t','session':'t-3.2(a=1)','signatures':['t-3.2(a=1)','t-3.2']},"       \
	"{'name':'docs'},"                                                               \
	"{'name':'docs','session':'docs-3.1','signatures':['docs-3.1']},"                \
	"{'name':'x','session':'x([1])'},"                                               \
	"{'name':'x','session':'x(1)'}]"

static const struct strings nothing;

/* "1:base 2:base": the sessions that the name means, and how. */
static char *
hits_of(const struct match *match, const char *name)
{
	static const char *const kinds[] = { [MATCH_PATTERN] = "pattern", [MATCH_BASE] = "base",
		[MATCH_SIGNATURE] = "signature", [MATCH_FULL] = "full" };
	struct match_hits hits = match_find(match, name);
	struct buffer text = { 0 };

	buffer_addstr(&text, "");
	for (size_t i = 0; i < hits.n; i++)
		buffer_printf(&text, "%s%zu:%s", i ? " " : "", hits.v[i].session,
		    kinds[hits.v[i].kind]);
	free(hits.v);
	return text.data;
}

static const struct {
	const char *name, *hits;
} names[] = {
	{ "lint", "0:full" },
	{ "t", "1:base 2:base" },
	{ "t-3.1", "1:signature" },
	{ "t-3.2(a=1)", "2:full" },
	{ "t-3.2-a-1", "2:full" }, /* the target */
	{ "docs", "3:full 4:base" },
	{ "docs-3.1", "4:full" },
	/* A pattern of a full name, a target, a signature, a base name. */
	{ "*(a=?)", "1:pattern 2:pattern" },
	{ "*-a-1", "1:pattern 2:pattern" },
	{ "t-?.2", "2:pattern" },
	{ "[l-t]*", "0:pattern 1:pattern 2:pattern" },
	{ "?", "1:pattern 2:pattern 5:pattern 6:pattern" },
	{ "x(*", "5:pattern 6:pattern" },
	{ "d*s", "3:pattern 4:pattern" },
	{ "*", "0:pattern 1:pattern 2:pattern 3:pattern 4:pattern 5:pattern 6:pattern" },
	/* A name before a pattern. */
	{ "x([1])", "5:full" },
	/* Nothing. */
	{ "", "" }, { "Lint", "" }, { "lin", "" }, { "lint*x", "" }, { "t-3.1(a=2)", "" },
	{ "[", "" }, { "[L]int", "" }, { "x(2)", "" },
};

START_TEST(a_name_means_sessions)
{
	struct facts *facts = facts_of(SESSIONS, "[]");
	struct plan *plan = planner_make(facts, &nothing);
	struct match *match = match_new(plan);
	char *hits = hits_of(match, names[_i].name);

	ck_assert_str_eq(hits, names[_i].hits);
	assert_silent();
	free(hits);
	match_free(match);
	plan_free(plan);
	facts_free(facts);
}
END_TEST

/* nox may list one name twice. */
START_TEST(one_name_of_two_sessions_means_both)
{
	struct facts *facts = facts_of("[{'name':'a'},{'name':'b'},{'name':'a'}]", "[]");
	struct plan *plan = planner_make(facts, &nothing);
	struct match *match = match_new(plan);
	char *both = hits_of(match, "a"), *second = hits_of(match, "a-2");

	ck_assert_str_eq(both, "0:full 2:full");
	ck_assert_str_eq(second, "2:full");
	free(both);
	free(second);
	match_free(match);
	plan_free(plan);
	facts_free(facts);
}
END_TEST

static const struct {
	const char *name, *message;
} strangers[] = {
	{ "lnt", "pyproject.toml: PLACE: no session is called \"lnt\"; did you mean \"lint\"?\n" },
	{ "t-3.3", "no session is called \"t-3.3\"; did you mean \"t-3.1\"?\n" },
	{ "t-3.2-a-2", "no session is called \"t-3.2-a-2\"; did you mean \"t-3.2-a-1\"?\n" },
	{ "benchmarks", "PLACE: no session is called \"benchmarks\"; nox -l lists them\n" },
	{ "benchmark*", "PLACE: no session matches \"benchmark*\"; nox -l lists them\n" },
	{ "benchmark?", "no session matches" }, { "benchmark[s]", "no session matches" },
};

START_TEST(a_stranger_is_told_whom_it_resembles)
{
	struct facts *facts = facts_of(SESSIONS, "[]");
	struct plan *plan = planner_make(facts, &nothing);
	struct match *match = match_new(plan);

	match_warn(match, "PLACE", strangers[_i].name);
	assert_warned(strangers[_i].message);
	match_free(match);
	plan_free(plan);
	facts_free(facts);
}
END_TEST

START_TEST(no_sessions_have_no_names)
{
	struct facts *facts = facts_of("[]", "[]");
	struct plan *plan = planner_make(facts, &nothing);
	struct match *match = match_new(plan);
	char *hits = hits_of(match, "*");

	ck_assert_str_eq(hits, "");
	free(hits);
	match_free(match);
	match_free(NULL);
	plan_free(plan);
	facts_free(facts);
}
END_TEST

Suite *
check_match_suite(void)
{
	Suite *suite = suite_create("match");
	TCase *tc = support_case(suite, "match");

	tcase_add_loop_test(tc, a_name_means_sessions, 0, countof(names));
	tcase_add_test(tc, one_name_of_two_sessions_means_both);
	tcase_add_loop_test(tc, a_stranger_is_told_whom_it_resembles, 0, countof(strangers));
	tcase_add_test(tc, no_sessions_have_no_names);
	return suite;
}
