#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/baseline.h"
#include "audit/gap.h"
#include "audit/kept.h"
#include "audit/tell.h"
#include "base/json.h"
#include "state/state.h"
#include "support.h"

#define NOXFILE(date) "{'schema':1,'noxfile_date':" date ",'source_build':true}\n"
#define SESSIONS                                                                     \
	"{'target':'a','requires':[],'after':[],'claims':[],'options':{}}\n"         \
	"{'target':'b','requires':[],'after':[],'claims':[],'options':{}}\n"         \
	"{'target':'c','requires':['d'],'after':[],'claims':[],'options':{}}\n"      \
	"{'target':'d','requires':[],'after':['b'],'claims':[],'options':{}}\n"

/* A trace in the run, of a session that does this. */
static void
put_trace(const char *target, const char *ops)
{
	char folder[PATH_MAX], *root = getcwd(folder, sizeof(folder));
	char *text = xasprintf("{'noxmk-trace':1,'target':'%s','root':'%s'}\n{'path':'%s/x',"
	    "'ops':['%s'],'first':'%s','count':1,'before':null,'after':{'type':'file'},"
	    "'writer':'w\\u001b'}\n{'end':1,'complete':true}\n", target, root, root, ops, ops);
	char *name = xasprintf("run/%s.trace", target);

	file_put_json(name, text);
	free(name);
	free(text);
}

struct place {
	int state, run;
	struct planfile *plan;
};

static struct place
place_with(const char *plan)
{
	struct place place;

	state_choose("state");
	place.state = folder_make("state");
	place.run = folder_make("run");
	file_put_json("run/plan.jsonl", plan);
	place.plan = planfile_open(place.run);
	ck_assert(place.plan);
	return place;
}

static void
place_leave(struct place *place)
{
	planfile_close(place->plan);
	close(place->run);
	close(place->state);
}

static struct analysis_source
source_of(const struct place *place, bool keeps)
{
	return (struct analysis_source){ .state = place->state, .rundir = place->run,
		.keeps = keeps, .stores = keeps, .rules = NOISE_SET(NOISES) - 1 };
}

/* The sessions of the worst hazard, "ab", if it is not harmless; without that rule. */
static const char *
hazard_under(const struct place *place, bool keeps, enum noise rule)
{
	struct analysis_source source = source_of(place, keeps);
	static char targets[8];
	struct analysis a;
	size_t n = 0;
	bool any;

	source.rules &= ~NOISE_SET(rule);
	ck_assert_int_eq(analysis_make(&a, place->plan, &source), 0);
	any = tell_count(&a, LEVEL_CONFLICT, NULL) > 0;
	for (size_t i = 0; any && i < a.hazards.v->nmembers; i++)
		targets[n++] = a.actors[a.hazards.v->members[i].actor].target[0];
	targets[n] = '\0';
	analysis_clear(&a);
	return targets;
}

static const char *
hazard_of(const struct place *place, bool keeps)
{
	return hazard_under(place, keeps, NOISES);
}

START_TEST(what_the_plan_orders_is_no_hazard)
{
	struct place place = place_with(NOXFILE("1") SESSIONS);

	/* c requires d, and d comes after b. */
	put_trace("b", "create");
	put_trace("c", "create");
	put_trace("d", "create");
	ck_assert_str_eq(hazard_of(&place, false), "");
	ck_assert_str_eq(hazard_under(&place, false, NOISE_DECLARED), "bdc");
	put_trace("a", "create");
	ck_assert_str_eq(hazard_of(&place, false), "abdc");
	place_leave(&place);
}
END_TEST

/* Order by way of a third session holds where that runs: if it is required, in every make. */
#define WAITS(target, requires, after)                                               \
	"{'target':'" target "','requires':[" requires "],'after':[" after "],"      \
	"'claims':[],'options':{}}\n"

