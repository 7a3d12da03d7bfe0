#include "base/charset.h"
#include "support.h"

static const struct {
	const char *set, *text;
	bool covers;
} cases[] = {
	{ DIGITS, "0", true }, { DIGITS, "0123456789", true }, { LETTERS, "AZaz", true },
	{ LETTERS DIGITS "_", "a_9", true },
	{ DIGITS, "", false }, { DIGITS, "1a", false }, { DIGITS, "a1", false },
	{ DIGITS, "1 ", false }, { LETTERS, "\xc3\xa4", false }, { LETTERS, "[", false },
	{ LETTERS, "@", false }, { LETTERS, "`", false }, { LETTERS, "{", false },
};

START_TEST(a_set_covers_what_has_no_other_byte)
{
	ck_assert(charset_covers(cases[_i].set, cases[_i].text) == cases[_i].covers);
}
END_TEST

Suite *
check_charset_suite(void)
{
	Suite *suite = suite_create("charset");
	TCase *tc = support_case(suite, "charset");

	tcase_add_loop_test(tc, a_set_covers_what_has_no_other_byte, 0, countof(cases));
	return suite;
}
