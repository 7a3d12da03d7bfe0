#include <stdlib.h>
#include <string.h>

#include "output/escape.h"
#include "support.h"

/* The sequence, and what follows it. */
static const struct {
	const char *sequence, *rest;
} cases[] = {
	{ "", "" }, { "", "plain" }, { "", "[31m" },
	{ "\033[31m", "red" }, { "\033[m", "" }, { "\033[38;2;1;2;3m", "\033[0m" },
	{ "\033[?25l", "x" }, { "\033[2 q", "x" }, { "\033[@", "x" }, { "\033[1~", "~" },
	{ "\033(B", "text" }, { "\033M", "M" }, { "\033=", "=" }, { "\033 F", "x" },
	{ "\033]0;title\007", "\007" }, { "\033]8;;http://x/ö\033\\", "link" },
	{ "\033P1$r0m\033\\", "x" }, { "\033_x\007", "y" },
	/* Not complete: up to what cannot belong to it. */
	{ "\033", "" }, { "\033[", "" }, { "\033[1", "\nx" }, { "\033[2", "ö" },
	{ "\033", "\033[1m" }, { "\033[1", "\033[1m" }, { "\033", "ö" }, { "\033", "\n" },
	{ "\033]0;title", "\nx" }, { "\033]0;title", "\033[1m" }, { "\033]0;title", "\033" },
	{ "\033(", "" }, { "\033(", "\n" },
};

START_TEST(a_sequence_has_its_length)
{
	char *text = xasprintf("%s%s", cases[_i].sequence, cases[_i].rest);

	ck_assert_uint_eq(escape_length(text, strlen(text)), strlen(cases[_i].sequence));
	/* What is beyond the bytes given does not count. */
	for (size_t n = 0; n < strlen(cases[_i].sequence); n++)
		ck_assert_uint_le(escape_length(text, n), n);
	free(text);
}
END_TEST

Suite *
check_escape_suite(void)
{
	Suite *suite = suite_create("escape");
	TCase *tc = support_case(suite, "escape");

	tcase_add_loop_test(tc, a_sequence_has_its_length, 0, countof(cases));
	return suite;
}
