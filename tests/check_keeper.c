#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "session/keeper.h"
#include "session/parent.h"
#include "support.h"

static void
nothing(void *data)
{
	(void)data;
}

static void
touch(void *name)
{
	file_put(name, "");
}

/* The helper program, as a session. */
static struct keeper *
start(const char *verb, const char *word, const char *orphaned)
{
	const char *program = helper_path();
	char *argv[] = { (char *)(uintptr_t)program, (char *)(uintptr_t)verb,
		(char *)(uintptr_t)word, NULL };

	return keeper_start(&(struct keeper_task){ .argv = argv, .envp = environ,
	    .out = STDERR_FILENO, .forked = nothing, .orphaned = touch,
	    .data = (char *)(uintptr_t)orphaned });
}

static int
status_of(const char *verb, const char *word)
{
	struct keeper *keeper = start(verb, word, "orphaned");
	struct rusage usage;
	int status;

	ck_assert_ptr_nonnull(keeper);
	ck_assert_int_eq(getpgid(keeper_pid(keeper)), keeper_pid(keeper));
	status = keeper_wait(keeper, &usage);
	keeper_close(keeper);
	ck_assert(!file_there("orphaned"));
	return status;
}

START_TEST(tells_the_status)
{
	ck_assert_int_eq(WEXITSTATUS(status_of("exit", "7")), 7);
	ck_assert_int_eq(WTERMSIG(status_of("die", "10")), SIGUSR1);
	assert_silent();
}
END_TEST

START_TEST(cannot_start)
{
	char name[] = "./nowhere", *argv[] = { name, NULL };

	errno = 0;
	ck_assert_ptr_null(keeper_start(&(struct keeper_task){ .argv = argv, .envp = environ,
	    .out = STDERR_FILENO, .forked = nothing, .orphaned = nothing }));
	ck_assert_int_eq(errno, ENOENT);
	limit_set(RLIMIT_NOFILE, 3);
	ck_assert_ptr_null(start("exit", "0", ""));
	limit_restore();
	keeper_close(NULL);
}
END_TEST

/* It ends when it is killed itself, and then that is what can be told. */
START_TEST(killed)
{
	struct keeper *keeper = start("pause", NULL, "orphaned");
	struct rusage usage;

	ck_assert_ptr_nonnull(keeper);
	ck_assert(!keeper_has_ended(keeper));
	kill(-keeper_pid(keeper), SIGKILL);
	ck_assert_int_eq(WTERMSIG(keeper_wait(keeper, &usage)), SIGKILL);
	keeper_close(keeper);
}
END_TEST

/* Without its helper: the session dies, and somebody says so. */
START_TEST(orphaned)
{
	int ends[2], status;
	char byte;
	pid_t helper;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	helper = fork();
	if (helper == 0) {
		fcntl(ends[1], F_SETFD, 0); /* as long as anything lives, it is open */
		if (start("pause", NULL, "orphaned"))
			raise(SIGKILL);
		_exit(1);
	}
	close(ends[1]);
	ck_assert_int_eq(waitpid(helper, &status, 0), helper);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(read(ends[0], &byte, 1), 0);
	ck_assert(file_there("orphaned"));
	close(ends[0]);
}
END_TEST

static void
caught(int signal)
{
	(void)signal;
}

/* In a child of ours: what it says of us at once, and when we have sent it a byte. */
static pid_t
observe(int ends[2], int *first, int *second)
{
	int back[2], found[2];
	pid_t pid;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(back, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		struct parent parent = parent_open();
		char byte;

		signal(SIGTERM, SIG_IGN);
		found[0] = parent_stopped_by(&parent);
		(void)!write(back[1], &found[0], sizeof(int));
		close(ends[1]);
		(void)!read(ends[0], &byte, 1);
		found[1] = parent_stopped_within(&parent, 20);
		(void)!write(back[1], &found[1], sizeof(int));
		_exit(0);
	}
	close(back[1]);
	ck_assert_int_eq(read(back[0], first, sizeof(*first)), sizeof(*first));
	signal(SIGINT, SIG_DFL);
	ck_assert_int_eq(write(ends[1], "", 1), 1);
	ck_assert_int_eq(read(back[0], second, sizeof(*second)), sizeof(*second));
	close(back[0]);
	return pid;
}

/* As make does when it is interrupted: it takes its handler back. */
START_TEST(told_to_end)
{
	int ends[2], first, second;

	signal(SIGINT, caught);
	observe(ends, &first, &second);
	ck_assert_int_eq(first, 0);
	ck_assert_int_eq(second, SIGINT);
	signal(SIGINT, SIG_DFL);
	observe(ends, &first, &second);
	ck_assert_int_eq(second, 0);
}
END_TEST

START_TEST(parent_is_gone)
{
	int ends[2], ready[2], found = 0, status, signal;
	sigset_t set;
	pid_t middle;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	middle = fork();
	if (middle == 0 && fork() == 0) {
		struct parent parent = parent_open();

		(void)!write(ready[1], "", 1);
		sigwait(&set, &signal);
		found = parent_stopped_within(&parent, 0);
		(void)!write(ends[1], &found, sizeof(found));
		_exit(0);
	}
	if (middle == 0)
		_exit((int)read(ready[0], &status, 1));
	ck_assert_int_eq(waitpid(middle, &status, 0), middle);
	ck_assert_int_eq(read(ends[0], &found, sizeof(found)), sizeof(found));
	ck_assert_int_eq(found, SIGKILL);
}
END_TEST

Suite *
check_keeper_suite(void)
{
	Suite *suite = suite_create("keeper");
	TCase *tc = support_case(suite, "keeper");

	tcase_add_test(tc, tells_the_status);
	support_spawn_failure_test(tc, cannot_start);
	tcase_add_test(tc, killed);
	tcase_add_test(tc, orphaned);
	tc = support_case(suite, "parent");
	if (!getenv("CK_FORK")) /* valgrind, for which that is set, catches all signals itself */
		tcase_add_test(tc, told_to_end);
	tcase_add_test(tc, parent_is_gone);
	return suite;
}