static const struct {
	const char *b, *c, *hazard;
} ways[] = {
	{ WAITS("b", "", "'a'"), WAITS("c", "'b'", ""), "" },
	{ WAITS("b", "'a'", ""), WAITS("c", "'b'", ""), "" },
	{ WAITS("b", "", "'a'"), WAITS("c", "", "'b'"), "ac" },
	{ WAITS("b", "'a'", ""), WAITS("c", "", "'b'"), "ac" },
	{ WAITS("b", "", "'a'"), WAITS("c", "", "'a','b'"), "" },
};

START_TEST(what_the_plan_orders_is_so_in_every_make)
{
	char *plan = xasprintf("%s%s%s%s", NOXFILE("1"), WAITS("a", "", ""), ways[_i].b,
	    ways[_i].c);
	struct place place = place_with(plan);

	put_trace("a", "create");
	put_trace("b", "create");
	put_trace("c", "create");
	ck_assert_str_eq(hazard_of(&place, false), ways[_i].hazard);
	place_leave(&place);
	free(plan);
}
END_TEST

#define CLAIMS(target, resource, more)                                               \
	"{'target':'" target "','requires':[],'after':[],'options':{},"              \
	"'claims':[{'resource':'" resource "'," more "}]}\n"

static const struct {
	const char *a, *b, *hazard;
} claims[] = {
	{ CLAIMS("a", "r", "'use':'exclusive'"), CLAIMS("b", "r", "'use':'shared'"), "" },
	{ CLAIMS("a", "r", "'use':'shared'"), CLAIMS("b", "r", "'use':'shared'"), "ab" },
	{ CLAIMS("a", "r", "'use':'exclusive'"), CLAIMS("b", "s", "'use':'exclusive'"), "ab" },
	{ CLAIMS("a", "r", "'use':'amount','amount':2,'capacity':3"),
	    CLAIMS("b", "r", "'use':'amount','amount':2,'capacity':3"), "" },
	{ CLAIMS("a", "r", "'use':'amount','amount':2,'capacity':4"),
	    CLAIMS("b", "r", "'use':'amount','amount':2,'capacity':4"), "ab" },
	/* What was learned is not to hide what it was learned of. */
	{ CLAIMS("a", "r", "'use':'exclusive','by':'learned: both use x'"),
	    CLAIMS("b", "r", "'use':'exclusive','by':'learned: both use x'"), "ab" },
};

START_TEST(what_the_plan_locks_is_no_hazard)
{
	char *plan = xasprintf("%s%s%s", NOXFILE("1"), claims[_i].a, claims[_i].b);
	struct place place = place_with(plan);

	put_trace("a", "create");
	put_trace("b", "create");
	ck_assert_str_eq(hazard_of(&place, false), claims[_i].hazard);
	place_leave(&place);
	free(plan);
}
END_TEST

START_TEST(traces_from_before_count)
{
	struct place place = place_with(NOXFILE("1") SESSIONS);

	put_trace("a", "create");
	ck_assert_str_eq(hazard_of(&place, true), "");
	unlink("run/a.trace");
	put_trace("b", "create");
	ck_assert_str_eq(hazard_of(&place, true), "ab");
	/* Without those of before there is b alone. */
	ck_assert_str_eq(hazard_of(&place, false), "");
	kept_forget(place.state);
	ck_assert_str_eq(hazard_of(&place, true), "");
	place_leave(&place);
}
END_TEST

/* With another noxfile, or other variables, the session may do something else. */
START_TEST(what_traces_rest_on_may_change)
{
	struct place place = place_with(NOXFILE("1") SESSIONS);

	put_trace("a", "create");
	put_trace("b", "create");
	ck_assert_str_eq(hazard_of(&place, true), "ab");
	put_trace("a", "read");
	ck_assert_str_eq(hazard_of(&place, true), "ab");
	unlink("run/b.trace");
	place_leave(&place);
	place = place_with(NOXFILE("2") SESSIONS);
	ck_assert_str_eq(hazard_of(&place, true), "");
	place_leave(&place);
}
END_TEST

