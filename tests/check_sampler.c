#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/process.h"
#include "base/spawn.h"
#include "slots/sampler.h"
#include "support.h"
#include "tree.h"

enum { MIB = 1 << 20 };

static pid_t top;
static struct sampler *sampler;

static void
teardown(void)
{
	sampler_close(sampler);
	sampler = NULL;
	tree_teardown();
}

/* See tree_fork; a sampler of what is below the top. */
static pid_t
fork_top(void)
{
	top = tree_fork();
	if (top > 0)
		sampler = sampler_open(top, -1);
	return top;
}

/* The top of a tree, with one process below that leads that life. */
static void
fork_top_with(void (*life)(void))
{
	if (fork_top() == 0) {
		tree_start(life);
		tree_sleep();
	}
}

static void
look(void)
{
	poll(NULL, 0, clock_until(sampler_due(sampler), -1));
	sampler_look(sampler);
}

static void
look_times(int times)
{
	for (int i = 0; i < times; i++)
		look();
}

/*
 * Begins anew until the first look sees so many threads that run: who is to sleep may take a while
 * to do so. Then that is the most, and stays it.
 */
static void
look_until(unsigned n)
{
	for (int i = 0; i < 50 && (i == 0 || sampler_in_use(sampler) != n); i++) {
		sampler_close(sampler);
		sampler = sampler_open(top, -1);
		look();
	}
	ck_assert_uint_eq(sampler_in_use(sampler), n);
	ck_assert_uint_eq(sampler_most(sampler), n);
	/* On a busy machine a process may get no turn from one look to the next. */
	look();
	for (int i = 0; i < 50 && sampler_most(sampler) != n; i++)
		look();
	ck_assert_uint_eq(sampler_in_use(sampler), n);
	ck_assert_uint_eq(sampler_most(sampler), n);
}

/* A fork counts from its second look on. */
static unsigned long long
memory_now(void)
{
	sampler_close(sampler);
	sampler = sampler_open(top, -1);
	look_times(2);
	return sampler_memory(sampler);
}

START_TEST(before_the_first_look_nothing_is_known)
{
	double due;

	if (fork_top() == 0) {
		tree_reach(1);
		tree_sleep();
	}
	ck_assert_uint_eq(sampler_in_use(sampler), 1);
	ck_assert_uint_eq(sampler_most(sampler), 0);
	ck_assert_uint_eq(sampler_memory(sampler), 0);
	ck_assert_int_eq(sampler_client(sampler), -1);
	/* No look is made before it is due. */
	due = sampler_due(sampler);
	sampler_look(sampler);
	if (clock_monotonic() < due)
		ck_assert_uint_eq(sampler_in_use(sampler), 1);
	look_until(0);
	ck_assert_double_gt(sampler_due(sampler), due);
}
END_TEST

/* There are two sleepers and so many burners, whatever the processors. The top does not count. */
START_TEST(who_runs_is_counted)
{
	if (fork_top() == 0) {
		for (int i = 0; i < 2; i++)
			tree_start(tree_sleep);
		for (int i = 0; i < _i; i++)
			tree_start(tree_burn);
		tree_reach(1);
		tree_burn();
	}
	look_until((unsigned)_i);
}
END_TEST

static void
run_threads(void)
{
	tree_threads(3, true);
	tree_threads(4, false);
	tree_reach(1);
	tree_sleep();
}

START_TEST(threads_that_run_are_counted)
{
	fork_top_with(run_threads);
	look_until(3);
}
END_TEST

static void
sleep_in_threads(void)
{
	tree_threads(20, false);
	tree_reach(1);
	tree_sleep();
}

START_TEST(threads_that_sleep_are_not)
{
	fork_top_with(sleep_in_threads);
	look_until(0);
}
END_TEST

static void *
outlive(void *thread)
{
	pthread_join(*(pthread_t *)thread, NULL);
	tree_reach(1);
	tree_burn();
}

static void
lose_main_thread(void)
{
	static pthread_t first, other;

	first = pthread_self();
	pthread_create(&other, NULL, outlive, &first);
	pthread_exit(NULL);
}

