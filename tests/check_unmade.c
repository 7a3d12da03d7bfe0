#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"
#include "unmade.h"

#define NOXFILE                                                                    \
	"@nox.session\ndef tests(session):\n    docs('build')\n"                   \
	"@nox.session(name=\"type-check\")\ndef types(session): 'lint'\ndef x_y():\n"

static int
check(const char *makefile, const char *goal)
{
	char program[] = "make", *make[] = { program, NULL };
	char *const goals[] = { xstrdup(goal), NULL };
	struct unmade_options options = { .goals = goals, .folder = ".",
		.makefile = "GNUmakefile", .noxfile = "noxfile.py", .make = make };
	int result;

	unsetenv("MAKEFLAGS");
	file_put("GNUmakefile", makefile);
	file_put("noxfile.py", NOXFILE);
	mkdir("folder", 0700);
	result = unmade_check(&options);
	free(goals[0]);
	return result;
}

/* A makefile, a goal, and the target that no recipe makes, if there is one. */
static const struct {
	const char *makefile, *goal, *unmade;
} plain[] = {
	{ "a: ; @x\n", "folder", "folder: " },
	{ "folder: ; @x\n", "folder", NULL },
	{ "folder: b\nb: ; @x\n", "folder", NULL },
	{ "a: folder ; @x\n", "a", NULL },
	{ "a: folder\n", "a", "folder, needed by a: " },
	{ "a: b\nb: c\nc: folder\n", "a", "folder, needed by a: " },
	{ "a: b\nb: a\n", "a", NULL },
	{ "a: FORCE ; @x\nFORCE:\n", "a", NULL },
	{ ".PHONY: a\n", "a", "a: " },
	{ "%: x-%; @x\n", "noxfile.py", NULL },
	{ "tests: b\nb: ; @x\n", "tests", "tests: " },
	{ "tests: b ; @x\nb: ; @x\n", "tests", NULL },
	{ "a: tests-3.12 ; @x\n", "a", "tests-3.12, needed by a: " },
	{ "a: lint b\nb: ; @x\n", "a", "lint, needed by a: " },
	{ "type-check: b\nb: ; @x\n", "type-check", "type-check: " },
	/* The noxfile has these words, but no session may be called so. */
	{ "test: b\nb: ; @x\n", "test", NULL },
	{ "x: b\nb: ; @x\n", "x", NULL },
	{ "y: b\nb: ; @x\n", "y", NULL },
	{ "session: b\nb: ; @x\n", "session", NULL },
};

START_TEST(without_a_plan)
{
	int result = check(plain[_i].makefile, plain[_i].goal);

	ck_assert_int_eq(result, plain[_i].unmade ? -1 : 0);
	if (plain[_i].unmade) {
		assert_warned(plain[_i].unmade);
		assert_warned("there is no plan");
	} else {
		assert_silent();
	}
}
END_TEST

/* Then a target of the makefiles is theirs. */
START_TEST(with_a_plan)
{
	struct facts *facts = facts_of("[{'name':'lint'},{'name':'folders'}]", "[0]");
	int state = folder_make(".nox/.noxmk");

	plan_put(state, facts, NULL, NULL);
	facts_free(facts);
	close(state);
	ck_assert_int_eq(check("folder: b\n", "folder"), 0);
	assert_silent();
	ck_assert_int_eq(check("a: folder\n", "folder"), -1);
	assert_warned("folder: no target of this plan (`make nox-list` lists them); did you mean "
		      "folders?");
}
END_TEST

Suite *
check_unmade_suite(void)
{
	Suite *suite = suite_create("unmade");
	TCase *tc = support_case(suite, "unmade");

	tcase_add_loop_test(tc, without_a_plan, 0, countof(plain));
	tcase_add_test(tc, with_a_plan);
	return suite;
}
