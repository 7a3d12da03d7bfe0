#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "session/keeper.h"
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
	    .out = STDERR_FILENO, .forked = nothing, .bereaved = nothing,
	    .orphaned = touch,
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

START_TEST(the_status_of_the_session_comes_back)
{
	ck_assert_int_eq(WEXITSTATUS(status_of("exit", "7")), 7);
	ck_assert_int_eq(WTERMSIG(status_of("die", "10")), SIGUSR1);
	assert_silent();
}
END_TEST

START_TEST(a_session_that_cannot_start_says_why)
{
	char name[] = "./nowhere", *argv[] = { name, NULL };

	errno = 0;
	ck_assert_ptr_null(keeper_start(&(struct keeper_task){ .argv = argv, .envp = environ,
	    .out = STDERR_FILENO, .forked = nothing,
	    .bereaved = nothing, .orphaned = nothing }));
	ck_assert_int_eq(errno, ENOENT);
	limit_set(RLIMIT_NOFILE, 3);
	ck_assert_ptr_null(start("exit", "0", ""));
	limit_restore();
	keeper_close(NULL);
}
END_TEST

/* It ends when it is killed itself, and then that is what can be told. */
START_TEST(a_killed_keeper_gives_its_own_status)
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
START_TEST(without_its_helper_the_session_is_killed)
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

Suite *
check_keeper_suite(void)
{
	Suite *suite = suite_create("keeper");
	TCase *tc = support_case(suite, "keeper");

	tcase_add_test(tc, the_status_of_the_session_comes_back);
	support_spawn_failure_test(tc, a_session_that_cannot_start_says_why);
	tcase_add_test(tc, a_killed_keeper_gives_its_own_status);
	tcase_add_test(tc, without_its_helper_the_session_is_killed);
	return suite;
}
