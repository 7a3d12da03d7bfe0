#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sig.h"
#include "nox/noxcall.h"
#include "support.h"

/* The helper as nox; its output goes to the file out. */
static int
call(const char *program, const char *const *verbs, const char *const *extra)
{
	struct strings nox = { 0 };
	int out = open("out", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666), code;

	strings_add(&nox, program);
	strings_add(&nox, "print");
	strings_add(&nox, "first");
	code = nox_call(&nox, verbs, extra, out);
	free(nox.v);
	close(out);
	return code;
}

static const struct {
	const char *verbs[5];
	int code;
	const char *out;
} table[] = {
	{ { NULL }, 0, "first\n" },
	{ { "print", "second", "exit", "3" }, 3, "first\nsecond\n" },
	{ { "die", "15" }, 128 + 15, "first\n" },
	{ { "err", "oops", "env", "EXTRA" }, 0, "first\nEXTRA=1\n" },
	{ { "env", "MAKELEVEL", "env", "NOXSESSION" }, 0,
	    "first\nMAKELEVEL unset\nNOXSESSION=s\n" },
};

START_TEST(nox_gets_its_arguments_and_gives_its_code)
{
	static const char *const extra[] = { "EXTRA=1", NULL };

	setenv("MAKELEVEL", "1", 1);
	setenv("NOXSESSION", "s", 1);
	ck_assert_int_eq(call(helper_path(), table[_i].verbs, extra), table[_i].code);
	unsetenv("MAKELEVEL");
	unsetenv("NOXSESSION");
	assert_file("out", table[_i].out);
	ck_assert_str_eq(warnings(), strstr(warnings(), "oops") ? "oops\n" : "");
}
END_TEST

START_TEST(a_missing_nox_is_warned_of)
{
	static const char *const none[] = { NULL };

	ck_assert_int_eq(call("./no-nox", none, none), -1);
	assert_warned("cannot run nox (NOX='./no-nox'): install it, or set NOX to its command");
}
END_TEST

/* What it starts on load ends with it. */
START_TEST(what_nox_leaves_is_ended_and_told)
{
	static const char *const none[] = { NULL };
	static const char *const verbs[] = { "daemon", "pid", "exit", "3", NULL };

	ck_assert_int_eq(call(helper_path(), verbs, none), 3);
	ck_assert_int_eq(process_state(file_pid("pid")), 'X');
	assert_warned("nox has left a process running, which is ended: ");
}
END_TEST

/* Somebody ends us, or our parent, while nox runs, with what it has started. */
static const struct {
	int signal;
	bool deaf, twice;
} ends[] = { { SIGINT, false, false }, { SIGTERM, false, false }, { SIGHUP, false, false },
	{ SIGKILL, false, false }, { SIGTERM, true, false }, { SIGINT, true, true } };

START_TEST(nothing_of_nox_outlives_us)
{
	static const char *const none[] = { NULL }, *const deaf[] = { "ignore", "2", "ignore", "15",
		"daemon", "pid", "touch", "ready", "pause", NULL };
	int status, how = ends[_i].signal;
	pid_t pid = fork();

	if (pid == 0) {
		int signals, code;

		/* Check has handlers of its own. */
		signal(how, SIG_DFL);
		signals = sig_open();
		code = call(helper_path(), deaf + (ends[_i].deaf ? 0 : 4), none);
		file_put("stopped", code == NOXCALL_STOPPED ? "stopped" : "else");
		sig_close(signals);
		_exit(0);
	}
	file_await("ready");
	kill(pid, how);
	if (ends[_i].twice) {
		poll(NULL, 0, 600); /* two that are nearer are one */
		kill(pid, how);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == how);
	ck_assert(process_becomes(file_pid("pid"), 'X'));
	if (how != SIGKILL)
		assert_file("stopped", "stopped");
}
END_TEST

Suite *
check_noxcall_suite(void)
{
	Suite *suite = suite_create("noxcall");
	TCase *tc = support_case(suite, "noxcall");

	tcase_add_loop_test(tc, nox_gets_its_arguments_and_gives_its_code, 0, countof(table));
	tcase_add_test(tc, what_nox_leaves_is_ended_and_told);
	tcase_add_loop_test(tc, nothing_of_nox_outlives_us, 0, countof(ends));
	support_spawn_failure_test(tc, a_missing_nox_is_warned_of);
	return suite;
}
