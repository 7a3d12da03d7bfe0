#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/json.h"
#include "state/rundir.h"
#include "state/state.h"
#include "support.h"

static void
put_run(const char *name)
{
	char *folder = xasprintf(".nox/.noxmk/runs/%s", name);

	close(folder_make(folder));
	free(folder);
}

START_TEST(no_run_to_open)
{
	int state = state_make();

	ck_assert_int_eq(rundir_open(state, "1-2-c0ffee"), -1);
	assert_warned("this make has no run: was .nox/.noxmk removed?");
	ck_assert_int_eq(rundir_open(state, NULL), -1);
	assert_warned("there is no run yet: `make ci` makes one");
	close(state);
}
END_TEST

START_TEST(the_newest_run_that_has_the_file)
{
	int state = state_make(), run;

	ck_assert_int_eq(rundir_newest_with(state, "a.log"), -1);
	assert_silent();
	put_run("20200101-000000-1");
	put_run("20200101-000000-2");
	put_run("20200101-000000-3");
	file_put(".nox/.noxmk/runs/20200101-000000-1/a.log", "old");
	file_put(".nox/.noxmk/runs/20200101-000000-2/a.log", "new");
	file_put(".nox/.noxmk/runs/20200101-000000-4", "a file");
	run = rundir_newest_with(state, "a.log");
	ck_assert_int_ge(run, 0);
	ck_assert_int_eq(fchdir(run), 0);
	assert_file("a.log", "new");
	close(run);
	ck_assert_int_eq(rundir_newest_with(state, "b.log"), -1);
	close(state);
}
END_TEST

START_TEST(a_damaged_run_info_is_warned_of)
{
	int rundir = folder_make("run");

	ck_assert_ptr_null(rundir_info(rundir));
	assert_warned(".run.json: missing or damaged");
	file_put("run/.run.json", "[]");
	ck_assert_ptr_null(rundir_info(rundir));
	file_put("run/.run.json", "{");
	ck_assert_ptr_null(rundir_info(rundir));
	close(rundir);
}
END_TEST

START_TEST(runs_are_listed_by_age)
{
	int state = state_make();
	json_t *names = rundir_list(state), *wanted = json_of("['20200101-000000-333',"
	    "'20200101-000001-22','20200101T000000.001Z-c0ffee','20200102-000000-1']");

	ck_assert_uint_eq(json_array_size(names), 0);
	json_decref(names);
	put_run("20200102-000000-1");
	put_run("20200101-000001-22");
	put_run("20200101-000000-333");
	put_run("20200101-00000x-4"); /* not ours, as are some of the next */
	put_run("20200101-000000-");
	put_run("20200101T000000Z-ab");
	put_run("20200101-000000Z-ab");
	put_run("20200101T000000.001Z-c0ffee");
	put_run(".make-1-2-ab");
	names = rundir_list(state);
	ck_assert(json_equal(names, wanted));
	json_decref(names);
	json_decref(wanted);
	close(state);
}
END_TEST

START_TEST(a_run_is_opened_by_its_name)
{
	int state = state_make(), rundir;

	put_run("20200101-000000-1");
	rundir = rundir_open_named(state, "20200101-000000-1");
	ck_assert_int_ge(rundir, 0);
	close(rundir);
	ck_assert_int_eq(rundir_open_named(state, "20200101-000000-2"), -1);
	assert_warned(".nox/.noxmk/runs/20200101-000000-2: No such file");
	close(state);
}
END_TEST

START_TEST(a_make_is_alive_by_its_run_info)
{
	int rundir = folder_make("run");
	char *odd = xasprintf("{\"make\":\"self%s\"}", strchr(own_key(), '-'));

	ck_assert(!rundir_is_alive(rundir));
	ck_assert_int_eq(rundir_write_info(rundir, "20200101-000000-1", own_key()), 0);
	ck_assert(rundir_is_alive(rundir));
	/* In /proc that would be us, but it is no key. */
	file_put("run/.run.json", odd);
	ck_assert(!rundir_is_alive(rundir));
	free(odd);
	close(rundir);
	assert_silent();
}
END_TEST

START_TEST(a_folder_is_left_when_nobody_else_is_at_work)
{
	int rundir = folder_make("run"), one = rundir_enter(rundir), two = rundir_enter(rundir);

	ck_assert_int_ge(one, 0);
	ck_assert_int_ge(two, 0);
	ck_assert(!rundir_is_left(one));
	close(two);
	ck_assert(rundir_is_left(one));
	close(one);
	ck_assert(!rundir_is_left(-1));
	close(rundir);
	assert_silent();
}
END_TEST

Suite *
check_rundir_suite(void)
{
	Suite *suite = suite_create("rundir");
	TCase *tc = support_case(suite, "rundir");

	tcase_add_test(tc, no_run_to_open);
	tcase_add_test(tc, the_newest_run_that_has_the_file);
	tcase_add_test(tc, a_damaged_run_info_is_warned_of);
	tcase_add_test(tc, runs_are_listed_by_age);
	tcase_add_test(tc, a_run_is_opened_by_its_name);
	tcase_add_test(tc, a_make_is_alive_by_its_run_info);
	tcase_add_test(tc, a_folder_is_left_when_nobody_else_is_at_work);
	return suite;
}
