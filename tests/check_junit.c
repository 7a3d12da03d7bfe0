#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/junit.h"
#include "support.h"

static const struct {
	const char *text, *xml;
} texts[] = {
	{ "a < b && \"c\" > 'd'", "a &lt; b &amp;&amp; &quot;c&quot; &gt; 'd'" },
	{ "a\tb\nc\r\nd\re\r", "a\tb\nc\nd\ne\n" },
	{ "\033[1;31mred\033[0m, \033[Kgone", "red, gone" },
	{ "\033]0;title\007\001", "\xef\xbf\xbd]0;title\xef\xbf\xbd\xef\xbf\xbd" },
	{ "größe … \xf0\x9f\x98\x80", "größe … \xf0\x9f\x98\x80" },
	/* Cut off, overlong, a surrogate, turns the line round, none for XML, a byte of nothing. */
	{ "\xe2\x80", "\xef\xbf\xbd\xef\xbf\xbd" },
	{ "\xe0\x80\xaf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	{ "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	{ "\xe2\x80\xae", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	{ "\xef\xbf\xbe\xef\xbf\xbd", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	{ "\xff\xc0", "\xef\xbf\xbd\xef\xbf\xbd" },
	{ "\033[", "" },
	{ "a\033[1\nb\033[2ö", "a\nbö" },
	{ "\033", "\xef\xbf\xbd" },
};

START_TEST(texts_are_fit_for_xml)
{
	struct buffer out = { 0 };

	buffer_addstr(&out, "");
	junit_add(&out, texts[_i].text, strlen(texts[_i].text));
	ck_assert_str_eq(out.data, texts[_i].xml);
	buffer_free(&out);
}
END_TEST

START_TEST(a_byte_that_is_nul)
{
	struct buffer out = { 0 };

	junit_add(&out, "a\0b", 3);
	ck_assert_str_eq(out.data, "a\xef\xbf\xbd" "b");
	buffer_free(&out);
}
END_TEST

START_TEST(a_run)
{
	char reason[] = "exit \"3\" <x>", lint[] = "lint", tests[] = "tests";
	char docs[] = "docs", late[] = "late", gone[] = "gone", quiet[] = "quiet";
	struct record records[] = {
		{ .target = lint, .verdict = PASSED, .started = 1764320001.5,
		    .ended = 1764320003.75, .duration = 1.25,
		    .attempts = json_of("[{'verdict':'failed','reason':'exit 1 & more'}]") },
		{ .target = tests, .verdict = FAILED, .started = 1764320000.25,
		    .ended = 1764320002, .duration = 2, .reason = reason, .logged = true },
		{ .target = docs, .verdict = SKIPPED, .started = 1e300, .ended = 1e301 },
		{ .target = late, .verdict = NOT_RUN, .excused = true },
		{ .target = gone, .verdict = NOT_RUN },
		{ .target = quiet, .verdict = ABORTED, .logged = true,
		    .recheck = json_of("{'verdict':'passed','beside':['lint'],'others':1}"),
		    .attempts = json_of("[{'verdict':'failed','reason':'exit 2'}]") },
	};
	json_t *info = json_of("{'run':'20261123T000000.000Z-c0ffee01','jobs':8}");
	char *text;

	file_put("tests.log", "$ nox\nbroken <here>\n");
	junit_write(AT_FDCWD, records, countof(records), info, NULL);
	assert_silent();
	text = file_get("junit.xml");
	ck_assert_str_eq(text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<testsuites name=\"noxmk\" tests=\"6\" failures=\"2\" errors=\"1\" time=\"3.500\">\n"
	    "  <testsuite name=\"nox\" tests=\"6\" failures=\"2\" errors=\"1\""
	    " time=\"3.500\" skipped=\"2\" timestamp=\"2025-11-28T08:53:20\">\n"
	    "    <properties>\n"
	    "      <property name=\"noxmk\" value=\"" NOXMK_VERSION "\"/>\n"
	    "      <property name=\"run\" value=\"20261123T000000.000Z-c0ffee01\"/>\n"
	    "      <property name=\"jobs\" value=\"8\"/>\n"
	    "    </properties>\n"
	    "    <testcase classname=\"nox\" name=\"lint\" time=\"1.250\">\n"
	    "      <flakyFailure type=\"failed\" message=\"exit 1 &amp; more\"/>\n"
	    "    </testcase>\n"
	    "    <testcase classname=\"nox\" name=\"tests\" time=\"2.000\">\n"
	    "      <failure message=\"exit &quot;3&quot; &lt;x&gt;\"/>\n"
	    "      <system-out>$ nox\nbroken &lt;here&gt;\n</system-out>\n"
	    "    </testcase>\n"
	    "    <testcase classname=\"nox\" name=\"docs\" time=\"0.000\">\n"
	    "      <skipped message=\"skipped\"/>\n"
	    "    </testcase>\n"
	    "    <testcase classname=\"nox\" name=\"late\" time=\"0.000\">\n"
	    "      <skipped message=\"not run\"/>\n"
	    "    </testcase>\n"
	    "    <testcase classname=\"nox\" name=\"gone\" time=\"0.000\">\n"
	    "      <error message=\"not run\"/>\n"
	    "    </testcase>\n"
	    "    <testcase classname=\"nox\" name=\"quiet\" time=\"0.000\">\n"
	    "      <failure message=\"fails only beside lint\"/>\n"
	    "      <rerunFailure type=\"failed\" message=\"exit 2\"/>\n"
	    "    </testcase>\n"
	    "  </testsuite>\n"
	    "</testsuites>\n");
	json_decref(records[0].attempts);
	json_decref(records[5].recheck);
	json_decref(records[5].attempts);
	json_decref(info);
	free(text);
}
END_TEST

/* The cases of records by their verdicts in that list, parts of t: "NAME ELEMENT; …". */
static const struct {
	const char *parts, *cases, *counts;
} parts[] = {
	{ "['passed','passed','passed']", "t; ", "tests=\"1\" failures=\"0\" errors=\"0\"" },
	{ "['passed','not run','passed']", "t error; ",
	    "tests=\"1\" failures=\"0\" errors=\"1\"" },
	{ "['skipped','skipped','skipped']", "t skipped; ",
	    "tests=\"1\" failures=\"0\" errors=\"0\"" },
	/* What has not done all of its work does not look as if it had. */
	{ "['passed',null,'passed']", "t.part-1; t.part-3; ",
	    "tests=\"2\" failures=\"0\" errors=\"0\"" },
	{ "['passed','skipped','passed']", "t.part-1; t.part-2 skipped; t.part-3; ",
	    "tests=\"3\" failures=\"0\" errors=\"0\"" },
	{ "['skipped',null,'skipped']", "t.part-1 skipped; t.part-3 skipped; ",
	    "tests=\"2\" failures=\"0\" errors=\"0\"" },
	{ "['failed',null,'passed']", "t failure; ",
	    "tests=\"1\" failures=\"1\" errors=\"0\"" },
};

/* Of "<testcase … name="NAME" …>" and what is in it: "NAME ELEMENT; …". The caller frees. */
static char *
cases_in(const char *xml)
{
	static const char *const elements[] = { "failure", "error", "skipped" };
	struct buffer out = { 0 };

	buffer_addstr(&out, "");
	while ((xml = strstr(xml, "<testcase "))) {
		const char *name = strstr(xml, "name=\"t"), *end = strstr(xml, "</testcase>");

		ck_assert(name && end);
		buffer_printf(&out, "%.*s", (int)strcspn(name + 6, "\""), name + 6);
		for (size_t i = 0; i < countof(elements); i++) {
			char *element = xasprintf("<%s ", elements[i]);
			const char *found = strstr(xml, element);

			buffer_printf(&out, "%s%s", found && found < end ? " " : "",
			    found && found < end ? elements[i] : "");
			free(element);
		}
		buffer_addstr(&out, "; ");
		xml = end;
	}
	return out.data;
}

START_TEST(a_session_that_is_not_all_there_does_not_look_whole)
{
	json_t *verdicts = json_of(parts[_i].parts), *verdict;
	struct record records[3] = { 0 };
	struct buffer out = { 0 };
	size_t n = 0, i;
	char *found;

	json_array_foreach(verdicts, i, verdict) {
		struct record *r = &records[n];

		if (json_is_null(verdict))
			continue;
		*r = (struct record){ .target = xasprintf("t.part-%zu", i + 1),
			.session = xstrdup("t"), .whole = xstrdup("t"), .part = (unsigned)i + 1,
			.parts = 3 };
		while (strcmp(verdict_name(r->verdict), json_string_value(verdict)) != 0)
			r->verdict++;
		n++;
	}
	junit_add_run(&out, AT_FDCWD, records, n, NULL, NULL);
	found = cases_in(out.data);
	ck_assert_str_eq(found, parts[_i].cases);
	ck_assert_ptr_nonnull(strstr(out.data, parts[_i].counts));
	free(found);
	buffer_free(&out);
	for (i = 0; i < n; i++)
		record_clear(&records[i]);
	json_decref(verdicts);
}
END_TEST

/* Of a long log the end is in there. */
START_TEST(a_long_log)
{
	char tests[] = "tests";
	struct record record = { .target = tests, .verdict = FAILED, .logged = true };
	struct buffer log = { 0 };
	char *text;

	for (int i = 0; i < 20000; i++)
		buffer_printf(&log, "line %d\n", i);
	file_put("tests.log", log.data);
	junit_write(AT_FDCWD, &record, 1, NULL, NULL);
	text = file_get("junit.xml");
	ck_assert_uint_lt(strlen(text), 70000);
	ck_assert_ptr_nonnull(strstr(text, "line 19999\n</system-out>"));
	free(text);
	buffer_free(&log);
}
END_TEST

START_TEST(a_folder_that_is_none)
{
	char lint[] = "lint";
	struct record record = { .target = lint, .verdict = PASSED };

	junit_write(-1, &record, 1, NULL, NULL);
	assert_warned("junit.xml: ");
}
END_TEST

Suite *
check_junit_suite(void)
{
	Suite *suite = suite_create("junit");
	TCase *tc = support_case(suite, "junit");

	tcase_add_loop_test(tc, texts_are_fit_for_xml, 0, countof(texts));
	tcase_add_test(tc, a_byte_that_is_nul);
	tcase_add_test(tc, a_run);
	tcase_add_loop_test(tc, a_session_that_is_not_all_there_does_not_look_whole, 0,
	    countof(parts));
	tcase_add_test(tc, a_long_log);
	tcase_add_test(tc, a_folder_that_is_none);
	return suite;
}
