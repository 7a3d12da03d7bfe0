#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "state/join.h"
#include "state/makekey.h"
#include "state/rundir.h"
#include "state/state.h"
#include "support.h"

/* .nox/.noxmk with a plan, opened. */
static int
state_with_plan(void)
{
	struct facts *facts = facts_of("[{'name':'a'}]", "[0]");
	int state = state_make();

	ck_assert_int_ge(state, 0);
	plan_put(state, facts, NULL, NULL);
	facts_free(facts);
	return state;
}

static void
put_run(const char *id, const char *info)
{
	char *name = xasprintf(".nox/.noxmk/runs/%s/deep/er", id);

	close(folder_make(name));
	free(name);
	name = xasprintf(".nox/.noxmk/runs/%s/.run.json", id);
	if (info)
		file_put(name, info);
	free(name);
	name = xasprintf(".nox/.noxmk/runs/%s/deep/link", id);
	ck_assert_int_eq(symlink("/", name), 0);
	free(name);
}

START_TEST(the_first_makes_the_run_and_others_join)
{
	int state = state_with_plan(), run = join_run(state, "4711-99-c0ffee", 20), other;
	char *target;
	json_t *info;
	struct stat a, b;

	ck_assert_int_ge(run, 0);
	info = rundir_info(run);
	ck_assert_str_eq(json_string_value(json_object_get(info, "make")), "4711-99-c0ffee");
	ck_assert_double_le(json_number(info, "started"), clock_now());
	ck_assert_double_le(json_number(info, "clock"), clock_monotonic());
	target = xasprintf(".nox/.noxmk/runs/%s/.run.json",
	    json_string_value(json_object_get(info, "run")));
	ck_assert(file_there(target));
	ck_assert_ptr_nonnull(strstr(target, "Z-c0ffee/"));
	ck_assert(file_there(".nox/.noxmk/latest/plan.jsonl"));
	other = join_run(state, "4711-99-c0ffee", 20);
	ck_assert_int_eq(fstat(run, &a), 0);
	ck_assert_int_eq(fstat(other, &b), 0);
	ck_assert_uint_eq(a.st_ino, b.st_ino);
	close(other);
	other = rundir_open(state, "4711-99-c0ffee");
	ck_assert_int_ge(other, 0);
	close(other);
	other = rundir_open(state, NULL);
	ck_assert_int_ge(other, 0);
	close(other);
	json_decref(info);
	free(target);
	close(run);
	close(state);
	assert_silent();
}
END_TEST

static const char *const odd_keys[] = { "", "-", "--", "12", "12-", "12-34", "12-34-", "-34-ab",
	"12--ab", "12-34-56-78", "12-3a-ab", "a-1-ab", "12-34-xy", "12-34-AB", "../x-1-ab",
	"1-../x-ab", "1-2-../x", " 1-2-ab", "1- 2-ab", "1-2-ab ",
	"1234567890123456789012345678901-12345678901234567890123456789012-ab" };

START_TEST(a_key_of_no_make_is_refused)
{
	int state = state_with_plan();

	ck_assert_int_eq(join_run(state, odd_keys[_i], 20), -1);
	assert_warned("does not name a make: is /proc mounted?");
	ck_assert_int_eq(rundir_open(state, odd_keys[_i]), -1);
	ck_assert(!file_there(".nox/.noxmk/runs"));
	close(state);
}
END_TEST

START_TEST(without_a_plan_there_is_no_run)
{
	int state = state_make();

	ck_assert_int_eq(join_run(state, "1-2-c0ffee", 20), -1);
	assert_warned("there is no plan to run by: see the message above");
	/* Half a run is none. */
	ck_assert(!file_there(".nox/.noxmk/latest"));
	ck_assert_int_eq(rmdir(".nox/.noxmk/runs"), 0);
	close(folder_make(".nox/.noxmk/plan.jsonl"));
	ck_assert_int_eq(join_run(state, "1-2-c0ffee", 20), -1);
	assert_warned("/plan.jsonl: Is a directory");
	close(state);
}
END_TEST

