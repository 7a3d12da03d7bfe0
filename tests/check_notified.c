#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "notified.h"
#include "state/record.h"
#include "support.h"

/* A run of a, c and d in which a has notified something. */
static int
run_with_caller(const char *notify)
{
	struct facts *facts = facts_of("[{'name':'a'},{'name':'c'},{'name':'d'}]", "[0]");
	int run = folder_make("run");
	char name[] = "a";
	struct record r = { .target = name, .session = name, .notify = json_of(notify) };

	ck_assert_int_eq(record_write(run, -1, &r), 0);
	json_decref(r.notify);
	plan_put(run, facts, NULL, NULL);
	facts_free(facts);
	return run;
}

static int
run_notified(int run, const char *key, char *const *make)
{
	struct planfile *plan = planfile_open(run);
	json_t *tried = json_of("{'a':true}");
	int result = notified_run(run, key, make, plan, tried);

	planfile_close(plan);
	json_decref(tried);
	return result;
}

/* A make that does no more than make the records of c and d, as a shell script. */
static char shell[] = "/bin/sh", script[] = "./make";
static char failing[] = "/bin/false", none[] = "./no-make";

START_TEST(without_any_no_make_is_started)
{
	char *make[] = { none, NULL };
	int run = run_with_caller("[]");

	ck_assert_int_eq(run_notified(run, "1-2", make), 0);
	assert_silent();
	close(run);
}
END_TEST

START_TEST(makes_are_started_until_none_is_left)
{
	char *make[] = { shell, script, NULL };
	int run = run_with_caller("[{'target':'c'}]");

	/* The first time c notifies d, the second time d notifies c, which has a record. */
	file_put("make", "echo \"$NOXMK_RUN $*\" >>calls\n"
			 "for run; do t=${run##*/}; o=d; [ $t = c ] || o=c\n"
			 "sed 's/^ \"target\": \"a\"/ \"target\": \"'$t'\"/; "
			 "s/^   \"target\": \"c\"/   \"target\": \"'$o'\"/' "
			 "run/a.json >run/$t.json; done\n");
	ck_assert_int_eq(run_notified(run, "1-2", make), 1);
	assert_file("calls", "1-2 .noxmk/run/c\n1-2 .noxmk/run/d\n");
	assert_silent();
	close(run);
}
END_TEST

START_TEST(a_session_without_a_record_is_not_run_for_ever)
{
	char *make[] = { shell, script, NULL };
	int run = run_with_caller("[{'target':'c'}]");

	file_put("make", "echo \"$*\" >>calls\n");
	ck_assert_int_eq(run_notified(run, "1-2", make), 1);
	assert_file("calls", ".noxmk/run/c\n");
	close(run);
}
END_TEST

START_TEST(a_make_that_fails_is_told)
{
	char *make[] = { failing, NULL };
	int run = run_with_caller("[{'target':'c'}]");

	ck_assert_int_eq(run_notified(run, NULL, make), -1);
	close(run);
}
END_TEST

START_TEST(a_make_that_cannot_start_is_told)
{
	char *make[] = { none, NULL };
	int run = run_with_caller("[{'target':'c'}]");

	ck_assert_int_eq(run_notified(run, NULL, make), -1);
	assert_warned("cannot run ./no-make for the notified sessions: No such file");
	close(run);
}
END_TEST

/* Only sessions of the plan are. */
START_TEST(who_was_notified_and_has_not_run_is_pending)
{
	int run = run_with_caller("[{'target':'c','posargs':null},{'target':'a'},{'target':'x=y'},"
	    "{},7]");
	json_t *found, *wanted = json_of("{'c':true}"), *tried = json_of("{'a':true}");
	struct planfile *plan = planfile_open(run);

	file_put("run/odd.json", "{}");
	found = notified_pending(run, plan, tried);
	ck_assert(json_equal(found, wanted));
	json_decref(found);
	json_object_set_new(tried, "c", json_true());
	found = notified_pending(run, plan, tried);
	ck_assert_uint_eq(json_object_size(found), 0);
	json_decref(found);
	json_decref(tried);
	json_decref(wanted);
	planfile_close(plan);
	close(run);
	assert_silent();
}
END_TEST

START_TEST(a_record_that_is_there_before_does_not_count)
{
	char *make[] = { shell, script, NULL };
	int run = run_with_caller("[{'target':'c'}]");

	file_put("run/c.json", "{}");
	file_put("make", "echo \"$*\" >calls; ls run >files\n");
	ck_assert_int_eq(run_notified(run, "1-2", make), 1);
	assert_file("calls", ".noxmk/run/c\n");
	assert_file("files", "a.json\nplan.jsonl\n");
	assert_warned("c.json: a record of a session that has not run, which does not count");
	close(run);
}
END_TEST

Suite *
check_notified_suite(void)
{
	Suite *suite = suite_create("notified");
	TCase *tc = support_case(suite, "notified");

	tcase_add_test(tc, who_was_notified_and_has_not_run_is_pending);
	tcase_add_test(tc, a_record_that_is_there_before_does_not_count);
	tcase_add_test(tc, without_any_no_make_is_started);
	tcase_add_test(tc, makes_are_started_until_none_is_left);
	tcase_add_test(tc, a_session_without_a_record_is_not_run_for_ever);
	tcase_add_test(tc, a_make_that_fails_is_told);
	support_spawn_failure_test(tc, a_make_that_cannot_start_is_told);
	return suite;
}
