#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
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

static bool
has_file(void *name, int rundir)
{
	return faccessat(rundir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

START_TEST(the_newest_run_that_has_the_file)
{
	char a[] = "a.log", b[] = "b.log";
	int state = state_make(), run;

	ck_assert_int_eq(rundir_newest_that(state, has_file, a), -1);
	assert_silent();
	put_run("20200101-000000-1");
	put_run("20200101-000000-2");
	put_run("20200101-000000-3");
	file_put(".nox/.noxmk/runs/20200101-000000-1/a.log", "old");
	file_put(".nox/.noxmk/runs/20200101-000000-2/a.log", "new");
	file_put(".nox/.noxmk/runs/20200101-000000-4", "a file");
	run = rundir_newest_that(state, has_file, a);
	ck_assert_int_ge(run, 0);
	ck_assert_int_eq(fchdir(run), 0);
	assert_file("a.log", "new");
	close(run);
	ck_assert_int_eq(rundir_newest_that(state, has_file, b), -1);
	close(state);
}
END_TEST

/* The name of a file in the run that was selected, or NULL. */
static char *
selected(int state, const char *which)
{
	int run = rundir_select(state, which);
	char *text = NULL;

	if (run >= 0 && fchdir(run) == 0) {
		text = file_get("which");
		ck_assert_int_eq(chdir("../../../.."), 0);
	}
	fd_close(&run);
	return text;
}

/* What a user may say of a run, which of three it is, and what else is said. */
static const struct {
	const char *which, *run, *says;
} selections[] = {
	{ "latest", "3", NULL },
	{ "-1", "3", NULL },
	{ "-2", "2", NULL },
	{ "-3", "1", NULL },
	{ "-4", NULL, "-4: only 3 runs are kept" },
	{ "20200101-000000-2", "2", NULL },
	{ "20200101-000000-9", NULL, "runs/20200101-000000-9: No such file" },
	{ "1-2-1", "1", NULL },
	{ "-0", NULL, "-0: how many runs back is too small" },
	{ "-x", NULL, "-x: how many runs back is invalid" },
	{ "later", NULL, "no run is called 'later': a run is latest, -2 for the one before that, "
	    "or a folder in .nox/.noxmk/runs" },
	{ "", NULL, "no run is called '': " },
};

START_TEST(users_name_runs)
{
	int state = state_make();
	char *run;

	for (int i = 1; i <= 3; i++) {
		char *name = xasprintf("20200101-000000-%d", i);
		char *path = xasprintf(".nox/.noxmk/runs/%s/which", name);
		char number[] = { (char)('0' + i), '\0' };

		put_run(name);
		file_put(path, number);
		free(path);
		free(name);
	}
	file_put(".nox/.noxmk/runs/.make-1-2-1", "20200101-000000-1\n");
	run = selected(state, selections[_i].which);
	if (selections[_i].run)
		ck_assert_str_eq(run, selections[_i].run);
	else
		ck_assert_ptr_null(run);
	if (selections[_i].says)
		assert_warned(selections[_i].says);
	else
		assert_silent();
	free(run);
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

/* As if nothing had been written there for two days. */
static void
make_old(int rundir)
{
	struct timespec times[2] = { { .tv_sec = time(NULL) - 2 * 24 * 60 * 60 }, { 0 } };

	times[1] = times[0];
	ck_assert_int_eq(futimens(rundir, times), 0);
}

START_TEST(a_make_lives_by_its_run_info)
{
	int rundir = folder_make("run");
	char *odd = xasprintf("{\"make\":\"self%s\"}", strchr(own_key(), '-'));

	ck_assert_int_eq(rundir_write_info(rundir, "20200101-000000-1", own_key()), 0);
	make_old(rundir);
	ck_assert(rundir_may_live(rundir));
	ck_assert_int_eq(rundir_write_info(rundir, "20200101-000000-1", "1-1-ab"), 0);
	ck_assert(!rundir_may_live(rundir));
	/* In /proc that would be us, but it is no key: then nothing is sure for a day. */
	file_put("run/.run.json", odd);
	ck_assert(rundir_may_live(rundir));
	make_old(rundir);
	ck_assert(!rundir_may_live(rundir));
	free(odd);
	close(rundir);
	assert_silent();
}
END_TEST

/* Its processes are not ours to see, and nobody of them need be at work just now. */
START_TEST(an_audit_finds_the_run_of_its_make)
{
	int state = state_make(), run;
	json_t *info;

	put_run("20200101-000000-1");
	put_run("20200101-000000-2");
	put_run("20200101-000000-3");
	ck_assert_int_eq(rundir_of_audit(state, "c0ffee"), -1);
	setenv(RUNDIR_AUDIT, "c0ffee", 1);
	run = rundir_open_named(state, "20200101-000000-1");
	ck_assert_int_eq(rundir_write_info(run, "20200101-000000-1", "1-1-ab"), 0);
	close(run);
	unsetenv(RUNDIR_AUDIT);
	run = rundir_open_named(state, "20200101-000000-2");
	ck_assert_int_eq(rundir_write_info(run, "20200101-000000-2", "1-1-ac"), 0);
	close(run);
	run = rundir_of_audit(state, "c0ffee");
	info = rundir_info(run);
	ck_assert_str_eq(json_text(info, "run"), "20200101-000000-1");
	json_decref(info);
	close(run);
	close(state);
	assert_silent();
}
END_TEST

START_TEST(a_make_elsewhere_lives_for_a_day)
{
	int rundir = folder_make("run");

	file_put("run/.run.json", "{\"make\":\"1-1-ab\",\"where\":\"another container\"}");
	ck_assert(rundir_may_live(rundir));
	make_old(rundir);
	ck_assert(!rundir_may_live(rundir));
	close(rundir);
}
END_TEST

/* Whatever the run info says. */
START_TEST(a_run_lives_while_somebody_is_at_work)
{
	int rundir = folder_make("run"), entered = rundir_enter(rundir);

	file_put("run/.run.json", "{\"make\":\"1-1-ab\"}");
	make_old(rundir);
	ck_assert(rundir_may_live(rundir));
	close(entered);
	ck_assert(!rundir_may_live(rundir));
	close(rundir);
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
	tcase_add_loop_test(tc, users_name_runs, 0, countof(selections));
	tcase_add_test(tc, a_damaged_run_info_is_warned_of);
	tcase_add_test(tc, runs_are_listed_by_age);
	tcase_add_test(tc, a_run_is_opened_by_its_name);
	tcase_add_test(tc, a_make_lives_by_its_run_info);
	tcase_add_test(tc, an_audit_finds_the_run_of_its_make);
	tcase_add_test(tc, a_make_elsewhere_lives_for_a_day);
	tcase_add_test(tc, a_run_lives_while_somebody_is_at_work);
	tcase_add_test(tc, a_folder_is_left_when_nobody_else_is_at_work);
	return suite;
}
