#include "plan/planner.h"
#include "plan/rule.h"
#include "support.h"

START_TEST(whole_file)
{
	struct strings nothing = { 0 };
	struct facts *facts = facts_of("[{'name':'lint','notifies':[2]},{'name':'build'},"
		"{'name':'t','session':'t(1)','signatures':['t(1)'],'requires':[1]},"
		"{'name':'t','session':'t(2)','signatures':['t(2)']}]", "[0,2]");
	struct plan *plan = planner_make(facts, &nothing);
	struct buffer b = { 0 };

	rule_write(plan, &b);
	ck_assert_str_eq(b.data,
	    "# Made by noxmk from the noxfile; it is remade when that changes.\n"
	    "_noxmk.sessions := lint build t-1 t-2\n"
	    "_noxmk.groups := ci t\n"
	    "\n# goal -> the sessions it runs, those they require included\n"
	    "_noxmk/lint := lint\n_noxmk/build := build\n_noxmk/t-1 := build t-1\n"
	    "_noxmk/t-2 := t-2\n"
	    "_noxmk/ci := lint build t-1\n_noxmk/t := build t-1 t-2\n"
	    "\n# session -> those that come first if they run at all\n"
	    "_noxmk.late := t-1\n_noxmk.after/t-1 := lint\n"
	    "\n# requires=\n.noxmk/run/t-1: | .noxmk/run/build\n"
	    "\n# groups; one that is a goal leaves the order to .noxmk/end\n"
	    "ifeq (,$(_noxmk.shard))\n"
	    "ci: | $(if $(filter ci,$(_noxmk.asked)),.noxmk/end)"
	    " .noxmk/run/lint .noxmk/run/t-1\n"
	    "t: | $(if $(filter t,$(_noxmk.asked)),.noxmk/end)"
	    " .noxmk/run/t-1 .noxmk/run/t-2\n"
	    "endif\n# end\n");
	buffer_free(&b);
	plan_free(plan);
	facts_free(facts);
}
END_TEST

Suite *
check_rule_suite(void)
{
	Suite *suite = suite_create("rule");
	TCase *tc = support_case(suite, "text");

	tcase_add_test(tc, whole_file);
	return suite;
}
