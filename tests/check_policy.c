#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "state/policy.h"
#include "support.h"

static int
run_with(const char *target, enum verdict verdict)
{
	struct record record = { .target = xstrdup(target), .session = xstrdup(target),
		.exit = -1, .signal = -1, .client = -1, .verdict = verdict };
	int run = folder_make("run");

	ck_assert_int_eq(record_write(run, -1, &record), 0);
	record_clear(&record);
	return run;
}

/* What the run has come to say, after a session of that verdict; the caller frees. */
static char *
reason_after(struct policy policy, const char *target, enum verdict verdict, bool *cancel)
{
	int run = run_with(target, verdict);
	struct record record;
	char *reason;

	ck_assert_int_eq(record_read(run, target, &record), 1);
	policy_consider(run, &policy, &record);
	reason = policy_stop_reason(run, cancel);
	record_clear(&record);
	close(run);
	return reason;
}

START_TEST(a_failure_ends_the_run)
{
	struct policy fast = { .fail_fast = true }, wait = { .fail_fast = true, .wait = true };
	char *reason;
	bool cancel;

	ck_assert_ptr_null(reason_after(fast, "a", PASSED, &cancel));
	ck_assert_ptr_null(reason_after(fast, "a", CANCELLED, &cancel));
	ck_assert_ptr_null(reason_after((struct policy){ 0 }, "a", FAILED, &cancel));
	reason = reason_after(wait, "a", ABORTED, &cancel);
	ck_assert_str_eq(reason, "a aborted (FAIL_FAST)");
	ck_assert(!cancel);
	free(reason);
	/* The first one counts. */
	reason = reason_after(fast, "b", FAILED, &cancel);
	ck_assert_str_eq(reason, "a aborted (FAIL_FAST)");
	free(reason);
	assert_silent();
}
END_TEST

START_TEST(so_many_failures_end_the_run)
{
	struct policy two = { .max_fail = 2 };
	char *reason;
	bool cancel;

	ck_assert_ptr_null(reason_after(two, "a", FAILED, &cancel));
	ck_assert_ptr_null(reason_after(two, "b", SKIPPED, &cancel));
	reason = reason_after(two, "c", ABORTED, &cancel);
	ck_assert_str_eq(reason, "2 failed (MAX_FAIL)");
	ck_assert(cancel);
	free(reason);
}
END_TEST

START_TEST(a_damaged_reason_is_none)
{
	static const char *const texts[] = { "", "cancel x", "nonsense x\n", "\n" };
	int run = folder_make("run");
	bool cancel;

	for (size_t i = 0; i < countof(texts); i++) {
		file_put("run/.halt", texts[i]);
		ck_assert_ptr_null(policy_stop_reason(run, &cancel));
	}
	close(run);
}
END_TEST

START_TEST(a_reason_that_cannot_be_written_is_warned_of)
{
	struct policy fast = { .fail_fast = true };
	int run = run_with("a", FAILED);
	struct record record;
	bool cancel;

	ck_assert_int_eq(record_read(run, "a", &record), 1);
	ck_assert_int_eq(symlink("nowhere/at/all", "run/.halt"), 0);
	policy_consider(run, &fast, &record);
	free(policy_stop_reason(run, &cancel));
	ck_assert(cancel && !file_there("nowhere"));
	folder_remove("run");
	policy_consider(run, &fast, &record);
	assert_warned("the run goes on, though it was to end here (a failed (FAIL_FAST))");
	record_clear(&record);
	close(run);
}
END_TEST

Suite *
check_policy_suite(void)
{
	Suite *suite = suite_create("policy");
	TCase *tc = support_case(suite, "policy");

	tcase_add_test(tc, a_failure_ends_the_run);
	tcase_add_test(tc, so_many_failures_end_the_run);
	tcase_add_test(tc, a_damaged_reason_is_none);
	tcase_add_test(tc, a_reason_that_cannot_be_written_is_warned_of);
	return suite;
}
