#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "support.h"

/* Each word of the result in brackets. */
static const struct {
	const char *text, *words;
} splits[] = {
	{ "", "" },
	{ " \t\n ", "" },
	{ "nox", "[nox]" },
	{ "  uv  run\tnox\n", "[uv][run][nox]" },
	{ "''", "[]" },
	{ "a '' \"\"", "[a][][]" },
	{ "'a b' \"c d\"", "[a b][c d]" },
	{ "a' 'b\" \"c", "[a b c]" },
	{ "'\\'", "[\\]" },
	{ "'a\"b'", "[a\"b]" },
	{ "\"a'b\"", "[a'b]" },
	{ "\"\\\"\\\\\\$\\`\"", "[\"\\$`]" },
	{ "\"\\n\\'\"", "[\\n\\']" },
	{ "\"a\\\nb\"", "[ab]" },
	{ "'a\\\nb'", "[a\\\nb]" },
	{ "\"a\\\\\nb\"", "[a\\\nb]" },
	{ "a\\ b", "[a b]" },
	{ "\\'", "[']" },
	{ "\\\\", "[\\]" },
	{ "a\\\nb", "[ab]" },
	{ "a\\\n b", "[a][b]" },
	{ "$HOME `id` $(id) ; | & > # ~ * {a,b}",
	    "[$HOME][`id`][$(id)][;][|][&][>][#][~][*][{a,b}]" },
	{ "日本 'é'", "[日本][é]" },
	{ "a\r\nb", "[a][b]" },
};

START_TEST(words_are_what_quotes_say)
{
	struct strings words = { 0 };
	struct buffer shown = { 0 };
	char *text = xstrdup(splits[_i].text);

	buffer_addstr(&shown, "");
	ck_assert_ptr_null(words_split(text, &words));
	for (size_t i = 0; i < words.n; i++)
		buffer_printf(&shown, "[%s]", words.v[i]);
	ck_assert_str_eq(shown.data, splits[_i].words);
	buffer_free(&shown);
	free(words.v);
	free(text);
}
END_TEST

static const struct {
	const char *text, *fault;
} faults[] = {
	{ "'", "has a ' without its second" },
	{ "a 'b c", "has a ' without its second" },
	{ "it's", "has a ' without its second" },
	{ "\"", "has a \" without its second" },
	{ "\"a\\\"", "has a \" without its second" },
	{ "'a' \"b", "has a \" without its second" },
	{ "\"\\", "has a \" without its second" },
	{ "\\", "ends in a backslash" },
	{ "a b\\", "ends in a backslash" },
};

START_TEST(a_bad_quote_is_told)
{
	struct strings words = { 0 };
	char *text = xstrdup(faults[_i].text);

	ck_assert_str_eq(words_split(text, &words), faults[_i].fault);
	free(words.v);
	free(text);
}
END_TEST

/* A word that buffer_add_shell has quoted is that word again. */
START_TEST(our_own_quoting_is_undone)
{
	static const char marks[] = "'\"\\ \n\t$`a#~*;";

	srandom((unsigned)_i);
	for (int round = 0; round < 200; round++) {
		struct strings words = { 0 };
		struct buffer quoted = { 0 };
		char word[9];
		size_t n = (size_t)random() % (sizeof(word) - 1);

		for (size_t i = 0; i < n; i++)
			word[i] = marks[(size_t)random() % (sizeof(marks) - 1)];
		word[n] = 0;
		buffer_add_shell(&quoted, word);
		ck_assert_ptr_null(words_split(quoted.data, &words));
		ck_assert_uint_eq(words.n, 1);
		ck_assert_str_eq(words.v[0], word);
		free(words.v);
		buffer_free(&quoted);
	}
}
END_TEST

Suite *
check_words_suite(void)
{
	Suite *suite = suite_create("words");
	TCase *tc = support_case(suite, "split");

	tcase_add_loop_test(tc, words_are_what_quotes_say, 0, countof(splits));
	tcase_add_loop_test(tc, a_bad_quote_is_told, 0, countof(faults));
	tcase_add_loop_test(tc, our_own_quoting_is_undone, 0, 4);
	return suite;
}
