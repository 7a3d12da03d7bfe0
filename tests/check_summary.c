#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "output/page.h"
#include "report/summary.h"
#include "state/record.h"
#include "state/rundir.h"
#include "support.h"

/* A run's folder with a plan: a; b requires a; c notified by a; d; groups ci (b) and x (c, d). */
static int run;
static struct planfile *plan;
static bool stopped, hints; /* make was, in what is printed; and there may be hints */
static double crowded; /* each session was, so long */

/* The run began so many seconds ago. */
static void
put_run(double seconds)
{
	char *text = xasprintf("{\"run\":\"R\",\"clock\":%f}", clock_monotonic() - seconds);

	file_put("run/.run.json", text);
	free(text);
}

static void
begin(void)
{
	struct facts *facts = facts_of("[{'name':'a','notifies':[2]},{'name':'b','requires':[0]},"
		"{'name':'c','tags':['x']},{'name':'d','tags':['x']}]", "[1]");

	run = folder_make("run");
	put_run(3 * 3600 + 30);
	plan_put(run, facts, NULL, NULL);
	facts_free(facts);
	plan = planfile_open(run);
	ck_assert_ptr_nonnull(plan);
}

static void
end(void)
{
	planfile_close(plan);
	close(run);
}

static void
put(const char *target, enum verdict verdict, const char *notify)
{
	char *log = xasprintf("run/%s.log", target);
	struct record r = { .target = xstrdup(target), .session = xstrdup(target), .exit = -1,
		.signal = -1, .verdict = verdict, .duration = 1.5, .logged = file_there(log),
		.own = 1.25, .crowded = crowded };

	if (verdict == FAILED)
		r.reason = xstrdup("it\tbroke");
	if (notify)
		r.notify = json_of(notify);
	ck_assert_int_eq(record_write(run, -1, &r), 0);
	record_clear(&r);
	free(log);
}

/* What summary_print prints for those goals, or NULL. */
static char *
printed(const char *goals)
{
	json_t *list = json_of(goals);
	int result;
	char *text;

	output_begin();
	result = summary_print(&(struct summary){ .state = run, .rundir = run, .plan = plan,
	    .goals = list, .stopped = stopped, .hints = hints });
	text = output_end();
	json_decref(list);
	if (result == 0)
		return text;
	free(text);
	return NULL;
}

/* Each word of why is one that is known. */
START_TEST(a_missing_record_has_its_reason)
{
	char *text;

	begin();
	file_put("run/b.json", "{");
	file_put("run/c.log", "$ nox\n");
	text = printed("['b','x']");
	ck_assert_ptr_nonnull(strstr(text, "not run          -  its record cannot be read\n"));
	ck_assert_ptr_nonnull(strstr(text, "no record: its helper died while it ran\n"));
	ck_assert_ptr_nonnull(strstr(text,
	    "no record: its helper died, or failed, before it began\n"));
	free(text);
	stopped = true;
	text = printed("['x']");
	ck_assert_ptr_nonnull(strstr(text, "\nd        not run          -  make was stopped"));
	ck_assert_ptr_nonnull(strstr(text, "\nc        not run          -  no record: its"));
	free(text);
	stopped = false;
	folder_remove("run");
	ck_assert_int_eq(summary_verdict(run, plan, "x"), 1);
	assert_warned("x: c not run, d not run");
	end();
}
END_TEST

START_TEST(a_good_run_has_a_table_and_a_total)
{
	char *text;

	begin();
	put("a", PASSED, NULL);
	put("b", SKIPPED, NULL);
	text = printed("['ci']");
	ck_assert_str_eq(text, "\nsession  verdict       time  reason\n"
			       "a        passed        1.5s\nb        skipped       1.5s\n\n"
			       "noxmk: 2 sessions: 1 passed, 1 skipped; 3h00m wall time, "
			       "about 1.5s with plain nox\n");
	free(text);
	put("b", PASSED, NULL);
	text = printed("['ci']");
	ck_assert_ptr_nonnull(strstr(text, "wall time, about 2.8s with plain nox\n"));
	free(text);
	put_run(1);
	text = printed("['ci']");
	ck_assert_ptr_nonnull(strstr(text, "about 2.8s with plain nox: speed-up "));
	free(text);
	/* What failed may have ended early. */
	put("b", FAILED, NULL);
	text = printed("['ci']");
	ck_assert_ptr_nonnull(strstr(text, "about 2.8s with plain nox\n"));
	free(text);
	put_run(3 * 3600 + 30);
	/* What is not known is not claimed. */
	crowded = 1;
	put("b", PASSED, NULL);
	text = printed("['ci']");
	ck_assert_ptr_nonnull(strstr(text, "noxmk: 2 sessions: 2 passed; 3h00m wall time\n"));
	free(text);
	crowded = 0;
	assert_silent();
	end();
}
END_TEST

