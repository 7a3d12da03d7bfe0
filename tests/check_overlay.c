#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plan/planner.h"
#include "support.h"

static struct facts *
facts_with(const char *sessions, const char *queue, const char *config)
{
	json_t *root = facts_json(sessions, queue);
	struct facts *facts;

	json_object_set_new(root, "config", json_of(config));
	facts = facts_parse(root, "test");
	ck_assert_ptr_nonnull(facts);
	json_decref(root);
	return facts;
}

/* "lint: db! docs+ memory=2 | …": what each session claims; ! for itself, + shared. */
static char *
claims_of(const struct plan *plan)
{
	struct buffer b = { 0 };

	buffer_addstr(&b, "");
	for (size_t i = 0; i < plan->n; i++) {
		const struct plan_session *s = &plan->sessions[i];

		buffer_printf(&b, "%s%s:", i ? " | " : "", s->target);
		for (size_t k = 0; k < s->nclaims; k++) {
			buffer_printf(&b, " %s", plan->resources[s->claims[k].resource].name);
			if (s->claims[k].use == AMOUNT)
				buffer_printf(&b, "=%lld", s->claims[k].amount);
			else
				buffer_addstr(&b, s->claims[k].use == SHARED ? "+" : "!");
		}
	}
	return b.data;
}

#define VARIANTS                                                                         \
	"[{'name':'lint'},"                                                              \
	"{'name':'t','session':'t-3.1(a=1)','signatures':['t-3.1(a=1)','t-3.1']},"       \
	"{'name':'t','session':'t-3.2(a=1)','signatures':['t-3.2(a=1)','t-3.2']},"       \
	"{'name':'docs','tags':['slow']}]"

static const struct {
	const char *sessions, *config, *claims;
} claimed[] = {
	{ "[]", "null", "" },
	{ VARIANTS, "null", "lint: | t-3.1-a-1: | t-3.2-a-1: | docs:" },
	/* A base name, a signature, a full name, a target, a pattern of each. */
	{ VARIANTS, "{'session':{'t':{'uses':['db']}}}",
	  "lint: | t-3.1-a-1: db! | t-3.2-a-1: db! | docs:" },
	{ VARIANTS, "{'session':{'t-3.1':{'uses':['db']}}}",
	  "lint: | t-3.1-a-1: db! | t-3.2-a-1: | docs:" },
	{ VARIANTS, "{'session':{'t-3.2(a=1)':{'reads':['db']}}}",
	  "lint: | t-3.1-a-1: | t-3.2-a-1: db+ | docs:" },
	{ VARIANTS, "{'session':{'t-3.2-a-1':{'uses':['db']}}}",
	  "lint: | t-3.1-a-1: | t-3.2-a-1: db! | docs:" },
	{ VARIANTS, "{'session':{'*-1':{'uses':['x']},'?(*':{'uses':['y']}, 't-?.2':{'uses':['z']},"
	  "'[dl]*':{'uses':['w']}}}", NULL },
	{ VARIANTS, "{'session':{'*-1':{'uses':['x']},'t-?.2':{'uses':['z']},"
	  "'[dl]*':{'uses':['w']},'?':{'reads':['v']}}}",
	  "lint: w! | t-3.1-a-1: x! v+ | t-3.2-a-1: x! z! v+ | docs: w!" },
	/* Lists add up; exclusive use wins. */
	{ VARIANTS, "{'session':{'t':{'uses':['a'],'reads':['b','a']},'*':{'uses':['b'],"
	  "'reads':['c']},'docs':{'uses':['c']}}}",
	  "lint: b! c+ | t-3.1-a-1: b! c+ a! | t-3.2-a-1: b! c+ a! | docs: b! c!" },
	/* Amounts: all of it without one; the most exact section's. */
	{ VARIANTS, "{'resources':{'m':'8K','n':2},'session':{'t-3.2(a=1)':{'uses':['m:3']},"
	  "'t':{'uses':['m:2K','n']},'*':{'uses':['m:1']},'docs':{'uses':['m']}}}",
	  "lint: m=1 | t-3.1-a-1: m=2048 n=2 | t-3.2-a-1: m=3 n=2 | docs: m=8192" },
	{ VARIANTS, "{'resources':{'gpu':1},'session':{'t':{'uses':['gpu:1']}}}",
	  "lint: | t-3.1-a-1: gpu! | t-3.2-a-1: gpu! | docs:" },
	/* Alone: the others share all there is. */
	{ VARIANTS, "{'session':{'docs':{'alone':true,'uses':['db']}}}",
	  "lint: *+ | t-3.1-a-1: *+ | t-3.2-a-1: *+ | docs: db! *!" },
	{ VARIANTS, "{'session':{'*':{'alone':true},'t':{'alone':false},'lint':{'alone':false}}}",
	  "lint: *+ | t-3.1-a-1: *+ | t-3.2-a-1: *+ | docs: *!" },
	{ VARIANTS, "{'session':{'docs':{'alone':false}}}",
	  "lint: | t-3.1-a-1: | t-3.2-a-1: | docs:" },
	{ "[{'name':'a','parallel':false},{'name':'b','parallel':true},{'name':'c'}]", "null",
	  "a: *! | b: *+ | c: *+" },
	{ "[{'name':'a','parallel':false},{'name':'b'}]", "{'session':{'a':{'alone':false}}}",
	  "a: | b:" },
	/* Environments. */
	{ "[{'name':'a','envdir':'/x/e'},{'name':'b','envdir':'/x/f'},{'name':'c','envdir':'/x/e'},"
	  "{'name':'d','envdir':'/y/e'},{'name':'f','envdir':'/'},{'name':'g','envdir':'/z/\\n'},"
	  "{'name':'h'}]", "{'session':{'a':{'uses':['q']}}}",
	  "a: q! env:e! | b: env:f! | c: env:e! | d: env:/y/e! | f: env:/! | g: env:?! | h:" },
};

