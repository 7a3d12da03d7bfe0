#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/junit.h"
#include "support.h"

/* Writes the file of these. */
static bool
write_of(int rundir, struct record *records, size_t n, const json_t *info)
{
	struct table table = { .records = records, .n = n, .wholes = wholes_of(records, n) };
	bool written = junit_write(rundir, &table, info, NULL);

	wholes_clear(&table.wholes);
	return written;
}

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
	ck_assert(write_of(AT_FDCWD, records, countof(records), info));
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

/* The cases of a session in three parts, of which not all may be there. */
static const struct {
	const char *verdicts; /* of t.part-1 to t.part-3, or of fewer: p, f, s or n each */
	const char *cases;    /* their names, and the line behind each */
} cut[] = {
	{ "ppp", "t:     </testcase>; " },
	{ "pfp", "t:       <failure message=; " },
	{ "ppn", "t:       <error message=; " },
	/* These are not all of it, and may not look so. */
	{ "p", "t.part-1:     </testcase>; " },
	{ "pf", "t.part-1:     </testcase>; t.part-2:       <failure message=; " },
	{ "ps", "t.part-1:     </testcase>; t.part-2:       <skipped message=; " },
	{ "sss", "t:       <skipped message=; " },
};

/* What is behind the text, up to the byte that ends it. The caller frees. */
static char *
behind(const char *text, const char *what, const char *end)
{
	const char *found = strstr(text, what);

	return found ? xasprintf("%.*s", (int)strcspn(found + strlen(what), end),
	    found + strlen(what)) : xstrdup("");
}

START_TEST(a_session_in_parts)
{
	size_t n = strlen(cut[_i].verdicts), cases = 0;
	struct record records[3] = { 0 };
	struct buffer words = { 0 };
	char *text;

	for (size_t i = 0; i < n; i++)
		records[i] = (struct record){ .target = xasprintf("t.part-%zu", i + 1),
			.session = xstrdup("t"), .whole = xstrdup("t"), .part = (unsigned)i + 1,
			.parts = 3, .verdict = cut[_i].verdicts[i] == 'p' ? PASSED :
			cut[_i].verdicts[i] == 'f' ? FAILED :
			cut[_i].verdicts[i] == 's' ? SKIPPED : NOT_RUN };
	ck_assert(write_of(AT_FDCWD, records, n, NULL));
	text = file_get("junit.xml");
	for (char *at = text; (at = strstr(at, "<testcase ")); at++, cases++) {
		char *name = behind(at, " name=\"", "\""), *in = behind(at, ">\n", "\"\n");

		buffer_printf(&words, "%s: %s; ", name, in);
		free(name);
		free(in);
	}
	ck_assert_str_eq(words.data, cut[_i].cases);
	buffer_printf(&words, "tests=\"%zu\" ", cases);
	ck_assert_ptr_nonnull(strstr(text, strstr(words.data, "tests=")));
	for (size_t i = 0; i < n; i++)
		record_clear(&records[i]);
	buffer_free(&words);
	free(text);
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
	ck_assert(write_of(AT_FDCWD, &record, 1, NULL));
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

	ck_assert(!write_of(-1, &record, 1, NULL));
	assert_warned("junit.xml: ");
}
END_TEST

Suite *
check_junit_suite(void)
{
	Suite *suite = suite_create("junit");
	TCase *tc = support_case(suite, "junit");

	tcase_add_test(tc, a_run);
	tcase_add_loop_test(tc, a_session_in_parts, 0, countof(cut));
	tcase_add_test(tc, a_long_log);
	tcase_add_test(tc, a_folder_that_is_none);
	return suite;
}
