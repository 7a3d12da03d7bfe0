#include "plan/use.h"
#include "support.h"

static const struct {
	const char *claim;
	enum use use;
} claims[] = {
	{ "{'resource':'db','use':'exclusive'}", EXCLUSIVE },
	{ "{'resource':'db','use':'shared'}", SHARED },
	{ "{'resource':'db','use':'amount','amount':2}", AMOUNT },
	/* What a newer noxmk or nobody wrote keeps others away. */
	{ "{'resource':'db','use':'mostly'}", EXCLUSIVE },
	{ "{'resource':'db','use':2}", EXCLUSIVE },
	{ "{'resource':'db'}", EXCLUSIVE },
	{ "[]", EXCLUSIVE },
};

START_TEST(read_from_a_claim)
{
	json_t *claim = json_of(claims[_i].claim);

	ck_assert_int_eq(use_of(claim), claims[_i].use);
	json_decref(claim);
}
END_TEST

START_TEST(each_name_is_read_back)
{
	static const enum use uses[] = { EXCLUSIVE, SHARED, AMOUNT };

	for (size_t i = 0; i < countof(uses); i++) {
		json_t *claim = json_pack("{s:s}", "use", use_name(uses[i]));

		ck_assert_int_eq(use_of(claim), uses[i]);
		json_decref(claim);
	}
}
END_TEST

Suite *
check_use_suite(void)
{
	Suite *suite = suite_create("use");
	TCase *tc = support_case(suite, "names");

	tcase_add_loop_test(tc, read_from_a_claim, 0, countof(claims));
	tcase_add_test(tc, each_name_is_read_back);
	return suite;
}
