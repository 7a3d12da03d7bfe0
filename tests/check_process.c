#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"
#include "base/spawn.h"
#include "support.h"

static pid_t
start_tail(void)
{
	static const char *const argv[] = { "tail", "-f", "/dev/null", NULL };

	return spawn((char *const *)argv, environ, 1, 2, false);
}

static void
end(pid_t pid)
{
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

/* A child that starts one of its own, and waits for the end of the test. */
static pid_t
start_two(int *grandchild)
{
	int ends[2];
	pid_t child;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	child = fork();
	if (child == 0) {
		pid_t pid = start_tail();

		(void)!write(ends[1], &pid, sizeof(pid));
		for (;;)
			pause();
	}
	ck_assert_int_gt(child, 0);
	ck_assert_int_eq(read(ends[0], grandchild, sizeof(*grandchild)), sizeof(*grandchild));
	close(ends[0]);
	close(ends[1]);
	return child;
}

START_TEST(children_and_what_is_below_them)
{
	struct indices children = { 0 }, all = { 0 };
	pid_t grandchild, child = start_two(&grandchild);

	process_children(getpid(), &children);
	ck_assert_uint_eq(children.n, 1);
	ck_assert_uint_eq(children.v[0], child);
	process_descendants(getpid(), &all);
	ck_assert_uint_eq(all.n, 2);
	ck_assert_uint_eq(all.v[0], child);
	ck_assert_uint_eq(all.v[1], grandchild);
	kill(grandchild, SIGKILL);
	end(child);
	free(children.v);
	free(all.v);
}
END_TEST

static void *
start_in_thread(void *data)
{
	int (*ends)[2] = data;
	pid_t pid = start_tail();
	char byte;

	(void)!write(ends[0][1], &pid, sizeof(pid));
	/* Were the thread to end, its child would be another thread's. */
	(void)!read(ends[1][0], &byte, 1);
	return NULL;
}

START_TEST(the_child_of_a_thread_counts)
{
	struct indices children = { 0 };
	pthread_t thread;
	int ends[2][2];
	pid_t pid;

	ck_assert_int_eq(pipe2(ends[0], O_CLOEXEC) | pipe2(ends[1], O_CLOEXEC), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, start_in_thread, ends), 0);
	ck_assert_int_eq(read(ends[0][0], &pid, sizeof(pid)), sizeof(pid));
	process_children(getpid(), &children);
	ck_assert_uint_eq(children.n, 1);
	ck_assert_uint_eq(children.v[0], pid);
	close(ends[1][1]);
	pthread_join(thread, NULL);
	end(pid);
	free(children.v);
}
END_TEST

START_TEST(a_process_that_is_gone_has_no_children)
{
	struct indices none = { 0 };
	pid_t pid = start_tail();

	end(pid);
	process_descendants(pid, &none);
	ck_assert_uint_eq(none.n, 0);
	assert_silent();
}
END_TEST

static void
assert_name(pid_t pid, const char *wanted)
{
	char *name = process_name(pid);

	ck_assert_str_eq(name, wanted);
	free(name);
}

START_TEST(the_name_is_the_command_line_while_there_is_one)
{
	siginfo_t info;
	pid_t pid = start_tail();

	/* exec lets us go on a moment before the new command line is there. */
	ck_assert(process_becomes(pid, 'S'));
	assert_name(pid, "tail -f /dev/null");
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_name(pid, "[tail]");
	end(pid);
	assert_name(pid, "[?]");
}
END_TEST

START_TEST(our_own_program_is_an_absolute_path)
{
	char *path = process_own_program(), *name = strrchr(path, '/');

	ck_assert_int_eq(path[0], '/');
	ck_assert_str_eq(name, "/check");
	ck_assert_int_eq(access(path, X_OK), 0);
	free(path);
}
END_TEST

START_TEST(our_own_program_is_known_by_any_name)
{
	char *path = process_own_program();

	ck_assert(process_is_own_program(path));
	ck_assert_int_eq(symlink(path, "make"), 0);
	ck_assert(process_is_own_program("make"));
	ck_assert(!process_is_own_program(helper_path()));
	ck_assert(!process_is_own_program("there is none"));
	free(path);
}
END_TEST

Suite *
check_process_suite(void)
{
	Suite *suite = suite_create("process");
	TCase *tc = support_case(suite, "process");

	tcase_add_test(tc, children_and_what_is_below_them);
	tcase_add_test(tc, the_child_of_a_thread_counts);
	tcase_add_test(tc, a_process_that_is_gone_has_no_children);
	tcase_add_test(tc, the_name_is_the_command_line_while_there_is_one);
	tcase_add_test(tc, our_own_program_is_an_absolute_path);
	tcase_add_test(tc, our_own_program_is_known_by_any_name);
	return suite;
}
