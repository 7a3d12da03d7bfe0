#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "plan/secret.h"
#include "support.h"

static const struct {
	const char *name;
	bool covered, likely;
} names[] = {
	{ "PYPI_TOKEN", true, true }, { "token_2", true, true }, { "MAX_TOKENS", false, true },
	{ "TOKENS_KEY", true, true }, { "DB_PASSWORD", true, true }, { "MY_SECRETS", true, true },
	{ "X_API_KEY", true, true }, { "DEPLOY_KEY", false, true }, { "PASSPHRASE", false, true },
	{ "PATH", false, false }, { "", false, false },
};

START_TEST(the_usual_list)
{
	struct secrets usual = { 0 };

	secrets_add_usual(&usual.mask);
	ck_assert_int_eq(secrets_cover(&usual, names[_i].name), names[_i].covered);
	ck_assert_int_eq(secrets_are_likely(names[_i].name), names[_i].likely);
	secrets_clear(&usual);
	ck_assert(!secrets_cover(&usual, names[_i].name));
}
END_TEST

START_TEST(the_plan_says_which)
{
	json_t *header = json_pack("{s:[s,i],s:[s]}", "mask", "*PIN*", 3, "unmask", "*SPIN*");
	struct secrets secrets = secrets_of(header);

	ck_assert(secrets_cover(&secrets, "db_pin"));
	ck_assert(!secrets_cover(&secrets, "SPINDLE"));
	ck_assert(!secrets_cover(&secrets, "A_TOKEN"));
	secrets_clear(&secrets);
	json_decref(header);
	secrets = secrets_of(NULL);
	ck_assert(!secrets_cover(&secrets, "A_TOKEN"));
	secrets_clear(&secrets);
}
END_TEST

START_TEST(the_longest_value_is_found)
{
	struct secrets secrets = { 0 };
	const char *entry = NULL;

	secrets_add_usual(&secrets.mask);
	setenv("A_TOKEN", "abcdef", 1);
	setenv("B_TOKEN", "abcdefgh", 1);
	setenv("C_TOKEN", "short", 1);
	setenv("D_TOKEN", "abcdef", 1);
	setenv("OTHER", "open-word", 1);
	ck_assert_uint_eq(secrets_at(&secrets, "abcdefghi", &entry), 8);
	ck_assert(!strncmp(entry, "B_TOKEN=", 8));
	ck_assert_uint_eq(secrets_at(&secrets, "abcdefg", &entry), 6);
	ck_assert(!strncmp(entry, "A_TOKEN=", 8) || !strncmp(entry, "D_TOKEN=", 8));
	ck_assert_uint_eq(secrets_at(&secrets, "xabcdef", &entry), 0);
	ck_assert_uint_eq(secrets_at(&secrets, "short", &entry), 0);
	ck_assert_uint_eq(secrets_at(&secrets, "open-word", &entry), 0);
	secrets_clear(&secrets);
}
END_TEST

Suite *
check_secret_suite(void)
{
	Suite *suite = suite_create("secret");
	TCase *tc = support_case(suite, "secret");

	tcase_add_loop_test(tc, the_usual_list, 0, countof(names));
	tcase_add_test(tc, the_plan_says_which);
	tcase_add_test(tc, the_longest_value_is_found);
	return suite;
}
