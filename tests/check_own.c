#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "makefile/own.h"
#include "support.h"

/* A plan of a, b, c, d, of which c requires b; ci is a and c. */
static void
plan(int state)
{
	struct facts *facts = facts_of("[{'name':'a'},{'name':'b'},"
				       "{'name':'c','requires':[1]},{'name':'d'}]", "[0,2]");

	plan_put(state, facts, NULL, NULL);
	facts_free(facts);
}

static void
update(int state, const char *of)
{
	char program[] = "make", *make[] = { program, NULL };
	struct own_options options = { .state = state, .of = of, .folder = ".",
		.makefile = "GNUmakefile", .make = make };

	unsetenv("MAKEFLAGS");
	own_update(&options);
}

/* What own.mk says for that makefile, from the goals on. The caller frees. */
static char *
own_of(const char *makefile)
{
	int state = folder_make(".noxmk");
	char *text, *start;

	plan(state);
	file_put("GNUmakefile", makefile);
	update(state, "GNUmakefile");
	text = file_get(".noxmk/own.mk");
	start = strchr(strstr(text, "\n# ") + 1, '\n') + 1;
	memmove(text, start, strlen(start) + 1);
	close(state);
	return text;
}

#define NOTHING "_noxmk.own_targets :=\n_noxmk.own_inners :=\n"
#define NO_RECIPES "_noxmk.own_recipes :=\n# end\n"

static const struct {
	const char *makefile, *own;
} makefiles[] = {
	{ "x: y\ny: z\n", "_noxmk.own_goals :=\n" NOTHING NO_RECIPES },
	{ "x: y\ny: a\nz: y ci\n",
	    "_noxmk.own_goal/x := a\n_noxmk.own_goal/y := a\n_noxmk.own_goal/z := a ci\n"
	    "_noxmk.own_goals := x y z\n" NOTHING NO_RECIPES },
	/* Files come first. */
	{ "a: x | y\nx: z\n",
	    "_noxmk.own_goals :=\n_noxmk.own/a := x y\n_noxmk.own_needs/a :=\n"
	    "_noxmk.own_brings/a :=\n_noxmk.own_inner/a :=\n"
	    "_noxmk.own_targets := a\n_noxmk.own_inners :=\n_noxmk.own_behind/x :=\n"
	    "_noxmk.own_behind/y :=\n" NO_RECIPES },
	/* So do sessions, of which a group is several; and what these require runs, too. */
	{ "d: ci\n",
	    "_noxmk.own_goal/d := ci\n_noxmk.own_goals := d\n"
	    "_noxmk.own/d := .noxmk/run/a .noxmk/run/c\n_noxmk.own_needs/d := a c\n"
	    "_noxmk.own_brings/d := a c b\n_noxmk.own_inner/d :=\n"
	    "_noxmk.own_targets := d\n_noxmk.own_inners :=\n" NO_RECIPES },
	/* A group's sessions are in its company. */
	{ "ci: d x\n",
	    "_noxmk.own_goal/ci := d\n_noxmk.own_goals := ci\n_noxmk.own/ci := x\n"
	    "_noxmk.own_needs/ci :=\n_noxmk.own_brings/ci := d\n_noxmk.own_inner/ci :=\n"
	    "_noxmk.own_targets := ci\n_noxmk.own_inners :=\n_noxmk.own_behind/x :=\n" NO_RECIPES },
	/* What a file waits for ends before the summary. */
	{ "d: x\nx: c\n",
	    "_noxmk.own_goal/x := c\n_noxmk.own_goals := x\n_noxmk.own/d := x\n"
	    "_noxmk.own_needs/d :=\n_noxmk.own_brings/d := c b\n_noxmk.own_inner/d := c\n"
	    "_noxmk.own_targets := d\n_noxmk.own_inners := c\n_noxmk.own_behind/x := c b\n"
	    NO_RECIPES },
	/* A circle is make's to tell. */
	{ "b: x\nx: c\n",
	    "_noxmk.own_goal/x := c\n_noxmk.own_goals := x\n_noxmk.own/b :=\n"
	    "_noxmk.own_needs/b :=\n_noxmk.own_brings/b :=\n_noxmk.own_inner/b :=\n"
	    "_noxmk.own_targets := b\n_noxmk.own_inners :=\n" NO_RECIPES },
	{ "a: ; @x\nx: ; @y\n",
	    "_noxmk.own_goals :=\n" NOTHING "_noxmk.own_recipes := a@GNUmakefile:1\n# end\n" },
};

