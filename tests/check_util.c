#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/util.h"
#include "support.h"

static volatile size_t absurd = SIZE_MAX / 2;

START_TEST(calloc_dies_without_memory)
{
	free(xcalloc(absurd, 4));
}
END_TEST

START_TEST(reallocarray_dies_without_memory)
{
	free(xreallocarray(NULL, absurd, 4));
}
END_TEST

/* No multibyte text of the C locale: vasprintf fails. */
static const wchar_t unprintable[] = { 0x7ffffff0, 0 };

START_TEST(asprintf_dies_of_what_cannot_be_printed)
{
	free(xasprintf("%ls", unprintable));
}
END_TEST

START_TEST(buffer_printf_dies_of_what_cannot_be_printed)
{
	struct buffer b = { 0 };

	buffer_printf(&b, "%ls", unprintable);
	buffer_free(&b);
}
END_TEST

START_TEST(no_bytes_are_an_allocation_too)
{
	void *a = xcalloc(0, 0), *b = xreallocarray(NULL, 0, 0);

	ck_assert_ptr_nonnull(a);
	ck_assert_ptr_nonnull(b);
	free(a);
	free(b);
}
END_TEST

START_TEST(a_buffer_grows_and_ends_with_a_nul)
{
	struct buffer b = { 0 };

	buffer_add(&b, "", 0);
	ck_assert_str_eq(b.data, "");
	for (int i = 0; i < 1000; i++)
		buffer_printf(&b, "%d,", i);
	ck_assert_uint_eq(b.len, strlen(b.data));
	ck_assert_uint_eq(b.len, 3890);
	buffer_add(&b, "a\0b", 3);
	ck_assert_uint_eq(b.len, 3893);
	ck_assert_mem_eq(b.data + b.len - 3, "a\0b", 4);
	buffer_free(&b);
	ck_assert_ptr_null(b.data);
}
END_TEST

START_TEST(lists_grow)
{
	struct strings s = { 0 };
	struct indices n = { 0 };

	strings_add(&s, "a");
	strings_add(&s, NULL);
	indices_add(&n, 7);
	indices_add(&n, 9);
	ck_assert_uint_eq(s.n, 2);
	ck_assert_str_eq(s.v[0], "a");
	ck_assert_ptr_null(s.v[1]);
	ck_assert(indices_has(&n, 7) && indices_has(&n, 9) && !indices_has(&n, 8));
	free(s.v);
	free(n.v);
}
END_TEST

static const struct {
	const char *word, *quoted;
} shell_words[] = {
	{ "", "''" }, { "lint", "lint" }, { "-s", "-s" }, { "a b", "'a b'" },
	{ "/usr/bin/python3.12", "/usr/bin/python3.12" }, { "x=1,2:3@4%+", "x=1,2:3@4%+" },
	{ "it's", "'it'\\''s'" }, { "'", "''\\'''" }, { "$HOME", "'$HOME'" }, { "~", "'~'" },
	{ "a\nb", "'a\nb'" }, { "*", "'*'" }, { "#", "'#'" }, { "\xff", "'\xff'" },
};

START_TEST(a_shell_reads_the_same_word)
{
	struct buffer b = { 0 };

	buffer_add_shell(&b, shell_words[_i].word);
	ck_assert_str_eq(b.data, shell_words[_i].quoted);
	buffer_free(&b);
}
END_TEST

Suite *
check_util_suite(void)
{
	Suite *suite = suite_create("util");
	TCase *tc = support_case(suite, "memory");

	support_exit_test(tc, calloc_dies_without_memory, EXIT_HELPER);
	support_exit_test(tc, reallocarray_dies_without_memory, EXIT_HELPER);
	support_exit_test(tc, asprintf_dies_of_what_cannot_be_printed, EXIT_HELPER);
	support_exit_test(tc, buffer_printf_dies_of_what_cannot_be_printed, EXIT_HELPER);
	tcase_add_test(tc, no_bytes_are_an_allocation_too);
	tcase_add_test(tc, a_buffer_grows_and_ends_with_a_nul);
	tcase_add_test(tc, lists_grow);
	tc = support_case(suite, "shell");
	tcase_add_loop_test(tc, a_shell_reads_the_same_word, 0, countof(shell_words));
	return suite;
}
