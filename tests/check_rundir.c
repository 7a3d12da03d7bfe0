#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "state/join.h"
#include "state/rundir.h"
#include "state/state.h"
#include "support.h"

/* .noxmk with a plan, opened. */
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

START_TEST(state_is_made_once)
{
	int state = state_make();

	ck_assert_int_ge(state, 0);
	close(state);
	assert_file(".noxmk/.gitignore", "*\n");
	/* What the user has made of it stays. */
	file_put(".noxmk/.gitignore", "mine\n");
	state = state_make();
	close(state);
	assert_file(".noxmk/.gitignore", "mine\n");
	state = state_open();
	ck_assert_int_ge(state, 0);
	close(state);
	assert_silent();
}
END_TEST

START_TEST(state_cannot_be_opened)
{
	ck_assert_int_eq(state_open(), -1);
	assert_warned("no .noxmk here: `make ci` in the project's folder makes it");
	file_put(".noxmk", "a file");
	ck_assert_int_eq(state_open(), -1);
	assert_warned(".noxmk: Not a directory");
	ck_assert_int_eq(state_make(), -1);
}
END_TEST

START_TEST(state_cannot_be_made)
{
	char *here = getcwd(NULL, 0);

	ck_assert_int_eq(rmdir(here), 0);
	ck_assert_int_eq(state_make(), -1);
	assert_warned("cannot make the folder .noxmk: No such file");
	free(here);
}
END_TEST

START_TEST(state_cannot_be_filled)
{
	int state;

	limit_set(RLIMIT_FSIZE, 0);
	state = state_make();
	limit_restore();
	ck_assert_int_eq(state, -1);
	assert_warned(".noxmk/.gitignore: File too large");
}
END_TEST

