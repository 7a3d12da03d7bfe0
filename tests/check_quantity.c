#include "base/quantity.h"
#include "support.h"

START_TEST(a_duration_has_units)
{
	static const struct {
		const char *text;
		double seconds; /* below 0: none */
	} cases[] = {
		{ "90", 90 }, { "1.5", 1.5 }, { "90s", 90 }, { "1.5h", 5400 }, { "1h30m", 5400 },
		{ "250ms", 0.25 }, { "1d", 86400 }, { "0", 0 },
		{ "", -1 }, { ".", -1 }, { ".5s", -1 }, { "s", -1 }, { "1 h", -1 }, { "-1", -1 },
		{ "1x", -1 }, { "1hh", -1 }, { "1h3", -1 }, { "1000000001", -1 }, { "1e3", -1 },
		{ "100000d", -1 }, { "123456789012345678901s", -1 },
	};
	double seconds;
	bool good = quantity_read_duration(cases[_i].text, &seconds);

	ck_assert_msg(good == (cases[_i].seconds >= 0), "%s", cases[_i].text);
	if (good)
		ck_assert_double_eq_tol(seconds, cases[_i].seconds, 1e-9);
}
END_TEST
enum { DURATIONS = 21 };

START_TEST(a_quantity_has_units)
{
	static const struct {
		const char *text;
		long long quantity; /* 0: none */
	} cases[] = {
		{ "1", 1 }, { "4K", 4096 }, { "8G", 8LL << 30 }, { "9007199254740992", 1LL << 53 },
		{ "", 0 }, { "0", 0 }, { "-1", 0 }, { " 1", 0 }, { "G", 0 }, { "1X", 0 },
		{ "9007199254740993", 0 },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		long long quantity;
		bool good = quantity_read(cases[i].text, &quantity);

		ck_assert_msg(good == (cases[i].quantity > 0), "%s", cases[i].text);
		if (good)
			ck_assert_int_eq(quantity, cases[i].quantity);
	}
}
END_TEST

Suite *
check_quantity_suite(void)
{
	Suite *suite = suite_create("quantity");
	TCase *tc = support_case(suite, "quantity");

	tcase_add_loop_test(tc, a_duration_has_units, 0, DURATIONS);
	tcase_add_test(tc, a_quantity_has_units);
	return suite;
}