START_TEST(who_has_lost_its_main_thread_is_counted)
{
	fork_top_with(lose_main_thread);
	look_until(1);
}
END_TEST

static void *
start_burner(void *data)
{
	(void)data;
	tree_start(tree_burn);
	tree_reach(1);
	tree_sleep();
}

static void
start_burner_in_thread(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, start_burner, NULL);
	tree_sleep();
}

START_TEST(the_child_of_any_thread_is_seen)
{
	fork_top_with(start_burner_in_thread);
	/* Also when the thread's process has not done anything since the last look. */
	look_until(1);
	look_times(4);
	ck_assert_uint_eq(sampler_in_use(sampler), 1);
}
END_TEST

static void
start_burner_and_end(void)
{
	tree_start(tree_burn);
}

START_TEST(who_is_orphaned_is_seen)
{
	if (fork_top() == 0) {
		waitpid(tree_start(start_burner_and_end), NULL, 0);
		tree_reach(1);
		tree_sleep();
	}
	look_until(1);
}
END_TEST

/* Stops all burners but so many. */
static void
let_burn(int n)
{
	for (int i = 0; i < 4; i++)
		kill(tree_pids()[i], i < n ? SIGCONT : SIGSTOP);
	for (int i = 0; i < 4; i++)
		ck_assert(process_becomes(tree_pids()[i], i < n ? 'R' : 'T'));
}

START_TEST(in_use_is_the_most_of_two_looks_and_the_most_that_of_two_in_a_row)
{
	static const struct {
		int burn;
		unsigned in_use, most;
	} steps[] = { { 3, 3, 3 }, { 1, 3, 1 }, { 4, 4, 1 }, { 0, 4, 1 }, { 2, 2, 1 }, { 2, 2, 2 },
		{ 0, 2, 2 }, { 0, 0, 2 }, { 1, 1, 2 } };

	if (fork_top() == 0) {
		for (int i = 0; i < 4; i++)
			tree_pids()[i] = tree_start(tree_burn);
		tree_reach(1);
		tree_sleep();
	}
	for (size_t i = 0; i < countof(steps); i++) {
		let_burn(steps[i].burn);
		look();
		ck_assert_uint_eq(sampler_in_use(sampler), steps[i].in_use);
		ck_assert_uint_eq(sampler_most(sampler), steps[i].most);
	}
}
END_TEST

START_TEST(memory_that_was_touched_counts)
{
	const unsigned long long size = 64 * MIB;
	unsigned long long before, after;

	if (fork_top() == 0) {
		if (fork() == 0) {
			tree_reach(1);
			tree_wait_for(2);
			char *memory = tree_touch(size);
			tree_reach(3);
			tree_wait_for(4);
			munmap(memory, size);
			tree_reach(5);
			tree_sleep();
		}
		tree_sleep();
	}
	before = memory_now();
	tree_reach(2);
	tree_wait_for(3);
	after = memory_now();
	ck_assert_uint_ge(after - before, size);
	ck_assert_uint_le(after - before, size + size / 4);
	/* The most stays. */
	tree_reach(4);
	tree_wait_for(5);
	look();
	ck_assert_uint_ge(sampler_memory(sampler), after);
	ck_assert_uint_le(memory_now(), before + size / 4);
}
END_TEST

START_TEST(forks_share_what_they_have_not_written)
{
	const size_t size = 32 * MIB;
	unsigned long long alone, shared, written;

	if (fork_top() == 0) {
		if (fork() == 0) {
			char *memory = tree_touch(size);

			tree_reach(1);
			tree_wait_for(2);
			for (int i = 0; i < 3; i++)
				if (fork() == 0) {
					tree_wait_for(4);
					memset(memory, 2, size);
					__atomic_add_fetch(&tree_pids()[0], 1, __ATOMIC_SEQ_CST);
					tree_sleep();
				}
			tree_reach(3);
			tree_sleep();
		}
		tree_sleep();
	}
	alone = memory_now();
	tree_reach(2);
	tree_wait_for(3);
	shared = memory_now();
	ck_assert_uint_ge(shared, size);
	ck_assert_uint_lt(shared, alone + size / 2);
	tree_reach(4);
	for (int i = 0; i < 10000 && tree_pids()[0] < 3; i++)
		poll(NULL, 0, 10);
	written = memory_now();
	ck_assert_uint_ge(written, 4 * size);
	ck_assert_uint_lt(written, 5 * size);
}
END_TEST

