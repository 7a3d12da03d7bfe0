#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/story.h"
#include "report/timeline.h"
#include "kept.h"
#include "support.h"

/* The drawing of the run in that folder, which is closed. The caller frees. */
static char *
drawn(int run)
{
	struct buffer out = { 0 };
	struct story story = { 0 };

	ck_assert_int_eq(story_open(&story, run), 0);
	timeline_add(&out, &story);
	story_close(&story);
	close(run);
	return out.data;
}

static unsigned
count(const char *text, const char *what)
{
	unsigned n = 0;

	for (const char *p = text; (p = strstr(p, what)); p += strlen(what))
		n++;
	return n;
}

/* The group of the session of that number, up to its end. The caller frees. */
static char *
group(const char *svg, unsigned number)
{
	char *start = xasprintf("data-i=\"%u\">", number);
	const char *at = strstr(svg, start);

	ck_assert_msg(at, "no session %u in %.3000s", number, svg);
	free(start);
	return xasprintf("%.*s", (int)(strstr(at, "</g>") - at), at);
}

static void
assert_in(const char *text, const char *what)
{
	ck_assert_msg(strstr(text, what), "no %s in %.3000s", what, text);
}

/* 10.5 seconds are 928 units from 62 on: b, from 4 to 8, lies from 415.5 to 769.0. */
START_TEST(a_session_lies_where_its_times_say)
{
	char *svg = drawn(kept_put_all()), *b = group(svg, 1), *e = group(svg, 4);

	ck_assert_uint_eq(count(svg, "<g class=\"s "), 5);
	assert_in(b, "<title>b: failed: broken\nthing\n4.0s, from 4.0s to 8.0s\n"
	    "waited 3.0s for other sessions to end</title>");
	assert_in(b, "<rect class=\"other\" x=\"415.5\" y=\"59.0\" width=\"353.5\"");
	assert_in(b, "<rect class=\"environment\" x=\"459.7\" y=\"59.0\" width=\"44.2\"");
	assert_in(b, "<rect class=\"install\" x=\"526.0\" y=\"59.0\" width=\"132.6\"");
	assert_in(b, "<rect class=\"wait processors\" x=\"526.0\" y=\"59.0\" width=\"44.2\"");
	assert_in(b, ">✗ b</text>");
	assert_in(e, "y=\"59.0\"");
	assert_in(svg, "<g class=\"s failed bad\" id=\"s1\" data-i=\"1\">");
	free(e);
	free(b);
	free(svg);
}
END_TEST

/* c and d of one machine, all others of another that began later: none waited for the other's. */
START_TEST(each_machine_has_lanes_of_its_own)
{
	static const char *const targets[] = { "a", "b", "c", "d", "e" };
	int run = kept_put_all();
	char *svg;

	for (size_t i = 0; i < countof(targets); i++) {
		struct record r;

		ck_assert_int_eq(record_read(run, targets[i], &r), 1);
		r.machine = xstrdup(i == 2 || i == 3 ? "shard <2>" : "shard 1/2");
		kept_put(run, r);
	}
	svg = drawn(run);
	assert_in(svg, "5 sessions on 2 machines, ");
	assert_in(svg, ">shard 1/2</text>");
	assert_in(svg, ">shard &lt;2&gt;</text>");
	ck_assert_uint_eq(count(svg, ">slot 1</text>"), 2);
	ck_assert_uint_eq(count(svg, "class=\"machine\""), 2);
	ck_assert_ptr_null(strstr(svg, "with -j"));
	free(svg);
}
END_TEST

/* As in a folder that somebody has changed. */
START_TEST(a_session_that_does_not_say_where_it_ran)
{
	int run = kept_put_all();
	struct record r;
	char *svg;

	ck_assert_int_eq(record_read(run, "c", &r), 1);
	r.machine = xstrdup("x");
	kept_put(run, r);
	svg = drawn(run);
	assert_in(svg, ">x</text>");
	assert_in(svg, ">?</text>");
	free(svg);
}
END_TEST

/* a failed in 0.1 s, right before e and on the same lane: its name has room, and e's none. */
START_TEST(a_short_one_that_failed_is_named)
{
	int run = kept_begin();
	char *svg, *b;

	kept_put(run, kept_record("a", FAILED, 0, 0.1, NULL));
	kept_put(run, kept_record("e", PASSED, 0.1, 0.9, NULL));
	kept_put(run, kept_record("b", PASSED, 0, 9.9, NULL));
	kept_put(run, kept_record("c", FAILED, 9.95, 10, NULL));
	svg = drawn(run);
	assert_in(svg, ">✗ a</text>");
	assert_in(svg, ">e</text>");
	b = group(svg, 2);
	assert_in(b, ">✗ c</text>");
	free(b);
	free(svg);
}
END_TEST

START_TEST(waits_are_hatched)
{
	char *svg = drawn(kept_put_all()), *d = group(svg, 3);

	/* For its slot from 3 to 3.5, then for db up to 5; c ran in its lane since 1. */
	assert_in(d, "<rect class=\"wait slot\" x=\"327.1\"");
	assert_in(d, "<rect class=\"wait resource\" x=\"371.3\"");
	assert_in(svg, ">waits for a resource</text>");
	ck_assert_ptr_null(strstr(svg, "waits for memory"));
	free(d);
	free(svg);
}
END_TEST

