/*
 * check [--list] [--part N/COUNT | SUITE...]: the libcheck suites of every module, as one program
 * that prints TAP. Without arguments all of them run; else those named, or one of COUNT parts of
 * all. --list prints their names instead, one a line. CK_FORK=no keeps them in this process, for
 * valgrind and debuggers.
 */

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

static const struct {
	const char *name;
	Suite *(*make)(void);
} suites[] = {
#define SUITE_ENTRY(name) { #name, check_##name##_suite },
	SUITES(SUITE_ENTRY)
};

/* Suite i of the table is in one part, whatever their number: the one of i's remainder. */
static struct {
	unsigned number, count;
} part = { 1, 1 };

static bool
is_wanted(size_t i, char *const *wanted)
{
	if (!*wanted)
		return i % part.count == part.number - 1;
	for (; *wanted; wanted++)
		if (!strcmp(*wanted, suites[i].name))
			return true;
	return false;
}

static bool
part_read(const char *text)
{
	char rest;

	return text && sscanf(text, "%u/%u%c", &part.number, &part.count, &rest) == 2 &&
	    part.number > 0 && part.number <= part.count;
}

static void
list(char *const *wanted)
{
	for (size_t i = 0; i < countof(suites); i++)
		if (is_wanted(i, wanted))
			puts(suites[i].name);
}

int
main(int argc, char *argv[])
{
	SRunner *runner;
	bool lists;
	int failed;

	(void)argc;
	argv++;
	lists = *argv && !strcmp(*argv, "--list");
	argv += lists;
	if (*argv && !strcmp(*argv, "--part")) {
		if (!part_read(argv[1]) || argv[2])
			errx(2, "usage: check [--list] [--part N/COUNT | SUITE...]");
		argv += 2;
	}
	if (lists) {
		list(argv);
		return EXIT_SUCCESS;
	}
	runner = srunner_create(NULL);
	support_begin();
	for (size_t i = 0; i < countof(suites); i++)
		if (is_wanted(i, argv))
			srunner_add_suite(runner, suites[i].make());
	/* TAP instead of Check's own words, the plan line at the end. */
	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	support_end();
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