/* What is kept of a becomes what another checkout would have left. */
static void
move_kept(void)
{
	char folder[PATH_MAX], *here = getcwd(folder, sizeof(folder)), *at;
	char *text = file_get("state/traces/a.trace"), *rest = text;
	struct buffer moved = { 0 };

	while ((at = strstr(rest, here))) {
		buffer_add(&moved, rest, (size_t)(at - rest));
		buffer_addstr(&moved, "/other");
		rest = at + strlen(here);
	}
	buffer_addstr(&moved, rest);
	ck_assert_ptr_nonnull(strstr(moved.data, "/other/x"));
	file_put("state/traces/a.trace", moved.data);
	buffer_free(&moved);
	free(text);
}

/* A CI's cache may bring them into a checkout at another place, at another time. */
START_TEST(traces_hold_in_another_checkout)
{
#define PLAN(date) "{'schema':1,'noxfile':'noxfile.py','noxfile_date':" date "}\n" SESSIONS
	struct place place;

	file_put("noxfile.py", "import nox\n");
	place = place_with(PLAN("1"));
	put_trace("a", "create");
	ck_assert_str_eq(hazard_of(&place, true), "");
	unlink("run/a.trace");
	place_leave(&place);
	move_kept();
	place = place_with(PLAN("2"));
	put_trace("b", "create");
	ck_assert_str_eq(hazard_of(&place, true), "ab");
	place_leave(&place);
	file_put("noxfile.py", "import os\n");
	place = place_with(PLAN("2"));
	ck_assert_str_eq(hazard_of(&place, true), "");
	place_leave(&place);
}
END_TEST

START_TEST(what_is_kept_may_be_anything)
{
	struct place place = place_with(NOXFILE("1") SESSIONS);

	put_trace("a", "create");
	put_trace("b", "create");
	close(folder_make("state/traces"));
	odd_put((enum odd)_i, "state/traces/a.trace");
	ck_assert_str_eq(hazard_of(&place, true), "ab");
	place_leave(&place);
}
END_TEST

START_TEST(without_traces_there_is_nothing_to_say)
{
	struct place place = place_with(NOXFILE("1") SESSIONS);
	struct analysis_source source = source_of(&place, true);
	struct analysis a;

	ck_assert_int_eq(analysis_make(&a, place.plan, &source), -1);
	assert_warned("no session has been traced");
	analysis_clear(&a);
	place_leave(&place);
}
END_TEST

START_TEST(a_baseline_has_what_is_known)
{
	struct place place = place_with(NOXFILE("1") SESSIONS);
	struct analysis_source source = source_of(&place, false);
	struct analysis a;
	json_t *known = baseline_read("base.json");

	ck_assert_uint_eq(json_array_size(known), 0);
	put_trace("a", "create");
	put_trace("b", "create");
	ck_assert_int_eq(analysis_make(&a, place.plan, &source), 0);
	ck_assert_uint_eq(tell_count(&a, LEVEL_CONFLICT, known), 1);
	ck_assert_int_eq(baseline_write("base.json", &a), 0);
	json_decref(known);
	known = baseline_read("base.json");
	ck_assert_uint_eq(tell_count(&a, LEVEL_CONFLICT, known), 0);
	json_decref(known);
	/* Only with all of its sessions. */
	file_put_json("base.json", "{'noxmk-audit':1,'known':[{'place':'x','sessions':['a']},7,"
	    "{'place':'y','sessions':['a','b']}]}");
	known = baseline_read("base.json");
	ck_assert_uint_eq(tell_count(&a, LEVEL_CONFLICT, known), 1);
	json_decref(known);
	assert_silent();
	file_put_json("base.json", "[]");
	ck_assert(!baseline_read("base.json"));
	assert_warned("base.json: not what `noxmk audit --write-baseline` writes");
	analysis_clear(&a);
	place_leave(&place);
}
END_TEST

