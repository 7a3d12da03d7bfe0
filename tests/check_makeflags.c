#include <stdlib.h>

#include "base/cpus.h"
#include "base/makeflags.h"
#include "support.h"

/* slots 0: as many as there are processors. */
static const struct {
	const char *text;
	unsigned slots;
	bool unlimited;
	double load;
	const char *auth, *tools_auth;
} texts[] = {
	{ NULL, 1, false, 0, NULL, NULL },
	{ "", 1, false, 0, NULL, NULL },
	{ "k", 1, false, 0, NULL, NULL },
	{ " -j", 0, true, 0, NULL, NULL },
	{ "ks -j", 0, true, 0, NULL, NULL },
	/* No make writes this one: -j is a word of its own. */
	{ "kj", 1, false, 0, NULL, NULL },
	{ " -j1", 1, false, 0, NULL, NULL },
	{ " -j4 --jobserver-auth=3,4", 4, false, 0, "3,4", NULL },
	{ "k -j12 --jobserver-auth=fifo:/tmp/x -- A=1", 12, false, 0, "fifo:/tmp/x", NULL },
	{ " --jobserver-auth=3,4 -j3 --no-print-directory", 3, false, 0, "3,4", NULL },
	{ "--jobserver-auth=3,4", 1, false, 0, "3,4", NULL },
	{ " -j --jobserver-auth=3,4", 0, false, 0, "3,4", NULL },
	{ " -j --jobserver-fds=3,4", 0, false, 0, "3,4", NULL },
	{ " --jobserver-fds=3,4 -j", 0, false, 0, "3,4", NULL },
	{ " -j2 --jobserver-auth=3,4 --jobserver-auth=-2,-2", 2, false, 0, "-2,-2", NULL },
	{ " -j2 --jobserver-auth=", 2, false, 0, "", NULL },
	{ " -j --jobserver-style=pipe", 0, true, 0, NULL, NULL },
	{ "s -j -- A=1", 0, true, 0, NULL, NULL },
	{ " -- -j9", 1, false, 0, NULL, NULL },
	{ " -- A=-j9 -j3", 1, false, 0, NULL, NULL },
	{ " -- --jobserver-auth=3,4", 1, false, 0, NULL, "3,4" },
	{ " -l2 -- A=1 --jobserver-auth=fifo:/x -- --jobserver-fds=5,6", 1, false, 2, NULL, "5,6" },
	{ " -j2 --jobserver-auth=3,4 -- --jobserver-auth=fifo:/x", 2, false, 0, "3,4", "fifo:/x" },
	{ " -j2 -j", 0, true, 0, NULL, NULL },
	{ " -j -j2", 2, false, 0, NULL, NULL },
	{ " -j 2", 0, true, 0, NULL, NULL },
	{ " -j0", 0, false, 0, NULL, NULL },
	{ " -jx", 0, false, 0, NULL, NULL },
	{ "--no-print-directory -j", 0, true, 0, NULL, NULL },
	{ " -l2.5 -j2", 2, false, 2.5, NULL, NULL },
	{ " -j2 -l4 -l", 2, false, 0, NULL, NULL },
	{ " -j2 -l 4", 2, false, 0, NULL, NULL },
	{ " -j2 -- -l4", 2, false, 0, NULL, NULL },
	/* What a backslash stands before is within a word; dollars are themselves. */
	{ " -Ix\\ -j9", 1, false, 0, NULL, NULL },
	{ " -Ix\\\\ -j9", 9, false, 0, NULL, NULL },
	{ " -Ix\\ -l3\\ --jobserver-auth=3,4\\ --\\ -j2 -j3", 3, false, 0, NULL, NULL },
	{ " --jobserver-auth=fifo:/a\\ b\\\\c$d$$e", 1, false, 0, "fifo:/a b\\c$d$$e", NULL },
	{ " -j5 \\", 5, false, 0, NULL, NULL },
};

START_TEST(make_is_understood)
{
	struct makeflags makeflags = makeflags_read(texts[_i].text, 0);
	unsigned slots = texts[_i].slots ? texts[_i].slots : cpus_available();

	ck_assert_uint_eq(makeflags.slots, slots);
	ck_assert_int_eq(makeflags.unlimited, texts[_i].unlimited);
	ck_assert_double_eq(makeflags.load, texts[_i].load);
	ck_assert_pstr_eq(makeflags.auth, texts[_i].auth);
	ck_assert_pstr_eq(makeflags.tools_auth, texts[_i].tools_auth);
	makeflags_clear(&makeflags);
	ck_assert_ptr_null(makeflags.auth);
	/* A number of ours counts where make has none, and only there. */
	makeflags = makeflags_read(texts[_i].text, 17);
	ck_assert_uint_eq(makeflags.slots, texts[_i].unlimited ? 17 : slots);
	makeflags_clear(&makeflags);
}
END_TEST

static const struct {
	const char *text, *variable;
	bool sets;
} variables[] = {
	{ NULL, "A", false }, { "", "A", false }, { "A=1", "A", false }, { " -- A=1", "A", true },
	{ "k -- B=2 A=", "A", true }, { " -- AB=1", "A", false }, { " -- XA=1", "A", false },
	{ " -- B=a\\ A=1", "A", false }, { " -- A", "A", false }, { " -IA=1", "A", false },
};

START_TEST(variables_of_the_command_line_are_known)
{
	ck_assert_int_eq(makeflags_sets(variables[_i].text, variables[_i].variable),
	    variables[_i].sets);
}
END_TEST

/* What a make is told that is to be a client of the jobserver with descriptors 7 and 8. */
static const struct {
	const char *text, *client;
} clients[] = {
	{ "", " -j --jobserver-auth=7,8" },
	{ "ks", "ks -j --jobserver-auth=7,8" },
	{ " -l2 -- --jobserver-auth=fifo:/x A=1",
	    " -l2 -j --jobserver-auth=7,8 -- --jobserver-auth=fifo:/x A=1" },
	{ "k -j4 --jobserver-fds=3,4 --jobserver-style=pipe -B -- A=-j9",
	    "k -B -j --jobserver-auth=7,8 -- A=-j9" },
	{ " -Ix\\ -j9 -- A=b\\ --", " -Ix\\ -j9 -j --jobserver-auth=7,8 -- A=b\\ --" },
};

START_TEST(a_make_becomes_a_client)
{
	char *text = makeflags_with_jobserver(clients[_i].text, 7, 8);

	ck_assert_str_eq(text, clients[_i].client);
	free(text);
}
END_TEST

START_TEST(load_counts_from_its_limit_on)
{
	ck_assert(!makeflags_is_loaded(&(struct makeflags){ .load = 0 }));
	ck_assert(!makeflags_is_loaded(&(struct makeflags){ .load = 1e6 }));
	ck_assert(makeflags_is_loaded(&(struct makeflags){ .load = 1e-9 }));
}
END_TEST

Suite *
check_makeflags_suite(void)
{
	Suite *suite = suite_create("makeflags");
	TCase *tc = support_case(suite, "makeflags");

	tcase_add_loop_test(tc, make_is_understood, 0, countof(texts));
	tcase_add_loop_test(tc, variables_of_the_command_line_are_known, 0, countof(variables));
	tcase_add_loop_test(tc, a_make_becomes_a_client, 0, countof(clients));
	tcase_add_test(tc, load_counts_from_its_limit_on);
	return suite;
}
