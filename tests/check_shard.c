#include "state/shard.h"
#include "support.h"

static const struct {
	const char *text;
	unsigned number, of; /* 0: it is none */
	const char *hash;
} choices[] = {
	{ "2/4", 2, 4, "" }, { "1/1", 1, 1, "" }, { "1000/1000", 1000, 1000, "" },
	{ "2/4@0123456789abcdef", 2, 4, "0123456789abcdef" },
	{ "", 0, 0, NULL }, { "2", 0, 0, NULL }, { "2/", 0, 0, NULL }, { "/4", 0, 0, NULL },
	{ "0/4", 0, 0, NULL }, { "5/4", 0, 0, NULL }, { "-1/4", 0, 0, NULL },
	{ " 2/4", 0, 0, NULL }, { "2/4 ", 0, 0, NULL }, { "2/4x", 0, 0, NULL },
	{ "2/4@", 0, 0, NULL }, { "2/4@0123456789abcde", 0, 0, NULL },
	{ "2/4@0123456789abcdef0", 0, 0, NULL }, { "2/4@0123456789ABCDEF", 0, 0, NULL },
	{ "2/4@0123456789abcdef x", 0, 0, NULL }, { "1/1001", 0, 0, NULL },
	{ "4294967297/4294967298", 0, 0, NULL },
};

START_TEST(what_is_a_shard)
{
	struct shard_choice choice;

	ck_assert_int_eq(shard_choice_read(choices[_i].text, &choice), choices[_i].number > 0);
	if (choices[_i].number > 0) {
		ck_assert_uint_eq(choice.number, choices[_i].number);
		ck_assert_uint_eq(choice.of, choices[_i].of);
		ck_assert_str_eq(choice.hash, choices[_i].hash);
	}
}
END_TEST

Suite *
check_shard_suite(void)
{
	Suite *suite = suite_create("shard");
	TCase *tc = support_case(suite, "words");

	tcase_add_loop_test(tc, what_is_a_shard, 0, countof(choices));
	return suite;
}