START_TEST(logs_of_failed_sessions_are_shown)
{
	char *text;

	begin();
	file_put("run/a.log", "$ nox\nits\xff words\n");
	put("a", FAILED, NULL);
	put("d", PASSED, NULL);
	file_put("run/c.log", "$ nox\n");
	put("c", PASSED, NULL);
	text = printed("['ci','zzz']");
	assert_warned("zzz: no target of this plan");
	ck_assert_ptr_nonnull(strstr(text, "a        failed        1.5s  it\\tbroke\n"));
	ck_assert_ptr_nonnull(strstr(text, "not run          -  no record: its helper died"));
	/* What is no goal, last. */
	ck_assert_ptr_nonnull(strstr(text, "c        passed        1.5s\nd        passed"));
	ck_assert_ptr_nonnull(strstr(text,
	    "\n--- a failed: .nox/.noxmk/runs/R/a.log\n$ nox\nits\\377 words\n"));
	ck_assert_ptr_null(strstr(text, "c.log"));
	ck_assert_ptr_nonnull(strstr(text, "noxmk: 4 sessions: 2 passed, 1 failed, 1 not run; "));
	free(text);
	end();
}
END_TEST

/* The run takes three hours, of which a tenth is worth a word. */
/* Two sessions at once, of which b failed, with that recheck. */
static char *
printed_with(const char *recheck)
{
	struct record a = { .target = xstrdup("a"), .session = xstrdup("a"), .exit = 0,
		.signal = -1, .verdict = PASSED, .started = 100, .ended = 109, .own = 8,
		.duration = 9 }, b = a;
	char *text;

	b.target = xstrdup("b");
	b.session = xstrdup("b");
	b.verdict = FAILED;
	b.exit = 1;
	b.started = 108;
	b.ended = 110;
	b.logged = true;
	b.recheck = json_of(recheck);
	file_put("run/b.log", "$ nox\nwords\n\n[exited with status 1.]\n");
	ck_assert_int_eq(record_write(run, -1, &a), 0);
	ck_assert_int_eq(record_write(run, -1, &b), 0);
	text = printed("['ci']");
	record_clear(&a);
	record_clear(&b);
	ck_assert_ptr_nonnull(text);
	return text;
}

START_TEST(who_failed_beside_others_is_told_how_to_find_out_more)
{
	const char *hint = "\nnoxmk: b failed while others ran: NOXMK_RECHECK=1 tells whether it "
			   "fails alone too\n";
	char *text;

	begin();
	hints = _i > 0;
	text = printed_with("null");
	ck_assert_int_eq(strstr(text, hint) != NULL, hints);
	free(text);
	text = printed_with("{'verdict':'passed','seconds':1.5,'beside':['a'],'others':1}");
	ck_assert_ptr_null(strstr(text, hint));
	ck_assert_ptr_nonnull(strstr(text, "  fails only beside a\n"));
	ck_assert_ptr_nonnull(strstr(text, " wall time, 1.5s more to recheck"));
	free(text);
	end();
}
END_TEST

START_TEST(a_long_wait_for_processors_is_marked)
{
	struct record r = { .target = xstrdup("a"), .session = xstrdup("a"), .duration = 9 };
	char *text;

	begin();
	r.waits = json_of("[{'for':'slot','seconds':9000},{'for':'processors','seconds':1000},"
		"{'for':'processors','seconds':100}]");
	ck_assert_int_eq(record_write(run, -1, &r), 0);
	text = printed("['a']");
	ck_assert_ptr_nonnull(strstr(text,
	    "\na        passed        9.0s  waited 18m20s for processors\n"));
	free(text);
	json_decref(r.waits);
	r.waits = json_of("[{'for':'slot','seconds':9000},{'for':'processors','seconds':1000}]");
	ck_assert_int_eq(record_write(run, -1, &r), 0);
	text = printed("['a']");
	ck_assert_ptr_nonnull(strstr(text, "\na        passed        9.0s\n"));
	free(text);
	record_clear(&r);
	end();
}
END_TEST

