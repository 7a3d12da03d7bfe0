#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "makefile/unmade.h"
#include "support.h"

#define NOXFILE                                                  \
	"@nox.session\ndef tests(session):\n    docs('build')\n" \
	"@nox.session(name=\"type-check\")\n"                    \
	"def types(session): 'requirements.txt', 'tools'\n"        \
	"def x_y():\n"

static const char *files = "GNUmakefile";

/* Is that goal refused, or one of the two? */
static bool
refuses(const char *makefile, const char *goal)
{
	char program[] = "make", *make[] = { program, NULL };
	char *text = xstrdup(goal), *rest = text;
	char *const goals[] = { strsep(&rest, " "), rest, NULL };
	struct unmade_options options = { .goals = goals, .folder = ".",
		.makefile = "GNUmakefile", .files = files, .noxfile = "noxfile.py", .make = make };
	bool result;

	unsetenv("MAKEFLAGS");
	file_put("GNUmakefile", makefile);
	file_put("noxfile.py", NOXFILE);
	mkdir("folder", 0700);
	mkdir("tools", 0700);
	result = unmade_refuse(&options);
	free(text);
	assert_silent();
	return result;
}

static const struct {
	const char *makefile, *goal;
	bool refused;
} cases[] = {
	{ "a: ; @x\n", "folder", true },
	{ "folder: ; @x\n", "folder", false },
	{ "folder: b\nb: ; @x\n", "folder", false },
	{ "tools: b\nb: ; @x\n", "tools", true }, /* a folder, and the noxfile has the word */
	{ "a: tools ; @x\n", "a", false },
	{ "a: folder ; @x\n", "a", false },
	{ "a: folder\n", "a", true },
	{ "a: b\nb: c\nc: folder\n", "a", true },
	{ "a: b\nb: a\n", "a", false },
	{ "a: b\nb: folder\n", "a b", true }, /* either is */
	{ "a: FORCE ; @x\nFORCE:\n", "a", false },
	{ "a:\n", "a", true },
	{ ".PHONY: a b\n", "b", true },
	{ ".PHONY: a b\nb: ; @x\n", "b", false },
	{ "tests: b\nb: ; @x\n", "tests", true },
	{ "tests: b ; @x\nb: ; @x\n", "tests", false },
	{ "a: tests-3.12 ; @x\n.PHONY: tests-3.12\n", "a", true },
	{ "a: tests-3.12 ; @x\n", "a", false }, /* make says that clearly */
	{ "a: tests-data.json ; @x\ntests-%: ; @x\n", "a", false },
	{ "tests-%: ; @x\n", "tests-live", false },
	{ "tests:\n", "tests", true },
	{ "type-check: b\nb: ; @x\n", "type-check", true },
	/* The noxfile has these words, but no session is called so. */
	{ "a: lint b\nb lint: ; @x\n", "a", false },
	{ "test: b\nb: ; @x\n", "test", false },
	{ "y: b\nb: ; @x\n", "y", false },
	{ "build: b\nb: ; @x\n", "build", false },
	{ "a: requirements.txt ; @x\n", "a", false },
	/* What make says is clear, or a rule of its own. */
	{ "a: ; @x\n", "b", false },
	{ "%.html: %.py ; @x\n", "noxfile.html", false },
	{ "a:: ; @x\n", "a", false },
	{ "a: ; @x\n", "größe", false },
};

START_TEST(goals_that_need_a_session_are_refused)
{
	int state = folder_make(".nox/.noxmk");

	ck_assert_int_eq(refuses(cases[_i].makefile, cases[_i].goal), cases[_i].refused);
	ck_assert_int_eq(file_there(".nox/.noxmk/sessions.mk"), cases[_i].refused);
	if (cases[_i].refused) {
		char *text = file_get(".nox/.noxmk/sessions.mk");
		char *wanted = xasprintf("_noxmk.refused := %s\n# end\n", cases[_i].goal);

		ck_assert_str_eq(text, wanted);
		free(wanted);
		free(text);
	}
	close(state);
}
END_TEST

/* Somebody else has made a plan; or there is a makefile that was not read. */
START_TEST(where_it_is_not_certain_nothing_is_refused)
{
	close(folder_make(".nox/.noxmk"));
	files = "GNUmakefile two.mk";
	ck_assert(!refuses("a: ; @x\n", "folder"));
	files = "GNUmakefile";
	file_put(".nox/.noxmk/sessions.mk", "# end\n");
	ck_assert(!refuses("a: ; @x\n", "folder"));
	unlink(".nox/.noxmk/sessions.mk");
	ck_assert(refuses("a: ; @x\n", "folder"));
}
END_TEST

/* Then make fails as it is. */
START_TEST(without_a_state_folder_nothing_is_refused)
{
	ck_assert(!refuses("a: ; @x\n", "folder"));
	ck_assert(!file_there(".nox"));
}
END_TEST

Suite *
check_unmade_suite(void)
{
	Suite *suite = suite_create("unmade");
	TCase *tc = support_case(suite, "unmade");

	tcase_add_loop_test(tc, goals_that_need_a_session_are_refused, 0, (int)countof(cases));
	tcase_add_test(tc, where_it_is_not_certain_nothing_is_refused);
	tcase_add_test(tc, without_a_state_folder_nothing_is_refused);
	return suite;
}
