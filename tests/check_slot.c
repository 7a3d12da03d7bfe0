#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "slots/slot.h"
#include "support.h"
#include "tokens.h"

static struct slot *
open_slot(const char *makeflags, int rundir)
{
	struct makeflags read = makeflags_read(makeflags, 1);
	struct slot *slot = slot_open(&read, rundir, own_key(), 0);

	makeflags_clear(&read);
	return slot;
}

static void
await_slot(struct slot *slot)
{
	for (int i = 0; i < 100 && !slot_try(slot); i++) {
		struct pollfd fd = { .fd = slot_fd(slot), .events = POLLIN };

		ck_assert_int_ge(fd.fd, 0);
		poll(&fd, 1, slot_timeout(slot));
	}
	ck_assert(slot_try(slot));
}

static pid_t
tracer_of(pid_t pid)
{
	char *path = xasprintf("/proc/%d/status", (int)pid), *text = file_get(path);
	pid_t tracer = (pid_t)strtol(strstr(text, "TracerPid:") + 10, NULL, 10);

	free(text);
	free(path);
	return tracer;
}

START_TEST(without_a_jobserver_nobody_waits)
{
	static const char *const flags[] = { NULL, "", "k", " -j1", " -j2 --jobserver-auth=98,99" };
	struct slot *slot = open_slot(flags[_i], -1);

	ck_assert(slot_try(slot) && slot_try(slot) && !slot_lend(slot) && slot_try(slot));
	ck_assert_int_eq(slot_fd(slot), -1);
	ck_assert_int_eq(slot_timeout(slot), -1);
	slot_close(slot);
	slot_close(NULL);
	assert_silent();
}
END_TEST

START_TEST(from_the_pool)
{
	int folder = folder_make("run");
	struct slot *a = open_slot(" -j", folder), *b = open_slot(" -j", folder);
	struct slot *c = open_slot(" -j", folder);
	struct pollfd fd = { .events = POLLIN };

	ck_assert(!slot_lend(a) && slot_try(a) && !slot_try(b) && !slot_try(c));
	ck_assert_int_ge(slot_fd(b), 0);
	ck_assert_int_gt(slot_timeout(b), 0);
	ck_assert(slot_lend(a) && !slot_lend(a) && slot_try(b) && !slot_try(a));
	/* Who comes back stands before all others. */
	ck_assert(!slot_try(c));
	fd.fd = slot_fd(a);
	slot_close(b);
	ck_assert_int_eq(poll(&fd, 1, 100000), 1);
	ck_assert(slot_try(a) && !slot_try(c) && slot_lend(a) && slot_try(c) && !slot_try(a));
	slot_close(c);
	ck_assert(slot_try(a));
	slot_close(a);
	close(folder);
}
END_TEST

/* As a keeper that outlives its helper. */
START_TEST(a_forked_child_has_no_slot_of_the_pool)
{
	int folder = folder_make("run"), ready[2];
	struct slot *a = open_slot(" -j", folder), *b = open_slot(" -j", folder);
	char byte;
	pid_t pid;

	ck_assert(slot_try(a) && !slot_try(b));
	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		slot_forked(a);
		(void)!write(ready[1], "", 1);
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	ck_assert(!slot_try(b));
	slot_close(a);
	ck_assert(slot_try(b));
	slot_close(b);
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	close(ready[0]);
	close(ready[1]);
	close(folder);
}
END_TEST

START_TEST(lent_and_back)
{
	struct make make = make_with(1);
	struct slot *slot = open_slot(make.flags, -1);
	char token;

	ck_assert(slot_try(slot));
	for (int i = 0; i < 3; i++) {
		ck_assert(slot_lend(slot) && !slot_lend(slot));
		await_tokens(&make, 2);
		/* Others use both. */
		ck_assert_int_eq(read(make.ends[0], &token, 1) + read(make.ends[0], &token, 1), 2);
		ck_assert(!slot_try(slot) && !slot_try(slot));
		ck_assert_int_eq(slot_timeout(slot), 1000);
		ck_assert_int_eq(write(make.ends[1], "+", 1), 1);
		await_slot(slot);
		ck_assert_int_eq(tokens_in(&make), 0);
		ck_assert_int_eq(write(make.ends[1], "+", 1), 1);
	}
	ck_assert(slot_lend(slot));
	await_tokens(&make, 2);
	/* A token that lies there is back when the helper goes. */
	slot_close(slot);
	ck_assert_int_eq(tokens_in(&make), 1);
	make_gone(&make);
	assert_silent();
}
END_TEST

