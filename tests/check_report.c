#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report/report.h"
#include "report/story.h"
#include "state/makekey.h"
#include "state/record.h"
#include "state/rundir.h"
#include "kept.h"
#include "support.h"

#define RUN KEPT_RUN
#define FOLDER KEPT_FOLDER

static int run;

static void
begin(void)
{
	run = kept_begin();
}

static void
put(struct record r)
{
	kept_put(run, r);
}

static void
put_all(void)
{
	run = kept_put_all();
}

/* What a session did before it was tried once more is no wait for a slot. */
START_TEST(what_was_tried_before_is_told)
{
	struct record r = kept_record("b", PASSED, 8, 9, NULL);
	json_t *json, *sessions;
	char *text;

	begin();
	put(kept_record("a", PASSED, 1, 5, NULL));
	r.attempts = json_of("[{'verdict':'failed','started':1795396701.0,'duration':6.5,"
	    "'log':'b.log.1'}]");
	put(r);
	for (const char *other = "cde"; *other; other++)
		put(kept_record((char[2]){ *other }, SKIPPED, 1, 1.25, NULL));
	text = kept_printed(&(struct report_options){ 0 }, 0);
	ck_assert_ptr_nonnull(strstr(text, "\nb        passed        1.0s        -     -  flaky"));
	ck_assert_ptr_nonnull(strstr(text,
	    "\n      8.0s  took    1.0s  b  it was tried before, for 7.0s\n"));
	ck_assert_ptr_nonnull(strstr(text,
	    "\n      7.0s  78%  attempts that failed, and the pauses behind them\n"));
	ck_assert_ptr_nonnull(strstr(text, "\nWhere the time of all sessions together went, 12."));
	ck_assert_ptr_null(strstr(text, "a job slot"));
	free(text);
	/* It had its lane all the time, and is seen there. */
	json = kept_parsed("json");
	sessions = json_object_get(json, "sessions");
	ck_assert_double_ne(kept_number(json_array_get(sessions, 0), "lane"),
	    kept_number(json_array_get(sessions, 1), "lane"));
	json_decref(json);
	text = kept_printed(&(struct report_options){ .format = "svg" }, 0);
	ck_assert_ptr_nonnull(strstr(text, "<title>b, in an attempt before: failed</title>"));
	free(text);
	close(run);
}
END_TEST

START_TEST(a_run_is_told)
{
	char *text, *advice;

	put_all();
	text = kept_printed(&(struct report_options){ .run = RUN }, 0);
	advice = strstr(text, "\nWhat would help");
	ck_assert_ptr_nonnull(advice);
	*advice++ = '\0';
	ck_assert_str_eq(advice, "What would help, by simulation (8.0s as it was, with -j2)\n"
	    "     14.5s     6.5s more  with -j1\n"
	    "      8.0s                with -j2\n"
	    "      7.0s     1.0s less  with -j4\n"
	    "      7.0s     1.0s less  with -j8\n"
	    "      7.0s     1.0s less  with -j16\n"
	    "      7.5s     0.5s less  if no session had to wait for another one's end\n"
	    "      6.5s     1.5s less  if b took half of its time\n"
	    "      7.0s     1.0s less  if a took half of its time\n"
	    "      7.5s     0.5s less  if d took half of its time\n"
	    "It would take about 1.5s less if b took half of its 4.0s.\n");
	ck_assert_str_eq(text,
	    "Run " RUN " began 2026-11-23 01:18:20 UTC and took 10.5s\n"
	    "5 sessions, 4 passed, 1 failed\n"
	    "0.4 of 2 processors used on average, at most 20.5 MiB of memory at once\n"
	    "\n"
	    "session  verdict       time   waited width  reason\n"
	    "a        passed        3.0s        -     -\n"
	    "b        failed        4.0s        -     3  broken\\^[[2J\\nthing\n"
	    "c        passed        2.0s        -     -\n"
	    "d        passed        4.0s     2.0s     -\n"
	    "e        passed        1.5s     8.0s     -\n"
	    "\n"
	    "Critical path: 3 sessions, 7.5s of 10.5s\n"
	    "      1.0s  took    2.0s  c\n"
	    "      5.0s  took    4.0s  d  it waited for a resource, which c had\n"
	    "      9.0s  took    1.5s  e  it waited for a job slot, which d had\n"
	    "\n"
	    "Where the 10.5s of the run went, along the critical path\n"
	    "      6.8s  64%  the rest of the sessions\n"
	    "      0.8s   7%  nox itself\n"
	    "      3.0s  29%  waits, and what is before and between sessions\n"
	    "\n"
	    "Where the time of all sessions together went, 14.5s\n"
	    "      0.5s   3%  making environments\n"
	    "      1.0s   7%  installing\n"
	    "     11.8s  81%  the rest of the sessions\n"
	    "      1.2s   9%  nox itself\n"
	    "\n"
	    "What the sessions waited for, all together\n"
	    "      5.0s  for other sessions to end\n"
	    "      8.5s  for a job slot\n"
	    "      1.5s  for the resource db\n");
	free(text);
	assert_silent();
	close(run);
}
END_TEST