START_TEST(a_programs_files_count_once)
{
	static const char *const argv[] = { "tail", "-f", "/dev/null", NULL };
	unsigned long long one, all;

	if (fork_top() == 0) {
		for (int i = 0; i < 8; i++) {
			process_becomes(spawn((char *const *)argv, environ, 1, 2, false), 'S');
			tree_reach(1);
			if (i == 0)
				tree_wait_for(2);
		}
		tree_reach(3);
		tree_sleep();
	}
	one = memory_now();
	ck_assert_uint_gt(one, 0);
	tree_reach(2);
	tree_wait_for(3);
	all = memory_now();
	ck_assert_uint_gt(all, one);
	ck_assert_uint_lt(all, 4 * one);
}
END_TEST

START_TEST(looking_costs_little_however_many_there_are)
{
	double begun, before, cost;

	if (fork_top() == 0) {
		for (int i = 0; i < 100; i++)
			tree_start(tree_sleep);
		tree_reach(1);
		tree_sleep();
	}
	for (int i = 0; i < 2; i++) {
		poll(NULL, 0, clock_until(sampler_due(sampler), -1));
		begun = clock_monotonic();
		before = clock_processor();
		sampler_look(sampler);
		cost = clock_processor() - before;
		ck_assert_double_le(cost, 0.005 * (sampler_due(sampler) - begun));
	}
}
END_TEST

START_TEST(who_vanishes_is_no_error)
{
	if (fork_top() == 0) {
		tree_reach(1);
		for (;;) {
			pid_t pid = fork();

			if (pid == 0 && fork() == 0)
				_exit(0);
			if (pid == 0)
				_exit(0);
			while (waitpid(-1, NULL, WNOHANG) > 0)
				;
		}
	}
	look_times(4);
	tree_kill();
	look_times(4);
	ck_assert_uint_eq(sampler_in_use(sampler), 0);
	assert_silent();
}
END_TEST

/* Below the top a process that opens the pipe at step 2, by its path as a tool does. */
static void
fork_client(const int ends[2])
{
	if (fork_top() == 0) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)getppid(), ends[0]);
		/* What was inherited of it is closed, as exec closes it. */
		close_range(3, ~0U, 0);
		if (fork() == 0) {
			static const char *const argv[] = { "tail", "-f", "/dev/null", NULL };

			tree_pids()[0] = getpid();
			tree_reach(1);
			tree_wait_for(2);
			(void)!open(path, O_RDWR);
			tree_reach(3);
			tree_wait_for(4);
			execvp(argv[0], (char *const *)argv);
		}
		tree_sleep();
	}
	sampler_close(sampler);
	sampler = sampler_open(top, ends[0]);
}

START_TEST(who_has_the_jobserver_open_is_a_client)
{
	struct sampler *others;
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	fork_client(ends);
	look();
	ck_assert_int_eq(sampler_client(sampler), 0);
	tree_reach(2);
	tree_wait_for(3);
	look();
	ck_assert_int_eq(sampler_client(sampler), 1);
	/* Another session's client is none of ours: this one has no process. */
	others = sampler_open(tree_pids()[0], ends[0]);
	close(ends[0]);
	close(ends[1]);
	poll(NULL, 0, clock_until(sampler_due(others), -1));
	sampler_look(others);
	ck_assert_int_eq(sampler_client(others), 0);
	sampler_close(others);
	/* It stays one when that has ended. */
	tree_kill();
	look();
	ck_assert_int_eq(sampler_client(sampler), 1);
}
END_TEST

