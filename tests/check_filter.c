#include <string.h>

#include "output/filter.h"
#include "support.h"

static const struct {
	enum ci ci;
	const char *text, *shown;
} filters[] = {
	{ CI_NONE, "", "" },
	{ CI_NONE, "a\tb ü € 😀\n", "a\tb ü € 😀\n" },
	/* Colours pass, and end. */
	{ CI_NONE, "\033[1;31mred\033[0m\n", "\033[1;31mred\033[0m\n" },
	{ CI_NONE, "\033[31mred\033[m", "\033[31mred\033[m" },
	{ CI_NONE, "\033[38:5:1mred", "\033[38:5:1mred\033[0m" },
	/* Nothing that moves, names or asks. */
	{ CI_NONE, "\033[2J\033[H", "\\033[2J\\033[H" },
	{ CI_NONE, "\033]0;title\a", "\\033]0;title\\007" },
	{ CI_NONE, "\033P1$r\033\\", "\\033P1$r\\033\\" },
	{ CI_NONE, "\033\033[0m", "\\033\033[0m" },
	{ CI_NONE, "\033[1;", "\\033[1;" },
	{ CI_NONE, "\033", "\\033" },
	{ CI_NONE, "a\bb\x7f\v\f", "a\\010b\\177\\013\\014" },
	/* What looks like a line of ours. */
	{ CI_NONE, "noxmk: 9 sessions: 9 passed\n", "| noxmk: 9 sessions: 9 passed\n" },
	{ CI_NONE, " noxmk: x\nnoxmk\nno\n", " | noxmk: x\nnoxmk\nno\n" },
	{ CI_NONE, "say noxmk: x\nnoxnoxmk: x", "say noxmk: x\nnoxnoxmk: x" },
	{ CI_NONE, "no\033[1mxmk: x\nnox", "| no\033[1mxmk: x\nnox\033[0m" },
	{ CI_NONE, "\033[1mnoxmk: x\033[m", "\033[1m| noxmk: x\033[m" },
	{ CI_NONE, "a\rnoxmk: x", "a\r| noxmk: x" },
	/* Progress bars: each state begins behind a CR, and needs not to be erased. */
	{ CI_NONE, "10%\r20%\r\n30%\r", "10%\r20%\n30%\r" },
	{ CI_NONE, "a\r\r\rb\n", "a\rb\n" },
	{ CI_NONE, "1\r\033[K2\r\033[2K\033[0K3\r\033[1mx\033[K",
	    "1\r2\r3\r\033[1mx\\033[K\033[0m" },
	{ CI_NONE, "\033[K1\r\033[K\033[J\033K", "\\033[K1\r\\033[J\\033K" },
	/* No UTF-8: alone, cut off, overlong, a surrogate, beyond the last; C1; what turns text. */
	{ CI_NONE, "\x80 \xc3 \xc3", "\\200 \\303 \\303" },
	{ CI_NONE, "\xc0\xaf \xe0\x80\xaf", "\\300\\257 \\340\\200\\257" },
	{ CI_NONE, "\xed\xa0\x80 \xf4\x90\x80\x80", "\\355\\240\\200 \\364\\220\\200\\200" },
	{ CI_NONE, "\xc2\x9b" "2J \xe2\x80\xae", "\\302\\2332J \\342\\200\\256" },
	{ CI_NONE, "\xe2\x82" "x\xe2\x82\xac", "\\342\\202x€" },
	/* Commands for a CI. */
	{ CI_NONE, "::error::x\n##[error]x\n", "::error::x\n##[error]x\n" },
	{ CI_DEFUSED, "::error::x\n  ::x\na ::x\n", "| ::error::x\n  | ::x\na ::x\n" },
	{ CI_DEFUSED, "\033[1m::x\033[0m\r::y\n", "\033[1m| ::x\033[0m\r| ::y\n" },
	{ CI_DEFUSED, "a ##[error]x\n##vso[x]\n###[x]\n", "a ##|[error]x\n##|vso[x]\n###|[x]\n" },
	{ CI_DEFUSED, "# a\n## b\n##\n", "# a\n## b\n##\n" },
	{ CI_DEFUSED, "\033[0Ksection_start:1:x\r\033[0K", "\\033[0Ksection_start:1:x\r" },
	/* Runners pass over more blanks than ASCII has. */
	{ CI_DEFUSED, "\u00a0::x\n\u3000\u2003 ::x\n\ufeff::x\nü::x",
	    "\u00a0| ::x\n\u3000\u2003 | ::x\n\\357\\273\\277::x\nü::x" },
	{ CI_ANNOTATIONS, "\u00a0::error::x\n \u2003::notice::x\n",
	    "\u00a0| ::error::x\n \u2003| ::notice::x\n" },
	/* Nor does what nobody sees count for them; but an emoji has it inside. */
	{ CI_DEFUSED, "\u200b::x\n\u200d::x\n:\u200d:x\n",
	    "\\342\\200\\213::x\n\\342\\200\\215::x\n| :\u200d:x\n" },
	{ CI_DEFUSED, "a #\u200d#[x]\n##\ufe0f[x]\n", "a #\u200d#|[x]\n##\ufe0f|[x]\n" },
	{ CI_NONE, "a \u2764\ufe0f\u200d\U0001f525\n", "a \u2764\ufe0f\u200d\U0001f525\n" },
	{ CI_NONE, "nox\u200dmk: x\n\u200dnoxmk: x\n",
	    "nox\\342\\200\\215mk: x\n\\342\\200\\215noxmk: x\n" },
	{ CI_NONE, "a\u200eb\u2066c\u061cd\n", "a\\342\\200\\216b\\342\\201\\246c\\330\\234d\n" },
	{ CI_NONE, "\u00a0noxmk: x", "\u00a0| noxmk: x" },
	{ CI_DEFUSED, "::add-mask::x\n::warning::x\n", "| ::add-mask::x\n| ::warning::x\n" },
	/* Annotations may pass, and nothing that only looks so. */
	{ CI_ANNOTATIONS, "::error file=a.py,line=1::x ##[group]\n",
	    "::error file=a.py,line=1::x ##|[group]\n" },
	{ CI_ANNOTATIONS, "  ::Warning::x\r\n::notice title=a::b",
	    "  ::Warning::x\n::notice title=a::b" },
	{ CI_ANNOTATIONS, "::errors::x\n::erro", "| ::errors::x\n| ::erro" },
	{ CI_ANNOTATIONS, "::error:x\n::set-output name=a::b\n",
	    "| ::error:x\n| ::set-output name=a::b\n" },
	{ CI_ANNOTATIONS, "::add-mask::x\n::stop-commands::error\n",
	    "| ::add-mask::x\n| ::stop-commands::error\n" },
	{ CI_ANNOTATIONS, "\033[1m::error::x\n::err\033[1mor::x",
	    "\033[1m| ::error::x\n| | ::err\033[1mor::x\033[0m" },
	{ CI_ANNOTATIONS, "a ::error::x\n:\n::\n##[error]x\n",
	    "a ::error::x\n| :\n| ::\n##|[error]x\n" },
	{ CI_ANNOTATIONS, "noxmk: x\n1%\r::error::x\r::group::x\n",
	    "| noxmk: x\n1%\r::error::x\r| ::group::x\n" },
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
	struct filter *filter = filter_open(CI_DEFUSED);
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
