#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state/failed.h"
#include "state/record.h"
#include "support.h"

#define SESSIONS                                                                              \
	"{\"schema\":1}\n"                                                                    \
	"{\"target\":\"a\",\"requires\":[\"b\"]}\n{\"target\":\"b\"}\n{\"target\":\"c\"}\n"  \
	"{\"group\":\"ci\",\"members\":[\"a\",\"c\"]}\n"

static void
put(int run, const char *target, enum verdict verdict)
{
	struct record record = { .target = xstrdup(target), .session = xstrdup(target),
		.exit = -1, .signal = -1, .client = -1, .verdict = verdict };

	ck_assert_int_eq(record_write(run, &record), 0);
	record_clear(&record);
}

static void
update(int state, int run, const char *goals)
{
	struct planfile *plan = planfile_open(state);
	json_t *list = json_of(goals);

	failed_update(state, run, plan, list);
	json_decref(list);
	planfile_close(plan);
}

START_TEST(a_failed_target_stays_until_it_passes)
{
	int state = folder_make("state"), run = folder_make("run"), next = folder_make("next");

	file_put("state/plan.jsonl", SESSIONS);
	put(run, "b", FAILED);
	put(run, "a", NOT_RUN);
	put(run, "c", PASSED);
	update(state, run, "['ci']");
	assert_file("state/failed", "a b \n");
	/* b alone passes; a, that was not asked for, is still to come. */
	put(next, "b", SKIPPED);
	update(state, next, "['b']");
	assert_file("state/failed", "a \n");
	/* What was notified has no goal, and what did not come to run no record. */
	put(next, "c", FAILED);
	update(state, next, "['a']");
	assert_file("state/failed", "a c \n");
	put(next, "a", PASSED);
	put(next, "c", PASSED);
	update(state, next, "['a']");
	assert_file("state/failed", "");
	assert_silent();
	close(next);
	close(run);
	close(state);
}
END_TEST

/* Nothing but targets of the plan comes out, whatever was in there. */
START_TEST(only_targets_of_the_plan_come_out)
{
	int state = folder_make("state"), run = folder_make("run");

	file_put("state/plan.jsonl", SESSIONS);
	file_put("state/failed", "b $(shell touch x) gone\na; \n c");
	update(state, run, "[]");
	assert_file("state/failed", "b c \n");
	close(run);
	close(state);
}
END_TEST

START_TEST(a_file_that_cannot_be_read_is_warned_of)
{
	int state = folder_make("state"), run = folder_make("run");

	file_put("state/plan.jsonl", SESSIONS);
	close(folder_make("state/failed"));
	update(state, run, "['c']");
	assert_warned(".nox/.noxmk/failed: Is a directory");
	close(run);
	close(state);
}
END_TEST

Suite *
check_failed_suite(void)
{
	Suite *suite = suite_create("failed");
	TCase *tc = support_case(suite, "failed");

	tcase_add_test(tc, a_failed_target_stays_until_it_passes);
	tcase_add_test(tc, only_targets_of_the_plan_come_out);
	tcase_add_test(tc, a_file_that_cannot_be_read_is_warned_of);
	return suite;
}