START_TEST(a_session_claims_what_its_sections_and_nox_say)
{
	struct strings nothing = { 0 };
	struct facts *facts = facts_with(claimed[_i].sessions, "[]", claimed[_i].config);
	struct plan *plan = planner_make(facts, &nothing);
	char *text;

	if (claimed[_i].claims) {
		ck_assert_msg(plan != NULL, "%s", warnings());
		text = claims_of(plan);
		ck_assert_str_eq(text, claimed[_i].claims);
		free(text);
	} else {
		ck_assert_ptr_null(plan);
		assert_warned("tool.noxmk.session.\"?(*\": no session matches \"?(*\"");
	}
	plan_free(plan);
	facts_free(facts);
}
END_TEST

START_TEST(every_claim_says_where_it_comes_from)
{
	struct strings nothing = { 0 };
	struct facts *facts = facts_with("[{'name':'a','envdir':'/e','parallel':false},"
		"{'name':'b'},{'name':'c'}]", "[]", "{'session':{'?':{'uses':['x'],'reads':['y']},"
		"'b':{'uses':['y'],'alone':true}}}");
	struct plan *plan = planner_make(facts, &nothing);
	static const char *const wanted[][4] = {
		{ "tool.noxmk.session.\"?\".uses", "tool.noxmk.session.\"?\".reads",
		  "allow_parallel=False", "its environment" },
		{ "tool.noxmk.session.\"?\".uses", "tool.noxmk.session.b.uses",
		  "tool.noxmk.session.b.alone" },
		{ "tool.noxmk.session.\"?\".uses", "tool.noxmk.session.\"?\".reads",
		  "allow_parallel=False of a" },
	};

	for (size_t i = 0; i < countof(wanted); i++) {
		ck_assert_uint_eq(plan->sessions[i].nclaims, i ? 3 : 4);
		for (size_t k = 0; k < plan->sessions[i].nclaims; k++)
			ck_assert_str_eq(plan->sessions[i].claims[k].by, wanted[i][k]);
	}
	plan_free(plan);
	facts_free(facts);
}
END_TEST