START_TEST(join_makes_a_run_once)
{
	int state = state_with_plan(), run = join_run(state, "4711-99-c0ffee", 20), other;
	char *target;
	json_t *facts;
	struct stat a, b;

	ck_assert_int_ge(run, 0);
	facts = rundir_info(run);
	ck_assert_str_eq(json_string_value(json_object_get(facts, "make")), "4711-99-c0ffee");
	ck_assert_double_le(json_number(facts, "started"), clock_now());
	ck_assert_double_le(json_number(facts, "clock"), clock_monotonic());
	target = xasprintf(".noxmk/runs/%s/.run.json",
	    json_string_value(json_object_get(facts, "run")));
	ck_assert(file_there(target));
	ck_assert_ptr_nonnull(strstr(target, "-4711/"));
	ck_assert(file_there(".noxmk/latest/plan.jsonl"));
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
	json_decref(facts);
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

START_TEST(odd_key)
{
	int state = state_with_plan();

	ck_assert_int_eq(join_run(state, odd_keys[_i], 20), -1);
	assert_warned("does not name a make: is /proc mounted?");
	ck_assert_int_eq(rundir_open(state, odd_keys[_i]), -1);
	ck_assert(!file_there(".noxmk/runs"));
	close(state);
}
END_TEST

START_TEST(no_run_to_open)
{
	int state = state_with_plan();

	ck_assert_int_eq(rundir_open(state, "1-2-c0ffee"), -1);
	assert_warned("this make has no run: was .noxmk removed?");
	ck_assert_int_eq(rundir_open(state, NULL), -1);
	assert_warned("there is no run yet: `make ci` makes one");
	ck_assert_int_eq(symlink("latest", ".noxmk/latest"), 0);
	ck_assert_int_eq(rundir_open(state, NULL), -1);
	assert_warned(".noxmk/latest: Too many levels");
	close(state);
}
END_TEST

START_TEST(join_without_a_plan)
{
	int state = state_make();

	ck_assert_int_eq(join_run(state, "1-2-c0ffee", 20), -1);
	assert_warned("there is no plan to run by: see the message about the noxfile");
	/* Half a run is none. */
	ck_assert(!file_there(".noxmk/latest"));
	ck_assert_int_eq(rmdir(".noxmk/runs"), 0);
	close(folder_make(".noxmk/plan.jsonl"));
	ck_assert_int_eq(join_run(state, "1-2-c0ffee", 20), -1);
	assert_warned("/plan.jsonl: Is a directory");
	close(state);
}
END_TEST

START_TEST(join_cannot_write)
{
	int state = state_with_plan(), run;

	limit_set(RLIMIT_FSIZE, 0);
	run = join_run(state, "1-2-c0ffee", 20);
	limit_restore();
	ck_assert_int_eq(run, -1);
	assert_warned("/.run.json: File too large");
	ck_assert_int_eq(rmdir(".noxmk/runs"), 0);
	/* A folder in which nobody makes folders. */
	ck_assert_int_eq(symlink("/proc/self/fdinfo", ".noxmk/runs"), 0);
	ck_assert_int_eq(join_run(state, "1-2-c0ffee", 20), -1);
	assert_warned("-1: ");
	unlink(".noxmk/runs");
	file_put(".noxmk/runs", "a file");
	ck_assert_int_eq(join_run(state, "1-2-c0ffee", 20), -1);
	assert_warned(".noxmk/runs: Not a directory");
	close(state);
}
END_TEST

START_TEST(join_cannot_link)
{
	int state = state_with_plan();

	close(folder_make(".noxmk/latest/x"));
	ck_assert_int_eq(join_run(state, "1-2-c0ffee", 20), -1);
	assert_warned(".noxmk/latest: Is a directory");
	close(state);
}
END_TEST

/* Where a link is not to be had, here on another file system, the plan is copied. */
START_TEST(join_copies_the_plan)
{
	char other[] = "/dev/shm/noxmk-check-XXXXXX", *plan, *copy;
	int state = state_with_plan(), run;

	if (!mkdtemp(other) || symlink(other, ".noxmk/runs") < 0) {
		close(state);
		return; /* no such file system */
	}
	run = join_run(state, "1-2-c0ffee", 20);
	plan = file_get(".noxmk/plan.jsonl");
	copy = file_get(".noxmk/runs/.make-1-2-c0ffee/plan.jsonl");
	folder_remove(other);
	ck_assert_int_ge(run, 0);
	ck_assert_str_eq(copy, plan);
	close(run);
	close(state);
	free(plan);
	free(copy);
}
END_TEST

/* The link of this make is there, but leads to something else than a folder. */
START_TEST(join_finds_no_folder)
{
	int state = state_with_plan();

	close(folder_make(".noxmk/runs"));
	file_put(".noxmk/runs/.make-1-2-c0ffee", "a file");
	ck_assert_int_eq(join_run(state, "1-2-c0ffee", 20), -1);
	assert_warned(".noxmk/runs/.make-1-2-c0ffee: Not a directory");
	close(state);
}
END_TEST

/* An old run. facts: its .run.json, or NULL for none. */
static void
put_run(const char *id, const char *facts)
{
	char *name = xasprintf(".noxmk/runs/%s/deep/er", id);

	close(folder_make(name));
	free(name);
	name = xasprintf(".noxmk/runs/%s/.run.json", id);
	if (facts)
		file_put(name, facts);
	free(name);
	name = xasprintf(".noxmk/runs/%s/deep/link", id);
	ck_assert_int_eq(symlink("/", name), 0);
	free(name);
}

START_TEST(old_runs_go)
{
	char *mine = xasprintf("{\"make\":\"%s\"}", own_key());
	char *other = xasprintf("{\"make\":\"%d-1-ab\"}", (int)getpid());
	int state = state_with_plan();

	put_run("20200101-000000-1", NULL);
	put_run("20200101-000000-2", "not JSON");
	put_run("20200101-000000-3", "{\"make\":\"../1-2-ab\"}");
	put_run("20200101-000000-4", "{\"make\":\"999999999-2-ab\"}");
	put_run("20200101-000000-5", mine);
	put_run("20200101-000000-6", other);
	put_run("20200101-000000-7", "{}");
	put_run("20200101-00000x-8", NULL); /* not ours */
	file_put(".noxmk/runs/20200101-000000-0", "a file that is called like a run");
	ck_assert_int_eq(symlink("20200101-000000-1", ".noxmk/runs/.make-1-1"), 0);
	ck_assert_int_eq(symlink("20200101-000000-5", ".noxmk/runs/.make-5-5"), 0);
	close(join_run(state, "1-2-c0ffee", 2));
	/* The new one, the newest old one, and that whose make is still alive. */
	for (char id[] = ".noxmk/runs/20200101-000000-0"; id[28] <= '7'; id[28]++)
		ck_assert_msg(file_there(id) == (id[28] == '5' || id[28] == '7'), "%s", id);
	ck_assert(file_there(".noxmk/runs/20200101-00000x-8"));
	ck_assert(!file_there(".noxmk/runs/.make-1-1"));
	ck_assert(file_there(".noxmk/runs/.make-5-5"));
	ck_assert(file_there(".noxmk/runs/.make-1-2-c0ffee"));
	assert_silent();
	close(state);
	free(mine);
	free(other);
}
END_TEST

START_TEST(newest_with_a_file)
{
	int state = state_make(), run;

	ck_assert_int_eq(rundir_newest_with(state, "a.log"), -1);
	assert_warned("a.log: in none of the runs that are kept");
	put_run("20200101-000000-1", NULL);
	put_run("20200101-000000-2", NULL);
	put_run("20200101-000000-3", NULL);
	file_put(".noxmk/runs/20200101-000000-1/a.log", "old");
	file_put(".noxmk/runs/20200101-000000-2/a.log", "new");
	file_put(".noxmk/runs/20200101-000000-4", "a file");
	run = rundir_newest_with(state, "a.log");
	ck_assert_int_ge(run, 0);
	ck_assert_int_eq(fchdir(run), 0);
	assert_file("a.log", "new");
	close(run);
	ck_assert_int_eq(rundir_newest_with(state, "b.log"), -1);
	close(state);
}
END_TEST

START_TEST(damaged_facts)
{
	int run = folder_make("run");

	ck_assert_ptr_null(rundir_info(run));
	assert_warned(".run.json: missing or damaged");
	file_put("run/.run.json", "[]");
	ck_assert_ptr_null(rundir_info(run));
	file_put("run/.run.json", "{");
	ck_assert_ptr_null(rundir_info(run));
	close(run);
}
END_TEST

Suite *
check_rundir_suite(void)
{
	Suite *suite = suite_create("rundir");
	TCase *tc = support_case(suite, "state");

	tcase_add_test(tc, state_is_made_once);
	tcase_add_test(tc, state_cannot_be_opened);
	tcase_add_test(tc, state_cannot_be_made);
	tcase_add_test(tc, state_cannot_be_filled);
	tc = support_case(suite, "runs");
	tcase_add_test(tc, join_makes_a_run_once);
	tcase_add_loop_test(tc, odd_key, 0, countof(odd_keys));
	tcase_add_test(tc, no_run_to_open);
	tcase_add_test(tc, join_without_a_plan);
	tcase_add_test(tc, join_cannot_write);
	tcase_add_test(tc, join_cannot_link);
	tcase_add_test(tc, join_copies_the_plan);
	tcase_add_test(tc, join_finds_no_folder);
	tcase_add_test(tc, old_runs_go);
	tcase_add_test(tc, newest_with_a_file);
	tcase_add_test(tc, damaged_facts);
	return suite;
}
