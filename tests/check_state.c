#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "state/state.h"
#include "support.h"

START_TEST(state_is_made_once)
{
	int state = state_make();

	ck_assert_int_ge(state, 0);
	close(state);
	assert_file(".nox/.noxmk/.gitignore", "*\n");
	/* What the user has made of it stays. */
	file_put(".nox/.noxmk/.gitignore", "mine\n");
	state = state_make();
	close(state);
	assert_file(".nox/.noxmk/.gitignore", "mine\n");
	state = state_open();
	ck_assert_int_ge(state, 0);
	close(state);
	assert_silent();
}
END_TEST

START_TEST(state_cannot_be_opened)
{
	ck_assert_int_eq(state_open(), -1);
	assert_warned("no .nox/.noxmk here: `make ci` in the project's folder makes it");
	close(folder_make(".nox"));
	file_put(".nox/.noxmk", "a file");
	ck_assert_int_eq(state_open(), -1);
	assert_warned("the state folder .nox/.noxmk: Not a directory; NOXMK_STATE=FOLDER puts it "
	    "elsewhere");
	ck_assert_int_eq(state_make(), -1);
}
END_TEST

/* How many lines have been written to standard error. */
static size_t
told(void)
{
	size_t n = 0;

	for (const char *at = warnings(); (at = strchr(at, '\n')); at++)
		n++;
	return n;
}

static void
make_at(const char *path, bool is_made)
{
	int state;

	setenv("NOXMK_STATE", path, 1);
	state = state_make();
	ck_assert_int_eq(state >= 0, is_made);
	if (state >= 0)
		close(state);
	unsetenv("NOXMK_STATE");
}

START_TEST(a_folder_with_other_things_is_refused)
{
	const char *const others[] = { ".", "..", "src", ".nox" };

	close(folder_make("src"));
	file_put("src/a.c", "");
	close(folder_make(".nox"));
	close(folder_make(".nox/lint"));
	for (size_t i = 0; i < countof(others); i++) {
		make_at(others[i], false);
		assert_warned("there are other things in this folder");
	}
	ck_assert(!file_there("src/.gitignore") && !file_there(".gitignore"));
	/* One that is empty, or ours although it has lost its tag, is not. */
	close(folder_make("../empty"));
	make_at("../empty", true);
	close(folder_make("../ours"));
	file_put("../ours/history.json", "");
	make_at("../ours", true);
	ck_assert_uint_eq(told(), countof(others));
}
END_TEST

START_TEST(a_folder_in_the_checkout_is_told_once)
{
	const char *const known[] = { "out", "a/b", "c/", ".nox/state", "../aside" };

	make_at("state/", true);
	assert_warned("NOXMK_STATE=state/ is in the checkout");
	assert_warned("add /state/ to .gitignore, or use .nox/state");
	make_at("state/", true);
	ck_assert_uint_eq(told(), 1);
	make_at(".n/state", true);
	assert_warned("add /.n/state/ to .gitignore");
	file_put(".gitignore", "*.pyc\n/out/\r\na\nc");
	for (size_t i = 0; i < countof(known); i++)
		make_at(known[i], true);
	ck_assert_uint_eq(told(), 2);
}
END_TEST

START_TEST(what_is_no_file_of_ours_is_removed_and_said_once)
{
	static const char *const names[] = { "own.mk", "sessions.mk", "order.mk", "failed",
		"plan.jsonl", "inputs.json", "history.json" };
	int state = state_make();

	for (size_t i = 0; i < countof(names); i++) {
		char *path = xasprintf(".nox/.noxmk/%s", names[i]);
		char *message = xasprintf("%s: ", path);

		odd_put(_i, path);
		ck_assert(state_mend(state));
		assert_warned(message);
		assert_warned(": it is made anew\n");
		ck_assert(!file_there(path));
		file_put(path, "ours");
		ck_assert(state_mend(state));
		ck_assert_uint_eq(told(), i + 1);
		assert_file(path, "ours");
		free(message);
		free(path);
	}
	close(state);
}
END_TEST

START_TEST(a_folder_is_made_in_the_place_of_what_is_none)
{
	int state = state_make(), folder;

	if (_i == ODD_FOLDER)
		folder_make(".nox/.noxmk/x");
	else
		odd_put(_i, ".nox/.noxmk/x");
	folder = state_folder(state, "x");
	ck_assert_int_ge(folder, 0);
	close(folder);
	if (_i == ODD_FOLDER)
		assert_silent();
	else
		assert_warned(".nox/.noxmk/x: Not a directory: it is made anew");
	close(state);
}
END_TEST

/* What it holds may matter to him. */
START_TEST(a_stranger_s_folder_is_moved_aside)
{
	int state = state_make(), folder, entries;

	if (geteuid() != 0)
		return;
	odd_put(ODD_FOLDER, ".nox/.noxmk/x");
	ck_assert_int_eq(chown(".nox/.noxmk/x", 65533, 65533), 0);
	folder = state_folder(state, "x");
	ck_assert_int_ge(folder, 0);
	close(folder);
	assert_warned(".nox/.noxmk/x: belongs to somebody else: it is made anew");
	ck_assert(!file_there(".nox/.noxmk/x/file"));
	entries = system("test -e .nox/.noxmk/x.????????~/file");
	ck_assert_int_eq(entries, 0);
	close(state);
}
END_TEST