/* "1<0" needs, "1>0" after, "1=0" together. */
static char *
edges_of(const struct plan *plan)
{
	struct buffer b = { 0 };

	buffer_addstr(&b, "");
	for (size_t i = 0; i < plan->n; i++) {
		const struct plan_session *s = &plan->sessions[i];

		for (size_t k = 0; k < s->requires.n; k++)
			buffer_printf(&b, "%zu<%zu ", i, s->requires.v[k]);
		for (size_t k = 0; k < s->after.n; k++)
			buffer_printf(&b, "%zu>%zu ", i, s->after.v[k]);
		for (size_t k = 0; k < s->together.n; k++)
			buffer_printf(&b, "%zu=%zu ", i, s->together.v[k]);
	}
	return b.data;
}

#define ABC "[{'name':'a'},{'name':'b'},{'name':'c'}]"
static const struct {
	const char *sessions, *config, *edges; /* or the warning */
	bool wrong;
} orders[] = {
	{ ABC, "{'session':{'c':{'after':['a'],'needs':['b']}}}", "2<1 2>0 ", false },
	{ ABC, "{'session':{'c':{'after':['a','b','?']}}}", "2>0 2>1 ", false },
	/* What is needed anyway is not waited for twice. */
	{ ABC, "{'session':{'c':{'after':['*']},'[c]':{'needs':['b']}}}", "2<1 2>0 ", false },
	{ "[{'name':'a','requires':[1]},{'name':'b'}]",
	  "{'session':{'a':{'needs':['b'],'after':['b']}}}", "0<1 ", false },
	/* Not after itself, if a pattern says so. */
	{ ABC, "{'session':{'*':{'after':['a']}}}", "1>0 2>0 ", false },
	{ ABC, "{'session':{'a':{'needs':['*']}}}", "0<1 0<2 ", false },
	{ ABC, "{'session':{'[a]':{'needs':['a']}}}", "", false },
	{ VARIANTS, "{'session':{'docs':{'after':['t']},'t-3.1':{'needs':['lint']}}}",
	  "1<0 3>1 3>2 ", false },
	{ ABC, "{'session':{'c':{'together':['a','b']}}}", "2=0 2=1 ", false },
	/* Whoever is with the first of them is with all. */
	{ ABC, "{'session':{'*':{'together':['*']}}}", "0=1 0=2 1=0 2=0 ", false },
	{ ABC, "{'session':{'a':{'together':['d']}}}",
	  "pyproject.toml: tool.noxmk.session.a.together: no session is called \"d\"", true },
	{ ABC, "{'session':{'a':{'needs':['a']}}}",
	  "pyproject.toml: tool.noxmk.session.a.needs: \"a\" is the session itself\n", true },
	{ ABC, "{'session':{'a':{'after':['b']},'b':{'after':['a']}}}",
	  "pyproject.toml: tool.noxmk.session.a.after: a cycle: a after b, b after a\n", true },
	{ "[{'name':'a'},{'name':'b','requires':[2]},{'name':'c'}]",
	  "{'session':{'a':{'after':['b']},'c':{'needs':['a']}}}", "tool.noxmk.session.a.after: a "
	  "cycle: a after b, b requires= c, c needs a\n", true },
	{ VARIANTS, "{'session':{'t':{'after':['t']}}}", "tool.noxmk.session.t.after: a cycle: "
	  "t-3.1-a-1 after t-3.2-a-1, t-3.2-a-1 after t-3.1-a-1\n", true },
	/* A cycle further on. */
	{ "[{'name':'x'},{'name':'a'},{'name':'b'}]", "{'session':{'x':{'after':['a']},"
	  "'a':{'needs':['b']},'b':{'after':['a']}}}",
	  "tool.noxmk.session.a.needs: a cycle: a needs b, b after a\n", true },
	{ ABC, "{'session':{'a':{'after':['bb']}}}",
	  "pyproject.toml: tool.noxmk.session.a.after: no "
	  "session is called \"bb\"; did you mean \"b\"?\n", true },
	{ ABC, "{'session':{'a':{'needs':['x*']}}}",
	  "tool.noxmk.session.a.needs: no session matches "
	  "\"x*\"; ", true },
	{ VARIANTS, "{'session':{'lnit':{}}}",
	  "pyproject.toml: tool.noxmk.session.lnit: no session is "
	  "called \"lnit\"; did you mean \"lint\"?\n", true },
	{ VARIANTS, "{'session':{'t-3.3':{}}}",
	  "tool.noxmk.session.\"t-3.3\": no session is called "
	  "\"t-3.3\"; did you mean \"t-3.1\"?", true },
	{ "[]", "{'session':{'lint':{}}}",
	  "tool.noxmk.session.lint: no session is called \"lint\"; nox "
	  "-l lists them\n", true },
	/* Quantities that only now turn out wrong. */
	{ ABC, "{'session':{'*':{'uses':['m:2']}}}",
	  "pyproject.toml: tool.noxmk.session.\"*\".uses: an "
	  "amount of \"m\", which has no capacity: give it one in [tool.noxmk.resources]\n", true },
	{ ABC, "{'resources':{'m':4},'session':{'a':{'uses':['m:5']}}}",
	  "tool.noxmk.session.a.uses: 5 of \"m\", which has only 4\n", true },
	{ ABC, "{'resources':{'m':1},'session':{'a':{'uses':['m:2']}}}",
	  "tool.noxmk.session.a.uses: 2 of \"m\", which has only 1\n", true },
	{ ABC, "{'resources':{'m':4},'session':{'a':{'reads':['m']}}}",
	  "tool.noxmk.session.a.reads: "
	  "\"m\" is a counted resource: its users take amounts of it, uses = [\"m:1\"]\n", true },
	/* nox's own cycles are not ours. */
	{ "[{'name':'a','requires':[1]},{'name':'b','requires':[0]}]",
	  "{'session':{'*':{'uses':['x']}}}", "0<1 ", false },
};