START_TEST(one_session_is_one_session)
{
	char *text;

	begin();
	put("d", PASSED, NULL);
	text = printed("['d']");
	/* One alone is as under nox. */
	ck_assert_ptr_nonnull(strstr(text, "noxmk: 1 session: 1 passed; 3h00m wall time\n"));
	free(text);
	end();
}
END_TEST

START_TEST(a_run_without_sessions_has_no_summary)
{
	char *text;

	begin();
	text = printed("[]");
	ck_assert_str_eq(text, "");
	free(text);
	unlink("run/.run.json");
	ck_assert_ptr_null(printed("[]"));
	assert_warned(".run.json: missing or damaged");
	end();
}
END_TEST

START_TEST(long_names_and_logs_are_cut)
{
	char name[101], *log = xcalloc(1, 300 * 1024 + 1), *text;

	begin();
	memset(name, 'n', 100);
	name[100] = '\0';
	put(name, PASSED, NULL);
	memset(log, 'x', 300 * 1024);
	log[0] = 'F';
	log[300 * 1024 - 1] = '\n';
	file_put("run/d.log", log);
	put("d", FAILED, NULL);
	text = printed("['d']");
	ck_assert_ptr_nonnull(strstr(text, "… its last 256 KiB of 300 KiB\nxxx"));
	ck_assert_ptr_null(strchr(text, 'F'));
	ck_assert_uint_gt(strlen(text), 256 * 1024);
	ck_assert_uint_lt(strlen(text), 258 * 1024);
	free(text);
	free(log);
	end();
}
END_TEST

START_TEST(what_was_shown_live_is_not_shown_again)
{
	char name[] = "d", *text;
	struct record r = { .target = name, .session = name, .verdict = FAILED, .logged = true,
		.live = true };

	begin();
	file_put("run/d.log", "words\n");
	ck_assert_int_eq(record_write(run, -1, &r), 0);
	text = printed("['d']");
	ck_assert_ptr_nonnull(strstr(text, "d        failed"));
	ck_assert_ptr_null(strstr(text, "words"));
	free(text);
	end();
}
END_TEST

/* On a CI's page, so many lines above. */
START_TEST(what_is_on_the_same_screen_is_not_shown_again)
{
	char name[] = "d", *text;
	struct record r = { .target = name, .session = name, .verdict = FAILED, .logged = true,
		.shown = 7 };
	struct page *page;

	begin();
	setenv("CI", "true", 1);
	page = page_open(run);
	ck_assert(page_begin(page, 0));
	page_end(page, 30);
	file_put("run/d.log", "words\n");
	ck_assert_int_eq(record_write(run, -1, &r), 0);
	text = printed("['d']");
	ck_assert_ptr_null(strstr(text, "words"));
	free(text);
	ck_assert(page_begin(page, 0));
	page_end(page, 20);
	text = printed("['d']");
	ck_assert_ptr_nonnull(strstr(text, "words"));
	free(text);
	/* It was another page that had it. */
	ck_assert_int_eq(unlink("run/.page.now"), 0);
	text = printed("['d']");
	ck_assert_ptr_nonnull(strstr(text, "words"));
	free(text);
	page_close(page);
	end();
}
END_TEST

START_TEST(a_lost_log_is_said)
{
	char *text;

	begin();
	file_put("run/d.log", "");
	put("d", FAILED, NULL);
	unlink("run/d.log");
	text = printed("['d']");
	ck_assert_ptr_nonnull(text);
	assert_warned("d.log: No such file");
	free(text);
	end();
}
END_TEST

START_TEST(a_reader_that_went_away_is_no_fault)
{
	json_t *goals = json_of("['d']");

	begin();
	file_put("run/d.log", "words\n");
	put("d", FAILED, NULL);
	output_break();
	ck_assert_int_eq(summary_print(&(struct summary){ .state = run, .rundir = run,
	    .plan = plan, .goals = goals }), 0);
	output_restore();
	json_decref(goals);
	end();
}
END_TEST

/*
 * Records, as pairs of target and verdict, a goal and what summary_verdict says of it. n: passed
 * and notified c; m: passed and notified d; e: excused.
 */