/* The notes of an audit of that run; "" for none. The caller frees. */
static char *
gaps_of(const struct place *place, bool keeps)
{
	struct analysis_source source = source_of(place, keeps);
	struct analysis a;
	char *text;

	ck_assert_int_eq(analysis_make(&a, place->plan, &source), 0);
	output_begin();
	gap_print(&a);
	text = output_end();
	ck_assert_int_eq(gap_any(&a), *text != '\0');
	analysis_clear(&a);
	return text;
}

START_TEST(what_was_not_seen_is_told)
{
	static const struct {
		const char *end, *note;
	} cases[] = {
		{ "{'end':1,'complete':true}", "" },
		{ "{'end':1,'complete':true,'foreign':16}",
		    "note: a: 16 of its calls were not seen\n" },
		{ "{'end':1,'complete':true,'unreadable':2}",
		    "note: a: the paths of 2 of its calls could not be read\n" },
		{ "{'end':1,'complete':false,'why':'it\\u001b'}",
		    "note: a: not all that it did was seen: it\\^[\n" },
		{ "", "note: a: not all that it did was seen: it has no end\n" },
	};
	struct place place = place_with(NOXFILE("1") SESSIONS);
	char *trace = xasprintf("{'noxmk-trace':1,'target':'a','root':'/p'}\n%s\n",
	    cases[_i].end), *text;

	file_put_json("run/a.trace", trace);
	text = gaps_of(&place, false);
	ck_assert_str_eq(text, cases[_i].note);
	free(text);
	free(trace);
	place_leave(&place);
}
END_TEST

START_TEST(a_session_without_its_trace_is_told)
{
	struct place place = place_with(NOXFILE("1") SESSIONS);
	char *text;

	/* The others have not run. */
	put_trace("a", "create");
	file_put_json("run/b.json", "{'schema':1,'target':'b','session':'b','verdict':'passed'}");
	text = gaps_of(&place, false);
	ck_assert_str_eq(text, "note: b: it has no trace: nothing was seen\n");
	free(text);
	place_leave(&place);
}
END_TEST

/* As many as are compared, and two. */
START_TEST(sessions_that_are_too_many_are_told)
{
	struct buffer plan = { 0 };
	struct place place;
	char *text;

	buffer_addstr(&plan, NOXFILE("1"));
	for (int i = 0; i < 1002; i++)
		buffer_printf(&plan, "{'target':'s%d','requires':[],'after':[],'claims':[],"
		    "'options':{}}\n", i);
	place = place_with(plan.data);
	for (int i = 0; i < 1002; i++) {
		char *target = xasprintf("s%d", i);

		put_trace(target, "read");
		free(target);
	}
	text = gaps_of(&place, false);
	ck_assert_str_eq(text, "note: 2 more sessions: left out, since there are too many\n");
	free(text);
	buffer_free(&plan);
	place_leave(&place);
}
END_TEST

static bool
add_up_to(const void *data, size_t a, size_t b)
{
	return a + b == *(const size_t *)data;
}

/* As with those that ran at the same time. */
START_TEST(hazards_of_some_pairs_only)
{
	struct place place = place_with(NOXFILE("1") SESSIONS);
	struct analysis_source source = source_of(&place, false);
	struct analysis a;
	size_t sum = 1;
	struct analysis_filter filter = { add_up_to, &sum, false };

	put_trace("a", "create");
	put_trace("b", "create");
	put_trace("d", "create");
	ck_assert_int_eq(analysis_make(&a, place.plan, &source), 0);
	ck_assert_uint_eq(json_object_size(a.remedies), 3);
	analysis_narrow(&a, &filter);
	ck_assert_uint_eq(a.hazards.n, 1);
	ck_assert_uint_eq(a.hazards.v->nmembers, 2);
	ck_assert_uint_eq(json_object_size(a.remedies), 2);
	sum = 0;
	analysis_narrow(&a, &filter);
	ck_assert_uint_eq(a.hazards.n, 0);
	ck_assert_uint_eq(json_object_size(a.remedies), 0);
	analysis_clear(&a);
	place_leave(&place);
}
END_TEST

