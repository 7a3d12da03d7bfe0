#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/excerpts.h"
#include "report/story.h"
#include "kept.h"
#include "support.h"

/* What is told of the logs of the run in that folder, which is closed. */
static json_t *
told(int run, const char *links)
{
	struct story story = { 0 };
	json_t *excerpts;

	ck_assert_int_eq(story_open(&story, run), 0);
	excerpts = excerpts_of(&story, links);
	ck_assert_uint_eq(json_array_size(excerpts), story.table.n);
	story_close(&story);
	close(run);
	return excerpts;
}

static struct record
logged(const char *target, enum verdict verdict)
{
	struct record r = kept_record(target, verdict, 1, 2, NULL);

	r.logged = true;
	return r;
}

static const char *
text(const json_t *excerpt, size_t part)
{
	const char *text = json_string_value(json_object_get(json_array_get(json_object_get(excerpt,
	    "parts"), part), "text"));

	ck_assert_ptr_nonnull(text);
	return text;
}

static long long
left_out(const json_t *excerpt, size_t part)
{
	return json_integer_value(json_object_get(json_array_get(json_object_get(excerpt, "parts"),
	    part), "left_out"));
}

START_TEST(a_short_log_is_there_as_a_whole)
{
	int run = kept_begin();
	json_t *excerpts, *a;

	kept_put(run, logged("a", PASSED));
	kept_put(run, kept_record("b", NOT_RUN, 0, 0, NULL));
	file_put(KEPT_FOLDER "/a.log", "$ x\n\033[31mred\033[0m \xff\xc3\xa9\xe2\x80\xae <b>\n");
	excerpts = told(run, "../");
	a = json_array_get(excerpts, 0);
	ck_assert_str_eq(json_string_value(json_object_get(a, "href")), "../a.log");
	/* What is no UTF-8, or turns text round, is replaced. */
	ck_assert_str_eq(text(a, 0), "$ x\n\033[31mred\033[0m \xef\xbf\xbd\xc3\xa9\xef\xbf\xbd"
	    "\xef\xbf\xbd\xef\xbf\xbd <b>\n");
	ck_assert_uint_eq(json_array_size(json_object_get(a, "parts")), 1);
	ck_assert(json_is_null(json_array_get(excerpts, 1)));
	json_decref(excerpts);
}
END_TEST

static void
put_lines(const char *name, int n)
{
	struct buffer log = { 0 };

	for (int i = 0; i < n; i++)
		buffer_printf(&log, "<line %d>\n", i);
	file_put(name, log.data);
	buffer_free(&log);
}

START_TEST(of_a_long_log_start_and_end_are_there)
{
	int run = kept_begin();
	json_t *excerpts, *a;
	size_t head, tail;

	kept_put(run, logged("a", FAILED));
	put_lines(KEPT_FOLDER "/a.log", 100000);
	excerpts = told(run, NULL);
	a = json_array_get(excerpts, 0);
	head = strlen(text(a, 0));
	tail = strlen(text(a, 1));
	ck_assert(json_is_null(json_object_get(a, "href")));
	/* They end, and begin, with whole lines, and take 64 KiB when < and > are escaped. */
	ck_assert_int_eq(text(a, 0)[head - 1], '\n');
	ck_assert_int_eq(strncmp(text(a, 1), "<line 9", 7), 0);
	ck_assert_ptr_nonnull(strstr(text(a, 1), "<line 99999>\n"));
	ck_assert_uint_lt(head, tail);
	ck_assert_uint_gt(head + tail, 30000);
	ck_assert_uint_lt(head + tail, 64 * 1024);
	ck_assert_int_eq(left_out(a, 0), 0);
	ck_assert_int_eq(left_out(a, 1), 1288890 - (long long)(head + tail));
	json_decref(excerpts);
}
END_TEST

