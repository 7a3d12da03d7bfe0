#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "session/run.h"
#include "slots/pool.h"
#include "state/join.h"
#include "state/record.h"
#include "state/state.h"
#include "support.h"

/* What nox would report. */
#define REPORT(result) "report", "{'sessions':[{'name':'a','result':'" result "'}]}"

static const char sessions[] =
    "[{'name':'a','requires':[1]},{'name':'b'},{'name':'c','requires_error':'no session zzz'},"
    "{'name':'d','requires':[2]}]";

/* A plan by which the helper is nox, or, with python, nox's interpreter; and the run's folder. */
static void
begin(const char *python, const char *const *verbs)
{
	struct facts *facts = facts_of(sessions, "[0]");
	struct strings command = { 0 };
	int state = state_make(), run;

	strings_add(&command, helper_path());
	while (*verbs)
		strings_add(&command, *verbs++);
	strings_add(&command, "exit");
	strings_add(&command, "0");
	plan_put(state, facts, python, &command);
	facts_free(facts);
	free(command.v);
	run = join_run(state, own_key(), 20);
	ck_assert_int_ge(run, 0);
	close(run);
	close(state);
}
#define BEGIN(...) begin(NULL, (const char *const[]){ __VA_ARGS__, NULL })

static int
latest(void)
{
	int run = open(".nox/.noxmk/latest", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	ck_assert_int_ge(run, 0);
	return run;
}

static void
put_record(const char *target, enum verdict verdict, const char *notify)
{
	struct record r = { .target = xstrdup(target), .session = xstrdup(target), .exit = -1,
		.signal = -1, .verdict = verdict, .notify = notify ? json_of(notify) : NULL };
	int run = latest();

	ck_assert_int_eq(record_write(run, -1, &r), 0);
	record_clear(&r);
	close(run);
}

static const struct knobs streams = { .output = OUTPUT_STREAM };

/* Runs the target and gives what it prints; the caller frees. */
static char *
run_target(struct run_options options, const char *target, int wanted)
{
	static const struct knobs knobs;
	char *const none[] = { NULL };
	bool interrupted;
	int result;

	if (!options.key)
		options.key = own_key();
	options.keep = 20;
	options.share = "/share";
	options.target = target;
	if (!options.posargs)
		options.posargs = none;
	output_begin();
	if (!options.knobs)
		options.knobs = &knobs;
	result = run_session(&options, &interrupted);
	ck_assert_int_eq(result, wanted);
	return output_end();
}

static struct record
record_of(const char *target)
{
	int run = latest();
	struct record r;

	ck_assert_int_eq(record_read(run, target, &r), 1);
	close(run);
	return r;
}

/* What the record of b says. */
static void
assert_verdict(const char *target, enum verdict verdict, const char *reason)
{
	struct record r = record_of(target);

	ck_assert_str_eq(verdict_name(r.verdict), verdict_name(verdict));
	ck_assert_pstr_eq(r.reason, reason);
	record_clear(&r);
}

/* It may die while make starts us, and then we have another parent. */
START_TEST(nothing_starts_when_make_is_dead)
{
	static const char key[] = "4711-99-c0ffee";
	int state, run;

	BEGIN("print", "its words");
	state = state_make();
	run = join_run(state, key, 20);
	free(run_target((struct run_options){ .key = key }, "b", 0));
	assert_verdict("b", NOT_RUN, "make was killed");
	ck_assert_int_ne(access(".nox/.noxmk/latest/b.log", F_OK), 0);
	close(run);
	close(state);
}
END_TEST

START_TEST(a_session_passes_once)
{
	struct record r;
	char *text;

	BEGIN("print", "its words", REPORT("success"), "err", "errors");
	text = run_target((struct run_options){ 0 }, "b", 0);
	ck_assert_ptr_nonnull(strstr(text, "passed"));
	ck_assert_ptr_nonnull(strstr(text, "  b\n"));
	free(text);
	r = record_of("b");
	ck_assert_int_eq(r.verdict, PASSED);
	ck_assert_int_eq(r.exit, 0);
	ck_assert_int_eq(r.signal, -1);
	ck_assert(r.logged && !r.live);
	ck_assert_double_ge(r.ended, r.started);
	ck_assert_double_ge(r.duration, 0);
	ck_assert_double_lt(r.duration, 50);
	record_clear(&r);
	text = file_get(".nox/.noxmk/latest/b.log");
	ck_assert_ptr_nonnull(strstr(text, "\nits words\nerrors\n\n[exited with status 0.]\n"));
	ck_assert(!strncmp(text, "$ /", 3));
	free(text);
	assert_silent();
	/* It has had its turn. */
	unlink(".nox/.noxmk/latest/b.log");
	text = run_target((struct run_options){ .notified = true }, "b", 0);
	ck_assert_str_eq(text, "");
	ck_assert(!file_there(".nox/.noxmk/latest/b.log"));
	free(text);
}
END_TEST

START_TEST(a_live_session_is_shown_while_it_runs)
{
	char *text;

	BEGIN("print", "its words", REPORT("success"), "flood", "100000");
	text = run_target((struct run_options){ .knobs = &streams }, "b", 0);
	ck_assert(!strncmp(text, "its words\n", 10));
	ck_assert_uint_eq(strlen(text), 10 + 100000);
	free(text);
	struct record r = record_of("b");

	ck_assert(r.live);
	record_clear(&r);
}
END_TEST

START_TEST(a_session_fails)
{
	char *text;

	BEGIN(REPORT("failed"), "exit", "1");
	text = run_target((struct run_options){ 0 }, "b", 0);
	ck_assert(!strncmp(text, "failed", 6));
	free(text);
	assert_verdict("b", FAILED, NULL);
}
END_TEST

START_TEST(a_nox_that_dies_has_failed)
{
	BEGIN("die", "11");
	free(run_target((struct run_options){ 0 }, "b", 0));
	assert_verdict("b", FAILED, "nox was killed by SIGSEGV");
	char *text = file_get(".nox/.noxmk/latest/b.log");

	ck_assert_ptr_nonnull(strstr(text, "\n[killed by signal 11.]\n"));
	free(text);
}
END_TEST

START_TEST(what_cannot_start_has_failed)
{
	BEGIN("exit", "0");
	begin("./no-python", (const char *const[]){ NULL });
	unlink(".nox/.noxmk/latest/plan.jsonl");
	ck_assert_int_eq(link(".nox/.noxmk/plan.jsonl", ".nox/.noxmk/latest/plan.jsonl"), 0);
	free(run_target((struct run_options){ 0 }, "b", 0));
	assert_verdict("b", FAILED, "cannot start ./no-python: No such file or directory");
}
END_TEST

/* By the shim, posargs are what a caller gave with notify(), else those of the run. */
START_TEST(posargs_of_notify_replace_those_of_the_run)
{
	static char print[] = "print", word[] = "of the run";
	char *const words[] = { print, word, NULL };
	char *text;

	begin(helper_path(), (const char *const[]){ NULL });
	free(run_target((struct run_options){ .posargs = words }, "b", 0));
	text = file_get(".nox/.noxmk/latest/b.log");
	ck_assert_ptr_nonnull(strstr(text, "\nof the run\n"));
	free(text);
	unlink(".nox/.noxmk/latest/b.json");
	put_record("a", PASSED, "[{'target':'a'},{'target':'b','posargs':null},7]");
	file_put(".nox/.noxmk/latest/w.json", "not a record");
	put_record("c", PASSED, "[{'target':'b','posargs':['print','of y']}]");
	put_record("d", PASSED, "[{'target':'b','posargs':['print','of z']}]");
	free(run_target((struct run_options){ .posargs = words }, "b", 0));
	text = file_get(".nox/.noxmk/latest/b.log");
	ck_assert_ptr_nonnull(strstr(text, "\nof y\n"));
	ck_assert_ptr_null(strstr(text, "\nof z\n"));
	ck_assert_ptr_null(strstr(text, "\nof the run\n"));
	free(text);
}
END_TEST

/* The record of b, which a requires, and what becomes of a. */
static const struct {
	enum verdict other; /* VERDICTS: none */
	const char *reason;
	bool excused;
} waits[] = {
	{ PASSED, NULL, false },
	{ FAILED, "it requires b, which failed", false },
	{ SKIPPED, "it requires b, which was skipped", true },
	{ ABORTED, "it requires b, which was aborted", false },
	{ CANCELLED, "it requires b, which was cancelled", false },
	{ NOT_RUN, "it requires b, which was not run", false },
	{ VERDICTS, "it requires b, which has no record", false },
};

START_TEST(what_is_required_must_have_passed)
{
	struct record r;

	BEGIN(REPORT("success"));
	if (waits[_i].other != VERDICTS)
		put_record("b", waits[_i].other, NULL);
	free(run_target((struct run_options){ 0 }, "a", 0));
	r = record_of("a");
	ck_assert_int_eq(r.verdict, waits[_i].reason ? NOT_RUN : PASSED);
	ck_assert_pstr_eq(r.reason, waits[_i].reason);
	ck_assert_int_eq(r.excused, waits[_i].excused);
	ck_assert_int_eq(r.logged, waits[_i].reason == NULL);
	record_clear(&r);
}
END_TEST

START_TEST(a_complaint_of_the_plan_fails_the_session)
{
	BEGIN(REPORT("success"));
	free(run_target((struct run_options){ 0 }, "c", 0));
	assert_verdict("c", FAILED, "no session zzz");
	ck_assert(!file_there(".nox/.noxmk/latest/c.log"));
}
END_TEST

START_TEST(without_a_run_nothing_is_recorded)
{
	free(run_target((struct run_options){ 0 }, "b", EXIT_HELPER));
	assert_warned("no .nox/.noxmk here");
	close(state_make());
	free(run_target((struct run_options){ 0 }, "b", EXIT_HELPER));
	assert_warned("there is no plan to run by");
	BEGIN("exit", "0");
	free(run_target((struct run_options){ 0 }, "zzz", EXIT_HELPER));
	assert_warned("zzz: no session of this plan has that target");
	/* What a session has made of its files does not count. */
	file_put(".nox/.noxmk/latest/plan.jsonl", "{}\n");
	free(run_target((struct run_options){ 0 }, "b", 0));
}
END_TEST

START_TEST(a_damaged_record_is_replaced)
{
	BEGIN(REPORT("success"));
	file_put(".nox/.noxmk/latest/b.json", "{}");
	free(run_target((struct run_options){ 0 }, "b", 0));
	assert_warned("b.json: a record of a session that has not run, which does not count");
	assert_verdict("b", PASSED, NULL);
	file_put(".nox/.noxmk/latest/b.json", "{}");
	free(run_target((struct run_options){ .notified = true }, "b", 0));
	assert_warned("b.json: not a record of a session");
	assert_verdict("b", PASSED, NULL);
}
END_TEST

/* The log is lost; the session and its verdict are not. */
START_TEST(on_a_full_disk_nothing_is_lost_in_silence)
{
	BEGIN(REPORT("success"), "print", "its words");
	limit_set(RLIMIT_FSIZE, 0);
	free(run_target((struct run_options){ .knobs = &streams }, "b", 0));
	limit_restore();
	assert_warned("b.log: File too large");
	assert_warned("b.json: the verdict of this session is lost: File too large");
}
END_TEST

/* Where nox writes it: in the make's runtime folder, which is made. */
static char *
report_path(void)
{
	char *folder = xasprintf("noxmk-%u/%s", (unsigned)geteuid(), own_key());
	char *path = xasprintf("%s/.b.report", folder);

	close(folder_make(folder));
	free(folder);
	return path;
}

/* A killed helper leaves a report behind, and then make runs the session again. */
START_TEST(an_old_report_is_not_believed)
{
	char *report;

	BEGIN("exit", "1");
	report = report_path();
	file_put(report, "{\"sessions\":[{\"name\":\"b\",\"result\":\"failed\","
			 "\"reason\":\"old\"}]}");
	free(report);
	free(run_target((struct run_options){ 0 }, "b", 0));
	assert_verdict("b", FAILED, "nox exited with status 1 and left no report");
}
END_TEST

START_TEST(a_report_that_cannot_be_read_is_warned_of)
{
	char *report;

	BEGIN("print", "x");
	report = report_path();
	/* Before the session begins whatever is there goes. */
	close(folder_make(report));
	free(run_target((struct run_options){ 0 }, "b", 0));
	assert_silent();
	ck_assert(!file_there(report));
	free(report);
	assert_verdict("b", FAILED, "nox exited with status 0 before the session was over");
}
END_TEST

/* The session tells its helper to stop, as ^C or `kill` would. */
static const struct {
	const char *verbs[12], *reason, *log;
} stops[] = {
	{ { "signal-helper", "2", "pause" }, "SIGINT", "[killed by signal 2.]" },
	{ { "signal-helper", "15", "pause" }, "SIGTERM", "[killed by signal 2.]" },
	{ { "signal-helper", "1", "pause" }, "SIGHUP", "[killed by signal 2.]" },
	{ { "signal-helper", "3", "pause" }, "SIGQUIT", "[killed by signal 2.]" },
	/* A stopped one is woken to die. */
	{ { "stopped", "15", "pause" }, "SIGTERM", "[killed by signal 2.]" },
	/* One that ignores INT gets TERM after the grace … */
	{ { "ignore", "2", "signal-helper", "2", "pause" }, "SIGINT", "[killed by signal 15.]" },
	/* … and one that ignores both, KILL. */
	{ { "ignore", "2", "ignore", "15", "signal-helper", "2", "pause" }, "SIGINT",
	    "[killed by signal 9.]" },
};

START_TEST(a_stopped_session_is_cancelled)
{
	struct record r;
	char *text;

	begin(NULL, stops[_i].verbs);
	text = run_target((struct run_options){ 0 }, "b", 0);
	ck_assert(!strncmp(text, "cancelled", 9));
	free(text);
	r = record_of("b");
	ck_assert_int_eq(r.verdict, CANCELLED);
	ck_assert_str_eq(r.reason, stops[_i].reason);
	record_clear(&r);
	text = file_get(".nox/.noxmk/latest/b.log");
	ck_assert_msg(strstr(text, stops[_i].log) != NULL, "%s", text);
	free(text);
}
END_TEST

/*
 * A signal may come before the run waits for it, or when it has just done so. Then Check's handler
 * would kill us.
 */
static void
hold_back(int signal)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static double
written(const char *name)
{
	struct stat st;

	ck_assert_int_eq(stat(name, &st), 0);
	return (double)st.st_mtim.tv_sec + (double)st.st_mtim.tv_nsec / 1e9;
}

/* A folder to begin in, where nothing has run. */
static void
go_into(int number)
{
	char *name = xasprintf("%d", number);

	close(folder_make(name));
	ck_assert_int_eq(chdir(name), 0);
	setenv("XDG_RUNTIME_DIR", ".", 1);
	free(name);
}

/* With a sender of signals beside us, one a moment, until the session is gone. Its seconds. */
static double
run_hurried(void)
{
	struct timespec tick = { .tv_nsec = 50000000 };
	pid_t us = getpid(), user;
	char *text;

	BEGIN("ignore", "2", "ignore", "15", "touch", "ready", "pause");
	hold_back(SIGINT);
	user = fork();
	if (user == 0) {
		while (!file_there("ready"))
			nanosleep(&tick, NULL);
		while (!file_there(".nox/.noxmk/latest/b.json")) {
			kill(us, SIGINT);
			nanosleep(&tick, NULL);
		}
		_exit(0);
	}
	text = run_target((struct run_options){ 0 }, "b", 0);
	kill(user, SIGKILL);
	signal(SIGINT, SIG_IGN); /* one that is held back goes, too */
	free(text);
	text = file_get(".nox/.noxmk/latest/b.log");
	ck_assert_ptr_nonnull(strstr(text, "[killed by signal 9.]"));
	free(text);
	assert_verdict("b", CANCELLED, "SIGINT");
	return written(".nox/.noxmk/latest/b.json") - written("ready");
}

/* One of some tries does not sit out any grace: a busy machine may hold up the others. */
START_TEST(a_second_signal_does_not_wait_for_the_grace)
{
	enum { LATE = 3 };
	int status = LATE << 8;

	/* Each in a process of its own, since a helper runs one session. */
	for (int i = 0; i < 5 && status == LATE << 8; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			go_into(i);
			_exit(run_hurried() < 2.9 ? 0 : LATE);
		}
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	}
	ck_assert_int_eq(status, 0);
}
END_TEST