/* As a backend makes its module that says the version. */
static void
put_build(const char *target)
{
	char folder[PATH_MAX], *root = getcwd(folder, sizeof(folder));
	char *text = xasprintf("{'noxmk-trace':1,'target':'%s','root':'%s'}\n{'path':'%s/v.py',"
	    "'ops':['read','create','write'],'first':'create','count':1,'before':null,"
	    "'after':{'type':'file'},'hash':'a1','writer':'_in_process.py'}\n"
	    "{'end':1,'complete':true}\n", target, root, root);
	char *name = xasprintf("run/%s.trace", target);

	file_put_json(name, text);
	free(name);
	free(text);
}

START_TEST(builds_that_make_the_same_are_left_alone)
{
	struct place place = place_with(NOXFILE("1") SESSIONS);
	struct analysis_source source = source_of(&place, false);
	struct analysis a;
	char *text;

	put_build("a");
	put_build("b");
	ck_assert_int_eq(analysis_make(&a, place.plan, &source), 0);
	output_begin();
	tell_print(&a, &(struct tell_options){ 0 });
	text = output_end();
	ck_assert_str_eq(text, "likely    v.py\n"
	    "  a (_in_process.py) and b (_in_process.py) write it\n"
	    "  Builds make the same of it, and are kept apart: only who reads it just then may "
	    "find half of it.\n"
	    "  No line is offered, since it would keep the whole sessions apart.\n\n"
	    "noxmk audit: 0 conflicts, 1 likely in 1 traced run of 2 sessions\n");
	free(text);
	analysis_clear(&a);
	place_leave(&place);
}
END_TEST

/* Parts of a session, whose section, and whose line of a baseline, is that of the whole. */
START_TEST(parts_are_told_of_as_one_session)
{
	struct place place = place_with(NOXFILE("1")
	    "{'target':'t.part-1','requires':[],'after':[],'claims':[],'options':{},"
	    "'part':[1,2],'whole':'t'}\n"
	    "{'target':'t.part-2','requires':[],'after':[],'claims':[],'options':{},"
	    "'part':[2,2],'whole':'t'}\n");
	struct analysis_source source = source_of(&place, false);
	struct analysis a;
	json_t *known;
	char *text;

	put_trace("t.part-1", "create");
	put_trace("t.part-2", "create");
	ck_assert_int_eq(analysis_make(&a, place.plan, &source), 0);
	ck_assert_int_eq(baseline_write("base.json", &a), 0);
	assert_file("base.json", "{\"noxmk-audit\": 1, \"known\": [\n"
	    " {\"place\": \"x\", \"sessions\": [\"t\"]}\n]}\n");
	known = baseline_read("base.json");
	output_begin();
	tell_print(&a, &(struct tell_options){ .known = known });
	text = output_end();
	ck_assert_str_eq(text, "known     x\n"
	    "  t.part-1 (w\\^[) and t.part-2 (w\\^[) write it\n"
	    "  Beside each other one may lose or damage what the other writes.\n"
	    "    [tool.noxmk.session.t]\n"
	    "    uses = [\"x\"]\n\n"
	    "noxmk audit: none observed in 1 traced run of 2 sessions; 1 known\n");
	free(text);
	json_decref(known);
	analysis_clear(&a);
	place_leave(&place);
}
END_TEST