START_TEST(what_makefiles_say_of_our_targets)
{
	char *own = own_of(makefiles[_i].makefile);

	ck_assert_msg(strstr(own, makefiles[_i].own) != NULL || !strcmp(own, makefiles[_i].own),
	    "%s", own);
	assert_silent();
	free(own);
}
END_TEST

/* Whether own.mk is another file after that. */
static bool
is_remade(int state, const char *of)
{
	struct stat before, after;

	ck_assert_int_eq(stat(".noxmk/own.mk", &before), 0);
	update(state, of);
	ck_assert_int_eq(stat(".noxmk/own.mk", &after), 0);
	return before.st_ino != after.st_ino;
}

START_TEST(it_is_remade_when_it_holds_no_more)
{
	int state = folder_make(".noxmk");
	struct timespec old[2] = { { .tv_sec = 1000000000 }, { .tv_sec = 1000000000 } };
	struct facts *facts;

	free(own_of("x: a\n"));
	ck_assert(!is_remade(state, "GNUmakefile"));
	ck_assert_int_eq(utimensat(AT_FDCWD, "GNUmakefile", old, 0), 0);
	ck_assert(is_remade(state, "GNUmakefile"));
	ck_assert(!is_remade(state, "GNUmakefile"));
	ck_assert(is_remade(state, "GNUmakefile more.mk"));
	facts = facts_of("[{'name':'a'},{'name':'x'}]", "[0]");
	plan_put(state, facts, NULL, NULL);
	facts_free(facts);
	ck_assert(is_remade(state, "GNUmakefile more.mk"));
	file_put(".noxmk/own.mk", "nonsense\n");
	ck_assert(is_remade(state, "GNUmakefile more.mk"));
	ck_assert(is_remade(state, ""));
	ck_assert(!is_remade(state, ""));
	close(state);
}
END_TEST

START_TEST(the_order_knows_what_comes_first)
{
	int state = folder_make(".noxmk");
	json_t *goals = json_of("['d','ci']"), *active = json_object(), *after;
	struct planfile *file;

	free(own_of("d: x\nx: c\nci: y\ny: b\n"));
	file = planfile_open(state);
	own_apply(state, file, goals);
	planfile_expand(file, goals, active, true);
	after = json_object_get(json_object_get(active, "d"), "after");
	ck_assert_uint_eq(json_array_size(after), 2);
	ck_assert_str_eq(json_string_value(json_array_get(after, 0)), "c");
	ck_assert_str_eq(json_string_value(json_array_get(after, 1)), "b");
	/* A group's sessions, but not those that its prerequisites wait for. */
	after = json_object_get(json_object_get(active, "a"), "after");
	ck_assert_str_eq(json_string_value(json_array_get(after, 0)), "b");
	after = json_object_get(json_object_get(active, "b"), "after");
	ck_assert_uint_eq(json_array_size(after), 0);
	assert_silent();
	planfile_close(file);
	json_decref(active);
	json_decref(goals);
	close(state);
}
END_TEST

Suite *
check_own_suite(void)
{
	Suite *suite = suite_create("own");
	TCase *tc = support_case(suite, "own");

	tcase_add_loop_test(tc, what_makefiles_say_of_our_targets, 0, countof(makefiles));
	tcase_add_test(tc, it_is_remade_when_it_holds_no_more);
	tcase_add_test(tc, the_order_knows_what_comes_first);
	return suite;
}
