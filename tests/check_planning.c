#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nox/planning.h"
#include "support.h"

/* noxmk plan with the helper as nox, which does these verbs. */
static int
plan(const char *const *verbs)
{
	struct planning_options options = { .share = "share", .noxfile = "noxfile.py",
		.inputs = "NOX=x" };
	int code;

	strings_add(&options.nox, helper_path());
	while (*verbs)
		strings_add(&options.nox, *verbs++);
	strings_add(&options.reserved, "clean");
	code = planning_run(&options);
	free(options.nox.v);
	free(options.reserved.v);
	return code;
}
#define PLAN(...) plan((const char *const[]){ __VA_ARGS__, NULL })
#define GIVE_FACTS "copy", "facts", ".nox/.noxmk/facts.json"

/* The file facts, which the helper can give as the probe would. */
static void
put_facts(const char *sessions, const char *depends)
{
	json_t *facts = facts_json(sessions, "[0]");

	json_object_set_new(facts, "depends", json_of(depends));
	json_dump_file(facts, "facts", 0);
	json_decref(facts);
}

static void
assert_no_plan(void)
{
	ck_assert(!file_there(".nox/.noxmk/plan.jsonl"));
	ck_assert(!file_there(".nox/.noxmk/sessions.mk"));
	ck_assert(!file_there(".nox/.noxmk/facts.json"));
	ck_assert(!file_there(".nox/.noxmk/probe.py"));
}

START_TEST(facts_become_a_plan)
{
	char *rules, *cwd = getcwd(NULL, 0), *wanted;

	put_facts("[{'name':'clean'}]", "['noxfile.py']");
	ck_assert_int_eq(PLAN(GIVE_FACTS, "env", "NOXMK_PROBE_NOXFILE", "env", "NOXMK_PROBE_OUT",
	    "env", "NOXMK_PROBE_CWD", "env", "PYTHONHASHSEED", "env", "NOXMK_PROBE_UNSET",
	    "exit", "0"), 0);
	rules = file_get(".nox/.noxmk/sessions.mk");
	ck_assert_ptr_nonnull(strstr(rules, "_noxmk.planned := NOX=x\n"
		"_noxmk.sessions := nox-clean\n"));
	ck_assert(file_there(".nox/.noxmk/plan.jsonl"));
	ck_assert(!file_there(".nox/.noxmk/facts.json"));
	/* What nox prints is for people, and not for make. */
	wanted = xasprintf("NOXMK_PROBE_NOXFILE=noxfile.py\n"
			   "NOXMK_PROBE_OUT=%s/.nox/.noxmk/facts.json\n"
			   "NOXMK_PROBE_CWD=%s\nPYTHONHASHSEED=0\n"
			   "NOXMK_PROBE_UNSET=PYTHONHASHSEED\n",
	    cwd, cwd);
	ck_assert_str_eq(warnings(), wanted);
	free(wanted);
	free(rules);
	free(cwd);
}
END_TEST

START_TEST(the_users_hash_seed_stays)
{
	put_facts("[{'name':'a'}]", "[]");
	setenv("PYTHONHASHSEED", "7", 1);
	ck_assert_int_eq(PLAN(GIVE_FACTS, "env", "PYTHONHASHSEED", "env", "NOXMK_PROBE_UNSET",
	    "exit", "0"), 0);
	unsetenv("PYTHONHASHSEED");
	ck_assert_str_eq(warnings(), "PYTHONHASHSEED=7\nNOXMK_PROBE_UNSET unset\n");
}
END_TEST

START_TEST(a_failure_removes_the_old_plan)
{
	put_facts("[{'name':'a'}]", "[]");
	ck_assert_int_eq(PLAN(GIVE_FACTS, "exit", "0"), 0);
	ck_assert_int_eq(PLAN("err", "Traceback", "exit", "1"), 1);
	assert_warned("Traceback\n");
	assert_warned("noxfile.py does not load (nox: exit 1): no session can run until it does");
	assert_no_plan();
	ck_assert_int_eq(PLAN("die", "9"), 128 + 9);
}
END_TEST

START_TEST(without_facts_there_is_no_plan)
{
	ck_assert_int_eq(PLAN("exit", "0"), EXIT_HELPER);
	assert_warned("nox ended without telling about the noxfile");
	assert_no_plan();
	/* Those of a helper that was killed are not believed. */
	put_facts("[{'name':'a'}]", "[]");
	ck_assert_int_eq(rename("facts", ".nox/.noxmk/facts.json"), 0);
	ck_assert_int_eq(PLAN("exit", "0"), EXIT_HELPER);
	assert_no_plan();
	file_put("facts", "{\"schema\":1");
	ck_assert_int_eq(PLAN(GIVE_FACTS, "exit", "0"), EXIT_HELPER);
	assert_no_plan();
	file_put("facts", "{\"schema\":1}");
	ck_assert_int_eq(PLAN(GIVE_FACTS, "exit", "0"), EXIT_HELPER);
	assert_warned(".nox/.noxmk/facts.json: \"sessions\" is not a list");
	assert_no_plan();
}
END_TEST

