#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state/join.h"
#include "state/rundir.h"
#include "state/runtime.h"
#include "state/state.h"
#include "support.h"

#define KEY "999999999-2-c0ffee"

static ino_t
inode(int fd)
{
	struct stat st;

	ck_assert_int_eq(fstat(fd, &st), 0);
	return st.st_ino;
}

/* A state folder with a run of KEY, and its runtime folder. */
static void
begin(int *state, int *rundir, int *runtime)
{
	*state = state_make();
	file_put(".nox/.noxmk/plan.jsonl", "the plan");
	file_put(".nox/.noxmk/sessions.mk", "the rules");
	*rundir = join_run(*state, KEY, 20);
	ck_assert_int_ge(*rundir, 0);
	*runtime = runtime_make(KEY, *state, *rundir);
	ck_assert_int_ge(*runtime, 0);
}

/* The path below XDG_RUNTIME_DIR, which is the test's folder. */
static char *
path_of(const char *name)
{
	return xasprintf("noxmk-%u/%s", (unsigned)geteuid(), name);
}

START_TEST(it_is_private_and_has_what_the_run_began_with)
{
	int state, rundir, runtime, again;
	char *base = path_of(""), *plan = path_of(KEY "/plan.jsonl");
	char *info = path_of(KEY "/.run.json"), *theirs, *ours;
	struct stat st;

	ck_assert_int_eq(runtime_find(KEY), -1);
	begin(&state, &rundir, &runtime);
	ck_assert_int_eq(stat(base, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0700);
	assert_file(plan, "the plan");
	theirs = file_get(".nox/.noxmk/latest/.run.json");
	ours = file_get(info);
	ck_assert_str_eq(ours, theirs);
	again = runtime_find(KEY);
	ck_assert_uint_eq(inode(again), inode(runtime));
	close(again);
	again = runtime_make(KEY, state, rundir);
	ck_assert_uint_eq(inode(again), inode(runtime));
	close(again);
	ck_assert_int_eq(runtime_find("../" KEY), -1);
	ck_assert_int_eq(runtime_make("../x", state, rundir), -1);
	free(theirs);
	free(ours);
	free(base);
	free(plan);
	free(info);
	close(runtime);
	close(rundir);
	close(state);
	assert_silent();
}
END_TEST

/* What others may write to is not ours, and a link may lead anywhere. */
START_TEST(a_folder_that_others_can_have_filled_is_left_alone)
{
	char *base = path_of(""), *theirs = path_of(KEY);
	int folder = folder_make("run");

	base[strlen(base) - 1] = '\0';
	/* Another place is taken. */
	ck_assert_int_eq(mkdir(base, 0700), 0);
	ck_assert_int_eq(chmod(base, 0777), 0);
	close(runtime_make(KEY, folder, folder));
	ck_assert(!file_there(theirs));
	runtime_remove(KEY, folder);
	ck_assert_int_eq(rmdir(base), 0);
	ck_assert_int_eq(symlink(".", base), 0);
	close(runtime_make(KEY, folder, folder));
	ck_assert(!file_there(KEY));
	runtime_remove(KEY, folder);
	unlink(base);
	close(runtime_make(KEY, folder, folder));
	ck_assert(file_there(theirs));
	runtime_remove(KEY, folder);
	free(theirs);
	free(base);
	close(folder);
}
END_TEST

START_TEST(it_stands_in_for_a_run_folder_that_is_gone)
{
	int state, rundir, runtime, again;

	begin(&state, &rundir, &runtime);
	again = dup(rundir);
	runtime_stand_in(runtime, rundir);
	ck_assert_uint_ne(inode(rundir), inode(runtime));
	ck_assert_int_eq(system("rm -rf .nox"), 0);
	runtime_stand_in(-1, rundir);
	ck_assert_uint_eq(inode(rundir), inode(again));
	runtime_stand_in(runtime, rundir);
	ck_assert_uint_eq(inode(rundir), inode(runtime));
	close(again);
	/* Who joins now works there, too, and does not get in the way of whoever removes it. */
	again = join_run(-1, KEY, 20);
	ck_assert_uint_eq(inode(again), inode(runtime));
	ck_assert(!file_there(".nox"));
	close(again);
	ck_assert_int_eq(join_run(-1, "1-2-ab", 20), -1);
	assert_warned("no .nox/.noxmk here");
	close(runtime);
	close(rundir);
	close(state);
}
END_TEST

START_TEST(the_end_makes_the_run_folder_anew)
{
	int state, rundir, runtime, before;
	char *name, *after;
	struct timespec rules;
	struct stat st;

	begin(&state, &rundir, &runtime);
	name = realpath(".nox/.noxmk/latest", NULL);
	ck_assert_int_eq(stat(".nox/.noxmk/sessions.mk", &st), 0);
	rules = st.st_mtim;
	ck_assert_int_eq(fchdir(runtime), 0);
	file_put("a.json", "a record");
	file_put("a.log", "a log");
	file_put(".a.report", "a report");
	file_put(".queue.now", "a place");
	ck_assert_int_eq(chdir(getenv("XDG_RUNTIME_DIR")), 0);
	ck_assert_int_eq(system("rm -rf .nox"), 0);
	before = state;
	join_restore(KEY, &state, &rundir);
	ck_assert_int_eq(state, before);
	after = realpath(".nox/.noxmk/latest", NULL);
	ck_assert_str_eq(after, name);
	assert_file(".nox/.noxmk/latest/plan.jsonl", "the plan");
	assert_file(".nox/.noxmk/plan.jsonl", "the plan");
	assert_file(".nox/.noxmk/sessions.mk", "the rules");
	ck_assert(!file_there(".nox/.noxmk/latest/sessions.mk"));
	ck_assert_int_eq(stat(".nox/.noxmk/sessions.mk", &st), 0);
	ck_assert(st.st_mtim.tv_sec == rules.tv_sec && st.st_mtim.tv_nsec == rules.tv_nsec);
	assert_file(".nox/.noxmk/latest/a.json", "a record");
	assert_file(".nox/.noxmk/latest/a.log", "a log");
	ck_assert(!file_there(".nox/.noxmk/latest/.a.report"));
	ck_assert(!file_there(".nox/.noxmk/latest/.queue.now"));
	free(after);
	close(rundir);
	rundir = rundir_open(state, KEY);
	ck_assert_int_ge(rundir, 0);
	/* Only a part of it is gone, and what is there stays as it is. */
	unlink(".nox/.noxmk/latest/a.json");
	file_put(".nox/.noxmk/latest/a.log", "another log");
	join_restore(KEY, &state, &rundir);
	assert_file(".nox/.noxmk/latest/a.json", "a record");
	assert_file(".nox/.noxmk/latest/a.log", "another log");
	free(name);
	close(runtime);
	close(rundir);
	close(state);
	assert_silent();
}
END_TEST

START_TEST(it_goes_when_nobody_is_at_work)
{
	int state, rundir, runtime, there, here;
	char *folder = path_of(KEY), *base = path_of("");

	begin(&state, &rundir, &runtime);
	there = rundir_enter(rundir);
	runtime_remove(KEY, rundir);
	ck_assert(file_there(folder));
	close(there);
	here = rundir_enter(runtime);
	runtime_remove(KEY, rundir);
	ck_assert(file_there(folder));
	close(here);
	runtime_remove(KEY, rundir);
	ck_assert(!file_there(folder) && !file_there(base));
	runtime_remove(KEY, rundir);
	free(folder);
	free(base);
	close(runtime);
	close(rundir);
	close(state);
	assert_silent();
}
END_TEST

/* Not at once: its make may live in another container. */
START_TEST(what_dead_makes_have_left_goes_after_a_day)
{
	char *young = path_of("999999999-3-ab"), *old = path_of("999999999-4-ab/x");
	char *odd = path_of("what/else"), *alive = path_of(own_key());
	char *const aged[] = { old, odd, alive };
	int state, rundir, runtime;

	close(folder_make(young));
	for (size_t i = 0; i < countof(aged); i++)
		close(folder_make(aged[i]));
	*strrchr(old, '/') = '\0';
	*strrchr(odd, '/') = '\0';
	for (size_t i = 0; i < countof(aged); i++)
		ck_assert_int_eq(utimensat(AT_FDCWD, aged[i], (struct timespec[]){ { .tv_sec = 1 },
		    { .tv_sec = 1 } }, 0), 0);
	begin(&state, &rundir, &runtime);
	ck_assert(file_there(young) && file_there(odd) && file_there(alive));
	ck_assert(!file_there(old));
	close(runtime);
	close(rundir);
	close(state);
	free(young);
	free(old);
	free(odd);
	free(alive);
	assert_silent();
}
END_TEST

Suite *
check_runtime_suite(void)
{
	Suite *suite = suite_create("runtime");
	TCase *tc = support_case(suite, "runtime");

	tcase_add_test(tc, it_is_private_and_has_what_the_run_began_with);
	tcase_add_test(tc, a_folder_that_others_can_have_filled_is_left_alone);
	tcase_add_test(tc, it_stands_in_for_a_run_folder_that_is_gone);
	tcase_add_test(tc, the_end_makes_the_run_folder_anew);
	tcase_add_test(tc, it_goes_when_nobody_is_at_work);
	tcase_add_test(tc, what_dead_makes_have_left_goes_after_a_day);
	return suite;
}