START_TEST(after_and_needs_become_edges)
{
	struct strings nothing = { 0 };
	struct facts *facts = facts_with(orders[_i].sessions, "[]", orders[_i].config);
	struct plan *plan = planner_make(facts, &nothing);
	char *edges;

	if (orders[_i].wrong) {
		ck_assert_ptr_null(plan);
		assert_warned(orders[_i].edges);
		ck_assert_ptr_eq(strchr(warnings(), '\n'), strrchr(warnings(), '\n'));
	} else {
		ck_assert_msg(plan != NULL, "%s", warnings());
		edges = edges_of(plan);
		ck_assert_str_eq(edges, orders[_i].edges);
		free(edges);
		assert_silent();
	}
	plan_free(plan);
	facts_free(facts);
}
END_TEST

/* The most exact section wins, of two such ones the later; env is merged. */
START_TEST(the_most_exact_section_counts)
{
	struct strings nothing = { 0 };
	struct facts *facts = facts_with(VARIANTS, "[]", "{'session':{"
		"'t-3.1(a=1)':{'timeout':1,'jobs':2,'env':{'B':'full'}},"
		"'t-3.1':{'timeout':2,'retries':1,'env':{'B':'signature','C':'signature'}},"
		"'t':{'timeout':3,'slow':4,'retries':2,'jobs':'1..all'},"
		"'*':{'timeout':5,'slow':6,'retries':3,'env':{'A':'any','C':'any'}},"
		"'?-*':{'slow':7,'retries':0},'docs':{'timeout':0,'env':{}}}}");
	struct plan *plan = planner_make(facts, &nothing);
	static const struct options wanted[] = {
		{ .timeout = 5, .slow = 6, .retries = 3 },
		{ .timeout = 1, .slow = 4, .retries = 1, .jobs = { 2, 2 } },
		{ .timeout = 3, .slow = 4, .retries = 2, .jobs = { 1, 0 } },
		{ .timeout = 0, .slow = 6, .retries = 3 },
	};
	json_t *env = json_of("{'A':'any','C':'signature','B':'full'}");

	ck_assert_msg(plan != NULL, "%s", warnings());
	for (size_t i = 0; i < countof(wanted); i++) {
		const struct options *o = &plan->sessions[i].options;

		ck_assert(o->timeout == wanted[i].timeout && o->slow == wanted[i].slow);
		ck_assert_uint_eq(o->retries, wanted[i].retries);
		ck_assert_uint_eq(o->jobs.least, wanted[i].jobs.least);
		ck_assert_uint_eq(o->jobs.most, wanted[i].jobs.most);
	}
	ck_assert(json_equal(plan->sessions[1].options.env, env));
	ck_assert_uint_eq(json_object_size(plan->sessions[3].options.env), 2);
	json_decref(env);
	plan_free(plan);
	facts_free(facts);
}
END_TEST