/* c waited for b, b for a; each began a little before the other ended, by what clocks say. */
START_TEST(no_moment_of_the_critical_path_counts_twice)
{
	char *text;

	begin();
	put(kept_record("a", PASSED, 0, 1, NULL));
	put(kept_record("b", PASSED, 0.96, 2, NULL));
	put(kept_record("e", PASSED, 1.97, 3, "[{'for':'slot','seconds':0.9}]"));
	text = kept_printed(&(struct report_options){ .run = RUN }, 0);
	ck_assert_ptr_nonnull(strstr(text, "\nCritical path: 3 sessions, 3.0s of 3.0s\n"));
	ck_assert_msg(strstr(text, "      2.3s  76%  the rest of the sessions\n"
	    "      0.7s  24%  nox itself\n\n"), "%s", text);
	free(text);
	close(run);
}
END_TEST

/* The schema's own test is in report.sh. */
START_TEST(a_run_in_json)
{
	json_t *json, *run_, *expected = json_of("['c','d','e']"), *b, *d, *before;

	put_all();
	json = kept_parsed("json");
	run_ = json_object_get(json, "run");
	ck_assert_double_eq_tol(kept_number(run_, "wall"), 10.5, 1e-6);
	ck_assert_double_eq(kept_number(run_, "jobs"), 2);
	ck_assert_double_eq(kept_number(json_object_get(run_, "verdicts"), "passed"), 4);
	ck_assert(json_equal(json_object_get(json, "critical_path"), expected));
	ck_assert_double_eq_tol(kept_number(json_object_get(json, "resources"), "db"), 1.5, 1e-6);
	ck_assert_double_eq_tol(kept_number(json_object_get(json_object_get(json, "predictions"),
	    "without"), "db"), 8, 1e-6);
	ck_assert_ptr_null(json_object_get(json_object_get(json_object_get(json, "predictions"),
	    "without"), "env:e"));
	b = json_array_get(json_object_get(json, "sessions"), 1);
	ck_assert_double_eq_tol(kept_number(b, "began"), 4, 1e-6);
	ck_assert_double_eq_tol(kept_number(json_object_get(b, "waited"), "edge"), 3, 1e-6);
	ck_assert_double_eq_tol(kept_number(json_object_get(b, "work"), "install"), 1, 1e-6);
	ck_assert_double_eq_tol(kept_number(json_array_get(json_object_get(b, "steps"), 1),
	    "began"), 5.25, 1e-6);
	ck_assert_str_eq(json_string_value(json_object_get(json_object_get(b, "before"), "what")),
	    "it requires a");
	ck_assert_double_eq(kept_number(b, "slots"), 2);
	ck_assert_double_eq(json_number_value(json_array_get(json_object_get(json_object_get(b,
	    "samples"), "cpu"), 1)), 3.2);
	ck_assert_double_eq(kept_number(json_object_get(json, "use"), "mib"), 20.5);
	d = json_array_get(json_object_get(json, "sessions"), 3);
	ck_assert(json_is_null(json_object_get(d, "samples")));
	before = json_object_get(d, "before");
	ck_assert_str_eq(json_string_value(json_object_get(before, "target")), "c");
	ck_assert_str_eq(json_string_value(json_object_get(before, "for")), "resource");
	/* a and c ran at once; then there is always room in the first two lanes. */
	ck_assert_double_eq(kept_number(json_array_get(json_object_get(json, "sessions"), 0),
	    "lane"), 0);
	ck_assert_double_lt(kept_number(d, "lane"), 2);
	assert_silent();
	json_decref(expected);
	json_decref(json);
	close(run);
}
END_TEST

/* Slices of a thread lie beside or within each other. */
static void
check_nesting(const json_t *events)
{
	json_t *a, *b;
	size_t i, k;

	json_array_foreach(events, i, a)
		json_array_foreach(events, k, b) {
			double start, end;

			if (i >= k || json_string_value(json_object_get(a, "ph"))[0] != 'X' ||
			    json_string_value(json_object_get(b, "ph"))[0] != 'X' ||
			    kept_number(a, "pid") != kept_number(b, "pid") ||
			    kept_number(a, "tid") != kept_number(b, "tid"))
				continue;
			start = kept_number(b, "ts") - kept_number(a, "ts");
			end = start + kept_number(b, "dur");
			ck_assert(end <= 1 || start >= kept_number(a, "dur") - 1 ||
			    (start >= -1 && end <= kept_number(a, "dur") + 1));
		}
}

