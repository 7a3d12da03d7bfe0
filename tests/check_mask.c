#include <stdlib.h>
#include <string.h>

#include "output/mask.h"
#include "support.h"

#define PATTERNS { (const char *[]){ "*TOKEN*", "*PASSWORD*" }, 2 }

/* Of the data, fed in pieces of that size. The caller frees. */
static char *
masked(struct mask *mask, const char *data, size_t n, size_t piece)
{
	struct buffer out = { 0 };

	buffer_addstr(&out, "");
	for (size_t i = 0; i < n; i += piece)
		mask_feed(mask, data + i, n - i < piece ? n - i : piece, &out);
	mask_flush(mask, &out);
	return out.data;
}

static struct {
	char variables[2][40];
	const char *text, *masked;
} masks[] = {
	{ { "MY_TOKEN=hunter22" }, "", "" },
	{ { "MY_TOKEN=hunter22" }, "a hunter22 b", "a *** b" },
	{ { "MY_TOKEN=hunter22" }, "hunter22hunter22", "******" },
	{ { "MY_TOKEN=hunter22" }, "hunter2", "hunter2" },
	{ { "MY_TOKEN=hunter22" }, "hunterhunter2hunter22", "hunterhunter2***" },
	{ { "my_token_2=hunter22" }, "hunter22", "***" },
	/* The longest counts, what might have become one, and all of those that overlap. */
	{ { "A_TOKEN=secret", "B_TOKEN=secret and more" }, "secret and more", "***" },
	{ { "A_TOKEN=secret", "B_TOKEN=secret and more" }, "secret and less", "*** and less" },
	{ { "A_TOKEN=secret", "B_TOKEN=secret and more" }, "secret and mor", "*** and mor" },
	{ { "A_TOKEN=abcdef", "B_TOKEN=cdefgh" }, "abcdefgh", "***" },
	{ { "A_TOKEN=abcabc", "B_TOKEN=abcabcabd" }, "abcabcabcabd", "***" },
	/* Each line of one that has several. */
	{ { "DB_PASSWORD=first line\nsecond\nx" }, "second, first line", "***, ***" },
	{ { "A_TOKEN=aaaaaa" }, "baaaaaaaaaaaaaaaaaaab", "b***b" },
};

START_TEST(each_secret_becomes_three_stars)
{
	struct strings patterns = PATTERNS;
	const char *text = masks[_i].text;

	for (size_t piece = 1; piece < 30; piece++) {
		char *const environ[] = { masks[_i].variables[0], masks[_i].variables[1], NULL };
		struct mask *mask = mask_open(&patterns, environ);
		char *out = masked(mask, text, strlen(text), piece);

		ck_assert_str_eq(out, masks[_i].masked);
		free(out);
		mask_close(mask);
	}
}
END_TEST

START_TEST(without_a_secret_there_is_no_mask)
{
	struct strings patterns = PATTERNS, none = { 0 };
	char texts[][16] = { "TOKEN=short", "OTHER=hunter22", "PASSWORD=", "TOKEN" };
	char *const variables[] = { texts[0], texts[1], texts[2], texts[3], NULL };

	ck_assert_ptr_null(mask_open(&patterns, variables));
	ck_assert_ptr_null(mask_open(&none, variables));
	mask_close(NULL);
	ck_assert_ptr_null(mask_text(NULL, NULL));
}
END_TEST

START_TEST(a_whole_text_is_masked_at_once)
{
	struct strings patterns = PATTERNS;
	char token[] = "TOKEN=hunter22";
	char *const variables[] = { token, NULL };
	struct mask *mask = mask_open(&patterns, variables);
	char *text = mask_text(mask, xstrdup("--token=hunter22"));

	ck_assert_str_eq(text, "--token=***");
	ck_assert_ptr_null(mask_text(mask, NULL));
	free(text);
	mask_close(mask);
}
END_TEST

/* Random data, of two letters and NUL only, so that there are secrets in them. */
START_TEST(pieces_make_no_difference_and_no_secret_is_left)
{
	struct strings patterns = PATTERNS;
	unsigned seed = 1;

	for (int round = 0; round < 3000; round++) {
		char variables[3][32] = { "A_TOKEN=", "B_TOKEN=", "C_TOKEN=" }, data[200];
		char *const environ[] = { variables[0], variables[1], variables[2], NULL };
		struct buffer one = { 0 }, other = { 0 };
		struct mask *mask;

		for (int v = 0; v < 3; v++)
			for (int i = 0, n = 6 + rand_r(&seed) % 5; i < n; i++)
				strcat(variables[v], rand_r(&seed) % 2 ? "a" : "b");
		for (size_t i = 0; i < sizeof(data); i++)
			data[i] = "ab\0"[rand_r(&seed) % 40 == 0 ? 2 : rand_r(&seed) % 2];
		mask = mask_open(&patterns, environ);
		mask_feed(mask, data, sizeof(data), &one);
		mask_flush(mask, &one);
		for (size_t i = 0, n; i < sizeof(data); i += n) {
			n = 1 + (size_t)rand_r(&seed) % 9;
			n = n > sizeof(data) - i ? sizeof(data) - i : n;
			mask_feed(mask, data + i, n, &other);
		}
		mask_flush(mask, &other);
		ck_assert_uint_eq(one.len, other.len);
		ck_assert_mem_eq(one.data, other.data, one.len);
		for (int v = 0; v < 3; v++)
			ck_assert_ptr_null(memmem(one.data, one.len, variables[v] + 8,
			    strlen(variables[v] + 8)));
		buffer_free(&one);
		buffer_free(&other);
		mask_close(mask);
	}
}
END_TEST

Suite *
check_mask_suite(void)
{
	Suite *suite = suite_create("mask");
	TCase *tc = support_case(suite, "mask");

	tcase_add_loop_test(tc, each_secret_becomes_three_stars, 0, countof(masks));
	tcase_add_test(tc, without_a_secret_there_is_no_mask);
	tcase_add_test(tc, a_whole_text_is_masked_at_once);
	tcase_add_test(tc, pieces_make_no_difference_and_no_secret_is_left);
	return suite;
}
