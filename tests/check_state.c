#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "state/state.h"
#include "support.h"

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

START_TEST(the_lock_keeps_others_out_until_it_is_given_back)
{
	int state = state_make(), other = state_open();

	state_lock(state);
	ck_assert_int_eq(flock(other, LOCK_EX | LOCK_NB), -1);
	state_unlock(state);
	state_lock(other);
	ck_assert_int_eq(flock(state, LOCK_EX | LOCK_NB), -1);
	/* It goes with the descriptor. */
	close(other);
	state_lock(state);
	close(state);
	assert_silent();
}
END_TEST

START_TEST(a_lock_that_is_not_to_be_had_is_warned_of)
{
	state_lock(-1);
	assert_warned(".noxmk: Bad file descriptor");
}
END_TEST

Suite *
check_state_suite(void)
{
	Suite *suite = suite_create("state");
	TCase *tc = support_case(suite, "state");

	tcase_add_test(tc, state_is_made_once);
	tcase_add_test(tc, state_cannot_be_opened);
	tcase_add_test(tc, state_cannot_be_made);
	tcase_add_test(tc, state_cannot_be_filled);
	tcase_add_test(tc, the_lock_keeps_others_out_until_it_is_given_back);
	tcase_add_test(tc, a_lock_that_is_not_to_be_had_is_warned_of);
	return suite;
}