START_TEST(a_run_as_a_trace)
{
	json_t *json, *event, *events, *found = NULL;
	static const double processors[] = { 1.0, 3.2 };
	size_t i, sessions = 0, waits = 0, counts = 0;

	put_all();
	json = kept_parsed("trace");
	events = json_object_get(json, "traceEvents");
	json_array_foreach(events, i, event) {
		const char *category = json_string_value(json_object_get(event, "cat"));

		if (!strcmp(json_string_value(json_object_get(event, "name")), "processors") &&
		    kept_number(json_object_get(event, "args"), "processors") > 0) {
			ck_assert_str_eq(json_string_value(json_object_get(event, "ph")), "C");
			ck_assert_double_eq_tol(kept_number(event, "ts"),
			    4e6 + 2e6 * (double)counts, 1);
			ck_assert_double_eq_tol(kept_number(json_object_get(event, "args"),
			    "processors"), processors[counts], 1e-6);
			counts++;
		}
		sessions += category && !strcmp(category, "session");
		waits += category && !strcmp(category, "resource");
		if (category && !strcmp(category, "install"))
			found = event;
	}
	ck_assert_uint_eq(sessions, 5);
	ck_assert_uint_eq(waits, 1);
	ck_assert_uint_eq(counts, 2);
	ck_assert_ptr_nonnull(found);
	ck_assert_double_eq_tol(kept_number(found, "ts"), 5.25e6, 1);
	ck_assert_double_eq_tol(kept_number(found, "dur"), 1.5e6, 1);
	check_nesting(events);
	assert_silent();
	json_decref(json);
	close(run);
}
END_TEST

START_TEST(a_run_as_markdown_and_junit)
{
	char *text;

	put_all();
	text = kept_printed(&(struct report_options){ .format = "md" }, 0);
	ck_assert_ptr_nonnull(strstr(text, "| d | passed | 4.0s |  |\n"));
	ck_assert_ptr_nonnull(strstr(text, "\n5 sessions&#58; 4 passed, 1 failed; "));
	free(text);
	text = kept_printed(&(struct report_options){ .format = "junit" }, 0);
	ck_assert_ptr_nonnull(strstr(text, "<property name=\"run\" value=\"" RUN "\"/>"));
	ck_assert_ptr_nonnull(strstr(text, "message=\"broken&#10;thing\""));
	free(text);
	close(run);
}
END_TEST

/* By any of the words for it, and, on another machine, by the path of a copy. */
START_TEST(a_run_can_be_chosen)
{
	static const char *const words[] = { NULL, "latest", "-1", RUN, "copy/of/it/" };
	char *first = NULL, *text;

	put_all();
	close(folder_make("copy/of"));
	ck_assert_int_eq(system("cp -r " FOLDER " copy/of/it"), 0);
	for (size_t i = 0; i < countof(words); i++) {
		text = kept_printed(&(struct report_options){ .run = words[i] }, 0);
		ck_assert_str_eq(text, first ? first : text);
		if (!first)
			first = text;
		else
			free(text);
	}
	folder_remove(".nox");
	text = kept_printed(&(struct report_options){ .run = "copy/of/it" }, 0);
	ck_assert_str_eq(text, first);
	free(text);
	free(first);
	assert_silent();
	close(run);
}
END_TEST

static const struct {
	const char *run, *warning;
} strangers[] = {
	{ "-2", "-2: only 1 run is kept" },
	{ "20261123T000000.000Z-c0ffee02", "c0ffee02: No such file or directory" },
	{ "./nowhere", "./nowhere: No such file or directory" },
	{ "./" FOLDER "/plan.jsonl", "plan.jsonl: Not a directory" },
	{ "nonsense", "no run is called 'nonsense': " },
};

START_TEST(a_run_that_is_not_there)
{
	char *text;

	put_all();
	text = kept_printed(&(struct report_options){ .run = strangers[_i].run }, -1);
	ck_assert_str_eq(text, "");
	assert_warned(strangers[_i].warning);
	free(text);
	close(run);
}
END_TEST

