#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/keeper.h"
#include "base/process.h"
#include "base/sig.h"
#include "support.h"

/* In the keeper: the file orphaned, and before that the file bereaved with the program's status. */
static void
note_end(void *data, const struct keeper_end *end)
{
	char *text = end ? xasprintf("exited with %d\n", WEXITSTATUS(end->status)) : NULL;

	(void)data;
	file_put("bereaved", text ? text : "runs\n");
	free(text);
}

static void
touch(void *name)
{
	file_put(name, "");
}

/* The helper program with these verbs, as a session. */
static struct keeper *
start_with(const char *const *verbs)
{
	static char orphaned[] = "orphaned";
	struct strings argv = { 0 };
	struct keeper *keeper;

	strings_add(&argv, helper_path());
	while (*verbs)
		strings_add(&argv, *verbs++);
	strings_add(&argv, NULL);
	keeper = keeper_start(&(struct keeper_task){ .argv = (char **)argv.v, .envp = environ,
	    .out = STDERR_FILENO, .err = STDERR_FILENO, .more = -1, .bereaved = note_end,
	    .orphaned = touch, .data = orphaned });
	free(argv.v);
	return keeper;
}
#define START(...) start_with((const char *const[]){ __VA_ARGS__, NULL })

/* Somebody else starts the program, or does not. */
enum lends { LENDS, REFUSES, IS_SILENT, IS_GONE, NOBODY };

static const char *const refusals[] = { [LENDS] = "", [REFUSES] = "no", [IS_SILENT] =
	"the process to fork does not answer", [IS_GONE] = "the process to fork has ended",
	[NOBODY] = "there is none" };

/* The process that has forked the program, which waits; see keeper_lend. */
static _Noreturn void
lend(const struct keeper_task *task, int socket)
{
	sigset_t all;
	pid_t program;
	char go;
	int ends[2];

	setsid();
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	program = fork();
	if (program == 0) {
		signal(SIGTERM, SIG_DFL); /* Check's handler would end the test */
		close(ends[1]);
		if (read(ends[0], &go, 1) != 1)
			_exit(99);
		sigprocmask(SIG_SETMASK, sig_original_mask(), NULL);
		execve(task->argv[0], task->argv, task->envp);
		_exit(98);
	}
	close(ends[0]);
	dup2(socket, 13);
	dup2(ends[1], 14);
	dup2(13, 3);
	dup2(14, 4);
	closefrom(5);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	keeper_lend(program);
}

static int
ask_to_lend(void *data, const struct keeper_task *task, char why[KEEPER_WHY])
{
	enum lends lends = *(const enum lends *)data;
	int ends[2];

	strcpy(why, refusals[NOBODY]);
	if (lends == NOBODY)
		return -1;
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	strcpy(why, "");
	if (lends == LENDS && fork() == 0) {
		close(ends[0]);
		lend(task, ends[1]);
	}
	if (lends == REFUSES)
		ck_assert_int_eq(write(ends[1], "no", 2), 2);
	if (lends != IS_SILENT)
		close(ends[1]);
	return ends[0];
}

static void
note_silence(void *data)
{
	(void)data;
	file_put("silent", "");
}

/* The same as start_with, with one who lends. */
static struct keeper *
borrow_with(enum lends lends, const char *verb, const char *word, char **why)
{
	static char orphaned[] = "orphaned";
	char *const argv[] = { (char *)helper_path(), (char *)verb, (char *)word, NULL };

	return keeper_start(&(struct keeper_task){ .argv = argv, .envp = environ,
	    .out = STDERR_FILENO, .err = STDERR_FILENO, .more = -1, .bereaved = note_end,
	    .orphaned = touch, .data = orphaned, .lender = { .ask = ask_to_lend,
	    .silent = note_silence, .why = why, .data = &lends } });
}

/* Something has been said, or not for a hundred seconds. */
static bool
says_something(const struct keeper *keeper)
{
	struct pollfd fd = { .fd = keeper_fd(keeper), .events = POLLIN };

	return fd.fd >= 0 && poll(&fd, 1, 100000) == 1;
}

static struct keeper_end
end_of(struct keeper *keeper)
{
	struct keeper_end end;

	ck_assert_ptr_nonnull(keeper);
	ck_assert(says_something(keeper));
	ck_assert(keeper_has_ended(keeper, &end));
	return end;
}

static int
status_of(const char *verb, const char *word)
{
	struct keeper *keeper = START(verb, word);
	struct keeper_end end = end_of(keeper);

	ck_assert_int_eq(getpgid(keeper_pid(keeper)), keeper_pid(keeper));
	ck_assert(!keeper_has_left(keeper));
	ck_assert_double_lt(end.cpu, 10);
	keeper_close(keeper);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert(!file_there("bereaved") && !file_there("orphaned"));
	return end.status;
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
	    .out = STDERR_FILENO, .err = STDERR_FILENO, .more = -1 }));
	ck_assert_int_eq(errno, ENOENT);
	limit_set(RLIMIT_NOFILE, 3);
	ck_assert_ptr_null(START("exit", "0"));
	limit_restore();
	keeper_close(NULL);
}
END_TEST

START_TEST(a_program_is_lent_or_started)
{
	enum lends lends = (enum lends)_i;
	char *why = NULL;
	struct keeper *keeper = borrow_with(lends, "exit", "7", &why);
	struct keeper_end end = end_of(keeper);

	ck_assert_int_eq(WEXITSTATUS(end.status), 7);
	ck_assert_str_eq(why, refusals[lends]);
	ck_assert_int_eq(file_there("silent"), lends == IS_SILENT);
	ck_assert(!keeper_has_left(keeper));
	keeper_close(keeper);
	ck_assert(!file_there("bereaved"));
	free(why);
}
END_TEST

