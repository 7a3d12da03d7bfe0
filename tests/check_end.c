#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "end.h"
#include "state/makekey.h"
#include "state/presence.h"
#include "state/record.h"
#include "state/rundir.h"
#include "support.h"

#define KEY "1-2-3"
#define WELL ".nox/.noxmk/runs/.well-" KEY

/* A run of the goal ci, which is a and b; d is notified by nobody yet. */
static struct end it;
static json_t *goals;

static void
begin(void)
{
	struct facts *facts = facts_of("[{'name':'a'},{'name':'b'},{'name':'d'}]", "[0,1]");
	char *text = xasprintf("{\"run\":\"R\",\"started\":%f,\"clock\":%f}", clock_now(),
	    clock_monotonic());

	goals = json_of("['ci']");
	it = (struct end){ .state = folder_make(".nox/.noxmk"),
		.rundir = folder_make(".nox/.noxmk/runs/R"),
		.goals = goals, .jobs = 2 };
	file_put(".nox/.noxmk/runs/R/.run.json", text);
	plan_put(it.rundir, facts, NULL, NULL);
	it.plan = planfile_open(it.rundir);
	ck_assert_ptr_nonnull(it.plan);
	facts_free(facts);
	free(text);
}

static void
end(void)
{
	planfile_close(it.plan);
	close(it.rundir);
	close(it.state);
	json_decref(goals);
}

static void
put(const char *target, enum verdict verdict, const char *notify)
{
	struct record r = { .target = xstrdup(target), .session = xstrdup(target), .exit = -1,
		.signal = -1, .client = -1, .verdict = verdict, .duration = 1.5,
		.notify = json_of(notify) };

	ck_assert_int_eq(record_write(it.rundir, -1, &r), 0);
	record_clear(&r);
}

/* A make that notes its arguments, and a way to say that there is none. */
static char shell[] = "/bin/sh", script[] = "./make", failing[] = "/bin/false";
static char *const make[] = { shell, script, NULL }, *const no_make[] = { NULL };

static char *
printed(char *const *by, int wanted)
{
	int result;
	char *text;

	output_begin();
	result = end_run(&it, KEY, by);
	text = output_end();
	ck_assert_int_eq(result, wanted);
	return text;
}

START_TEST(a_run_is_summed_up_and_its_results_are_kept)
{
	char *text, *history;

	begin();
	put("a", PASSED, "[]");
	put("b", FAILED, "[]");
	text = printed(make, 0);
	ck_assert_ptr_nonnull(strstr(text, "noxmk: 2 sessions: 1 passed, 1 failed; "));
	assert_file(".nox/.noxmk/failed", "b \n");
	history = file_get(".nox/.noxmk/history.json");
	ck_assert_ptr_nonnull(strstr(history, "\"a\""));
	ck_assert(file_there(".nox/.noxmk/order.mk"));
	ck_assert(!file_there(WELL "-ci"));
	assert_silent();
	free(history);
	free(text);
	end();
}
END_TEST

START_TEST(a_goal_that_is_well_is_marked)
{
	begin();
	put("a", PASSED, "[]");
	put("b", PASSED, "[]");
	/* Whatever a session has put there. */
	close(folder_make(WELL "-ci/x"));
	free(printed(make, 0));
	assert_file(WELL "-ci", "");
	put("b", FAILED, "[]");
	free(printed(make, 0));
	ck_assert(!file_there(WELL "-ci"));
	end();
}
END_TEST

START_TEST(notified_sessions_run_before_the_summary)
{
	char *text;

	begin();
	put("a", PASSED, "[{'target':'d'}]");
	put("b", PASSED, "[]");
	file_put("make", "echo \"$NOXMK_RUN $*\" >calls\n"
			 "sed 's/\"a\"/\"d\"/' "
			 ".nox/.noxmk/runs/R/a.json >.nox/.noxmk/runs/R/d.json\n");
	text = printed(make, 0);
	assert_file("calls", KEY " .noxmk/run/d\n");
	ck_assert_ptr_nonnull(strstr(text, "noxmk: 3 sessions: 3 passed; "));
	free(text);
	end();
}
END_TEST

START_TEST(without_a_make_nothing_runs_and_nothing_is_kept)
{
	char *text;

	begin();
	put("a", PASSED, "[{'target':'d'}]");
	put("b", FAILED, "[]");
	text = printed(no_make, 0);
	ck_assert_ptr_nonnull(strstr(text, "noxmk: 2 sessions: "));
	ck_assert(!file_there(".nox/.noxmk/failed") && !file_there(".nox/.noxmk/history.json"));
	free(text);
	end();
}
END_TEST

/* The summary comes all the same. */
START_TEST(a_make_that_fails_makes_the_end_fail)
{
	char *const fails[] = { failing, NULL };
	char *text;

	begin();
	put("a", PASSED, "[{'target':'d'}]");
	text = printed(fails, -1);
	ck_assert_ptr_nonnull(strstr(text, "b        not run"));
	assert_file(".nox/.noxmk/failed", "b \n");
	free(text);
	end();
}
END_TEST