START_TEST(it_goes_into_a_file)
{
	char *text, *file, start[16];
	int fifo;

	put_all();
	text = kept_printed(&(struct report_options){ 0 }, 0);
	file_put("there", "old");
	free(kept_printed(&(struct report_options){ .out = "there" }, 0));
	file = file_get("there");
	ck_assert_str_eq(file, text);
	free(file);
	/* A device or a FIFO is not replaced. */
	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	fifo = open("fifo", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	free(kept_printed(&(struct report_options){ .out = "fifo" }, 0));
	ck_assert_int_eq(read(fifo, start, sizeof(start)), sizeof(start));
	ck_assert_mem_eq(start, text, sizeof(start));
	close(fifo);
	assert_silent();
	close(folder_make("folder/within"));
	free(kept_printed(&(struct report_options){ .out = "folder" }, -1));
	assert_warned("folder: Is a directory");
	ck_assert(file_there("folder/within"));
	free(kept_printed(&(struct report_options){ .out = "no/where" }, -1));
	assert_warned("no/where: No such file or directory");
	free(text);
	close(run);
}
END_TEST

/* Its end was summed up, when make was dead; how it ended is still known later. */
START_TEST(a_run_that_was_interrupted)
{
	char *text;

	begin();
	rundir_mark_ended(run, true);
	put(kept_record("a", CANCELLED, 1, 4, NULL));
	text = kept_printed(&(struct report_options){ 0 }, 0);
	ck_assert_ptr_nonnull(strstr(text, " and took 4.0s, and was stopped\n"));
	ck_assert_ptr_nonnull(strstr(text, "\nb        not run          -        -     -  "
		"make was stopped before its turn\n"));
	free(text);
	text = kept_printed(&(struct report_options){ .format = "junit" }, 0);
	ck_assert_ptr_nonnull(strstr(text,
	    "<error message=\"make was stopped before its turn\"/>"));
	free(text);
	rundir_mark_ended(run, false);
	text = kept_printed(&(struct report_options){ 0 }, 0);
	ck_assert_ptr_nonnull(strstr(text, " and took 4.0s\n"));
	free(text);
	assert_silent();
	close(run);
}
END_TEST

/* Of a make that was killed -9 there is no end: what there is is told, and of the rest, why not. */
START_TEST(a_run_that_was_killed)
{
	char *where = makekey_where(), *text;

	begin();
	unlinkat(run, ".ended", 0);
	text = xasprintf("{\"run\":\"" RUN "\",\"make\":\"4194305-1-c0ffee01\",\"where\":\"%s\","
		"\"started\":1795396700.0}", where);
	file_put(FOLDER "/.run.json", text);
	free(text);
	free(where);
	put(kept_record("a", PASSED, 1, 4, NULL));
	file_put(FOLDER "/c.log", "it began\n");
	text = kept_printed(&(struct report_options){ 0 }, 0);
	ck_assert_ptr_nonnull(strstr(text, " and took 4.0s, and was stopped\n"));
	ck_assert_ptr_null(strstr(text, "What would help, "));
	ck_assert_ptr_nonnull(strstr(text, "5 sessions, 1 passed, 4 not run\n"));
	ck_assert_ptr_nonnull(strstr(text, "\nb        not run          -        -     -  "
		"make was stopped before its turn\n"));
	ck_assert_ptr_nonnull(strstr(text, "\nc        not run          -        -     -  "
		"no record: its helper died while it ran\n"));
	free(text);
	assert_silent();
	close(run);
}
END_TEST

static const struct {
	const char *name, *text, *warning;
} damages[] = {
	{ ".run.json", "nonsense", ".run.json: missing or damaged" },
	{ ".request.json", "[]", ".request.json: damaged" },
	{ "plan.jsonl", "", "plan.jsonl: not a plan of this noxmk" },
};

START_TEST(what_is_damaged_is_one_line)
{
	char *name = xasprintf(FOLDER "/%s", damages[_i].name);

	put_all();
	file_put(name, damages[_i].text);
	free(kept_printed(&(struct report_options){ 0 }, -1));
	assert_warned(damages[_i].warning);
	ck_assert_ptr_eq(strchr(warnings(), '\n'), strrchr(warnings(), '\n'));
	free(name);
	close(run);
}
END_TEST

/* Times and waits that cannot be. */
START_TEST(records_of_a_liar)
{
	json_t *trace;
	char *text;
	struct record r = kept_record("c", PASSED, 1, 1e15, "[{'for':'slot','seconds':1e300},"
		"{'for':'resource','seconds':-5,'resource':'\\u001b[2J'},7,{'for':3},"
		"{'for':'resource','seconds':3,'resource':'x\\u001b]0;','target':'c'}]");

	begin();
	put(kept_record("a", PASSED, -1e9, 1e9, NULL));
	put(kept_record("b", PASSED, 5, 4, NULL));
	put(r);
	put(kept_record("d", PASSED, 0, 2, "[{'for':'resource','seconds':2,'target':'d'}]"));
	r = kept_record("e", PASSED, 3, 9, NULL);
	free(r.session);
	r.session = xstrdup("e");
	r.cue = xstrdup("e");
	r.steps = json_of("[7,{'kind':[],'seconds':1e300,'started':-5},{'kind':'run','started':"
		"1795396704.0,'seconds':3},{'kind':'run','started':1795396703.0,'seconds':30}]");
	put(r);
	file_put(FOLDER "/.run.json", "{\"run\":\"\\u001b[2Jx\",\"started\":1e300}");
	free(kept_printed(&(struct report_options){ 0 }, 0));
	file_put(FOLDER "/.run.json", "{\"run\":\"\\u001b[2Jx\",\"started\":1795396700.0}");
	text = kept_printed(&(struct report_options){ 0 }, 0);
	ck_assert_ptr_null(strchr(text, '\033'));
	ck_assert_ptr_nonnull(strstr(text, "Run ? began "));
	free(text);
	json_decref(kept_parsed("json"));
	trace = kept_parsed("trace");
	check_nesting(json_object_get(trace, "traceEvents"));
	json_decref(trace);
	close(run);
}
END_TEST

/* In a folder from elsewhere a target may be no slug. */
START_TEST(targets_of_a_stranger)
{
	static const char *const formats[] = { "text", "json", "md", "junit", "trace", "svg" };

	begin();
	file_put(FOLDER "/plan.jsonl", "{\"schema\":1}\n{\"target\":\"\\u001b[2Jx\","
		"\"session\":\"x\"}\n");
	put(kept_record("\033[2Jx", PASSED, 1, 2, NULL));
	for (size_t i = 0; i < countof(formats); i++) {
		char *text = kept_printed(&(struct report_options){ .format = formats[i] }, 0);

		ck_assert_ptr_null(strchr(text, '\033'));
		ck_assert_ptr_nonnull(strstr(text, i == 0 ? "\n\\^[[2Jx  " : "x"));
		free(text);
	}
	close(run);
}
END_TEST

/* As many as a matrix may have: the time is no more than it takes to read them. */
START_TEST(a_chain_of_many)
{
	enum { MANY = 3000 };
	struct buffer plan = { 0 };
	char *text;

	begin();
	buffer_addstr(&plan, "{\"schema\":1}\n");
	for (int i = 0; i < MANY; i++)
		buffer_printf(&plan, "{\"target\":\"s%d\",\"session\":\"s%d\",\"claims\":["
			"{\"resource\":\"db\",\"use\":\"exclusive\"}]}\n", i, i);
	file_put(FOLDER "/plan.jsonl", plan.data);
	file_put(FOLDER "/.request.json", "{\"schema\":1,\"goals\":[]}");
	for (int i = 0; i < MANY; i++) {
		char *name = xasprintf("s%d", i);

		put(kept_record(name, PASSED, i + 1, i + 2, NULL));
		free(name);
	}
	text = kept_printed(&(struct report_options){ 0 }, 0);
	ck_assert_ptr_nonnull(strstr(text, "\nCritical path: 3000 sessions, "));
	ck_assert_ptr_nonnull(strstr(text, "\n  … 2980 before these\n"));
	free(text);
	buffer_free(&plan);
	close(run);
}
END_TEST

Suite *
check_report_suite(void)
{
	Suite *suite = suite_create("report");
	TCase *tc = support_case(suite, "report");

	tcase_add_test(tc, a_run_is_told);
	tcase_add_test(tc, what_was_tried_before_is_told);
	tcase_add_test(tc, no_moment_of_the_critical_path_counts_twice);
	tcase_add_test(tc, a_run_in_json);
	tcase_add_test(tc, a_run_as_a_trace);
	tcase_add_test(tc, a_run_as_markdown_and_junit);
	tcase_add_test(tc, a_run_can_be_chosen);
	tcase_add_loop_test(tc, a_run_that_is_not_there, 0, countof(strangers));
	tcase_add_test(tc, it_goes_into_a_file);
	tcase_add_test(tc, a_run_that_was_interrupted);
	tcase_add_test(tc, a_run_that_was_killed);
	tcase_add_loop_test(tc, what_is_damaged_is_one_line, 0, countof(damages));
	tcase_add_test(tc, records_of_a_liar);
	tcase_add_test(tc, targets_of_a_stranger);
	tcase_add_test(tc, a_chain_of_many);
	return suite;
}
