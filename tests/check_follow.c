#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "report/follow.h"
#include "state/makekey.h"
#include "state/presence.h"
#include "state/rundir.h"
#include "support.h"

static int run;

static void
begin(const char *where)
{
	char *text = xasprintf("{\"run\":\"R\",\"make\":\"%s\",\"where\":\"%s\"}", own_key(),
	    where);

	run = folder_make("run");
	file_put("run/.run.json", text);
	free(text);
}

/* A run whose make, this process, lives here. */
static void
begin_here(void)
{
	char *where = makekey_where();

	begin(where);
	free(where);
}

/* A record of an attempt behind so many others. */
static void
put_record(const char *verdict, const char *reason, int others)
{
	char *text = xasprintf("{\"schema\":1,\"target\":\"a\",\"session\":\"a\","
		"\"verdict\":\"%s\",\"reason\":\"%s\",\"notify\":[],\"waits\":[],"
		"\"attempts\":[%s]}",
	    verdict, reason, others == 0 ? "" : others == 1 ? "{}" : "{},{}");

	file_put("run/a.json", text);
	free(text);
}

static void
assert_followed(int expected, const char *shown)
{
	char *text;
	int result;

	output_begin();
	result = follow_print(run, "a", false);
	text = output_end();
	ck_assert_str_eq(text, shown);
	ck_assert_int_eq(result, expected);
	free(text);
	close(run);
}

/* Nobody is at work on it, though its make lives; what the log lacks is lost. */
START_TEST(a_session_that_was_killed_has_ended)
{
	begin_here();
	file_put("run/a.log", "$ nox\nwords\n");
	assert_followed(0, "$ nox\nwords\n");
	assert_silent();
}
END_TEST

START_TEST(a_run_that_is_over_has_ended)
{
	begin("elsewhere");
	file_put("run/a.log", "$ nox\nwords\n");
	file_put("run/" RUNDIR_ENDED, "");
	assert_followed(0, "$ nox\nwords\n");
	assert_silent();
}
END_TEST

/* Of another machine only the files are seen: its last line and its record tell. */
START_TEST(elsewhere_the_files_tell)
{
	begin("elsewhere");
	put_record("passed", "", 0);
	file_put("run/a.log", "$ nox\n\n[exited with status 0.]\n");
	assert_followed(0, "$ nox\n\n[exited with status 0.]\n");
	assert_silent();
}
END_TEST

/* Processes that cannot be killed keep their keeper, and with it the presence. */
START_TEST(who_is_given_up_is_not_waited_for)
{
	int presence = presence_begin(own_key(), "a");

	begin_here();
	put_record("cancelled", "SIGINT", 0);
	file_put("run/a.log", "$ nox\n\n[killed by signal 9.]\n");
	assert_followed(0, "$ nox\n\n[killed by signal 9.]\n");
	close(presence);
}
END_TEST

/* A follower in a process of its own, and the end of what it shows. */
static struct {
	pid_t pid;
	int output;
} follower;

/* presence: of the session; -1: it has none. */
static void
begin_to_follow(int presence)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	follower.pid = fork();
	if (follower.pid == 0) {
		signal(SIGPIPE, SIG_IGN);
		signal(SIGTERM, SIG_DFL);
		fd_close(&presence);
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		_exit(follow_print(run, "a", false) == 0 ? 0 : 1);
	}
	close(ends[1]);
	follower.output = ends[0];
}

/* Waits for it; the end is "". */
static void
assert_shows(const char *text)
{
	char data[100] = "";
	size_t wanted = strlen(text) ? strlen(text) : 1, have = 0;
	ssize_t n = 1;

	while (have < wanted && n > 0) {
		n = read(follower.output, data + have, wanted - have);
		have += n > 0 ? (size_t)n : 0;
	}
	ck_assert_str_eq(data, text);
}

static void
assert_ends(int expected)
{
	int status;

	assert_shows("");
	ck_assert_int_eq(waitpid(follower.pid, &status, 0), follower.pid);
	ck_assert_int_eq(status, expected << 8);
	close(follower.output);
	close(run);
}

static void
await_warning(const char *text)
{
	for (int i = 0; i < 100000 && !strstr(warnings(), text); i++)
		usleep(1000);
	assert_warned(text);
}

