#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "output/screen.h"
#include "support.h"

static const struct {
	double seconds;
	const char *text;
} durations[] = {
	{ 0, "0.0s" }, { 0.04, "0.0s" }, { 0.06, "0.1s" }, { 1.25, "1.2s" }, { 59.96, "60.0s" },
	{ 99.94, "99.9s" }, { 99.95, "1m40s" }, { 100, "1m40s" }, { 245.4, "4m05s" },
	{ 3599.4, "59m59s" }, { 3599.5, "1h00m" }, { 3600, "1h00m" }, { 3719, "1h01m" },
	{ 359999, "99h59m" }, { -1, "?" }, { 1e300, "?" }, { (double)NAN, "?" },
};

START_TEST(duration)
{
	char *text = screen_duration(durations[_i].seconds);

	ck_assert_str_eq(text, durations[_i].text);
	ck_assert_uint_le(strlen(text), 7);
	free(text);
}
END_TEST

static const struct {
	const char *text, *safe;
} texts[] = {
	{ "", "" }, { "plain text", "plain text" }, { "a\tb\nc", "a\\tb\\nc" },
	{ "\033[31mred", "\\033[31mred" }, { "back\\slash", "back\\slash" },
	{ "\r", "\\r" }, { "\a\b", "\\a\\b" }, { "\x7f", "\\^?" },
};

START_TEST(safe)
{
	char *text = screen_safe(texts[_i].text);

	if (strchr(texts[_i].text, '\033') || strchr(texts[_i].text, '\x7f'))
		for (char *c = text; *c; c++)
			ck_assert_int_ge((unsigned char)*c, ' ');
	else
		ck_assert_str_eq(text, texts[_i].safe);
	free(text);
}
END_TEST

/* Whatever the bytes: nothing below blank, and no byte is lost without a trace. */
START_TEST(safe_of_any_byte)
{
	for (int i = 1; i < 256; i++) {
		char byte[] = { (char)i, '\0' }, *text = screen_safe(byte);

		ck_assert_uint_ge(strlen(text), 1);
		for (char *c = text; *c; c++)
			ck_assert((unsigned char)*c >= ' ' && *c != '\x7f');
		free(text);
	}
}
END_TEST

static const struct {
	const char *no, *force, *term, *termout;
	bool colour;
} wishes[] = {
	{ NULL, NULL, NULL, NULL, false },
	{ NULL, "1", NULL, NULL, true },
	{ NULL, "0", NULL, NULL, false },
	{ NULL, "", NULL, NULL, false },
	{ NULL, NULL, NULL, "/dev/pts/0", true },
	{ NULL, NULL, NULL, "", false },
	{ "1", "1", NULL, NULL, false },
	{ "", "1", NULL, NULL, true },
	{ NULL, "1", "dumb", NULL, false },
	{ NULL, "1", "xterm", NULL, true },
};

static void
wish(const char *name, const char *value)
{
	if (value)
		setenv(name, value, 1);
	else
		unsetenv(name);
}

START_TEST(colours)
{
	struct record passed = { .verdict = PASSED }, failed = { .verdict = FAILED };
	struct record skipped = { .verdict = SKIPPED };
	bool colour = wishes[_i].colour;

	wish("NO_COLOR", wishes[_i].no);
	wish("FORCE_COLOR", wishes[_i].force);
	wish("TERM", wishes[_i].term);
	wish("MAKE_TERMOUT", wishes[_i].termout);
	output_begin(); /* no terminal */
	ck_assert_str_eq(screen_colour(&passed), colour ? "\033[32m" : "");
	ck_assert_str_eq(screen_colour(&failed), colour ? "\033[31m" : "");
	ck_assert_str_eq(screen_colour(&skipped), colour ? "\033[33m" : "");
	ck_assert_str_eq(screen_plain(), colour ? "\033[0m" : "");
	free(output_end());
}
END_TEST

START_TEST(ended)
{
	char target[] = "lint", reason[] = "it\nbroke";
	struct record r = { .target = target, .verdict = FAILED, .duration = 1.5,
		.reason = reason };
	char *text;

	output_begin();
	screen_ended(&r);
	r.reason = NULL;
	r.verdict = PASSED;
	screen_ended(&r);
	text = output_end();
	ck_assert_str_eq(text, "failed       1.5s  lint: it\\nbroke\npassed       1.5s  lint\n");
	free(text);
}
END_TEST

Suite *
check_screen_suite(void)
{
	Suite *suite = suite_create("screen");
	TCase *tc = support_case(suite, "screen");

	tcase_add_loop_test(tc, duration, 0, countof(durations));
	tcase_add_loop_test(tc, safe, 0, countof(texts));
	tcase_add_test(tc, safe_of_any_byte);
	tcase_add_loop_test(tc, colours, 0, countof(wishes));
	tcase_add_test(tc, ended);
	return suite;
}