/* What a stopped session leaves in its group goes, too; what one that ended leaves may stay. */
START_TEST(what_is_left_behind_is_ended)
{
	char *text;
	pid_t pid;

	if (_i == 0)
		BEGIN("grandchild", "pid", REPORT("success"));
	else
		BEGIN("ignore", "2", "grandchild", "pid", "interrupted-by-helper");
	free(run_target((struct run_options){ 0 }, "b", 0));
	text = file_get("pid");
	pid = (pid_t)atoi(text);
	free(text);
	if (_i == 0)
		assert_verdict("b", PASSED, NULL);
	else
		assert_verdict("b", CANCELLED, "SIGINT");
	ck_assert(process_becomes(pid, 'X'));
}
END_TEST

START_TEST(a_session_waits_for_a_slot)
{
	struct run_options options = { .jobs = 1 };
	struct timespec tick = { .tv_nsec = 100000000 };
	struct pool *other;
	pid_t us = getpid(), child;
	int run;

	BEGIN(REPORT("success"));
	run = latest();
	setenv("MAKEFLAGS", " -j", 1);
	other = pool_open(run, own_key(), 1, 0);
	ck_assert(pool_try(other, 1, 1));
	hold_back(SIGTERM);
	child = fork();
	if (child == 0) {
		nanosleep(&tick, NULL);
		if (_i == 1)
			kill(us, SIGTERM);
		_exit(0); /* its copy of the slot goes, too */
	}
	if (_i == 0)
		pool_close(other); /* the child still holds the lock */
	free(run_target(options, "b", 0));
	if (_i == 0)
		assert_verdict("b", PASSED, NULL);
	else
		assert_verdict("b", NOT_RUN, "SIGTERM");
	ck_assert_int_eq(file_there(".nox/.noxmk/latest/b.log"), _i == 0);
	if (_i == 1)
		pool_close(other);
	close(run);
	unsetenv("MAKEFLAGS");
}
END_TEST