START_TEST(a_damaged_run_makes_the_end_fail)
{
	begin();
	unlink(".nox/.noxmk/runs/R/.run.json");
	free(printed(no_make, -1));
	assert_warned(".run.json: missing or damaged");
	end();
}
END_TEST

START_TEST(an_interrupted_run_is_summed_up_and_kept_but_runs_nothing)
{
	char *text;

	begin();
	put("a", PASSED, "[{'target':'d'}]");
	put("b", CANCELLED, "[]");
	file_put("make", "echo >calls\n");
	output_begin();
	end_interrupted(&it);
	text = output_end();
	ck_assert_ptr_nonnull(strstr(text, "noxmk: 2 sessions: 1 passed, 1 cancelled; "));
	assert_file(".nox/.noxmk/failed", "b \n");
	ck_assert(file_there(".nox/.noxmk/history.json"));
	ck_assert(!file_there("calls") && !file_there(WELL "-ci"));
	ck_assert(file_there(".nox/.noxmk/runs/R/.ended"));
	free(text);
	end();
}
END_TEST

/* The make of this run is dead, as can be seen from here. */
static void
leave(void)
{
	char *where = makekey_where(), *text = xasprintf("{\"run\":\"R\",\"make\":"
	    "\"4194303-1-0badcafe\",\"where\":\"%s\",\"started\":%f,\"clock\":%f}", where,
	    clock_now(), clock_monotonic());

	file_put(".nox/.noxmk/runs/R/.run.json", text);
	free(text);
	free(where);
}

START_TEST(a_run_that_make_has_left_is_ended_once)
{
	char *none[] = { NULL };

	begin();
	leave();
	put("a", PASSED, "[]");
	output_begin();
	ck_assert_int_eq(end_run(&it, NULL, none), 0);
	free(output_end());
	assert_file(".nox/.noxmk/failed", "b \n");
	ck_assert(file_there(".nox/.noxmk/runs/R/.ended"));
	file_put(".nox/.noxmk/failed", "as it was\n");
	output_begin();
	ck_assert_int_eq(end_run(&it, NULL, none), 0);
	free(output_end());
	assert_file(".nox/.noxmk/failed", "as it was\n");
	end();
}
END_TEST

/*
 * Somebody who is at work on that session for a while, and then maybe writes a record, as the
 * keeper of a helper that was killed.
 */
static pid_t
start_worker(const char *target, bool records)
{
	int ready[2];
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		int entered = rundir_enter(it.rundir), present = presence_begin(KEY, target);

		(void)!write(ready[1], "", 1);
		usleep(200000); /* time in which nobody may sum up, or everybody */
		if (records)
			put(target, CANCELLED, "[]");
		file_put("done", "");
		close(present);
		close(entered);
		_exit(0);
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

START_TEST(the_summary_waits_for_a_keeper_that_has_a_record_to_write)
{
	pid_t keeper;
	char *text;

	begin();
	put("a", PASSED, "[]");
	keeper = start_worker("b", true);
	text = printed(no_make, 0);
	ck_assert_ptr_nonnull(strstr(text, "b        cancelled"));
	ck_assert_int_eq(waitpid(keeper, NULL, 0), keeper);
	free(text);
	end();
}
END_TEST

/* It has a record, but what its session has left is still ended by the keeper. */
START_TEST(the_summary_waits_for_a_keeper_that_clears_up)
{
	pid_t keeper;

	begin();
	put("a", PASSED, "[]");
	put("b", PASSED, "[]");
	keeper = start_worker("b", false);
	free(printed(no_make, 0));
	ck_assert(file_there("done"));
	ck_assert_int_eq(waitpid(keeper, NULL, 0), keeper);
	end();
}
END_TEST

/*
 * They may wait for the slot that we hold. d was notified, and somebody else sees to it; b has no
 * record, and will have none.
 */
START_TEST(the_summary_waits_for_nobody_else)
{
	pid_t other;

	begin();
	put("a", PASSED, "[{'target':'d'}]");
	other = start_worker("d", true);
	free(printed(no_make, 0));
	ck_assert_int_eq(waitpid(other, NULL, WNOHANG), 0);
	ck_assert_int_eq(waitpid(other, NULL, 0), other);
	end();
}
END_TEST

Suite *
check_end_suite(void)
{
	Suite *suite = suite_create("end");
	TCase *tc = support_case(suite, "end");

	tcase_add_test(tc, a_run_is_summed_up_and_its_results_are_kept);
	tcase_add_test(tc, a_goal_that_is_well_is_marked);
	tcase_add_test(tc, notified_sessions_run_before_the_summary);
	tcase_add_test(tc, without_a_make_nothing_runs_and_nothing_is_kept);
	tcase_add_test(tc, a_make_that_fails_makes_the_end_fail);
	tcase_add_test(tc, a_damaged_run_makes_the_end_fail);
	tcase_add_test(tc, the_summary_waits_for_a_keeper_that_has_a_record_to_write);
	tcase_add_test(tc, the_summary_waits_for_a_keeper_that_clears_up);
	tcase_add_test(tc, the_summary_waits_for_nobody_else);
	tcase_add_test(tc, an_interrupted_run_is_summed_up_and_kept_but_runs_nothing);
	tcase_add_test(tc, a_run_that_make_has_left_is_ended_once);
	return suite;
}