START_TEST(later_patterns_win)
{
	struct strings nothing = { 0 };
	struct facts *facts = facts_with(ABC, "[]", "{'session':{'?':{'slow':6},'*':{'slow':7}}}");
	struct plan *plan = planner_make(facts, &nothing);

	ck_assert(plan->sessions[0].options.slow == 7);
	plan_free(plan);
	facts_free(facts);
}
END_TEST

/* queue, configuration -> "ci: a b"; the other groups behind it. Or the warning. */
static const struct {
	const char *sessions, *queue, *config, *groups;
	bool wrong;
} groups[] = {
	{ ABC, "[2,0]", "{'session':{'b':{'default':true}}}", "ci: c a b", false },
	{ ABC, "[2,0]", "{'session':{'a':{'default':true}}}", "ci: c a", false },
	{ ABC, "[2,0]", "{'session':{'*':{'default':false}}}", "ci:", false },
	{ ABC, "[2,0]", "{'session':{'?':{'default':false},'b':{'default':true}}}",
	  "ci: b", false },
	{ ABC, "[]", "{'group':{'q':['b','?','a']}}", "ci: | q: b a c", false },
	{ ABC, "[]", "{'group':{'q':['r','a'],'r':['c','b']}}", "ci: | q: c b a | r: c b", false },
	{ VARIANTS, "[]", "{'group':{'q':['t'],'r':['slow','lint'],'s':['t-3.1']}}",
	  "ci: | t: t-3.1-a-1 t-3.2-a-1 | t-3.1: t-3.1-a-1 | t-3.2: t-3.2-a-1 | slow: docs | "
	  "q: t-3.1-a-1 t-3.2-a-1 | r: docs lint | s: t-3.1-a-1", false },
	{ "[{'name':'a'},{'name':'b','tags':['a']}]", "[0]", "{'group':{'q':['tag a'],"
	  "'r':['tag-a','ci']}}", "ci: a | tag-a: b | q: b | r: b a", false },
	/* A session before a group of its name. */
	{ "[{'name':'a'},{'name':'b','tags':['a']}]", "[]", "{'group':{'q':['a']}}",
	  "ci: | tag-a: b | q: a", false },
	{ ABC, "[]", "{'group':{'q':['r'],'r':['q']}}",
	  "pyproject.toml: tool.noxmk.group.r: \"q\": the group contains itself\n", true },
	{ ABC, "[]", "{'group':{'q':['q']}}", "group.q: \"q\": the group contains itself\n", true },
	{ ABC, "[]", "{'group':{'ci':['a']}}",
	  "tool.noxmk.group.ci: \"ci\" is the default sessions: "
	  "write default = true or false", true },
	{ ABC, "[]", "{'group':{'a':['b']}}",
	  "tool.noxmk.group.a: there is a target \"a\" already, from "
	  "the noxfile: call the group something else\n", true },
	{ VARIANTS, "[]", "{'group':{'slow':['lint']}}", "group.slow: there is a target", true },
	{ ABC, "[]", "{'group':{'q r':['b']}}",
	  "tool.noxmk.group.\"q r\": \"q r\" is no name for a "
	  "target: call it \"q-r\"\n", true },
	{ ABC, "[]", "{'group':{'quick':['a'],'r':['quik']}}",
	  "tool.noxmk.group.r: no session or group "
	  "is called \"quik\"; did you mean \"quick\"?\n", true },
	{ VARIANTS, "[]", "{'group':{'q':['lnt']}}",
	  "group.q: no session is called \"lnt\"; did you mean \"lint\"?\n", true },
	{ VARIANTS, "[]", "{'group':{'q':['zz*']}}", "group.q: no session matches \"zz*\"", true },
};

