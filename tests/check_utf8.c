#include <stdlib.h>
#include <string.h>

#include "output/utf8.h"
#include "support.h"

static const struct {
	const char *text;
	int columns, limit;
	const char *cut;
} texts[] = {
	{ "", 0, 1, "" }, { "abc", 3, 3, "abc" }, { "abc", 3, 2, "a…" }, { "abc", 3, 1, "…" },
	{ "abcdefgh", 8, 5, "ab…gh" }, { "abcdefgh", 8, 6, "abc…gh" },
	{ "ünïcode", 7, 5, "ün…de" },
	/* Wide ones take two columns, and are not halved; what combines takes none. */
	{ "日本語テスト", 12, 12, "日本語テスト" }, { "日本語テスト", 12, 11, "日本…スト" },
	{ "日本語テスト", 12, 6, "日…ト" }, { "日本語", 6, 2, "…" },
	{ "e\u0301e\u0301e\u0301e\u0301", 4, 3, "e\u0301…e\u0301" },
	{ "😀😀😀", 6, 5, "😀…😀" },
	/* Terminals show these as emojis, wider than without the selector. */
	{ "❤\ufe0f😀✔\ufe0f", 6, 5, "❤\ufe0f…✔\ufe0f" },
	{ "❤✔", 2, 2, "❤✔" },
	{ "1\ufe0f\u20e3", 2, 2, "1\ufe0f\u20e3" },
};

START_TEST(texts_are_cut_in_the_middle)
{
	char *cut = utf8_cut(texts[_i].text, texts[_i].limit);

	ck_assert_int_eq(utf8_columns(texts[_i].text), texts[_i].columns);
	ck_assert_str_eq(cut, texts[_i].cut);
	ck_assert_int_le(utf8_columns(cut), texts[_i].limit);
	free(cut);
}
END_TEST

static const struct {
	const char *text;
	size_t n;
} starts[] = {
	{ "a", 1 }, { "", 0 }, { "\n", 0 }, { "\x7f", 0 }, { "ü", 2 }, { "€x", 3 }, { "😀", 4 },
	/* Alone, cut off, overlong, a surrogate, beyond the last; C1; what turns text. */
	{ "\x80", 0 }, { "\xc3", 0 }, { "\xe2\x82x", 0 }, { "\xc0\xaf", 0 }, { "\xe0\x80\xaf", 0 },
	{ "\xed\xa0\x80", 0 }, { "\xf4\x90\x80\x80", 0 }, { "\xc2\x9b", 0 }, { "\u202e", 0 },
	{ "\u2028", 0 },
	/* Not seen: zero-width, bidi, fillers, tags; but what an emoji consists of. */
	{ "\u200b", 0 }, { "\u200e", 0 }, { "\u2066", 0 }, { "\u00ad", 0 }, { "\u3164", 0 },
	{ "\ufeff", 0 }, { "\U000e0041", 0 }, { "\u200d", 3 }, { "\ufe0f", 3 }, { "\U000e0101", 4 },
};

START_TEST(only_characters_that_may_be_shown_are_some)
{
	ck_assert_uint_eq(utf8_next(starts[_i].text), starts[_i].n);
}
END_TEST

Suite *
check_utf8_suite(void)
{
	Suite *suite = suite_create("utf8");
	TCase *tc = support_case(suite, "utf8");

	tcase_add_loop_test(tc, texts_are_cut_in_the_middle, 0, countof(texts));
	tcase_add_loop_test(tc, only_characters_that_may_be_shown_are_some, 0, countof(starts));
	return suite;
}
