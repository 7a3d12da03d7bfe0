#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sig.h"
#include "base/spawn.h"
#include "support.h"

/* The helper with these verbs; its output goes to the files out and err. Its wait status. */
static int
run(bool own_group, const char *const *verbs)
{
	int out = open("out", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
	int err = open("err", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666), status;
	struct strings argv = { 0 };
	pid_t pid;

	strings_add(&argv, helper_path());
	while (*verbs)
		strings_add(&argv, *verbs++);
	strings_add(&argv, NULL);
	pid = spawn((char **)argv.v, environ, out, err, own_group);
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	free(argv.v);
	close(out);
	close(err);
	return status;
}
#define RUN(own_group, ...) run(own_group, (const char *const[]){ __VA_ARGS__, NULL })

START_TEST(output_and_errors_go_apart)
{
	ck_assert_int_eq(RUN(false, "print", "a", "err", "b", "print", "c", "exit", "7"), 7 << 8);
	assert_file("out", "a\nc\n");
	assert_file("err", "b\n");
}
END_TEST

START_TEST(nothing_of_ours_is_handed_on)
{
	int ends[2], fd;

	/* Neither descriptors, close-on-exec or not … */
	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(RUN(false, "fds", "stdin"), 0);
	assert_file("out", "fds: 0 1 2\nstdin: /dev/null\n");
	close(ends[0]);
	close(ends[1]);
	/* … nor our blocked and ignored signals. */
	signal(SIGINT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	fd = sig_open();
	ck_assert_int_eq(RUN(false, "mask"), 0);
	assert_file("out", "blocked:\nignored:\n");
	signal(SIGINT, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	close(fd);
}
END_TEST

START_TEST(a_group_of_its_own_or_ours)
{
	ck_assert_int_eq(RUN(true, "group"), 0);
	assert_file("out", "leads\n");
	ck_assert_int_eq(RUN(false, "group"), 0);
	assert_file("out", "follows\n");
}
END_TEST

START_TEST(what_cannot_start_says_why)
{
	char none[] = "./no-such-program", file[] = "./plain-file";
	char *argv[] = { none, NULL };

	ck_assert_int_eq(spawn(argv, environ, 1, 2, true), -1);
	ck_assert_int_eq(errno, ENOENT);
	file_put(file, "#!/bin/sh\n");
	argv[0] = file;
	ck_assert_int_eq(spawn(argv, environ, 1, 2, false), -1);
	ck_assert_int_eq(errno, EACCES);
}
END_TEST

static pid_t
start(const char *verb, const char *word)
{
	const char *const argv[] = { helper_path(), verb, word, NULL };

	return spawn((char **)(uintptr_t)argv, environ, STDERR_FILENO, STDERR_FILENO, false);
}

static void
note(int signal)
{
	(void)signal;
}

START_TEST(waiting_gives_the_exit_code)
{
	ck_assert_int_eq(spawn_wait(start("exit", "0")), 0);
	ck_assert_int_eq(spawn_wait(start("exit", "255")), 255);
	ck_assert_int_eq(spawn_wait(start("die", "15")), 128 + 15);
	ck_assert_int_eq(spawn_wait(getpid()), -1);
	ck_assert_int_eq(errno, ECHILD);
}
END_TEST

START_TEST(a_signal_does_not_end_the_waiting)
{
	struct itimerval soon = { .it_value = { .tv_usec = 10000 },
		.it_interval = { .tv_usec = 10000 } }, never = { 0 };
	int code;

	sigaction(SIGALRM, &(struct sigaction){ .sa_handler = note }, NULL);
	pid_t pid = start("wait-for", "later");

	if (fork() == 0) {
		/* The alarm comes while the other waits. */
		for (int i = 0; i < 10; i++)
			poll(NULL, 0, 10);
		file_put("later", "");
		_exit(0);
	}
	setitimer(ITIMER_REAL, &soon, NULL);
	code = spawn_wait(pid);
	setitimer(ITIMER_REAL, &never, NULL);
	ck_assert_int_eq(code, 0);
}
END_TEST

START_TEST(a_wait_status_in_words)
{
	char *words = spawn_status(RUN(false, "exit", "3"));

	ck_assert_str_eq(words, "exited with status 3");
	free(words);
	words = spawn_status(RUN(false, "die", "9"));
	ck_assert_str_eq(words, "killed by signal 9");
	free(words);
}
END_TEST

Suite *
check_spawn_suite(void)
{
	Suite *suite = suite_create("spawn");
	TCase *tc = support_case(suite, "spawn");

	tcase_add_test(tc, output_and_errors_go_apart);
	tcase_add_test(tc, nothing_of_ours_is_handed_on);
	tcase_add_test(tc, a_group_of_its_own_or_ours);
	support_spawn_failure_test(tc, what_cannot_start_says_why);
	tcase_add_test(tc, waiting_gives_the_exit_code);
	tcase_add_test(tc, a_signal_does_not_end_the_waiting);
	tcase_add_test(tc, a_wait_status_in_words);
	return suite;
}