START_TEST(helper_goes_while_the_token_is_out)
{
	struct make make = make_with(0);
	struct slot *slot = open_slot(make.flags, -1);
	char token;

	ck_assert(slot_lend(slot));
	ck_assert_int_eq(read(make.ends[0], &token, 1), 1);
	slot_close(slot);
	ck_assert_int_eq(write(make.ends[1], "++", 2), 2);
	await_tokens(&make, 1);
	make_gone(&make);
}
END_TEST

/* At any moment: while it lends, and while it asks. */
START_TEST(helper_is_killed)
{
	struct make make = make_with(0);
	int ready[2];
	char byte;
	pid_t pid, guard;

	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		struct slot *slot = open_slot(make.flags, -1);

		slot_lend(slot);
		(void)!write(ready[1], "x", 1);
		while (_i == 1 && !slot_try(slot))
			poll(NULL, 0, 1);
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(ready[1]);
	guard = only_child(pid);
	/* What hits the helper's group is not to hit the guard. */
	if (_i == 0) {
		ck_assert_int_eq(read(make.ends[0], &byte, 1), 1);
		ck_assert_int_ne(getpgid(guard), getpgid(pid));
		/* It is to hear of the death first. */
		if (may_trace())
			ck_assert_int_eq(tracer_of(pid), guard);
	}
	kill(pid, SIGKILL);
	/* And the guard keeps none of our descriptors. */
	ck_assert_int_eq(read(ready[0], &byte, 1), 0);
	ck_assert_int_eq(write(make.ends[1], "++", 2), 2);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	/* When make hears of it, all is settled. */
	if (may_trace())
		ck_assert_int_eq(tokens_in(&make), _i == 0 ? 1 : 2);
	await_tokens(&make, _i == 0 ? 1 : 2);
	close(ready[0]);
	make_gone(&make);
}
END_TEST

/* Then no token comes back, and nobody needs one. */
START_TEST(helper_and_make_are_killed)
{
	struct make make = make_with(0);
	int ready[2];
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		struct slot *slot = open_slot(make.flags, -1);

		slot_lend(slot);
		(void)!write(ready[1], "x", 1);
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(ready[0], &byte, 1) + read(make.ends[0], &byte, 1), 2);
	kill(pid, SIGKILL);
	make_gone(&make);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	close(ready[0]);
	close(ready[1]);
}
END_TEST

