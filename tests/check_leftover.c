#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/spawn.h"
#include "session/leftover.h"
#include "support.h"

/* The helper program with these verbs, as a session that the caller reaps. */
static pid_t
start(const char *const *verbs)
{
	struct strings argv = { 0 };
	pid_t pid;

	strings_add(&argv, helper_path());
	while (*verbs)
		strings_add(&argv, *verbs++);
	strings_add(&argv, NULL);
	pid = spawn((char **)argv.v, environ, STDERR_FILENO, STDERR_FILENO, false);
	free(argv.v);
	ck_assert_int_gt(pid, 0);
	return pid;
}
#define START(...) start((const char *const[]){ __VA_ARGS__, NULL })

/* A whole session, which ends well. */
#define RUN(...) ck_assert_int_eq(spawn_wait(START(__VA_ARGS__)), 0)

/* False when something is there for more than a hundred seconds. */
static bool
is_cleared(struct leftover *leftover)
{
	for (int i = 0; i < 10000; i++) {
		if (!leftover_remains(leftover, 0))
			return true;
		poll(NULL, 0, 10);
	}
	return false;
}

START_TEST(a_session_that_leaves_nothing_is_clear)
{
	struct leftover *leftover = leftover_open();

	RUN("exit", "0");
	ck_assert(!leftover_remains(leftover, 0));
	ck_assert_ptr_null(leftover_names(leftover));
	leftover_signal(leftover, SIGKILL);
	leftover_close(leftover);
	leftover_close(NULL);
}
END_TEST

static const char *const hidings[] = { "grandchild", "daemon" };

START_TEST(what_is_left_is_found_named_and_ended)
{
	struct leftover *leftover = leftover_open();
	char *names, *wanted;
	pid_t left;

	RUN(hidings[_i], "pid");
	left = file_pid("pid");
	ck_assert(leftover_remains(leftover, 0));
	names = leftover_names(leftover);
	wanted = xasprintf("%s %s pid (pid %d)", helper_path(), hidings[_i], (int)left);
	ck_assert_str_eq(names, wanted);
	ck_assert_int_ne(process_state(left), 'X');
	leftover_signal(leftover, SIGTERM);
	ck_assert(is_cleared(leftover));
	ck_assert_ptr_null(leftover_names(leftover));
	free(names);
	free(wanted);
	leftover_close(leftover);
}
END_TEST

START_TEST(several_are_named_by_the_first)
{
	struct leftover *leftover = leftover_open();
	char *names;

	RUN("grandchild", "one", "daemon", "two", "grandchild", "three");
	ck_assert(leftover_remains(leftover, 0));
	names = leftover_names(leftover);
	ck_assert_msg(strstr(names, ") and 2 more") != NULL, "%s", names);
	free(names);
	leftover_signal(leftover, SIGKILL);
	ck_assert(is_cleared(leftover));
	leftover_close(leftover);
}
END_TEST

START_TEST(a_long_name_is_cut)
{
	struct leftover *leftover = leftover_open();
	char word[1001], *names;

	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	RUN("grandchild", "pid", "print", word);
	ck_assert(leftover_remains(leftover, 0));
	names = leftover_names(leftover);
	ck_assert_uint_lt(strlen(names), 200 + strlen(" (pid 12345678)"));
	free(names);
	leftover_signal(leftover, SIGKILL);
	ck_assert(is_cleared(leftover));
	leftover_close(leftover);
}
END_TEST

START_TEST(a_signal_reaches_descendants_and_wakes_the_stopped)
{
	struct leftover *leftover = leftover_open();
	pid_t child = START("grandchild", "pid", "touch", "ready", "pause"), grandchild;

	for (int i = 0; i < 10000 && !file_there("ready"); i++)
		poll(NULL, 0, 10);
	grandchild = file_pid("pid");
	kill(child, SIGSTOP);
	kill(grandchild, SIGSTOP);
	ck_assert(process_becomes(child, 'T') && process_becomes(grandchild, 'T'));
	ck_assert(leftover_remains(leftover, 0));
	leftover_signal(leftover, SIGTERM);
	ck_assert(process_becomes(child, 'X'));
	ck_assert(process_becomes(grandchild, 'X'));
	ck_assert(is_cleared(leftover));
	leftover_close(leftover);
}
END_TEST

/* The guard of the job slots is such a child. */
START_TEST(older_children_are_left_alone)
{
	pid_t older = START("pause");
	struct leftover *leftover = leftover_open();
	int status;

	ck_assert(!leftover_remains(leftover, 0));
	leftover_signal(leftover, SIGKILL);
	ck_assert_int_ne(process_state(older), 'X');
	kill(older, SIGUSR1);
	ck_assert(process_becomes(older, 'X'));
	/* It is still ours to reap. */
	ck_assert(!leftover_remains(leftover, 0));
	ck_assert_int_eq(waitpid(older, &status, 0), older);
	ck_assert_int_eq(WTERMSIG(status), SIGUSR1);
	leftover_close(leftover);
}
END_TEST

START_TEST(the_dead_are_reaped)
{
	struct leftover *leftover = leftover_open();
	pid_t child = START("grandchild", "pid"), grandchild;

	ck_assert(process_becomes(child, 'X'));
	grandchild = file_pid("pid");
	/* The child is dead, but what it has left is not. */
	ck_assert(leftover_remains(leftover, 0));
	ck_assert_int_eq(waitpid(child, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
	kill(grandchild, SIGKILL);
	ck_assert(is_cleared(leftover));
	ck_assert_int_eq(waitpid(grandchild, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
	leftover_close(leftover);
}
END_TEST

Suite *
check_leftover_suite(void)
{
	Suite *suite = suite_create("leftover");
	TCase *tc = support_case(suite, "leftover");

	tcase_add_test(tc, a_session_that_leaves_nothing_is_clear);
	tcase_add_loop_test(tc, what_is_left_is_found_named_and_ended, 0, countof(hidings));
	tcase_add_test(tc, several_are_named_by_the_first);
	tcase_add_test(tc, a_long_name_is_cut);
	tcase_add_test(tc, a_signal_reaches_descendants_and_wakes_the_stopped);
	tcase_add_test(tc, older_children_are_left_alone);
	tcase_add_test(tc, the_dead_are_reaped);
	return suite;
}