/* As if ours had been killed; and when that is, the lent one kills what it keeps. */
START_TEST(a_lent_keeper_is_as_good_as_ours)
{
	char *why = NULL;
	struct keeper *keeper = borrow_with(LENDS, "pause", NULL, &why);
	pid_t lent = keeper_pid(keeper);
	struct indices below = { 0 }, own = { 0 };

	ck_assert_str_eq(why, "");
	process_children(getpid(), &own);
	ck_assert_uint_eq(own.n, 1);
	ck_assert_int_eq(getpgid(lent), lent);
	process_children(lent, &below);
	ck_assert_uint_eq(below.n, 1);
	if (_i == 0) {
		keeper_signal(keeper, SIGTERM);
		ck_assert_int_eq(WTERMSIG(end_of(keeper).status), SIGTERM);
	} else {
		kill(_i == 1 ? lent : (pid_t)own.v[0], SIGKILL);
		ck_assert_int_eq(WTERMSIG(end_of(keeper).status), SIGKILL);
		ck_assert_int_eq(keeper_pid(keeper), 0);
	}
	if (_i == 2)
		while (process_runs((pid_t)below.v[0]))
			poll(NULL, 0, 5);
	kill((pid_t)below.v[0], SIGKILL);
	keeper_close(keeper);
	free(below.v);
	free(own.v);
	free(why);
}
END_TEST

/* It ends when it is killed itself, and then that is what can be told. */
START_TEST(a_killed_keeper_gives_its_own_status)
{
	struct keeper *keeper = START("pause");

	ck_assert_ptr_nonnull(keeper);
	ck_assert(!keeper_has_ended(keeper, NULL));
	kill(-keeper_pid(keeper), SIGKILL);
	ck_assert_int_eq(WTERMSIG(end_of(keeper).status), SIGKILL);
	ck_assert_int_eq(keeper_pid(keeper), 0);
	ck_assert_int_eq(keeper_fd(keeper), -1);
	keeper_signal(keeper, SIGTERM);
	keeper_close(keeper);
}
END_TEST

/* What the group has forked is hit, the keeper is not. */
START_TEST(a_killed_group_leaves_its_keeper)
{
	struct keeper *keeper = START("grandchild", "pid", "touch", "ready", "pause");

	for (int i = 0; i < 10000 && !file_there("ready"); i++)
		poll(NULL, 0, 10);
	keeper_signal(keeper, SIGKILL);
	ck_assert_int_eq(WTERMSIG(end_of(keeper).status), SIGKILL);
	ck_assert_int_gt(keeper_pid(keeper), 0);
	ck_assert(process_becomes(file_pid("pid"), 'X'));
	keeper_close(keeper);
}
END_TEST

START_TEST(what_is_left_is_told_until_it_ends)
{
	struct keeper *keeper = START("daemon", "pid", "exit", "3");

	ck_assert_int_eq(WEXITSTATUS(end_of(keeper).status), 3);
	ck_assert(keeper_has_left(keeper));
	kill(file_pid("pid"), SIGKILL);
	ck_assert(says_something(keeper));
	ck_assert(!keeper_has_left(keeper));
	ck_assert_int_gt(keeper_pid(keeper), 0);
	keeper_close(keeper);
	ck_assert(!file_there("orphaned"));
}
END_TEST

START_TEST(what_is_left_goes_on_or_is_killed)
{
	bool killed = _i == 1;
	struct keeper *keeper = START("daemon", "pid", "exit", "0");
	pid_t left;

	(void)end_of(keeper);
	left = file_pid("pid");
	if (killed)
		keeper_kill(keeper);
	else
		keeper_close(keeper);
	ck_assert_int_eq(process_state(left) == 'X', killed);
	ck_assert_int_eq(file_there("orphaned"), killed);
	kill(left, SIGKILL);
}
END_TEST

/* Without its helper the session dies with what it has left. Somebody says how it had ended. */
static const struct {
	const char *verbs[5], *said;
} bereavements[] = {
	{ { "pause" }, "runs\n" },
	{ { "daemon", "pid", "exit", "7" }, "exited with 7\n" },
	{ { "exit", "7" }, "exited with 7\n" },
};

START_TEST(without_its_helper_the_session_is_killed)
{
	int ends[2], status;
	char byte;
	pid_t helper;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	helper = fork();
	if (helper == 0) {
		struct keeper *keeper;

		fcntl(ends[1], F_SETFD, 0); /* as long as anything lives, it is open */
		keeper = start_with(bereavements[_i].verbs);
		if (keeper && (_i == 0 || says_something(keeper)))
			raise(SIGKILL);
		_exit(1);
	}
	close(ends[1]);
	ck_assert_int_eq(waitpid(helper, &status, 0), helper);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(read(ends[0], &byte, 1), 0);
	ck_assert(file_there("orphaned"));
	assert_file("bereaved", bereavements[_i].said);
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
	tcase_add_loop_test(tc, a_program_is_lent_or_started, 0, NOBODY + 1);
	tcase_add_loop_test(tc, a_lent_keeper_is_as_good_as_ours, 0, 3);
	tcase_add_test(tc, a_killed_keeper_gives_its_own_status);
	tcase_add_test(tc, a_killed_group_leaves_its_keeper);
	tcase_add_test(tc, what_is_left_is_told_until_it_ends);
	tcase_add_loop_test(tc, what_is_left_goes_on_or_is_killed, 0, 2);
	tcase_add_loop_test(tc, without_its_helper_the_session_is_killed, 0,
	    countof(bereavements));
	return suite;
}
