/*
 * The libcheck suites of every module, as one program that prints TAP. Without arguments all of
 * them run; else those named. --list prints their names instead, one a line. CK_FORK=no keeps them
 * in this process, for valgrind and debuggers.
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

static bool
is_wanted(const char *name, char *const *wanted)
{
	if (!*wanted)
		return true;
	for (; *wanted; wanted++)
		if (!strcmp(*wanted, name))
			return true;
	return false;
}

int
main(int argc, char *argv[])
{
	SRunner *runner;
	int failed;

	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (size_t i = 0; i < countof(suites); i++)
			puts(suites[i].name);
		return EXIT_SUCCESS;
	}
	runner = srunner_create(NULL);
	support_begin();
	for (size_t i = 0; i < countof(suites); i++)
		if (is_wanted(suites[i].name, argv + 1))
			srunner_add_suite(runner, suites[i].make());
	/* TAP instead of Check's own words, the plan line at the end. */
	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	support_end();
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