static const struct {
	const char *records, *goal, *words; /* words NULL: it is well */
} verdicts[] = {
	{ "a+b+", "ci", NULL },
	{ "a+b+", "b", NULL },
	{ "a+bs", "ci", NULL },
	{ "a-b!", "ci", "ci: a failed, b not run" },
	{ "a-b!", "a", "a: failed" },
	{ "a+", "b", "b: not run" },
	{ "", "ci", "ci: a not run, b not run" },
	{ "aab!", "ci", "ci: a aborted, b not run" },
	{ "ac", "a", "a: cancelled" },
	{ "asbe", "ci", NULL },
	{ "a+b+d-", "ci", NULL },
	{ "c+d-", "x", "x: d failed" },
	{ "a+b+", "zzz", "zzz: no target of this plan" },
	/* Those that were notified count too, once, and those that they notify. */
	{ "anc+b+", "a", NULL },
	{ "anc-b+", "a", "a: c failed" },
	{ "anb+", "ci", "ci: c not run" },
	{ "ancmd-", "a", "a: d failed" },
};

static void
put_records(const char *text)
{
	static const char letters[] = "+-sac!"; /* in the order of enum verdict */

	for (; *text; text += 2) {
		char target[] = { text[0], '\0' };
		struct record excused = { .target = target, .session = target, .verdict = NOT_RUN,
			.excused = true };

		if (text[1] == 'n')
			put(target, PASSED, "[{'target':'c','posargs':null},{'target':'a'},{},7]");
		else if (text[1] == 'm')
			put(target, PASSED, "[{'target':'d'},{'target':'c'}]");
		else if (text[1] == 'e')
			ck_assert_int_eq(record_write(run, -1, &excused), 0);
		else
			put(target, (enum verdict)(strchr(letters, text[1]) - letters), NULL);
	}
}

START_TEST(a_goal_fails_with_any_of_its_sessions)
{
	begin();
	put_records(verdicts[_i].records);
	ck_assert_int_eq(summary_verdict(run, plan, verdicts[_i].goal), verdicts[_i].words != NULL);
	if (verdicts[_i].words)
		assert_warned(verdicts[_i].words);
	else
		assert_silent();
	end();
}
END_TEST

/* As with nox: nothing to do is no failure, unless the noxfile asks for what is not there. */
START_TEST(a_goal_without_sessions_is_well)
{
	struct facts *facts = facts_of("[{'name':'a'}]", "[]");

	run = folder_make("run");
	plan_put(run, facts, NULL, NULL);
	plan = planfile_open(run);
	ck_assert_int_eq(summary_verdict(run, plan, "ci"), 0);
	assert_silent();
	planfile_close(plan);
	facts->complaint = "no session zzz";
	plan_put(run, facts, NULL, NULL);
	plan = planfile_open(run);
	ck_assert_int_eq(summary_verdict(run, plan, "ci"), 1);
	assert_warned("ci: nox cannot select the default sessions: no session zzz");
	facts_free(facts);
	end();
}
END_TEST

START_TEST(a_goal_is_well_or_not)
{
	begin();
	put_records("a+b+c-d+");
	ck_assert(summary_is_well(run, plan, "ci") && summary_is_well(run, plan, "d"));
	ck_assert(!summary_is_well(run, plan, "x") && !summary_is_well(run, plan, "zzz"));
	assert_silent();
	end();
}
END_TEST

Suite *
check_summary_suite(void)
{
	Suite *suite = suite_create("summary");
	TCase *tc = support_case(suite, "print");

	tcase_add_test(tc, a_missing_record_has_its_reason);
	tcase_add_test(tc, a_good_run_has_a_table_and_a_total);
	tcase_add_test(tc, logs_of_failed_sessions_are_shown);
	tcase_add_loop_test(tc, who_failed_beside_others_is_told_how_to_find_out_more, 0, 2);
	tcase_add_test(tc, a_long_wait_for_processors_is_marked);
	tcase_add_test(tc, one_session_is_one_session);
	tcase_add_test(tc, a_run_without_sessions_has_no_summary);
	tcase_add_test(tc, long_names_and_logs_are_cut);
	tcase_add_test(tc, what_was_shown_live_is_not_shown_again);
	tcase_add_test(tc, what_is_on_the_same_screen_is_not_shown_again);
	tcase_add_test(tc, a_lost_log_is_said);
	tcase_add_test(tc, a_reader_that_went_away_is_no_fault);
	tc = support_case(suite, "verdict");
	tcase_add_loop_test(tc, a_goal_fails_with_any_of_its_sessions, 0, countof(verdicts));
	tcase_add_test(tc, a_goal_without_sessions_is_well);
	tcase_add_test(tc, a_goal_is_well_or_not);
	return suite;
}