START_TEST(a_run_that_cannot_be_written_is_none)
{
	int state = state_with_plan(), run;

	limit_set(RLIMIT_FSIZE, 0);
	run = join_run(state, "1-2-c0ffee", 20);
	limit_restore();
	ck_assert_int_eq(run, -1);
	assert_warned("/.run.json: File too large");
	ck_assert_int_eq(rmdir(".nox/.noxmk/runs"), 0);
	close(state);
}
END_TEST

/* The link is for people. */
START_TEST(a_run_needs_no_link_that_leads_to_it)
{
	int state = state_with_plan(), run;

	close(folder_make(".nox/.noxmk/latest/x"));
	run = join_run(state, "1-2-c0ffee", 20);
	ck_assert_int_ge(run, 0);
	close(run);
	run = rundir_open(state, NULL);
	ck_assert_int_ge(run, 0);
	close(run);
	close(state);
	assert_silent();
}
END_TEST

/* Where a link is not to be had, here on another file system, the plan is copied. */
START_TEST(the_plan_is_copied_where_links_are_not_to_be_had)
{
	char other[] = "/dev/shm/noxmk-check-XXXXXX", *plan, *copy;
	int state = state_with_plan(), run;

	if (!mkdtemp(other) || symlink(other, ".nox/.noxmk/runs") < 0) {
		close(state);
		return; /* no such file system */
	}
	run = join_run(state, "1-2-c0ffee", 20);
	plan = file_get(".nox/.noxmk/plan.jsonl");
	copy = file_get(".nox/.noxmk/latest/plan.jsonl");
	folder_remove(other);
	ck_assert_int_ge(run, 0);
	ck_assert_str_eq(copy, plan);
	close(run);
	close(state);
	free(plan);
	free(copy);
}
END_TEST

/* What names the run of this make names none. */
START_TEST(a_damaged_name_of_a_run_names_none)
{
	static const char *const keys[] = { "1-2-c0ffee", "1-3-c0ffee" };
	int state = state_with_plan(), run;

	close(folder_make(".nox/.noxmk/runs"));
	file_put(".nox/.noxmk/runs/.make-1-2-c0ffee", "../../..\n");
	run = join_run(state, "1-2-c0ffee", 20);
	ck_assert_int_ge(run, 0);
	close(run);
	assert_silent();
	unlink(".nox/.noxmk/runs/.make-1-2-c0ffee");
	close(folder_make(".nox/.noxmk/runs/.make-1-2-c0ffee"));
	/* A session may have bent it to another run. */
	put_run("20200101-000000-abc", "{}");
	file_put(".nox/.noxmk/runs/.make-1-3-c0ffee", "20200101-000000-abc\n");
	for (size_t i = 0; i < countof(keys); i++) {
		char *name;

		run = join_run(state, keys[i], 20);
		ck_assert_int_ge(run, 0);
		close(run);
		name = rundir_name_of(state, keys[i]);
		ck_assert_ptr_nonnull(strstr(name, "Z-c0ffee"));
		free(name);
	}
	assert_silent();
	close(state);
}
END_TEST

/* What is none is removed, and not what it leads to. */
START_TEST(the_folder_of_the_runs_is_made_anew)
{
	int state = state_with_plan(), run;

	close(folder_make("elsewhere"));
	file_put("elsewhere/file", "mine");
	if (_i == 0)
		file_put(".nox/.noxmk/runs", "a file");
	else if (_i == 1)
		ck_assert_int_eq(symlink("../../elsewhere", ".nox/.noxmk/runs"), 0);
	else
		ck_assert_int_eq(mkfifo(".nox/.noxmk/runs", 0600), 0);
	/* A copy that followed links. */
	close(folder_make(".nox/.noxmk/latest"));
	file_put(".nox/.noxmk/latest/a.json", "");
	run = join_run(state, "1-2-c0ffee", 20);
	ck_assert_int_ge(run, 0);
	close(run);
	assert_warned(".nox/.noxmk/runs: Not a directory: it is made anew");
	ck_assert(file_there(".nox/.noxmk/latest/plan.jsonl"));
	assert_file("elsewhere/file", "mine");
	close(state);
}
END_TEST