START_TEST(the_path_is_chosen)
{
	int state;

	ck_assert_str_eq(state_path(), ".nox/.noxmk");
	setenv("NOXMK_STATE", "", 1);
	ck_assert_str_eq(state_path(), ".nox/.noxmk");
	file_put(".gitignore", "else\nthere\n");
	setenv("NOXMK_STATE", "else/where/it/is", 1);
	state = state_make();
	ck_assert_int_ge(state, 0);
	close(state);
	ck_assert(file_there("else/where/it/is/.gitignore") && !file_there(".nox"));
	/* The option wins. */
	state_choose("there/");
	state = state_make();
	close(state);
	ck_assert(file_there("there/.gitignore"));
	unsetenv("_noxmk_state");
	unsetenv("NOXMK_STATE");
	assert_silent();
}
END_TEST

/* Only to the default place, and only once. */
START_TEST(a_former_folder_is_moved)
{
	int state;

	close(folder_make(".noxmk/runs/20200101-000000-1"));
	file_put(".noxmk/history.json", "old");
	file_put(".noxmk/sessions.mk", "old");
	setenv("NOXMK_STATE", "elsewhere", 1);
	state = state_make();
	close(state);
	ck_assert(file_there(".noxmk/history.json"));
	unsetenv("NOXMK_STATE");
	state = state_make();
	ck_assert_int_ge(state, 0);
	close(state);
	assert_warned("what was in .noxmk is in .nox/.noxmk from now on");
	assert_file(".nox/.noxmk/history.json", "old");
	ck_assert(file_there(".nox/.noxmk/runs/20200101-000000-1"));
	/* What a former release has planned is of no use. */
	ck_assert(!file_there(".noxmk") && !file_there(".nox/.noxmk/sessions.mk"));
	close(folder_make(".noxmk"));
	state = state_make();
	close(state);
	ck_assert(file_there(".noxmk"));
}
END_TEST

START_TEST(state_cannot_be_made)
{
	char *here = getcwd(NULL, 0);

	ck_assert_int_eq(rmdir(here), 0);
	ck_assert_int_eq(state_make(), -1);
	assert_warned("the state folder .nox/.noxmk: No such file");
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
	assert_warned("the state folder .nox/.noxmk: File too large");
}
END_TEST

START_TEST(the_lock_keeps_others_out_until_it_is_given_back)
{
	int state = state_make(), lock = state_lock(state, 60);
	int other = openat(state, "lock", O_RDWR | O_CLOEXEC);

	ck_assert_int_ge(lock, 0);
	ck_assert_int_eq(flock(other, LOCK_EX | LOCK_NB), -1);
	state_unlock(lock);
	ck_assert_int_eq(flock(other, LOCK_EX | LOCK_NB), 0);
	close(other);
	lock = state_lock(state, 60);
	ck_assert_int_ge(lock, 0);
	state_unlock(lock);
	state_unlock(-1);
	close(state);
	assert_silent();
}
END_TEST

/* Its owner may be stopped, or something that a session has left. */
START_TEST(a_lock_that_somebody_keeps_is_not_waited_for_for_ever)
{
	int state = state_make(), lock = state_lock(state, 1), status;
	pid_t child;

	ck_assert_int_ge(lock, 0);
	ck_assert_int_eq(state_lock(state, 1), -1);
	assert_warned("/lock: two makes at once may lose what one of them writes: another process");
	/* Who has it keeps his own children waiting for ever. */
	ck_assert(!state_is_locked_around(state));
	child = fork();
	if (child == 0)
		_exit(state_is_locked_around(state) ? 0 : 1);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	state_unlock(lock);
	close(state);
}
END_TEST

START_TEST(a_lock_that_is_not_to_be_had_is_warned_of)
{
	ck_assert_int_eq(state_lock(-1, 1), -1);
	assert_warned(".nox/.noxmk/lock: two makes at once may lose what one of them writes: Bad");
}
END_TEST

Suite *
check_state_suite(void)
{
	Suite *suite = suite_create("state");
	TCase *tc = support_case(suite, "state");

	tcase_add_test(tc, state_is_made_once);
	tcase_add_test(tc, state_cannot_be_opened);
	tcase_add_test(tc, a_folder_with_other_things_is_refused);
	tcase_add_test(tc, a_folder_in_the_checkout_is_told_once);
	tcase_add_loop_test(tc, what_is_no_file_of_ours_is_removed_and_said_once, 0,
	    ODD_THINGS);
	tcase_add_loop_test(tc, a_folder_is_made_in_the_place_of_what_is_none, 0,
	    ODD_THINGS);
	tcase_add_test(tc, a_stranger_s_folder_is_moved_aside);
	tcase_add_test(tc, the_path_is_chosen);
	tcase_add_test(tc, a_former_folder_is_moved);
	tcase_add_test(tc, state_cannot_be_made);
	tcase_add_test(tc, state_cannot_be_filled);
	tcase_add_test(tc, the_lock_keeps_others_out_until_it_is_given_back);
	tcase_add_test(tc, a_lock_that_somebody_keeps_is_not_waited_for_for_ever);
	tcase_add_test(tc, a_lock_that_is_not_to_be_had_is_warned_of);
	return suite;
}