START_TEST(people_read_what_to_do)
{
	struct place place = place_with(NOXFILE("1") SESSIONS);
	struct analysis_source source = source_of(&place, false);
	struct analysis a;
	char *text;

	put_trace("a", "create");
	put_trace("b", "create");
	ck_assert_int_eq(analysis_make(&a, place.plan, &source), 0);
	output_begin();
	tell_print(&a, &(struct tell_options){ 0 });
	text = output_end();
	ck_assert_str_eq(text, "conflict  x\n"
	    "  a (w\\^[) and b (w\\^[) write it\n"
	    "  Beside each other one may lose or damage what the other writes.\n"
	    "    [tool.noxmk.session.a]\n"
	    "    uses = [\"x\"]\n"
	    "    [tool.noxmk.session.b]\n"
	    "    uses = [\"x\"]\n\n"
	    "noxmk audit: 1 conflict, 0 likely in 1 traced run of 2 sessions\n");
	free(text);
	output_begin();
	ck_assert(tell_explain(&a, "x"));
	ck_assert(!tell_explain(&a, "y"));
	text = output_end();
	ck_assert_str_eq(text, "a: create; written by w\\^[; not there before, there after\n"
	    "b: create; written by w\\^[; not there before, there after\n"
	    "a and b: write/write: conflict\n");
	free(text);
	analysis_clear(&a);
	place_leave(&place);
}
END_TEST

START_TEST(programs_read_the_same)
{
	struct place place = place_with(NOXFILE("1") SESSIONS);
	struct analysis_source source = source_of(&place, false);
	struct analysis a;
	json_t *all, *expected = json_of("{'a':{'uses':['x']},'b':{'uses':['x']}}"), *hazard;
	char folder[PATH_MAX], *path, *text;

	put_trace("a", "create");
	put_trace("b", "create");
	ck_assert_int_eq(analysis_make(&a, place.plan, &source), 0);
	output_begin();
	tell_print_json(&a, &(struct tell_options){ 0 });
	text = output_end();
	all = json_loads(text, 0, NULL);
	hazard = json_array_get(json_object_get(all, "hazards"), 0);
	ck_assert_str_eq(json_text(hazard, "level"), "conflict");
	ck_assert_str_eq(json_text(hazard, "kind"), "write/write");
	ck_assert_str_eq(json_text(hazard, "what"), "x");
	path = xasprintf("%s/x", getcwd(folder, sizeof(folder)));
	ck_assert(json_list_has(json_object_get(hazard, "examples"), path));
	free(path);
	ck_assert(json_equal(json_object_get(hazard, "fix"), expected));
	ck_assert(json_equal(json_object_get(all, "fix"), expected));
	ck_assert_uint_eq(json_array_size(json_object_get(all, "sessions")), 2);
	json_decref(all);
	json_decref(expected);
	free(text);
	analysis_clear(&a);
	place_leave(&place);
}
END_TEST

Suite *
check_analysis_suite(void)
{
	Suite *suite = suite_create("analysis");
	TCase *tc = support_case(suite, "analysis");

	tcase_add_test(tc, what_the_plan_orders_is_no_hazard);
	tcase_add_loop_test(tc, what_the_plan_orders_is_so_in_every_make, 0, countof(ways));
	tcase_add_loop_test(tc, what_the_plan_locks_is_no_hazard, 0, countof(claims));
	tcase_add_test(tc, traces_from_before_count);
	tcase_add_test(tc, what_traces_rest_on_may_change);
	tcase_add_test(tc, traces_hold_in_another_checkout);
	tcase_add_loop_test(tc, what_is_kept_may_be_anything, 0, ODD_THINGS);
	tcase_add_test(tc, without_traces_there_is_nothing_to_say);
	tcase_add_loop_test(tc, what_was_not_seen_is_told, 0, 5);
	tcase_add_test(tc, a_session_without_its_trace_is_told);
	tcase_add_test(tc, sessions_that_are_too_many_are_told);
	tcase_add_test(tc, a_baseline_has_what_is_known);
	tcase_add_test(tc, hazards_of_some_pairs_only);
	tcase_add_test(tc, builds_that_make_the_same_are_left_alone);
	tcase_add_test(tc, parts_are_told_of_as_one_session);
	tcase_add_test(tc, people_read_what_to_do);
	tcase_add_test(tc, programs_read_the_same);
	return suite;
}