/* An old run. info: its .run.json, or NULL for none. */
START_TEST(old_runs_go_but_for_those_of_living_makes)
{
	char *where = makekey_where();
	char *mine = xasprintf("{\"make\":\"%s\",\"where\":\"%s\"}", own_key(), where);
	char *other = xasprintf("{\"make\":\"%d-1-ab\",\"where\":\"%s\"}", (int)getpid(), where);
	char *dead = xasprintf("{\"make\":\"999999999-2-ab\",\"where\":\"%s\"}", where);
	struct timespec times[2] = { { .tv_sec = time(NULL) - 2 * 60 * 60 }, { 0 } };
	int state = state_with_plan();

	times[1] = times[0];
	put_run("20200101-000000-1", dead);
	put_run("20200101-000000-2", "not JSON");
	put_run("20200101-000000-3", "{\"make\":\"999999999-2-ab\",\"where\":\"x\"}");
	put_run("20200101-000000-4", dead);
	put_run("20200101-000000-5", mine);
	put_run("20200101-000000-6", other);
	put_run("20200101-000000-7", "{}");
	put_run("20200101-00000x-8", NULL); /* not ours */
	file_put(".nox/.noxmk/runs/20200101-000000-0", "a file that is called like a run");
	file_put(".nox/.noxmk/runs/.make-1-1-1", "20200101-000000-1\n");
	file_put(".nox/.noxmk/runs/.make-5-5-5", "20200101-000000-5\n");
	file_put(".nox/.noxmk/runs/.well-1-1-1-ci", "");
	file_put(".nox/.noxmk/runs/.well-5-5-5-c-i", "");
	ck_assert_int_eq(symlink("20200101-000000-5", ".nox/.noxmk/runs/.make-6-6-ab"), 0);
	file_put(".nox/.noxmk/runs/.make-9-2-ab.7~", "");
	file_put(".nox/.noxmk/runs/.make-9-2-ab.8~", "");
	ck_assert_int_eq(utimensat(AT_FDCWD, ".nox/.noxmk/runs/.make-9-2-ab.8~", times, 0), 0);
	close(join_run(state, "1-2-c0ffee", 2));
	/*
	 * The new one, the newest old one, that whose make is still alive, and those of which
	 * nobody knows; what is no run is nobody's either.
	 */
	for (char id[] = ".nox/.noxmk/runs/20200101-000000-0"; id[33] <= '7'; id[33]++)
		ck_assert_msg(file_there(id) == !strchr("146", id[33]), "%s", id);
	ck_assert(file_there(".nox/.noxmk/runs/20200101-00000x-8"));
	ck_assert(!file_there(".nox/.noxmk/runs/.make-1-1-1"));
	ck_assert(!file_there(".nox/.noxmk/runs/.well-1-1-1-ci"));
	ck_assert(file_there(".nox/.noxmk/runs/.make-5-5-5"));
	ck_assert(file_there(".nox/.noxmk/runs/.well-5-5-5-c-i"));
	ck_assert(!file_there(".nox/.noxmk/runs/.make-6-6-ab"));
	ck_assert(file_there(".nox/.noxmk/runs/.make-1-2-c0ffee"));
	/* What another make may be about to rename stays; what a killed one has left does not. */
	ck_assert(file_there(".nox/.noxmk/runs/.make-9-2-ab.7~"));
	ck_assert(!file_there(".nox/.noxmk/runs/.make-9-2-ab.8~"));
	assert_silent();
	close(state);
	free(where);
	free(mine);
	free(other);
	free(dead);
}
END_TEST

Suite *
check_join_suite(void)
{
	Suite *suite = suite_create("join");
	TCase *tc = support_case(suite, "join");

	tcase_add_test(tc, the_first_makes_the_run_and_others_join);
	tcase_add_loop_test(tc, a_key_of_no_make_is_refused, 0, countof(odd_keys));
	tcase_add_test(tc, without_a_plan_there_is_no_run);
	tcase_add_test(tc, a_run_that_cannot_be_written_is_none);
	tcase_add_test(tc, a_run_needs_no_link_that_leads_to_it);
	tcase_add_test(tc, the_plan_is_copied_where_links_are_not_to_be_had);
	tcase_add_test(tc, a_damaged_name_of_a_run_names_none);
	tcase_add_loop_test(tc, the_folder_of_the_runs_is_made_anew, 0, 3);
	tcase_add_test(tc, old_runs_go_but_for_those_of_living_makes);
	return suite;
}
