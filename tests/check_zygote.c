#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "session/zygote.h"
#include "support.h"

/* The lender of a make in which a zygote was begun, but not by us. */
static struct keeper_lender
lender_of(struct zygote_options *options, const struct keeper_task *task)
{
	options->state = folder_make("state");
	options->runtime = folder_make("run");
	file_put("state/plan.jsonl", "{}\n");
	file_put("run/.zygote-retired.now", "");
	return zygote_lender(options, task);
}

/* What stands in the place of the note on forks. */
static const int odd[] = { -1, ODD_FIFO, ODD_FOLDER, ODD_ZEROS, ODD_DANGLING, ODD_HUGE,
	ODD_STRANGER };

START_TEST(why_nobody_forks_is_told_whatever_is_noted_of_the_plan)
{
	struct makeflags makeflags = { .slots = 1 };
	struct keeper_task task = { .out = -1, .err = -1, .more = -1 };
	char *found = NULL, why[KEEPER_WHY] = "";
	struct zygote_options options = { .fork = FORK_PAYING, .sessions = 100,
		.makeflags = &makeflags, .why = &found };
	struct keeper_lender lender = lender_of(&options, &task);

	ck_assert_ptr_nonnull(lender.ask);
	if (odd[_i] >= 0)
		odd_put((enum odd)odd[_i], "state/forked");
	ck_assert_int_eq(lender.ask(lender.data, &task, why), -1);
	ck_assert_str_eq(why, "the process to fork does not answer");
	ck_assert_ptr_null(found);
	close(options.runtime);
	close(options.state);
	assert_silent();
}
END_TEST

Suite *
check_zygote_suite(void)
{
	Suite *suite = suite_create("zygote");
	TCase *tc = support_case(suite, "zygote");

	tcase_add_loop_test(tc, why_nobody_forks_is_told_whatever_is_noted_of_the_plan, 0,
	    (int)countof(odd));
	return suite;
}