/* A log just longer than its room: the end begins where the start ends. */
START_TEST(nothing_is_there_twice)
{
	int run = kept_begin();
	json_t *excerpts, *a;
	char *all;

	kept_put(run, logged("a", PASSED));
	put_lines(KEPT_FOLDER "/a.log", 800 + 25 * _i);
	excerpts = told(run, NULL);
	a = json_array_get(excerpts, 0);
	all = xasprintf("%s%s", text(a, 0), json_array_size(json_object_get(a, "parts")) > 1 ?
	    text(a, 1) : "");
	for (char *line = all, *next = all; *line; line = next) {
		char *word = xasprintf("%.*s", (int)(strcspn(line, "\n") + 1), line);

		next += strlen(word);
		ck_assert_msg(!strstr(next, word), "twice: %s", word);
		free(word);
	}
	free(all);
	json_decref(excerpts);
}
END_TEST

START_TEST(those_that_failed_come_first)
{
	int run = kept_begin();
	struct buffer plan = { 0 };
	size_t bytes = 0;
	json_t *excerpts;

	buffer_addstr(&plan, "{\"schema\":1}\n");
	for (int i = 0; i < 60; i++) {
		char *name = xasprintf("s%d", i), *file = xasprintf(KEPT_FOLDER "/%s.log", name);

		buffer_printf(&plan, "{\"target\":\"%s\",\"session\":\"%s\"}\n", name, name);
		kept_put(run, logged(name, i < 6 ? FAILED : PASSED));
		put_lines(file, 20000);
		free(file);
		free(name);
	}
	buffer_addstr(&plan, "{\"group\":\"ci\",\"members\":[]}\n");
	file_put(KEPT_FOLDER "/plan.jsonl", plan.data);
	buffer_free(&plan);
	excerpts = told(run, NULL);
	for (size_t i = 0; i < 60; i++)
		bytes += strlen(text(json_array_get(excerpts, i), 0)) +
		    strlen(text(json_array_get(excerpts, i), 1));
	ck_assert_uint_lt(bytes, 512 * 1024);
	json_decref(excerpts);
}
END_TEST

START_TEST(findings_name_their_lines)
{
	static const struct {
		size_t part, line;
		const char *where;
	} expected[] = { { 0, 1, "a.py:1:1" }, { 0, 3, "a.py:2:5" } };
	int run = kept_begin();
	json_t *excerpts, *findings;

	file_put("a.py", "");
	kept_put(run, logged("a", FAILED));
	kept_put(run, logged("b", PASSED));
	file_put(KEPT_FOLDER "/a.log", "$ flake8\na.py:1:1: E225 missing whitespace\nx\n"
		"a.py:2:5: F401 'os' imported but unused");
	file_put(KEPT_FOLDER "/b.log", "$ flake8\na.py:1:1: E225 missing whitespace\n");
	excerpts = told(run, NULL);
	findings = json_object_get(json_array_get(excerpts, 0), "findings");
	ck_assert_uint_eq(json_array_size(findings), countof(expected));
	for (size_t i = 0; i < countof(expected); i++) {
		const json_t *finding = json_array_get(findings, i);

		ck_assert_uint_eq((size_t)json_integer_value(json_object_get(finding, "part")),
		    expected[i].part);
		ck_assert_uint_eq((size_t)json_integer_value(json_object_get(finding, "line")),
		    expected[i].line);
		ck_assert_str_eq(json_string_value(json_object_get(finding, "where")),
		    expected[i].where);
	}
	ck_assert_uint_eq(json_array_size(json_object_get(json_array_get(excerpts, 1), "findings")),
	    0);
	json_decref(excerpts);
}
END_TEST

Suite *
check_excerpts_suite(void)
{
	Suite *suite = suite_create("excerpts");
	TCase *tc = support_case(suite, "excerpts");

	tcase_add_test(tc, a_short_log_is_there_as_a_whole);
	tcase_add_test(tc, of_a_long_log_start_and_end_are_there);
	tcase_add_loop_test(tc, nothing_is_there_twice, 0, 20);
	tcase_add_test(tc, those_that_failed_come_first);
	tcase_add_test(tc, findings_name_their_lines);
	return suite;
}