START_TEST(guard_is_killed)
{
	struct make make = make_with(0);
	struct slot *slot = open_slot(make.flags, -1);
	char token;
	pid_t guard;

	ck_assert(slot_lend(slot));
	guard = only_child(getpid());
	ck_assert_int_eq(read(make.ends[0], &token, 1), 1);
	if (_i == 1)
		ck_assert(!slot_try(slot));
	kill(guard, SIGKILL);
	ck_assert_int_eq(waitid(P_PID, (id_t)guard, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
	ck_assert(!slot_try(slot));
	ck_assert_int_eq(write(make.ends[1], "+", 1), 1);
	await_slot(slot);
	ck_assert_int_eq(tokens_in(&make), 0);
	slot_close(slot);
	make_gone(&make);
	assert_silent();
}
END_TEST

/* No token will ever come. */
START_TEST(make_is_killed)
{
	struct make make = make_with(0);
	int ready[2], result[2];
	char byte;
	pid_t pid;

	ck_assert(pipe2(ready, O_CLOEXEC) == 0 && pipe2(result, O_CLOEXEC) == 0);
	pid = fork();
	if (pid == 0) {
		/* This one is make, and its child the helper. */
		if (fork() == 0) {
			struct slot *slot = open_slot(make.flags, -1);
			bool lent = slot_lend(slot) && read(make.ends[0], &byte, 1) == 1 &&
			    !slot_try(slot);

			(void)!write(ready[1], lent ? "y" : "n", 1);
			while (!slot_try(slot))
				poll(NULL, 0, 1);
			slot_close(slot);
			make_gone(&make);
			(void)!write(result[1], "x", 1);
			_exit(0);
		}
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	ck_assert_int_eq(byte, 'y');
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	make_gone(&make);
	ck_assert_int_eq(read(result[0], &byte, 1), 1);
	assert_warned("make is gone: going on without a job slot");
	for (int i = 0; i < 2; i++) {
		close(ready[i]);
		close(result[i]);
	}
}
END_TEST

/* As many as wanted, or as many as there are; back when the helper goes. */
START_TEST(a_slot_may_be_several)
{
	struct make make = make_with(3);
	struct slot *slot = open_slot(make.flags, -1);

	slot_want(slot, 1, 1);
	ck_assert(slot_try(slot) && slot_count(slot) == 1);
	ck_assert_int_eq(tokens_in(&make), 3);
	slot_want(slot, 2, 3);
	await_slot(slot);
	ck_assert_uint_eq(slot_count(slot), 3);
	ck_assert_int_eq(tokens_in(&make), 1);
	ck_assert_ptr_null(slot_jobserver(slot));
	slot_close(slot);
	ck_assert_int_eq(tokens_in(&make), 3);
	slot = open_slot(make.flags, -1);
	slot_want(slot, 1, 9);
	await_slot(slot);
	ck_assert_uint_eq(slot_count(slot), 4);
	slot_close(slot);
	ck_assert_int_eq(tokens_in(&make), 3);
	make_gone(&make);
	/* Where none are there it starts with its own. */
	make = make_with(0);
	slot = open_slot(make.flags, -1);
	slot_want(slot, 1, 4);
	await_slot(slot);
	ck_assert_uint_eq(slot_count(slot), 1);
	ck_assert_ptr_nonnull(slot_jobserver(slot));
	slot_close(slot);
	ck_assert_int_eq(tokens_in(&make), 0);
	make_gone(&make);
	assert_silent();
}
END_TEST

/* Who waits for several keeps nothing, and takes all at once. */
START_TEST(none_or_all)
{
	struct make make = make_with(1);
	struct slot *slot = open_slot(make.flags, -1);

	slot_want(slot, 4, 4);
	ck_assert(!slot_try(slot));
	await_tokens(&make, 2);
	ck_assert_int_eq(write(make.ends[1], "+", 1), 1);
	for (int i = 0; i < 50; i++) {
		poll(NULL, 0, 1);
		ck_assert(!slot_try(slot));
		ck_assert_int_eq(tokens_in(&make), 3);
	}
	ck_assert_int_eq(write(make.ends[1], "+", 1), 1);
	await_slot(slot);
	ck_assert_uint_eq(slot_count(slot), 4);
	ck_assert_int_eq(tokens_in(&make), 0);
	slot_close(slot);
	make_gone(&make);
	assert_silent();
}
END_TEST

/* Killed -9 while it holds several, or waits for them: the count comes right, and make waits. */
START_TEST(holder_is_killed)
{
	struct make make = make_with(_i == 0 ? 3 : 2);
	int ready[2];
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		struct slot *slot = open_slot(make.flags, -1);

		slot_want(slot, 4, 4);
		while (!slot_try(slot) && _i == 0)
			poll(NULL, 0, 1);
		while (_i == 1 && tokens_in(&make) != 3)
			poll(NULL, 0, 1);
		(void)!write(ready[1], "x", 1);
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	ck_assert_int_eq(tokens_in(&make), _i == 0 ? 0 : 3);
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	if (may_trace())
		ck_assert_int_eq(tokens_in(&make), _i == 0 ? 3 : 2);
	await_tokens(&make, _i == 0 ? 3 : 2);
	close(ready[0]);
	close(ready[1]);
	make_gone(&make);
}
END_TEST

START_TEST(guard_of_several_is_killed)
{
	struct make make = make_with(3);
	struct slot *slot = open_slot(make.flags, -1);
	pid_t guard;

	slot_want(slot, 4, 4);
	await_slot(slot);
	guard = only_child(getpid());
	kill(guard, SIGKILL);
	ck_assert_int_eq(waitid(P_PID, (id_t)guard, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
	slot_close(slot);
	ck_assert_int_eq(tokens_in(&make), 3);
	make_gone(&make);
	assert_silent();
}
END_TEST

enum { SLOTS = 4, ROUNDS = 40, CROWD = 6 };

/* A helper of the crowd, in a process of its own. busy: slots at work, or NULL. */
static _Noreturn void
be_helper(const struct make *make, unsigned wants, int work, _Atomic int *busy)
{
	struct slot *slot = open_slot(make->flags, -1);
	bool fits = true;

	slot_want(slot, wants, wants);
	while (!slot_try(slot)) {
		struct pollfd fd = { .fd = slot_fd(slot), .events = POLLIN };

		poll(&fd, 1, slot_timeout(slot));
	}
	if (busy) {
		*busy += (int)slot_count(slot);
		fits = *busy <= SLOTS;
		poll(NULL, 0, work);
		*busy -= (int)slot_count(slot);
	}
	slot_close(slot);
	_exit(!fits);
}

/* As make does it: when a helper has ended, its token is given back. False when there is none. */
static bool
reap(const struct make *make)
{
	int status;

	if (wait(&status) < 0)
		return false;
	ck_assert(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
	ck_assert_int_eq(write(make->ends[1], "+", 1), 1);
	return true;
}

/*
 * Processes that want different numbers of slots, in every second round one killed -9 at random:
 * never more at work than there are, everybody who lives has his turn, and in the end all tokens
 * are there. (A killed one would not leave the count of those at work.)
 */
START_TEST(a_crowd_never_exceeds_the_slots)
{
	struct make make = make_with(SLOTS);
	_Atomic int *busy = mmap(NULL, sizeof(*busy), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned seed = (unsigned)_i + 1;
	pid_t pids[CROWD];
	char token;

	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < CROWD; i++) {
			unsigned wants = 1 + (unsigned)rand_r(&seed) % SLOTS;
			int work = rand_r(&seed) % 3;

			/* As make does it: a token first, then the helper. */
			ck_assert_int_eq(read(make.ends[0], &token, 1), 1);
			if ((pids[i] = fork()) == 0)
				be_helper(&make, wants, work, round % 2 ? NULL : busy);
			if (round % 2 == 1 && i == CROWD / 2) {
				poll(NULL, 0, rand_r(&seed) % 3);
				kill(pids[rand_r(&seed) % (i + 1)], SIGKILL);
			}
			if (i >= SLOTS - 1)
				ck_assert(reap(&make));
		}
		while (reap(&make))
			;
		await_tokens(&make, SLOTS);
	}
	munmap((void *)busy, sizeof(*busy));
	make_gone(&make);
}
END_TEST

START_TEST(no_guard)
{
	struct make make = make_with(0);
	struct slot *slot = open_slot(make.flags, -1);
	struct rlimit limit, few;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	few = (struct rlimit){ .rlim_cur = 3, .rlim_max = limit.rlim_max };
	setrlimit(RLIMIT_NOFILE, &few);
	few.rlim_cur = slot_lend(slot);
	setrlimit(RLIMIT_NOFILE, &limit);
	ck_assert_int_eq(few.rlim_cur, 0);
	ck_assert(slot_try(slot));
	slot_close(slot);
	make_gone(&make);
}
END_TEST

Suite *
check_slot_suite(void)
{
	Suite *suite = suite_create("slot");
	TCase *tc = support_case(suite, "slot");

	tcase_add_loop_test(tc, without_a_jobserver_nobody_waits, 0, 5);
	tcase_add_test(tc, from_the_pool);
	tcase_add_test(tc, a_forked_child_has_no_slot_of_the_pool);
	tcase_add_test(tc, lent_and_back);
	tcase_add_test(tc, helper_goes_while_the_token_is_out);
	tcase_add_loop_test(tc, helper_is_killed, 0, 2);
	tcase_add_test(tc, helper_and_make_are_killed);
	tcase_add_loop_test(tc, guard_is_killed, 0, 2);
	tcase_add_test(tc, make_is_killed);
	tcase_add_test(tc, a_slot_may_be_several);
	tcase_add_test(tc, none_or_all);
	tcase_add_loop_test(tc, holder_is_killed, 0, 2);
	tcase_add_test(tc, guard_of_several_is_killed);
	/*
	 * In one process the crowd's wait(2) meets other tests' guards, too, and valgrind has its
	 * own idea of the limit that leaves no guard.
	 */
	if (!getenv("CK_FORK")) {
		tcase_add_loop_test(tc, a_crowd_never_exceeds_the_slots, 0, 4);
		tcase_add_test(tc, no_guard);
	}
	return suite;
}
