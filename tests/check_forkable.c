#include <stdlib.h>
#include <unistd.h>

#include "state/forkable.h"
#include "support.h"

static int state;

static void
setup(void)
{
	state = folder_make("state");
	file_put("state/plan.jsonl", "{}\n");
}

static void
teardown(void)
{
	close(state);
}

START_TEST(what_is_known_is_of_one_plan)
{
	struct timespec made, again;
	char *plan = forkable_plan(state, &made), *next;

	ck_assert(!forkable_is_known(state, plan) && !forkable_refusal(state, plan));
	forkable_know(state, plan);
	ck_assert(forkable_is_known(state, plan));
	unlink("state/plan.jsonl");
	file_put("state/plan.jsonl", "{} \n");
	next = forkable_plan(state, &again);
	ck_assert_str_ne(plan, next);
	ck_assert(!forkable_is_known(state, next));
	forkable_forget(state);
	ck_assert(!forkable_is_known(state, plan));
	free(next);
	free(plan);
	assert_silent();
}
END_TEST

START_TEST(why_not_is_kept_with_the_plan)
{
	struct timespec made;
	char *plan = forkable_plan(state, &made), *why;

	forkable_refuse(state, plan, "the noxfile depends on the clock");
	why = forkable_refusal(state, plan);
	ck_assert_str_eq(why, "the noxfile depends on the clock");
	ck_assert(!forkable_refusal(state, "another\n"));
	/* The mark alone tells nothing. */
	file_put("state/unforked", plan);
	ck_assert(!forkable_refusal(state, plan));
	free(why);
	free(plan);
	assert_silent();
}
END_TEST

/* Nothing is known of it, and nobody waits for it. */
static const char *const things[] = { "mkfifo state/forked state/unforked",
	"mkdir state/forked state/unforked",
	"ln -s /dev/zero state/forked; ln -s /dev/zero state/unforked" };

START_TEST(any_thing_may_be_in_their_place)
{
	struct timespec made;
	char *plan = forkable_plan(state, &made);

	ck_assert_int_eq(system(things[_i]), 0);
	ck_assert(!forkable_is_known(state, plan) && !forkable_refusal(state, plan));
	free(plan);
}
END_TEST

Suite *
check_forkable_suite(void)
{
	Suite *suite = suite_create("forkable");
	TCase *tc = support_case(suite, "forkable");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_is_known_is_of_one_plan);
	tcase_add_test(tc, why_not_is_kept_with_the_plan);
	tcase_add_loop_test(tc, any_thing_may_be_in_their_place, 0, (int)countof(things));
	return suite;
}
