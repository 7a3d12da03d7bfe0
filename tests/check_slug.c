#include <stdlib.h>
#include <string.h>

#include "base/slug.h"
#include "support.h"

static const struct {
	const char *name, *slug;
} slugs[] = {
	{ "lint", "lint" },
	{ "tests-3.12(django='4.2')", "tests-3.12-django-4.2" },
	{ "tests(a=1, b='x y')", "tests-a-1-b-x-y" },
	{ "under_score.dot", "under_score.dot" },
	{ "a--b", "a-b" },
	{ "a - b", "a-b" },
	{ "-s", "s" },
	{ "--help", "help" },
	{ "...", "session-" },
	{ ".hidden", "hidden" },
	{ "..-x-..", "x" },
	{ "", "session-811c9dc5" },
	{ "!", "session-" },
	{ "日本", "session-" },
	{ "tests(日本)", "tests-9f26ee51" },
	{ "tests(x='日本', y=1)", "tests-x-22abc8df-y-1" },
	{ "tests-3.11(opt_deps=[])", "tests-3.11-opt_deps-empty" },
	{ "tests(a=[], b='', c=1)", "tests-a-empty-b-empty-c-1" },
	{ "tests(a=(), b={}, c=\"\")", "tests-a-empty-b-empty-c-empty" },
	{ "tests(a=['x', '-'])", "tests-a-x" },
	{ "tests(a=[''], b=None)", "tests-a-8755f667-b-None" },
	{ "tests()", "tests" },
	{ "tests(a=)", "tests-a" },
	{ "a==b", "a-b" },
	{ "a/b", "a-b" },
	{ "../../etc/passwd", "etc-passwd" },
	{ "$(shell rm)", "shell-rm" },
	{ "a%b:c;d|e#f", "a-b-c-d-e-f" },
	{ "a\nb\tc", "a-b-c" },
	{ "x(<object object at 0x7f12ab34cd>)", "x-object-object" },
	{ "x(<object at 0x7F12AB34CD>, y=1)", "x-object-y-1" },
	{ "x at 0x", "x" },
	{ "x at 0xzz", "xzz" },
	{ "look at 0", "look-at-0" },
	{ " at 0x12", "session-" },
	{ "CamelCase", "CamelCase" },
};

START_TEST(slug_of)
{
	char *slug = slug_make(slugs[_i].name);

	if (!strcmp(slugs[_i].slug, "session-")) {
		ck_assert_uint_eq(strlen(slug), strlen("session-") + 8);
		ck_assert(!strncmp(slug, "session-", 8));
		ck_assert_uint_eq(strspn(slug + 8, "0123456789abcdef"), 8);
	} else {
		ck_assert_str_eq(slug, slugs[_i].slug);
	}
	free(slug);
}
END_TEST

START_TEST(slug_of_long_names)
{
	char name[501], *a, *b;

	memset(name, 'x', 500);
	name[500] = '\0';
	a = slug_make(name);
	name[499] = 'y';
	b = slug_make(name);
	/* Short enough for TARGET.json.PID~, and told apart by what was cut off. */
	ck_assert_uint_lt(strlen(a), 180);
	ck_assert_str_ne(a, b);
	free(a);
	free(b);
	name[160] = '\0';
	a = slug_make(name);
	ck_assert_str_eq(a, name);
	free(a);
}
END_TEST

/* Whatever the bytes: no quoting needed, no dash or dot at the ends, and a slug of itself. */
START_TEST(slug_of_any_bytes)
{
	static const char kept[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789._-";
	char name[40];

	srandom((unsigned)_i);
	for (int round = 0; round < 2000; round++) {
		size_t n = (size_t)random() % (sizeof(name) - 1);
		char *slug, *again;

		for (size_t i = 0; i < n; i++)
			name[i] = (char)(1 + random() % 255);
		name[n] = '\0';
		slug = slug_make(name);
		ck_assert_uint_gt(strlen(slug), 0);
		ck_assert_uint_eq(strspn(slug, kept), strlen(slug));
		ck_assert_ptr_null(strchr("-.", slug[0]));
		ck_assert_ptr_null(strchr("-.", slug[strlen(slug) - 1]));
		again = slug_make(slug);
		ck_assert_str_eq(again, slug);
		free(slug);
		free(again);
	}
}
END_TEST

Suite *
check_slug_suite(void)
{
	Suite *suite = suite_create("slug");
	TCase *tc = support_case(suite, "make");

	tcase_add_loop_test(tc, slug_of, 0, countof(slugs));
	tcase_add_test(tc, slug_of_long_names);
	tcase_add_loop_test(tc, slug_of_any_bytes, 0, 4);
	return suite;
}