START_TEST(further_attempts_follow)
{
	int presence = presence_begin(own_key(), "a");

	begin_here();
	file_put("run/a.log", "one\n");
	begin_to_follow(presence);
	assert_shows("one\n");
	/* That of the first attempt is no end. */
	put_record("failed", "it broke", 0);
	ck_assert_int_eq(rename("run/a.log", "run/a.log.1"), 0);
	close(presence);
	usleep(50000); /* time in which nothing may end */
	presence = presence_begin(own_key(), "a");
	file_put("run/a.log", "two\n");
	assert_shows("\n--- a: attempt 2\ntwo\n");
	put_record("passed", "", 1);
	close(presence);
	assert_ends(0);
	assert_silent();
}
END_TEST

START_TEST(a_further_attempt_may_not_come)
{
	int presence = presence_begin(own_key(), "a");

	begin_here();
	file_put("run/a.log", "one\n");
	begin_to_follow(presence);
	assert_shows("one\n");
	put_record("failed", "it broke", 0);
	ck_assert_int_eq(rename("run/a.log", "run/a.log.1"), 0);
	close(presence);
	usleep(50000); /* time in which nothing may end */
	put_record("cancelled", "SIGINT", 1);
	assert_ends(0);
	assert_silent();
}
END_TEST

/* Attempts from before it looked are not shown; that is the third. */
START_TEST(an_earlier_attempt_is_none_of_its)
{
	int presence = presence_begin(own_key(), "a");

	begin_here();
	put_record("failed", "it broke", 1);
	file_put("run/a.log.1", "one\n");
	file_put("run/a.log.2", "two\n");
	begin_to_follow(presence);
	await_warning("a has not begun yet\n");
	file_put("run/a.log", "three\n");
	assert_shows("three\n");
	put_record("passed", "", 2);
	close(presence);
	assert_ends(0);
}
END_TEST

START_TEST(who_waits_in_a_run_that_is_removed_ends)
{
	begin_here();
	begin_to_follow(-1);
	await_warning("a has not begun yet\n");
	folder_remove("run");
	assert_ends(1);
	assert_warned("a has no log: its run is over\n");
}
END_TEST

START_TEST(what_has_not_run_has_a_reason)
{
	begin_here();
	put_record("not run", "it requires\\tb", 0);
	assert_followed(-1, "");
	assert_warned("a has no log: not run: it requires\\tb\n");
	ck_assert_ptr_null(strstr(warnings(), "begun"));
}
END_TEST

/* Whatever lies there, it is not waited in. */
START_TEST(what_is_no_log_is_none)
{
	begin_here();
	ck_assert_int_eq(mkfifo("run/a.log", 0600), 0);
	file_put("run/" RUNDIR_ENDED, "");
	assert_followed(-1, "");
	assert_warned("a has no log: its run is over\n");
	ck_assert_int_eq(follow_print(-1, "../a", false), -1);
	assert_warned("../a is no target");
}
END_TEST

START_TEST(a_reader_that_goes_away_ends_it)
{
	int presence = presence_begin(own_key(), "a"), status;

	begin_here();
	file_put("run/a.log", "$ nox\n");
	begin_to_follow(presence);
	assert_shows("$ nox\n");
	/* It has nothing more to write, and so no error tells it. */
	close(follower.output);
	ck_assert_int_eq(waitpid(follower.pid, &status, 0), follower.pid);
	ck_assert_int_eq(status, 0);
	close(presence);
	close(run);
}
END_TEST

START_TEST(a_signal_ends_it)
{
	int presence = presence_begin(own_key(), "a"), status;

	begin_here();
	file_put("run/a.log", "$ nox\n");
	begin_to_follow(presence);
	assert_shows("$ nox\n");
	kill(follower.pid, SIGTERM);
	ck_assert_int_eq(waitpid(follower.pid, &status, 0), follower.pid);
	ck_assert_int_eq(status, SIGTERM);
	close(follower.output);
	close(presence);
	close(run);
}
END_TEST

Suite *
check_follow_suite(void)
{
	Suite *suite = suite_create("follow");
	TCase *tc = support_case(suite, "follow");

	tcase_add_test(tc, a_session_that_was_killed_has_ended);
	tcase_add_test(tc, a_run_that_is_over_has_ended);
	tcase_add_test(tc, elsewhere_the_files_tell);
	tcase_add_test(tc, who_is_given_up_is_not_waited_for);
	tcase_add_test(tc, further_attempts_follow);
	tcase_add_test(tc, a_further_attempt_may_not_come);
	tcase_add_test(tc, an_earlier_attempt_is_none_of_its);
	tcase_add_test(tc, who_waits_in_a_run_that_is_removed_ends);
	tcase_add_test(tc, what_has_not_run_has_a_reason);
	tcase_add_test(tc, what_is_no_log_is_none);
	tcase_add_test(tc, a_reader_that_goes_away_ends_it);
	tcase_add_test(tc, a_signal_ends_it);
	return suite;
}