START_TEST(groups_made)
{
	struct strings nothing = { 0 };
	struct facts *facts = facts_with(groups[_i].sessions, groups[_i].queue, groups[_i].config);
	struct plan *plan = planner_make(facts, &nothing);
	struct buffer text = { 0 };

	if (groups[_i].wrong) {
		ck_assert_ptr_null(plan);
		assert_warned(groups[_i].groups);
		ck_assert_ptr_eq(strchr(warnings(), '\n'), strrchr(warnings(), '\n'));
	} else {
		ck_assert_msg(plan != NULL, "%s", warnings());
		for (size_t i = 0; i < plan->ngroups; i++) {
			buffer_printf(&text, "%s%s:", i ? " | " : "", plan->groups[i].target);
			for (size_t k = 0; k < plan->groups[i].members.n; k++) {
				size_t member = plan->groups[i].members.v[k];

				buffer_printf(&text, " %s", plan->sessions[member].target);
				if (i == 0)
					ck_assert(plan->sessions[member].is_default);
			}
		}
		ck_assert_str_eq(text.data, groups[_i].groups);
	}
	buffer_free(&text);
	plan_free(plan);
	facts_free(facts);
}
END_TEST

/* 5,000 sessions, each with a section of its own, and some patterns over all: time is linear. */
START_TEST(many_sessions)
{
	enum { N = 5000 };
	struct strings nothing = { 0 };
	json_t *list = json_array(), *sections = json_object(), *root;
	struct timespec start, end;
	struct facts *facts;
	struct plan *plan;
	char *text;

	for (int i = 0; i < N; i++) {
		char *name = xasprintf("session_%d", i), *other = xasprintf("session_%d", i / 2);

		json_array_append_new(list, json_pack("{s:s,s:o}", "name", name, "envdir",
		    json_sprintf("/p/.nox/%s", name)));
		json_object_set_new(sections, name, json_pack("{s:[s],s:[s],s:[s]}", "uses", other,
		    "reads", "all", "after", i ? other : "session_[5-8]9"));
		free(name);
		free(other);
	}
	for (int i = 0; i < 20; i++) {
		char *pattern = xasprintf("session_*%d", i);

		json_object_set_new(sections, pattern, json_of("{'reads':['x'],'timeout':'1h'}"));
		free(pattern);
	}
	text = json_dumps(list, 0);
	root = facts_json(text, "[]");
	json_object_set_new(root, "config", json_pack("{s:o}", "session", sections));
	facts = facts_parse(root, "test");
	clock_gettime(CLOCK_MONOTONIC, &start);
	plan = planner_make(facts, &nothing);
	clock_gettime(CLOCK_MONOTONIC, &end);
	ck_assert_ptr_null(plan); /* 0 after 59, that after 29, …, that after 0 */
	assert_warned("a cycle: session_0 after session_59, session_59 after session_29, ");
	json_array_clear(json_object_get(json_object_get(sections, "session_0"), "after"));
	plan = planner_make(facts, &nothing);
	clock_gettime(CLOCK_MONOTONIC, &end);
	ck_assert_msg(plan != NULL, "%s", warnings());
	diagnose("two plans of %d sessions: %.2f s\n", N, (double)(end.tv_sec - start.tv_sec) +
	    (double)(end.tv_nsec - start.tv_nsec) / 1e9);
	/* valgrind takes its time, and it is for that that CK_FORK is set. */
	if (!getenv("CK_FORK"))
		ck_assert_int_lt(end.tv_sec - start.tv_sec, 10);
	plan_free(plan);
	facts_free(facts);
	json_decref(root);
	json_decref(list);
	free(text);
}
END_TEST

Suite *
check_overlay_suite(void)
{
	Suite *suite = suite_create("overlay");
	TCase *tc = support_case(suite, "claims");

	tcase_add_loop_test(tc, a_session_claims_what_its_sections_and_nox_say,
	    0, countof(claimed));
	tcase_add_test(tc, every_claim_says_where_it_comes_from);
	tc = support_case(suite, "order");
	tcase_add_loop_test(tc, after_and_needs_become_edges, 0, countof(orders));
	tc = support_case(suite, "options");
	tcase_add_test(tc, the_most_exact_section_counts);
	tcase_add_test(tc, later_patterns_win);
	tc = support_case(suite, "groups");
	tcase_add_loop_test(tc, groups_made, 0, countof(groups));
	tc = support_case(suite, "many");
	tcase_add_test(tc, many_sessions);
	return suite;
}
