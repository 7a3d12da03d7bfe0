#include <string.h>

#include "output/filter.h"
#include "support.h"

static const struct {
	bool ci;
	const char *text, *shown;
} filters[] = {
	{ false, "", "" },
	{ false, "a\tb ü € 😀\n", "a\tb ü € 😀\n" },
	/* Colours pass, and end. */
	{ false, "\033[1;31mred\033[0m\n", "\033[1;31mred\033[0m\n" },
	{ false, "\033[31mred\033[m", "\033[31mred\033[m" },
	{ false, "\033[38:5:1mred", "\033[38:5:1mred\033[0m" },
	/* Nothing that moves, names or asks. */
	{ false, "\033[2J\033[H", "\\033[2J\\033[H" },
	{ false, "\033]0;title\a", "\\033]0;title\\007" },
	{ false, "\033P1$r\033\\", "\\033P1$r\\033\\" },
	{ false, "\033\033[0m", "\\033\033[0m" },
	{ false, "\033[1;", "\\033[1;" },
	{ false, "\033", "\\033" },
	{ false, "a\bb\x7f\v\f", "a\\010b\\177\\013\\014" },
	/* What looks like a line of ours. */
	{ false, "noxmk: 9 sessions: 9 passed\n", "| noxmk: 9 sessions: 9 passed\n" },
	{ false, " noxmk: x\nnoxmk\nno\n", " | noxmk: x\nnoxmk\nno\n" },
	{ false, "say noxmk: x\nnoxnoxmk: x", "say noxmk: x\nnoxnoxmk: x" },
	{ false, "no\033[1mxmk: x\nnox", "| no\033[1mxmk: x\nnox\033[0m" },
	{ false, "\033[1mnoxmk: x\033[m", "\033[1m| noxmk: x\033[m" },
	{ false, "a\rnoxmk: x", "a\n| noxmk: x" },
	/* Progress bars become lines. */
	{ false, "10%\r20%\r\n30%\r", "10%\n20%\n30%\n" },
	{ false, "a\r\r\rb\n", "a\nb\n" },
	/* No UTF-8: alone, cut off, overlong, a surrogate, beyond the last; C1; what turns text. */
	{ false, "\x80 \xc3 \xc3", "\\200 \\303 \\303" },
	{ false, "\xc0\xaf \xe0\x80\xaf", "\\300\\257 \\340\\200\\257" },
	{ false, "\xed\xa0\x80 \xf4\x90\x80\x80", "\\355\\240\\200 \\364\\220\\200\\200" },
	{ false, "\xc2\x9b" "2J \xe2\x80\xae", "\\302\\2332J \\342\\200\\256" },
	{ false, "\xe2\x82" "x\xe2\x82\xac", "\\342\\202x€" },
	/* Commands for a CI. */
	{ false, "::error::x\n##[error]x\n", "::error::x\n##[error]x\n" },
	{ true, "::error::x\n  ::x\na ::x\n", "| ::error::x\n  | ::x\na ::x\n" },
	{ true, "\033[1m::x\033[0m\r::y\n", "\033[1m| ::x\033[0m\n| ::y\n" },
	{ true, "a ##[error]x\n##vso[x]\n###[x]\n", "a ##|[error]x\n##|vso[x]\n###|[x]\n" },
	{ true, "# a\n## b\n##\n", "# a\n## b\n##\n" },
	{ true, "\033[0Ksection_start:1:x\r\033[0K", "\\033[0Ksection_start:1:x\n\\033[0K" },
};

START_TEST(only_what_is_harmless_is_shown)
{
	const char *text = filters[_i].text;
	size_t n = strlen(text);

	for (size_t piece = 1; piece <= n + 1; piece++) {
		struct filter *filter = filter_open(filters[_i].ci);
		struct buffer out = { 0 };

		buffer_addstr(&out, "");
		for (size_t i = 0; i < n; i += piece)
			filter_feed(filter, text + i, n - i < piece ? n - i : piece, &out);
		filter_flush(filter, &out);
		ck_assert_str_eq(out.data, filters[_i].shown);
		buffer_free(&out);
		filter_close(filter);
	}
}
END_TEST

START_TEST(a_sequence_without_end_is_not_held_for_ever)
{
	struct filter *filter = filter_open(true);
	struct buffer out = { 0 };

	filter_feed(filter, "\033[", 2, &out);
	for (int i = 0; i < 1000; i++)
		filter_feed(filter, "1", 1, &out);
	filter_feed(filter, "m\0", 2, &out);
	filter_flush(filter, &out);
	ck_assert_str_eq(out.data + out.len - 6, "1m\\000");
	ck_assert_uint_eq(out.len, 5 + 1000 + 1 + 4);
	buffer_free(&out);
	filter_close(filter);
}
END_TEST

Suite *
check_filter_suite(void)
{
	Suite *suite = suite_create("filter");
	TCase *tc = support_case(suite, "filter");

	tcase_add_loop_test(tc, only_what_is_harmless_is_shown, 0, countof(filters));
	tcase_add_test(tc, a_sequence_without_end_is_not_held_for_ever);
	return suite;
}
