#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/makeflags.h"
#include "base/process.h"
#include "session/attempt.h"
#include "slots/slot.h"
#include "support.h"

#define REPORT(result) "report", "{'sessions':[{'name':'a','result':'" result "'}]}"

/* Everything that an attempt at the session `a` needs, with the helper as nox. */
static struct planfile *plan;
static json_t *session;
static struct slot *slot;
static struct mask *mask;
static struct makeflags makeflags;
static struct record record;
static int rundir;
static const char *options; /* those of the session, or NULL */

static void
setup(void)
{
	record = (struct record){ .target = xstrdup("a"), .session = xstrdup("a") };
	rundir = folder_make("run");
	makeflags = makeflags_read(NULL, 1);
	options = NULL;
}

static void
teardown(void)
{
	record_clear(&record);
	makeflags_clear(&makeflags);
	planfile_close(plan);
	plan = NULL;
	json_decref(session);
	session = NULL;
	slot_close(slot);
	slot = NULL;
	mask_close(mask);
	mask = NULL;
	close(rundir);
}

static void
forked(void *data)
{
	(void)data;
}

static void
judged(void *data, const char *stopped)
{
	(void)data;
	(void)stopped;
}

/* By a plan in which nox is the helper with these verbs, or python is that program. */
static struct attempt *
start(const char *python, const char *const *verbs)
{
	static char *const no_posargs[] = { NULL };
	struct facts *facts = facts_of("[{'name':'a'}]", "[0]");
	struct strings command = { 0 };

	strings_add(&command, helper_path());
	while (*verbs)
		strings_add(&command, *verbs++);
	/* What follows on the command line are no verbs. */
	strings_add(&command, "exit");
	strings_add(&command, "0");
	plan_put(AT_FDCWD, facts, python, &command);
	facts_free(facts);
	free(command.v);
	plan = planfile_open(AT_FDCWD);
	session = planfile_session(plan, "a");
	if (options)
		json_object_set_new(session, "options", json_of(options));
	slot = slot_open(&makeflags, rundir, "", 0);
	return attempt_start(&(struct attempt_options){ .rundir = rundir, .runtime = -1,
	    .key = "", .target = "a", .share = "/share", .posargs = no_posargs, .plan = plan,
	    .session = session, .slot = slot, .makeflags = &makeflags, .record = &record,
	    .forked = forked, .judged = judged }, &mask);
}
#define START(...) start(NULL, (const char *const[]){ __VA_ARGS__, NULL })

/* Its end, as the event loop waits for it, but for a hundred seconds at most. */
static bool
has_ended(struct attempt *attempt)
{
	for (int i = 0; i < 10000; i++) {
		struct pollfd fds[ATTEMPT_FDS];

		attempt_look(attempt);
		if (attempt_has_ended(attempt))
			return true;
		attempt_poll(attempt, fds);
		poll(fds, ATTEMPT_FDS, 10);
	}
	return false;
}

/* The rest of its life, once it needs nothing from us. */
static void
finish(struct attempt *attempt)
{
	ck_assert(has_ended(attempt));
	attempt_judge(attempt, false);
	attempt_close_log(attempt);
}

/* The session's own process, below the keeper. */
static pid_t
session_pid(void)
{
	struct indices all = { 0 };
	pid_t pid;

	process_descendants(getpid(), &all);
	ck_assert_uint_eq(all.n, 2);
	pid = (pid_t)all.v[1];
	free(all.v);
	return pid;
}

START_TEST(what_it_writes_and_says_is_kept)
{
	double before = clock_monotonic();
	struct attempt *attempt = START("print", "its words", "err", "its errors",
	    REPORT("success"));
	char *log;

	ck_assert_double_ge(attempt_begun(attempt), before);
	ck_assert_double_le(attempt_begun(attempt), clock_monotonic());
	ck_assert_int_ge(attempt_log(attempt), 0);
	finish(attempt);
	ck_assert_int_eq(attempt_log(attempt), -1);
	ck_assert(!attempt_has_ended(attempt));
	ck_assert_str_eq(verdict_name(record.verdict), "passed");
	ck_assert_int_eq(record.exit, 0);
	ck_assert(record.logged && !record.live);
	ck_assert_double_gt(record.duration, 0);
	ck_assert_double_gt(record.started, 0);
	log = file_get("run/a.log");
	ck_assert_ptr_nonnull(strstr(log, "\nits words\nits errors\n\n[exited with status 0.]\n"));
	free(log);
	attempt_free(attempt);
	assert_silent();
}
END_TEST