START_TEST(without_nox_there_is_no_plan)
{
	static const char *nox[] = { "./no-nox" };
	struct planning_options options = { .share = "share", .noxfile = "noxfile.py", .inputs = "",
		.nox = { nox, 1 } };

	ck_assert_int_eq(planning_run(&options), EXIT_HELPER);
	assert_warned("cannot run nox (NOX='./no-nox')");
	assert_no_plan();
}
END_TEST

START_TEST(an_unknown_nox_is_asked_for_a_list)
{
	char *lines;

	file_put("noxfile.py", "");
	file_put("all", "[{\"session\":\"a\",\"name\":\"a\",\"description\":\"\"}]");
	/* As the probe it is lost: exit 97; then it lists. */
	file_put("nox", "#!/bin/sh\ncase \"$*\" in *--json*) cat all;; *) exit 97;; esac\n");
	ck_assert_int_eq(chmod("nox", 0755), 0);
	static const char *nox[] = { "./nox" };
	struct planning_options options = { .share = "share", .noxfile = "noxfile.py", .inputs = "",
		.nox = { nox, 1 } };

	ck_assert_int_eq(planning_run(&options), 0);
	assert_warned("planned from `nox --list --json`");
	lines = file_get(".nox/.noxmk/plan.jsonl");
	ck_assert_ptr_nonnull(strstr(lines, "\"python\":null"));
	free(lines);
	ck_assert_int_eq(PLAN("exit", "97"), EXIT_HELPER);
	assert_no_plan();
}
END_TEST

/* A noxfile's head and what of it the probe carries. */
static const struct {
	const char *noxfile, *block; /* block NULL: none, the installed probe is used as it is */
} scripts[] = {
	{ "# /// script\n# dependencies = [\"nox\"]\n# ///\nimport nox\n",
	    "# /// script\n# dependencies = [\"nox\"]\n# ///\n" },
	{ "#!/usr/bin/env python\n\n# /// script  \t\n#\n# ///\n", "# /// script  \t\n#\n# ///\n" },
	{ "# /// script\r\n# x\r\n# ///\r\ny", "# /// script\r\n# x\r\n# ///\r\n" },
	{ "# /// script\n# ///", "# /// script\n# ///" },
	{ "x\r# /// script\r# a\r# ///\r", "# /// script\r# a\r# ///\r" },
	{ "# /// script\nimport nox\n# ///\n", NULL },
	{ "# /// script\n# never closed\n", NULL },
	{ "# /// scripts\n# x\n# ///\n", NULL },
	{ "# /// pyproject\n# x\n# ///\n", NULL },
	{ " # /// script\n# x\n# ///\n", NULL },
	{ "# ///\n", NULL },
	{ "", NULL },
	/* The first line that is no comment ends it; a later block counts. */
	{ "# /// script\n\n# /// script\n# x\n# ///\n", "# /// script\n# x\n# ///\n" },
};

START_TEST(the_probe_carries_the_script_block)
{
	char *wanted = xasprintf("%sprobe\n", scripts[_i].block ? scripts[_i].block : "");

	close(folder_make("share"));
	file_put("share/probe.py", "probe\n");
	file_put("noxfile.py", scripts[_i].noxfile);
	put_facts("[{'name':'a'}]", "[]");
	/* The probe is the word behind -f, which no verb of the helper's looks at. */
	file_put("nox", "#!/bin/sh\ncp \"$2\" probe\ncp facts .nox/.noxmk/facts.json\n");
	ck_assert_int_eq(chmod("nox", 0755), 0);
	static const char *nox[] = { "./nox" };
	struct planning_options options = { .share = "share", .noxfile = "noxfile.py", .inputs = "",
		.nox = { nox, 1 } };

	ck_assert_int_eq(planning_run(&options), 0);
	assert_file("probe", wanted);
	ck_assert(!file_there(".nox/.noxmk/probe.py"));
	free(wanted);
}
END_TEST

START_TEST(a_probe_that_cannot_be_copied_is_warned_of)
{
	file_put("noxfile.py", "# /// script\n# ///\n");
	ck_assert_int_eq(PLAN("exit", "0"), EXIT_HELPER);
	assert_warned("share/probe.py: No such file");
	close(folder_make("share"));
	file_put("share/probe.py", "");
	close(folder_make(".nox/.noxmk/probe.py/x"));
	ck_assert_int_eq(PLAN("exit", "0"), EXIT_HELPER);
	assert_warned(".nox/.noxmk/probe.py: Is a directory");
}
END_TEST

