#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
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

/* A process that sleeps, by a name that looks like what follows it in /proc/PID/stat. */
static pid_t
fork_sleeper(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_NAME, "a) R 1 (b");
		for (;;)
			pause();
	}
	ck_assert_int_gt(pid, 0);
	for (int i = 0; i < 10000 && process_thread_state(pid, pid) != 'S'; i++)
		poll(NULL, 0, 10);
	return pid;
}

START_TEST(a_process_is_told_by_numbers)
{
	struct process_stat us, fork, tail;
	pid_t sleeper = fork_sleeper(), other = start_tail();

	ck_assert(process_becomes(other, 'S'));
	ck_assert(process_stat(getpid(), &us) && process_stat(sleeper, &fork));
	ck_assert(process_stat(other, &tail));
	ck_assert_int_eq(us.state, 'R');
	ck_assert_int_eq(fork.state, 'S');
	ck_assert_uint_eq(fork.threads, 1);
	ck_assert_uint_ge(fork.started, us.started);
	/* Both run our program, one the other's fork. */
	ck_assert_uint_gt(us.code, 0);
	ck_assert_uint_eq(fork.code, us.code);
	ck_assert_uint_eq(fork.stack, us.stack);
	ck_assert_uint_ne(tail.code, us.code);
	end(sleeper);
	end(other);
	ck_assert(!process_stat(sleeper, &fork));
	ck_assert_int_eq(process_thread_state(sleeper, sleeper), 'X');
	ck_assert_uint_eq(process_pages(sleeper).resident, 0);
	ck_assert_double_eq(process_own_part(sleeper), 1);
}
END_TEST

START_TEST(processor_time_and_memory_grow)
{
	const size_t size = 16 << 20;
	unsigned long long pages = size / (size_t)sysconf(_SC_PAGESIZE);
	struct process_pages less = process_pages(getpid()), more;
	struct process_stat before, after;
	char *own, *common;

	ck_assert(process_stat(getpid(), &before));
	own = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	common = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert(own != MAP_FAILED && common != MAP_FAILED);
	memset(own, 1, size);
	memset(common, 1, size);
	more = process_pages(getpid());
	do
		ck_assert(process_stat(getpid(), &after));
	while (after.time < before.time + 2);
	ck_assert_uint_eq(after.reaped, before.reaped);
	ck_assert_uint_ge(after.pages - before.pages, pages);
	/* Sanitizers keep books on memory, in memory. */
	ck_assert_uint_ge(more.resident - less.resident, 2 * pages);
	ck_assert_uint_le(more.resident - less.resident, 3 * pages);
	ck_assert_uint_ge(more.shared - less.shared, pages);
	ck_assert_uint_le(more.shared - less.shared, pages + pages / 4);
	munmap(own, size);
	munmap(common, size);
}
END_TEST

START_TEST(time_of_reaped_children_is_known)
{
	struct process_stat before, after;
	pid_t child = fork();

	for (int i = 0; child == 0; i++)
		if (process_stat(getpid(), &after) && after.time >= 3)
			_exit(0);
	ck_assert_int_gt(child, 0);
	ck_assert(process_stat(getpid(), &before));
	waitpid(child, NULL, 0);
	ck_assert(process_stat(getpid(), &after));
	ck_assert_uint_ge(after.reaped, before.reaped + 3);
}
END_TEST

START_TEST(a_forks_part_is_half_until_it_writes)
{
	/* A build with sanitizers has 75 MiB of its own, which stay shared. */
	const size_t size = 256 << 20;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
	    0);
	pid_t fork;

	ck_assert_ptr_ne(memory, MAP_FAILED);
	memset(memory, 1, size);
	fork = fork_sleeper();
	ck_assert_double_gt(process_own_part(fork), 0.4);
	ck_assert_double_lt(process_own_part(fork), 0.7);
	memset(memory, 2, size);
	ck_assert_double_gt(process_own_part(fork), 0.8);
	ck_assert_double_le(process_own_part(fork), 1);
	end(fork);
	munmap(memory, size);
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
	tcase_add_test(tc, a_process_is_told_by_numbers);
	tcase_add_test(tc, processor_time_and_memory_grow);
	tcase_add_test(tc, time_of_reaped_children_is_known);
	tcase_add_test(tc, a_forks_part_is_half_until_it_writes);
	tcase_add_test(tc, the_name_is_the_command_line_while_there_is_one);
	tcase_add_test(tc, our_own_program_is_an_absolute_path);
	tcase_add_test(tc, our_own_program_is_known_by_any_name);
	return suite;
}
