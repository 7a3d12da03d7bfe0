#include <stdlib.h>

#include "base/cpus.h"
#include "base/makeflags.h"
#include "support.h"

/* slots 0: as many as there are processors. */
static const struct {
	const char *flags;
	unsigned slots;
	bool unlimited;
	double load;
} flags[] = {
	{ NULL, 1, false, 0 },
	{ "", 1, false, 0 },
	{ "k", 1, false, 0 },
	{ " -j", 0, true, 0 },
	{ "ks -j", 0, true, 0 },
	{ "kj", 1, false, 0 }, /* no make writes it: -j is a word of its own */
	{ " -j1", 1, false, 0 },
	{ " -j4 --jobserver-auth=3,4", 4, false, 0 },
	{ "k -j12 --jobserver-auth=fifo:/tmp/x -- A=1", 12, false, 0 },
	{ " --jobserver-auth=3,4 -j3 --no-print-directory", 3, false, 0 },
	{ " -j --jobserver-auth=3,4", 0, false, 0 },
	{ " -j --jobserver-fds=3,4", 0, false, 0 },
	{ "s -j -- A=1", 0, true, 0 },
	{ " -- -j9", 1, false, 0 },
	{ " -- A=-j9 -j3", 1, false, 0 },
	{ " -j2 -j", 0, true, 0 },
	{ " -j -j2", 2, false, 0 },
	{ " -j0", 0, false, 0 },
	{ " -jx", 0, false, 0 },
	{ "--no-print-directory -j", 0, true, 0 },
	{ " -l2.5 -j2", 2, false, 2.5 },
	{ " -j2 -l4 -l", 2, false, 0 },
	{ " -j2 -- -l4", 2, false, 0 },
};

START_TEST(read)
{
	struct makeflags budget = makeflags_read(flags[_i].flags, 0);

	ck_assert_uint_eq(budget.slots, flags[_i].slots ? flags[_i].slots : cpus_available());
	ck_assert_int_eq(budget.unlimited, flags[_i].unlimited);
	ck_assert_double_eq(budget.load, flags[_i].load);
	if (flags[_i].unlimited)
		ck_assert_uint_eq(makeflags_read(flags[_i].flags, 17).slots, 17);
}
END_TEST

START_TEST(load)
{
	ck_assert(!makeflags_is_loaded(&(struct makeflags){ .load = 0 }));
	ck_assert(!makeflags_is_loaded(&(struct makeflags){ .load = 1e6 }));
	ck_assert(makeflags_is_loaded(&(struct makeflags){ .load = 1e-9 }));
}
END_TEST

Suite *
check_makeflags_suite(void)
{
	Suite *suite = suite_create("budget");
	TCase *tc = support_case(suite, "budget");

	tcase_add_loop_test(tc, read, 0, countof(flags));
	tcase_add_test(tc, load);
	return suite;
}
