#include <stdlib.h>
#include <string.h>

#include "plan/group.h"
#include "plan/planner.h"
#include "support.h"

/* nox's groups of these: ci (c a), t, t-3.1, t-3.2, slow, tag-a, x-y. */
#define SESSIONS                                                                         \
	"[{'name':'a'},"                                                                 \
	"{'name':'b','tags':['slow','a']},"                                              \
	"{'name':'c','tags':['slow','x y']},"                                            \
	"{'name':'t','session':'t-3.1(x)','signatures':['t-3.1(x)','t-3.1']},"           \
	"{'name':'t','session':'t-3.2(x)','signatures':['t-3.2(x)','t-3.2']}]"

struct fixture {
	struct facts *facts;
	struct plan *plan;
	struct config *config;
	struct match *match;
	size_t nfound; /* groups before ours */
	int result;    /* of group_all */
};

static struct fixture
fixture_of(const char *groups)
{
	static const struct strings nothing;
	struct fixture f = { .facts = facts_of(SESSIONS, "[2,0]") };
	char *text = xasprintf("{'group':%s}", groups);
	json_t *table = json_of(text);

	f.plan = planner_make(f.facts, &nothing);
	f.config = config_parse(table);
	ck_assert_ptr_nonnull(f.config);
	f.match = match_new(f.plan);
	f.nfound = f.plan->ngroups;
	ck_assert_uint_eq(f.nfound, 7);
	f.result = group_all(f.plan, f.config, f.match);
	free(text);
	json_decref(table);
	return f;
}

static void
fixture_free(struct fixture *f)
{
	match_free(f->match);
	config_free(f->config);
	plan_free(f->plan);
	facts_free(f->facts);
}

/* "q: a b | r:": the groups behind those of nox. */
static char *
groups_of(const struct fixture *f)
{
	struct buffer text = { 0 };

	buffer_addstr(&text, "");
	for (size_t i = f->nfound; i < f->plan->ngroups; i++) {
		const struct plan_group *group = &f->plan->groups[i];

		ck_assert_str_eq(group->what, "group of pyproject.toml");
		buffer_printf(&text, "%s%s:", i > f->nfound ? " | " : "", group->target);
		for (size_t k = 0; k < group->members.n; k++)
			buffer_printf(&text, " %s", f->plan->sessions[group->members.v[k]].target);
	}
	return text.data;
}

static const struct {
	const char *config, *groups;
} made[] = {
	{ "{}", "" },
	/* Members in the order of the configuration, each once. */
	{ "{'q':['b','a']}", "q: b a" },
	{ "{'q':['b','a','b']}", "q: b a" },
	{ "{'q':['c','?']}", "q: c a b t-3.1-x t-3.2-x" },
	/* Sessions however match.h finds them. */
	{ "{'q':['t-3.2']}", "q: t-3.2-x" },
	{ "{'q':['t-3.1-x']}", "q: t-3.1-x" },
	{ "{'q':['t']}", "q: t-3.1-x t-3.2-x" },
	{ "{'q':['*(x)']}", "q: t-3.1-x t-3.2-x" },
	/* Groups of nox: the defaults, and a tag by its name, its target and its words. */
	{ "{'q':['ci']}", "q: c a" },
	{ "{'q':['the default sessions']}", "q: c a" },
	{ "{'q':['slow']}", "q: b c" },
	{ "{'q':['tag slow']}", "q: b c" },
	{ "{'q':['x y']}", "q: c" },
	{ "{'q':['x-y']}", "q: c" },
	{ "{'q':['tag-a']}", "q: b" },
	{ "{'q':['tag a']}", "q: b" },
	/* A session before a tag of its name. */
	{ "{'q':['a']}", "q: a" },
	/* Groups of the configuration, defined before or after. */
	{ "{'q':['c'],'r':['q','a']}", "q: c | r: c a" },
	{ "{'r':['q','a'],'q':['c']}", "r: c a | q: c" },
	{ "{'r':['q','s'],'q':['s','a'],'s':['b']}", "r: b a | q: b a | s: b" },
};

START_TEST(members_are_sessions_and_groups)
{
	struct fixture f = fixture_of(made[_i].config);
	char *text = groups_of(&f);

	ck_assert_int_eq(f.result, 0);
	ck_assert_str_eq(text, made[_i].groups);
	assert_silent();
	free(text);
	fixture_free(&f);
}
END_TEST

static const struct {
	const char *config, *message;
} wrong[] = {
	{ "{'q':['q']}", "pyproject.toml: tool.noxmk.group.q: \"q\": the group contains itself\n" },
	{ "{'q':['a','r'],'r':['s'],'s':['q']}",
	  "tool.noxmk.group.s: \"q\": the group contains itself\n" },
	{ "{'ci':['a']}", "tool.noxmk.group.ci: \"ci\" is the default sessions: write default = "
	  "true or false into the sessions' own sections\n" },
	{ "{'q r':['a']}", "tool.noxmk.group.\"q r\": \"q r\" is no name for a target: call it "
	  "\"q-r\"\n" },
	{ "{'-q':['a']}", "\"-q\" is no name for a target: call it \"q\"\n" },
	/* The target of a session, of a base name, of a tag. */
	{ "{'t-3.1-x':['a']}", "group.\"t-3.1-x\": there is a target \"t-3.1-x\" already, from "
	  "the noxfile: call the group something else\n" },
	{ "{'t':['a']}", "group.t: there is a target \"t\" already" },
	{ "{'slow':['a']}", "group.slow: there is a target \"slow\" already" },
	/* Strangers: like a group of the configuration, one of nox, a session, nothing. */
	{ "{'quick':['a'],'r':['quik']}", "tool.noxmk.group.r: no session or group is called "
	  "\"quik\"; did you mean \"quick\"?\n" },
	{ "{'r':['slwo']}", "tool.noxmk.group.r: no session or group is called \"slwo\"; did you "
	  "mean \"slow\"?\n" },
	{ "{'r':['aa']}", "group.r: no session is called \"aa\"; did you mean \"a\"?\n" },
	{ "{'r':['nothing']}", "group.r: no session is called \"nothing\"; nox -l lists them\n" },
	{ "{'r':['nothing*']}", "group.r: no session matches \"nothing*\"; nox -l lists them\n" },
	{ "{'q':['q'],'ci':['a']}", "group.q: \"q\": the group contains itself\n" },
	{ "{'r':['a','nothing','nobody']}", "no session is called \"nothing\"" },
};

/* And the plan stays as it was, whatever groups were fine. */
START_TEST(a_fault_is_told_once_and_adds_no_group)
{
	struct fixture f = fixture_of(wrong[_i].config);

	ck_assert_int_eq(f.result, -1);
	ck_assert_uint_eq(f.plan->ngroups, f.nfound);
	assert_warned(wrong[_i].message);
	ck_assert_ptr_eq(strchr(warnings(), '\n'), strrchr(warnings(), '\n'));
	fixture_free(&f);
}
END_TEST

Suite *
check_group_suite(void)
{
	Suite *suite = suite_create("group");
	TCase *tc = support_case(suite, "group");

	tcase_add_loop_test(tc, members_are_sessions_and_groups, 0, countof(made));
	tcase_add_loop_test(tc, a_fault_is_told_once_and_adds_no_group, 0, countof(wrong));
	return suite;
}