START_TEST(its_output_wakes_the_event_loop)
{
	struct attempt *attempt = START("print", "x", "wait-for", "go");
	struct pollfd fds[ATTEMPT_FDS];
	char *log;

	attempt_poll(attempt, fds);
	ck_assert_int_ge(poll(fds, ATTEMPT_FDS, 100000), 1);
	attempt_look(attempt);
	log = file_get("run/a.log");
	ck_assert_ptr_nonnull(strstr(log, "\nx\n"));
	free(log);
	file_put("go", "");
	finish(attempt);
	attempt_free(attempt);
}
END_TEST

START_TEST(what_cannot_start_is_judged_at_once)
{
	char *log;

	ck_assert_ptr_null(start("./no-python", (const char *const[]){ NULL }));
	ck_assert_str_eq(verdict_name(record.verdict), "failed");
	ck_assert_str_eq(record.reason, "cannot start ./no-python: No such file or directory");
	log = file_get("run/a.log");
	ck_assert_ptr_nonnull(strstr(log, "\n[not started.]\n"));
	free(log);
}
END_TEST

START_TEST(a_signal_wakes_a_stopped_session)
{
	struct attempt *attempt = START("touch", "ready", "pause");
	pid_t pid;

	file_await("ready");
	pid = session_pid();
	kill(pid, SIGSTOP);
	ck_assert(process_becomes(pid, 'T'));
	attempt_signal(attempt, SIGTERM);
	finish(attempt);
	ck_assert_int_eq(record.signal, SIGTERM);
	attempt_free(attempt);
}
END_TEST

START_TEST(a_pause_stops_all_and_does_not_count)
{
	struct attempt *attempt = START("daemon", "pid", "touch", "ready", "wait-for", "go");
	double begun = attempt_begun(attempt);
	struct indices all = { 0 };

	file_await("ready");
	attempt_pause(attempt);
	process_descendants(getpid(), &all);
	ck_assert_uint_eq(all.n, 3);
	/* All but the keeper, which has to see the end of its helper. */
	ck_assert(process_becomes((pid_t)all.v[0], 'S'));
	ck_assert(process_becomes((pid_t)all.v[1], 'T'));
	ck_assert(process_becomes((pid_t)all.v[2], 'T'));
	attempt_resume(attempt, 1000);
	ck_assert(process_becomes((pid_t)all.v[2], 'S'));
	ck_assert_double_eq(attempt_begun(attempt), begun + 1000);
	kill(file_pid("pid"), SIGKILL);
	file_put("go", "");
	finish(attempt);
	ck_assert_double_lt(record.duration, 0);
	/* Nothing of it runs any more, and its numbers may be others' by now. */
	attempt_pause(attempt);
	attempt_resume(attempt, 0);
	attempt_free(attempt);
	free(all.v);
}
END_TEST

/* Its process group goes with one that was asked to end, and else stays. */
START_TEST(the_group_of_a_killed_session_is_killed)
{
	struct attempt *attempt = START("grandchild", "pid", "exit", "0");
	pid_t left;

	ck_assert(has_ended(attempt));
	left = file_pid("pid");
	attempt_judge(attempt, _i == 1);
	if (_i == 1)
		ck_assert(process_becomes(left, 'X'));
	else
		ck_assert_int_ne(process_state(left), 'X');
	kill(left, SIGKILL);
	attempt_close_log(attempt);
	attempt_free(attempt);
}
END_TEST

