#include <stdlib.h>
#include <unistd.h>

#include "state/makekey.h"
#include "support.h"

START_TEST(a_process_is_known_by_pid_and_start_time)
{
	char *other = xasprintf("%d-1-ab", (int)getpid());

	ck_assert(makekey_is_sane(own_key()));
	ck_assert(makekey_is_alive(own_key()));
	ck_assert(!makekey_is_alive(other));
	ck_assert(!makekey_is_alive("999999999-1-ab"));
	free(other);
	assert_silent();
}
END_TEST

static const struct {
	const char *key;
	bool sane;
} keys[] = { { "1-2-ab", true }, { "4711-9876-c0ffee", true }, { "", false }, { "1-2", false },
	{ "1-2-", false }, { "1-2-AB", false }, { "../1-2-ab", false }, { "1-2-ab/..", false } };

START_TEST(a_key_is_safe_in_a_file_name)
{
	ck_assert(makekey_is_sane(keys[_i].key) == keys[_i].sane);
}
END_TEST

Suite *
check_makekey_suite(void)
{
	Suite *suite = suite_create("makekey");
	TCase *tc = support_case(suite, "makekey");

	tcase_add_test(tc, a_process_is_known_by_pid_and_start_time);
	tcase_add_loop_test(tc, a_key_is_safe_in_a_file_name, 0, countof(keys));
	return suite;
}
