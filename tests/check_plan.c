#include <stdlib.h>

#include "plan/planner.h"
#include "support.h"

/* Prerequisites first, each once, and what the list has already is left where it is. */
START_TEST(a_closure_adds_what_is_required_before_who_requires_it)
{
	struct strings nothing = { 0 };
	struct facts *facts = facts_of("[{'name':'a','requires':[1,2]},{'name':'b','requires':[3]},"
		"{'name':'c','requires':[3]},{'name':'d'},{'name':'e'}]", "[0]");
	struct plan *plan = planner_make(facts, &nothing);
	static const size_t wanted[] = { 3, 2, 1, 0, 4 };
	struct indices list = { 0 };

	plan_closure(plan, 2, &list);
	plan_closure(plan, 0, &list);
	plan_closure(plan, 4, &list);
	plan_closure(plan, 4, &list);
	ck_assert_uint_eq(list.n, countof(wanted));
	for (size_t i = 0; i < list.n; i++)
		ck_assert_uint_eq(list.v[i], wanted[i]);
	free(list.v);
	plan_free(plan);
	facts_free(facts);
}
END_TEST

START_TEST(an_added_group_is_last_and_empty)
{
	struct plan plan = { 0 };
	struct plan_group *group;

	plan_add_group(&plan, "name", xstrdup("a"), xstrdup("first"));
	group = plan_add_group(&plan, "name", xstrdup("b"), xstrdup("second"));
	ck_assert_uint_eq(plan.ngroups, 2);
	ck_assert_ptr_eq(group, &plan.groups[1]);
	ck_assert_str_eq(plan.groups[0].target, "a");
	ck_assert_str_eq(group->target, "b");
	ck_assert_str_eq(group->what, "second");
	ck_assert_uint_eq(group->members.n, 0);
	for (size_t i = 0; i < plan.ngroups; i++) {
		free(plan.groups[i].target);
		free(plan.groups[i].what);
	}
	free(plan.groups);
}
END_TEST

START_TEST(there_may_be_no_plan_to_free)
{
	plan_free(NULL);
	assert_silent();
}
END_TEST

Suite *
check_plan_suite(void)
{
	Suite *suite = suite_create("plan");
	TCase *tc = support_case(suite, "plan");

	tcase_add_test(tc, a_closure_adds_what_is_required_before_who_requires_it);
	tcase_add_test(tc, an_added_group_is_last_and_empty);
	tcase_add_test(tc, there_may_be_no_plan_to_free);
	return suite;
}
