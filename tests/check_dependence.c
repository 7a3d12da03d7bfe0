#include <stdlib.h>
#include <string.h>

#include "audit/dependence.h"
#include "base/json.h"
#include "support.h"

enum { RUNS = 4 };

/* A run: its sessions as outcome.h has them; what it leaves: "path=content", with blanks. */
struct run {
	enum outcome_way way;
	const char *sessions, *left;
};

static struct leaving
leaving_made(const char *text)
{
	struct leaving leaving = { 0 };
	char *copy = xstrdup(text), *rest = copy, *word;

	leaving.v = xcalloc(8, sizeof(*leaving.v));
	while ((word = strsep(&rest, " ")))
		if (*word) {
			char *value = strchr(word, '=');

			*value++ = '\0';
			leaving.v[leaving.n++] = (struct leaving_file){ xstrdup(word),
				xstrdup(value) };
		}
	free(copy);
	return leaving;
}

static struct outcome
outcome_made(const struct run *run)
{
	static const char *const names[] = { "usual", "shuffled", "at once" };
	json_t *sessions = json_of(run->sessions), *order = json_array(), *session;
	const char *target;

	json_object_foreach(sessions, target, session)
		json_array_append_new(order, json_string(target));
	return (struct outcome){ .name = names[run->way], .way = run->way, .sessions = sessions,
		.order = order, .leaving = leaving_made(run->left), .root = xstrdup("/p") };
}

/* What of it is found, as one line of JSON where ' stands for "; the caller frees. */
static char *
found_in(const struct run *runs, size_t n)
{
	struct outcome outcomes[RUNS];
	struct dependences it;
	json_t *all;
	char *text;

	for (size_t i = 0; i < n; i++)
		outcomes[i] = outcome_made(&runs[i]);
	it = dependence_find(outcomes, n);
	all = json_array();
	for (size_t i = 0; i < json_array_size(it.found); i++) {
		json_t *one = json_array_get(it.found, i);

		json_array_append_new(all, json_pack("[o,s,s,o]",
		    json_is_null(json_object_get(one, "session")) ?
			json_incref(json_object_get(one, "paths")) :
			json_incref(json_object_get(one, "session")),
		    json_text(one, "on"), json_text(one, "run"),
		    json_incref(json_object_get(one, "others"))));
	}
	json_array_append(all, it.sessions);
	json_array_append(all, it.paths);
	text = json_dumps(all, JSON_COMPACT);
	for (char *c = text; *c; c++)
		*c = *c == '"' ? '\'' : *c;
	json_decref(all);
	dependence_clear(&it);
	for (size_t i = 0; i < n; i++)
		outcome_clear(&outcomes[i]);
	return text;
}

#define SESSION(target, verdict, from, to) \
	"'" target "':{'verdict':'" verdict "','started':" #from ",'ended':" #to "}"
#define ONE_BY_ONE(a, b, c) \
	"{" SESSION("a", a, 1, 2) "," SESSION("b", b, 2, 3) "," SESSION("c", c, 3, 4) "}"
#define AT_ONCE(a, b, c) \
	"{" SESSION("a", a, 1, 3) "," SESSION("b", b, 2, 4) "," SESSION("c", c, 3, 4) "}"
#define WELL ONE_BY_ONE("passed", "passed", "passed")