START_TEST(the_critical_path_is_marked)
{
	char *svg = drawn(kept_put_all());

	/* c from 1 to 3, d from 5 to 9, e from there to the end. */
	assert_in(svg, "<path class=\"critical\" d=\"M150.4 118.0H327.1M503.9 118.0H857.4"
	    "M857.4 76.0H990.0\"/>");
	assert_in(svg, "The critical path: c, d, e.</desc>");
	assert_in(svg, ">noxmk: 5 sessions, 4 passed, 1 failed; 10.5s with -j2</title>");
	free(svg);
}
END_TEST

/* a and c from 1 to 3: two of them, as high as can be. */
START_TEST(curves_tell_how_many_ran)
{
	char *svg = drawn(kept_put_all());

	assert_in(svg, ">running</text>");
	assert_in(svg, ">waiting</text>");
	ck_assert_uint_eq(count(svg, "<path class=\"running\""), 1);
	ck_assert_uint_eq(count(svg, "<path class=\"wait edge\""), 1);
	free(svg);
}
END_TEST

START_TEST(a_run_of_nothing_is_drawn)
{
	char *svg = drawn(kept_begin());

	assert_in(svg, "<svg class=\"nx\"");
	ck_assert_uint_eq(count(svg, "<g class=\"s "), 0);
	ck_assert_uint_eq(count(svg, "class=\"critical\""), 0);
	free(svg);
}
END_TEST

/* Their names have no room, and their steps neither. */
START_TEST(very_many_lanes_are_low)
{
	static const unsigned counts[] = { 30, 100 };
	int run = kept_begin();
	struct buffer plan = { 0 };
	char *svg;

	buffer_addstr(&plan, "{\"schema\":1}\n");
	for (unsigned i = 0; i < counts[_i]; i++) {
		char *name = xasprintf("s%u", i);

		buffer_printf(&plan, "{\"target\":\"%s\",\"session\":\"%s\"}\n", name, name);
		kept_put(run, kept_record(name, PASSED, 0, 5, NULL));
		free(name);
	}
	buffer_addstr(&plan, "{\"group\":\"ci\",\"members\":[\"s0\"]}\n");
	file_put(KEPT_FOLDER "/plan.jsonl", plan.data);
	buffer_free(&plan);
	svg = drawn(run);
	ck_assert_uint_eq(count(svg, "<g class=\"s "), counts[_i]);
	ck_assert_ptr_null(strstr(svg, "class=\"name\""));
	assert_in(svg, _i == 0 ? "height=\"10.0\"" : "height=\"3.0\"");
	free(svg);
}
END_TEST

/* In a folder from elsewhere names and times may be anything. */
START_TEST(what_could_be_markup_is_text)
{
	int run = kept_begin();
	struct record r = kept_record("a\"><script>", FAILED, 0, 30,
	    "[{'for':'slot','seconds':1e9},{'for':'resource','seconds':-3,'resource':'<b>'}]");
	char *svg;

	r.reason = xstrdup("]]> </title><script>alert(1)</script>\033[31m\x01");
	r.steps = json_of("[{'kind':'<b>','started':1795396705,'seconds':1e300,'waited':-1e300},"
		"{'kind':'run','started':1795396690,'seconds':3,'waited':1e300},7]");
	file_put(KEPT_FOLDER "/plan.jsonl", "{\"schema\":1}\n"
		"{\"target\":\"a\\\"><script>\",\"session\":\"a\"}\n"
		"{\"target\":\"b\",\"session\":\"b\"}\n"
		"{\"group\":\"ci\",\"members\":[\"b\"]}\n");
	kept_put(run, r);
	kept_put(run, kept_record("b", PASSED, 9, 1e12, NULL));
	svg = drawn(run);
	ck_assert_ptr_null(strstr(svg, "<script"));
	ck_assert_ptr_null(strstr(svg, "<b>"));
	ck_assert_ptr_null(strchr(svg, '\033'));
	ck_assert_ptr_null(strstr(svg, "nan"));
	ck_assert_ptr_null(strstr(svg, "inf"));
	assert_in(svg, "a&quot;&gt;&lt;script&gt;");
	free(svg);
}
END_TEST

Suite *
check_timeline_suite(void)
{
	Suite *suite = suite_create("timeline");
	TCase *tc = support_case(suite, "timeline");

	tcase_add_test(tc, a_session_lies_where_its_times_say);
	tcase_add_test(tc, each_machine_has_lanes_of_its_own);
	tcase_add_test(tc, a_session_that_does_not_say_where_it_ran);
	tcase_add_test(tc, a_short_one_that_failed_is_named);
	tcase_add_test(tc, waits_are_hatched);
	tcase_add_test(tc, the_critical_path_is_marked);
	tcase_add_test(tc, curves_tell_how_many_ran);
	tcase_add_test(tc, a_run_of_nothing_is_drawn);
	tcase_add_loop_test(tc, very_many_lanes_are_low, 0, 2);
	tcase_add_test(tc, what_could_be_markup_is_text);
	return suite;
}