START_TEST(what_is_left_is_named_and_cleared)
{
	struct attempt *attempt = START("daemon", "pid", REPORT("success"));
	char *wanted;

	ck_assert(has_ended(attempt));
	attempt_judge(attempt, false);
	ck_assert(attempt_has_left(attempt));
	wanted = xasprintf("(pid %d)", (int)file_pid("pid"));
	ck_assert_ptr_nonnull(strstr(record.left, wanted));
	free(wanted);
	assert_warned("a left a process running: ");
	ck_assert(!attempt_is_cleared(attempt));
	attempt_signal_left(attempt, SIGTERM);
	ck_assert(process_becomes(file_pid("pid"), 'X'));
	/* The keeper says so once it has reaped it. */
	for (int i = 0; i < 10000 && !attempt_is_cleared(attempt); i++)
		poll(NULL, 0, 10);
	ck_assert(attempt_is_cleared(attempt));
	ck_assert_str_eq(verdict_name(record.verdict), "passed");
	attempt_close_log(attempt);
	attempt_free(attempt);
}
END_TEST

START_TEST(what_may_stay_is_not_named)
{
	struct attempt *attempt;

	options = "{'leaks':'allow'}";
	attempt = START("daemon", "pid");
	ck_assert(has_ended(attempt));
	attempt_judge(attempt, false);
	ck_assert(!attempt_has_left(attempt));
	ck_assert_ptr_null(record.left);
	assert_silent();
	ck_assert_int_ne(process_state(file_pid("pid")), 'X');
	kill(file_pid("pid"), SIGKILL);
	attempt_close_log(attempt);
	attempt_free(attempt);
}
END_TEST

START_TEST(what_is_set_aside_makes_room_for_the_next)
{
	for (int i = 1; i <= 3; i++) {
		char *reason = xasprintf("{'sessions':[{'name':'a','result':'failed','reason':"
			"'reason %d'}],'notify':[{'index':0}]}", i);
		struct attempt *attempt = START("report", reason, "exit", "1");

		finish(attempt);
		ck_assert_uint_eq(json_array_size(record.notify), 1);
		if (i == 3)
			unlink("run/a.log");
		attempt_set_aside(attempt);
		attempt_free(attempt);
		ck_assert_ptr_null(record.notify);
		planfile_close(plan);
		json_decref(session);
		slot_close(slot);
		free(reason);
	}
	plan = NULL;
	session = NULL;
	slot = NULL;
	ck_assert(!file_there("run/a.log"));
	ck_assert(file_there("run/a.log.1") && file_there("run/a.log.2"));
	assert_warned("a.log.3: No such file or directory");

	json_t *entry, *wanted[] = {
		json_of("{'verdict':'failed','reason':'reason 1','log':'a.log.1'}"),
		json_of("{'verdict':'failed','reason':'reason 2','log':'a.log.2'}"),
		json_of("{'verdict':'failed','reason':'reason 3','log':null}"),
	};
	size_t i;

	ck_assert_uint_eq(json_array_size(record.attempts), countof(wanted));
	json_array_foreach(record.attempts, i, entry) {
		ck_assert(json_is_real(json_object_get(entry, "duration")));
		json_object_del(entry, "duration");
		ck_assert(json_is_real(json_object_get(entry, "started")));
		json_object_del(entry, "started");
		ck_assert(json_equal(entry, wanted[i]));
		json_decref(wanted[i]);
	}
}
END_TEST

Suite *
check_attempt_suite(void)
{
	Suite *suite = suite_create("attempt");
	TCase *tc = support_case(suite, "attempt");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_it_writes_and_says_is_kept);
	tcase_add_test(tc, its_output_wakes_the_event_loop);
	support_spawn_failure_test(tc, what_cannot_start_is_judged_at_once);
	tcase_add_test(tc, a_signal_wakes_a_stopped_session);
	tcase_add_test(tc, a_pause_stops_all_and_does_not_count);
	tcase_add_loop_test(tc, the_group_of_a_killed_session_is_killed, 0, 2);
	tcase_add_test(tc, what_is_left_is_named_and_cleared);
	tcase_add_test(tc, what_may_stay_is_not_named);
	tcase_add_test(tc, what_is_set_aside_makes_room_for_the_next);
	return suite;
}