static const struct {
	struct run runs[RUNS];
	const char *found;
} cases[] = {
	{ { { OUTCOME_IN_ORDER, WELL, "x=1" }, { OUTCOME_SHUFFLED, WELL, "x=1" },
	      { OUTCOME_AT_ONCE, WELL, "x=1" }, { OUTCOME_IN_ORDER, WELL, "x=1" } },
	    "[[],[]]" },
	/* A verdict by the order, which is not told once more for company. */
	{ { { OUTCOME_IN_ORDER, WELL, "" },
	      { OUTCOME_SHUFFLED, ONE_BY_ONE("passed", "passed", "failed"), "" },
	      { OUTCOME_AT_ONCE, AT_ONCE("passed", "passed", "failed"), "" },
	      { OUTCOME_IN_ORDER, WELL, "" } },
	    "[['c','order','shuffled',['a','b']],[],[]]" },
	/* By company: those that ran at the same time. */
	{ { { OUTCOME_IN_ORDER, WELL, "" }, { OUTCOME_SHUFFLED, WELL, "" },
	      { OUTCOME_AT_ONCE, AT_ONCE("failed", "passed", "passed"), "" },
	      { OUTCOME_IN_ORDER, WELL, "" } },
	    "[['a','company','at once',['b']],[],[]]" },
	/* One that is well only in some other order. */
	{ { { OUTCOME_IN_ORDER, ONE_BY_ONE("passed", "failed", "passed"), "" },
	      { OUTCOME_SHUFFLED, WELL, "" },
	      { OUTCOME_AT_ONCE, ONE_BY_ONE("passed", "failed", "passed"), "" },
	      { OUTCOME_IN_ORDER, ONE_BY_ONE("passed", "failed", "passed"), "" } },
	    "[['b','order','shuffled',['a']],[],[]]" },
	/* Not the same twice: nobody's fault. */
	{ { { OUTCOME_IN_ORDER, WELL, "x=1 y=1" },
	      { OUTCOME_SHUFFLED, ONE_BY_ONE("failed", "passed", "passed"), "x=2 y=1" },
	      { OUTCOME_AT_ONCE, WELL, "x=3 y=1" },
	      { OUTCOME_IN_ORDER, ONE_BY_ONE("failed", "passed", "passed"), "x=4 y=1" } },
	    "[['a'],['x']]" },
	/* Files, once for each. */
	{ { { OUTCOME_IN_ORDER, WELL, "x=1 y=1 z=1" },
	      { OUTCOME_SHUFFLED, WELL, "x=2 y=1" },
	      { OUTCOME_AT_ONCE, WELL, "x=2 y=2 z=1" },
	      { OUTCOME_IN_ORDER, WELL, "x=1 y=1 z=1" } },
	    "[[['x','z'],'order','shuffled',[]],[['y'],'company','at once',[]],[],[]]" },
	/* What was not run, or cancelled, has no verdict that could differ. */
	{ { { OUTCOME_IN_ORDER, WELL, "" },
	      { OUTCOME_SHUFFLED, "{'a':{'verdict':null,'started':0,'ended':0}}", "" },
	      { OUTCOME_AT_ONCE, WELL, "" }, { OUTCOME_IN_ORDER, WELL, "" } },
	    "[[],[]]" },
};

START_TEST(what_differs_only_in_another_order_or_company_is_found)
{
	char *found = found_in(cases[_i].runs, RUNS);

	ck_assert_str_eq(found, cases[_i].found);
	free(found);
}
END_TEST

START_TEST(it_is_said_in_words)
{
	const struct run runs[] = { { OUTCOME_IN_ORDER, WELL, "x=1 y=1" },
		{ OUTCOME_SHUFFLED, ONE_BY_ONE("passed", "passed", "failed"), "x=2 y=1" },
		{ OUTCOME_IN_ORDER, WELL, "x=1 y=2" } };
	struct outcome outcomes[countof(runs)];
	struct dependences it;
	char *text;

	for (size_t i = 0; i < countof(runs); i++)
		outcomes[i] = outcome_made(&runs[i]);
	it = dependence_find(outcomes, countof(runs));
	output_begin();
	dependence_print(&it, outcomes, countof(runs));
	text = output_end();
	ck_assert_str_eq(text,
	    "order     c\n  passed in the noxfile's order; failed shuffled\n"
	    "  so it is after a, b\n\norder     x\n  left otherwise shuffled\n\n"
	    "note: not repeatable, also in the noxfile's order: y\n"
	    "noxmk audit: 2 depend on the order, 0 on company, in 3 runs of 3 sessions\n");
	free(text);
	dependence_clear(&it);
	for (size_t i = 0; i < countof(runs); i++)
		outcome_clear(&outcomes[i]);
}
END_TEST

Suite *
check_dependence_suite(void)
{
	Suite *s = suite_create("dependence");
	TCase *tc = support_case(s, "dependence");

	tcase_add_loop_test(tc, what_differs_only_in_another_order_or_company_is_found, 0,
	    countof(cases));
	tcase_add_test(tc, it_is_said_in_words);
	return s;
}