START_TEST(slots_come_from_wherever_they_are_counted)
{
	BEGIN(REPORT("success"));
	setenv("MAKEFLAGS", " -j", 1);
	free(run_target((struct run_options){ 0 }, "b", 0));
	assert_verdict("b", PASSED, NULL);
	unlink(".nox/.noxmk/latest/b.json");
	setenv("MAKEFLAGS", " -j2 --jobserver-auth=3,4", 1);
	free(run_target((struct run_options){ 0 }, "b", 0));
	unsetenv("MAKEFLAGS");
	assert_verdict("b", PASSED, NULL);
}
END_TEST

Suite *
check_run_suite(void)
{
	Suite *suite = suite_create("run");
	TCase *tc = support_case(suite, "verdicts");

	tcase_add_test(tc, nothing_starts_when_make_is_dead);
	tcase_add_test(tc, a_session_passes_once);
	tcase_add_test(tc, a_live_session_is_shown_while_it_runs);
	tcase_add_test(tc, a_session_fails);
	tcase_add_test(tc, a_nox_that_dies_has_failed);
	support_spawn_failure_test(tc, what_cannot_start_has_failed);
	tcase_add_test(tc, posargs_of_notify_replace_those_of_the_run);
	tcase_add_loop_test(tc, what_is_required_must_have_passed, 0, countof(waits));
	tcase_add_test(tc, a_complaint_of_the_plan_fails_the_session);
	tc = support_case(suite, "trouble");
	tcase_add_test(tc, without_a_run_nothing_is_recorded);
	tcase_add_test(tc, a_damaged_record_is_replaced);
	tcase_add_test(tc, on_a_full_disk_nothing_is_lost_in_silence);
	tcase_add_test(tc, an_old_report_is_not_believed);
	tcase_add_test(tc, a_report_that_cannot_be_read_is_warned_of);
	tc = support_case(suite, "stop");
	tcase_add_loop_test(tc, a_stopped_session_is_cancelled, 0, countof(stops));
	tcase_add_test(tc, a_second_signal_does_not_wait_for_the_grace);
	tcase_add_loop_test(tc, what_is_left_behind_is_ended, 0, 2);
	tc = support_case(suite, "slots");
	tcase_add_loop_test(tc, a_session_waits_for_a_slot, 0, 2);
	tcase_add_test(tc, slots_come_from_wherever_they_are_counted);
	return suite;
}