START_TEST(who_opens_it_late_is_seen_some_time)
{
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	fork_client(ends);
	look_times(3);
	tree_reach(2);
	tree_wait_for(3);
	for (int i = 0; i < 6 && sampler_client(sampler) == 0; i++)
		look();
	ck_assert_int_eq(sampler_client(sampler), 1);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(another_program_in_its_place_is_looked_at_anew)
{
	int ends[2];
	char *name;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	fork_client(ends);
	look_times(4);
	tree_reach(2);
	tree_wait_for(3);
	/* The fifth look is none at which descriptors are read. */
	look();
	ck_assert_int_eq(sampler_client(sampler), 0);
	tree_reach(4);
	for (int i = 0; i < 10000; i++) {
		bool is_tail;

		name = process_name(tree_pids()[0]);
		is_tail = strncmp(name, "tail", 4) == 0;
		free(name);
		if (is_tail)
			break;
		poll(NULL, 0, 10);
	}
	look();
	ck_assert_int_eq(sampler_client(sampler), 1);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

/* Burns for two ticks again and again, as children that nobody sees while they run: so many yet. */
static void
start_short_ones(void)
{
	tree_reach(1);
	for (;;) {
		struct process_stat stat;
		pid_t child = fork();

		while (child == 0)
			if (process_stat(getpid(), &stat) && stat.time >= 2)
				_exit(0);
		waitpid(child, NULL, 0);
		tree_pids()[0]++;
	}
}

START_TEST(what_short_ones_use_counts_over_time)
{
	json_t *samples;
	double every, sum = 0, last = 0;
	size_t i;
	json_t *cpu;

	fork_top_with(start_short_ones);
	/* How long they take for that is the machine's business. */
	while (tree_pids()[0] < 11)
		look();
	look_times(6);
	/* More than was seen by then is what they have used since. */
	samples = sampler_end(sampler, 1e6);
	ck_assert_ptr_nonnull(samples);
	every = json_number(samples, "every");
	json_array_foreach(json_object_get(samples, "cpu"), i, cpu) {
		last = json_number_value(cpu);
		sum += every * last;
	}
	ck_assert_uint_ge(i, 4);
	ck_assert_double_ge(sum - every * last, 0.1);
	ck_assert_double_gt(last, 1e4);
	ck_assert_double_gt(json_number_value(json_array_get(json_object_get(samples, "mib"), 1)),
	    0);
	json_decref(samples);
}
END_TEST

START_TEST(without_a_jobserver_nobody_can_know)
{
	fork_top_with(sleep_in_threads);
	look_until(0);
	ck_assert_int_eq(sampler_client(sampler), -1);
}
END_TEST

Suite *
check_sampler_suite(void)
{
	Suite *suite = suite_create("sampler");
	TCase *tc = support_case(suite, "sampler");

	tcase_add_checked_fixture(tc, tree_setup, teardown);
	tcase_add_test(tc, before_the_first_look_nothing_is_known);
	tcase_add_loop_test(tc, who_runs_is_counted, 0, 4);
	tcase_add_test(tc, threads_that_run_are_counted);
	tcase_add_test(tc, threads_that_sleep_are_not);
	tcase_add_test(tc, who_has_lost_its_main_thread_is_counted);
	tcase_add_test(tc, the_child_of_any_thread_is_seen);
	tcase_add_test(tc, who_is_orphaned_is_seen);
	tcase_add_test(tc, in_use_is_the_most_of_two_looks_and_the_most_that_of_two_in_a_row);
	tcase_add_test(tc, memory_that_was_touched_counts);
	tcase_add_test(tc, forks_share_what_they_have_not_written);
	tcase_add_test(tc, a_programs_files_count_once);
	tcase_add_test(tc, looking_costs_little_however_many_there_are);
	tcase_add_test(tc, who_vanishes_is_no_error);
	tcase_add_test(tc, who_has_the_jobserver_open_is_a_client);
	tcase_add_test(tc, who_opens_it_late_is_seen_some_time);
	tcase_add_test(tc, another_program_in_its_place_is_looked_at_anew);
	tcase_add_test(tc, what_short_ones_use_counts_over_time);
	tcase_add_test(tc, without_a_jobserver_nobody_can_know);
	return suite;
}