START_TEST(a_plan_that_cannot_be_written_is_warned_of)
{
	put_facts("[{'name':'a'}]", "[]");
	close(folder_make(".nox"));
	file_put(".nox/.noxmk", "a file");
	ck_assert_int_eq(PLAN("exit", "0"), EXIT_HELPER);
	unlink(".nox/.noxmk");
	close(folder_make(".nox/.noxmk/plan.jsonl/x"));
	ck_assert_int_eq(PLAN(GIVE_FACTS, "exit", "0"), EXIT_HELPER);
	assert_warned(".nox/.noxmk/plan.jsonl: Is a directory");
	ck_assert_int_eq(rename(".nox/.noxmk/plan.jsonl", ".nox/.noxmk/sessions.mk"), 0);
	ck_assert_int_eq(PLAN(GIVE_FACTS, "exit", "0"), EXIT_HELPER);
	assert_warned(".nox/.noxmk/sessions.mk: Is a directory");
	ck_assert(!file_there(".nox/.noxmk/plan.jsonl"));
}
END_TEST

/* A folder that is too deep to have a name. */
START_TEST(a_folder_without_a_path_is_warned_of)
{
	enum { LENGTH = 250, DEPTH = PATH_MAX / LENGTH + 1 };
	char name[LENGTH + 1];
	int code;

	memset(name, 'n', LENGTH);
	name[LENGTH] = '\0';
	for (int i = 0; i < DEPTH; i++)
		ck_assert(mkdir(name, 0777) == 0 && chdir(name) == 0);
	code = PLAN("exit", "0");
	unlink(".nox/.noxmk/.gitignore");
	unlink(".nox/.noxmk/CACHEDIR.TAG");
	unlink(".nox/.noxmk/lock");
	rmdir(".nox/.noxmk");
	rmdir(".nox");
	/* What cleans up behind the tests needs names. */
	for (int i = 0; i < DEPTH; i++)
		ck_assert(chdir("..") == 0 && rmdir(name) == 0);
	ck_assert_int_eq(code, EXIT_HELPER);
	assert_warned("the current folder: ");
}
END_TEST

static void
set_mtime(const char *name, time_t seconds, long nanoseconds)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { seconds, nanoseconds } };

	ck_assert_int_eq(utimensat(AT_FDCWD, name, times, 0), 0);
}

/* Newer dependencies would make make remake the plan for ever. */
START_TEST(the_plan_is_as_new_as_its_dependencies)
{
	struct stat st;

	put_facts("[{'name':'a'}]", "['old','new','newer','none']");
	file_put("old", "");
	file_put("new", "");
	file_put("newer", "");
	set_mtime("old", 1000, 0);
	set_mtime("new", 4000000000, 100);
	set_mtime("newer", 4000000000, 200);
	ck_assert_int_eq(PLAN(GIVE_FACTS, "exit", "0"), 0);
	ck_assert_int_eq(stat(".nox/.noxmk/sessions.mk", &st), 0);
	ck_assert_int_eq(st.st_mtim.tv_sec, 4000000000);
	ck_assert_int_eq(st.st_mtim.tv_nsec, 200);
	unlink("new");
	unlink("newer");
	ck_assert_int_eq(PLAN(GIVE_FACTS, "exit", "0"), 0);
	ck_assert_int_eq(stat(".nox/.noxmk/sessions.mk", &st), 0);
	ck_assert_int_lt(st.st_mtim.tv_sec, 4000000000);
	ck_assert_int_gt(st.st_mtim.tv_sec, 1000);
}
END_TEST

Suite *
check_planning_suite(void)
{
	Suite *suite = suite_create("planning");
	TCase *tc = support_case(suite, "probe");

	tcase_add_test(tc, facts_become_a_plan);
	tcase_add_test(tc, the_users_hash_seed_stays);
	tcase_add_test(tc, a_failure_removes_the_old_plan);
	tcase_add_test(tc, without_facts_there_is_no_plan);
	support_spawn_failure_test(tc, without_nox_there_is_no_plan);
	tcase_add_test(tc, an_unknown_nox_is_asked_for_a_list);
	tc = support_case(suite, "script");
	tcase_add_loop_test(tc, the_probe_carries_the_script_block, 0, countof(scripts));
	tcase_add_test(tc, a_probe_that_cannot_be_copied_is_warned_of);
	tc = support_case(suite, "write");
	tcase_add_test(tc, a_plan_that_cannot_be_written_is_warned_of);
	tcase_add_test(tc, a_folder_without_a_path_is_warned_of);
	tcase_add_test(tc, the_plan_is_as_new_as_its_dependencies);
	return suite;
}
