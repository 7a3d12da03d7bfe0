#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/html.h"
#include "report/report.h"
#include "kept.h"
#include "support.h"

/* The latest run as a page. The caller frees. */
static char *
page(void)
{
	char *text;

	output_begin();
	ck_assert_int_eq(report_print(&(struct report_options){ .format = "html" }), 0);
	text = output_end();
	return text;
}

/* What the page's script reads. A new reference. */
static json_t *
data_of(const char *text)
{
	const char *start = strstr(text, "id=\"run\">");
	json_error_t error;
	json_t *json;

	ck_assert_ptr_nonnull(start);
	start += strlen("id=\"run\">");
	json = json_loadb(start, (size_t)(strstr(start, "</script>") - start), 0, &error);
	ck_assert_msg(json, "no JSON: %s", error.text);
	return json;
}

static void
assert_in(const char *text, const char *what)
{
	ck_assert_msg(strstr(text, what), "no %s in %.3000s", what, text);
}

START_TEST(a_page_has_all_of_a_run)
{
	char *text;
	json_t *json;

	close(kept_put_all());
	text = page();
	ck_assert_ptr_null(strstr(text, "{{"));
	assert_in(text, "<h1>5 sessions, 4 passed, 1 failed in 10.5s</h1>");
	assert_in(text, "<p>Run " KEPT_RUN " of <code>ci</code>, began "
	    "2026-11-23 01:18:20 UTC, with -j2 on 2 processors</p>");
	assert_in(text, "<p class=\"advice\">It would take about 1.5s less");
	assert_in(text, "<svg class=\"nx\"");
	assert_in(text, "<tr data-i=\"3\"><th scope=\"row\"><a href=\"#s3\">d</a>"
	    "</th><td><span class=\"v passed\">passed</span></td><td class=\"n\">4.0s</td>"
	    "<td class=\"n\"></td><td></td><td class=\"n\">2.0s</td>");
	assert_in(text, "<h3>Critical path: 3 sessions, 7.5s of 10.5s</h3>");
	assert_in(text, "<a href=\"./" KEPT_FOLDER "/\">");
	json = data_of(text);
	ck_assert_uint_eq(json_array_size(json_object_get(json, "logs")), 5);
	ck_assert_uint_eq(json_array_size(json_object_get(json_object_get(json, "results"),
	    "sessions")), 5);
	json_decref(json);
	free(text);
	assert_silent();
}
END_TEST

/* The hash of the drawing's style sheet is that of `openssl dgst -sha256 -binary | base64`. */
START_TEST(its_policy_names_what_it_has_in_it)
{
	char *text, *policy;
	unsigned hashes = 0;

	close(kept_put_all());
	text = page();
	policy = strstr(text, "content=\"default-src 'none'; ");
	ck_assert_ptr_nonnull(policy);
	policy[strcspn(policy, "\n")] = '\0';
	for (const char *p = policy; (p = strstr(p, "'sha256-")); p++, hashes++)
		ck_assert_uint_eq(strcspn(p, "="), strlen("'sha256-") + 43);
	ck_assert_uint_eq(hashes, 3);
	ck_assert_ptr_null(strstr(policy, "unsafe"));
	free(text);
}
END_TEST

START_TEST(what_others_wrote_is_no_markup)
{
	static const char nasty[] = "</script><script>alert(1)</script> & ]]> \xe2\x80\xa8 {{js}}";
	struct record r = kept_record("a", FAILED, 1, 2, NULL);
	int run = kept_begin();
	char *text, *log;
	json_t *json;
	unsigned scripts = 0;

	r.reason = xstrdup(nasty);
	r.logged = true;
	kept_put(run, r);
	file_put(KEPT_FOLDER "/a.log", nasty);
	text = page();
	for (const char *p = text; (p = strstr(p, "<script")); p++)
		scripts++;
	ck_assert_uint_eq(scripts, 2);
	ck_assert_ptr_null(strstr(text, "alert(1)</script>"));
	json = data_of(text);
	log = xasprintf("%s", json_string_value(json_object_get(json_array_get(json_object_get(
	    json_array_get(json_object_get(json, "logs"), 0), "parts"), 0), "text")));
	/* U+2028 turns lines, too. */
	ck_assert_str_eq(log, "</script><script>alert(1)</script> & ]]> \xef\xbf\xbd\xef\xbf\xbd"
	    "\xef\xbf\xbd {{js}}");
	free(log);
	json_decref(json);
	free(text);
	close(run);
}
END_TEST

/* A run that came before, and one that was later, of which nothing is told. */
START_TEST(the_last_runs_are_drawn)
{
	static const char before[] = ".nox/.noxmk/runs/20261122T000000.000Z-c0ffee01",
		later[] = ".nox/.noxmk/runs/20261124T000000.000Z-c0ffee01";
	int run = kept_put_all(), other = folder_make(before), last = folder_make(later);
	char *text, *spark;

	output_begin();
	file_put(".nox/.noxmk/runs/20261122T000000.000Z-c0ffee01/.run.json", "{}");
	kept_put(other, kept_record("b", PASSED, 0, 2, NULL));
	kept_put(last, kept_record("b", PASSED, 0, 9, NULL));
	ck_assert_int_eq(report_print(&(struct report_options){ .format = "html",
	    .run = KEPT_RUN }), 0);
	text = output_end();
	spark = strstr(text, "<svg class=\"spark\"");
	ck_assert_ptr_nonnull(spark);
	ck_assert_ptr_null(strstr(spark + 1, "<svg class=\"spark\""));
	spark[strcspn(spark, "\n")] = '\0';
	assert_in(spark, "aria-label=\"2 runs, from 2.0s to 4.0s, 1 not well\">"
	    "<path d=\"M74 18v-10.0\"/><path class=\"bad\" d=\"M78 18v-18.0\"/></svg>");
	free(text);
	close(last);
	close(other);
	close(run);
}
END_TEST

Suite *
check_html_suite(void)
{
	Suite *suite = suite_create("html");
	TCase *tc = support_case(suite, "html");

	tcase_add_test(tc, a_page_has_all_of_a_run);
	tcase_add_test(tc, its_policy_names_what_it_has_in_it);
	tcase_add_test(tc, what_others_wrote_is_no_markup);
	tcase_add_test(tc, the_last_runs_are_drawn);
	return suite;
}
