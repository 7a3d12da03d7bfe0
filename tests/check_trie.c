#include <string.h>

#include "output/trie.h"
#include "support.h"

static const struct {
	const char *words[4], *text, *longest; /* the length of the longest at each place */
} texts[] = {
	{ { "ab" }, "xabab", "00202" },
	{ { "a", "ab", "bab", "c" }, "abab", "1213" },
	{ { "aaa", "a" }, "aaaaba", "113301" },
	{ { "abcd", "bc", "c" }, "abcabcd", "0020024" },
	{ { "he", "she", "his", "hers" }, "ushers", "000304" },
};

START_TEST(the_longest_word_that_ends_here_is_found)
{
	struct trie *trie = trie_open();
	size_t node = 0;

	for (size_t i = 0; i < 4 && texts[_i].words[i]; i++)
		ck_assert_uint_ne(trie_add(trie, texts[_i].words[i], strlen(texts[_i].words[i])),
		    0);
	for (size_t i = 0; texts[_i].text[i]; i++) {
		node = trie_next(trie, node, texts[_i].text[i]);
		/* In the third text a word ends within a longer one that has not ended yet. */
		if (_i == 2 && i == 1)
			continue;
		ck_assert_uint_eq(trie_length(trie, trie_word(trie, node)),
		    (size_t)(texts[_i].longest[i] - '0'));
	}
	trie_close(trie);
}
END_TEST

START_TEST(a_word_leads_to_the_shorter_ones_that_it_ends_with)
{
	struct trie *trie = trie_open();
	size_t a = trie_add(trie, "ration", 6), b = trie_add(trie, "on", 2);

	ck_assert_uint_eq(trie_shorter(trie, a), b);
	ck_assert_uint_eq(trie_shorter(trie, b), 0);
	/* What is added later counts, too, and the nodes stay what they were. */
	ck_assert_uint_eq(trie_shorter(trie, trie_add(trie, "ion", 3)), b);
	ck_assert_uint_eq(trie_length(trie, trie_shorter(trie, a)), 3);
	ck_assert_uint_eq(trie_add(trie, "ration", 6), a);
	*trie_note(trie, a) = 7;
	ck_assert_uint_eq(*trie_note(trie, b), 0);
	ck_assert_uint_eq(*trie_note(trie, a), 7);
	trie_close(trie);
	trie_close(NULL);
}
END_TEST

Suite *
check_trie_suite(void)
{
	Suite *suite = suite_create("trie");
	TCase *tc = support_case(suite, "trie");

	tcase_add_loop_test(tc, the_longest_word_that_ends_here_is_found, 0, countof(texts));
	tcase_add_test(tc, a_word_leads_to_the_shorter_ones_that_it_ends_with);
	return suite;
}
