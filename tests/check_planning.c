#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "nox/planning.h"
#include "support.h"

/* noxmk plan with the helper as nox, which does these verbs. */
static int
plan(const char *const *verbs)
{
	struct buffer nox = { 0 };
	int code;

	buffer_add_shell(&nox, helper_path());
	for (; *verbs; verbs++) {
		buffer_addstr(&nox, " ");
		buffer_add_shell(&nox, *verbs);
	}
	code = planning_run(&(struct planning_options){ .share = "share", .nox = nox.data,
		.noxfile = "noxfile.py", .reserved = "clean" });
	buffer_free(&nox);
	return code;
}
#define PLAN(...) plan((const char *const[]){ __VA_ARGS__, NULL })
#define GIVE_FACTS "give", "facts", "NOXMK_PROBE_OUT"

static void
setup(void)
{
	file_put("noxfile.py", "");
}

/* The file facts, which the helper can give as the probe would. */
static void
put_facts(const char *sessions)
{
	json_t *facts = facts_json(sessions, "[0]");

	json_dump_file(facts, "facts", 0);
	json_decref(facts);
}

static void
assert_no_scratch(void)
{
	ck_assert_int_ne(system("ls -d .nox/.noxmk/planning.* 2>scratch"), 0);
}

static void
assert_no_plan(void)
{
	ck_assert(!file_there(".nox/.noxmk/plan.jsonl"));
	ck_assert(!file_there(".nox/.noxmk/sessions.mk"));
	assert_no_scratch();
}

START_TEST(facts_become_a_plan)
{
	char *rules, *cwd = getcwd(NULL, 0), *wanted, *line;

	put_facts("[{'name':'clean'}]");
	ck_assert_int_eq(PLAN(GIVE_FACTS, "env", "NOXMK_PROBE_NOXFILE", "env", "NOXMK_PROBE_OUT",
	    "env", "NOXMK_PROBE_CWD", "env", "NOXMK_PROBE_SHARE", "env", "PYTHONHASHSEED",
	    "env", "NOXMK_PROBE_UNSET",
	    "exit", "0"), 0);
	rules = file_get(".nox/.noxmk/sessions.mk");
	ck_assert_ptr_nonnull(strstr(rules, "_noxmk.sessions := nox-clean\n"));
	ck_assert(file_there(".nox/.noxmk/plan.jsonl"));
	assert_no_scratch();
	/* What nox prints is for people, and not for make. */
	wanted = xasprintf("NOXMK_PROBE_NOXFILE=noxfile.py\n"
			   "NOXMK_PROBE_OUT=%s/.nox/.noxmk/planning.XXXXXX/facts.json\n"
			   "NOXMK_PROBE_CWD=%s\nNOXMK_PROBE_SHARE=share\nPYTHONHASHSEED=0\n"
			   "NOXMK_PROBE_UNSET=PYTHONHASHSEED\n",
	    cwd, cwd);
	/* The last letters differ each time. */
	line = strstr(warnings(), "planning.");
	ck_assert_ptr_nonnull(line);
	memset(strchr(line, '.') + 1, 'X', strlen("XXXXXX"));
	ck_assert_str_eq(warnings(), wanted);
	free(wanted);
	free(rules);
	free(cwd);
}
END_TEST

START_TEST(the_users_hash_seed_stays)
{
	put_facts("[{'name':'a'}]");
	setenv("PYTHONHASHSEED", "7", 1);
	ck_assert_int_eq(PLAN(GIVE_FACTS, "env", "PYTHONHASHSEED", "env", "NOXMK_PROBE_UNSET",
	    "exit", "0"), 0);
	unsetenv("PYTHONHASHSEED");
	ck_assert_str_eq(warnings(), "PYTHONHASHSEED=7\nNOXMK_PROBE_UNSET unset\n");
}
END_TEST

START_TEST(a_failure_removes_the_old_plan)
{
	put_facts("[{'name':'a'}]");
	ck_assert_int_eq(PLAN(GIVE_FACTS, "exit", "0"), 0);
	ck_assert_int_eq(PLAN("err", "Traceback", "exit", "1"), 1);
	assert_warned("Traceback\n");
	assert_warned("noxfile.py does not load (nox: exit 1): no session can run until it does");
	assert_no_plan();
	ck_assert_int_eq(PLAN("die", "9"), 128 + 9);
}
END_TEST

static int
plan_by(const char *nox)
{
	return planning_run(&(struct planning_options){ .share = "share", .nox = nox });
}

/* What would run sessions instead of planning them. */
static const struct {
	const char *nox, *words;
} bad_commands[] = {
	{ "nox 'x", "NOX has a ' without its second: NOX=nox 'x" },
	{ "nox \\", "NOX ends in a backslash" },
	{ "nox -- -v", "NOX has a `--`, and no nox behind it" },
	{ "nox --", "words for the sessions go into ARGS" },
	{ "uv run -- nox -- x", "NOX has a `--`" },
	{ "./wrapper --", "NOX has a `--`" },
};

START_TEST(a_command_that_cannot_be_is_refused_before_it_runs)
{
	put_facts("[{'name':'a'}]");
	ck_assert_int_eq(PLAN(GIVE_FACTS, "exit", "0"), 0);
	ck_assert_int_eq(plan_by(bad_commands[_i].nox), EXIT_USAGE);
	assert_warned(bad_commands[_i].words);
	assert_no_plan();
	ck_assert(!file_there(".nox/.noxmk/inputs.json"));
}
END_TEST

START_TEST(words_before_nox_are_the_wrappers)
{
	file_put("nox", "#!/bin/sh\necho \"$X,$Y,$1,$2\" >words\nexit 1\n");
	ck_assert_int_eq(chmod("nox", 0755), 0);
	ck_assert_int_eq(plan_by("env -- X=1 'Y=a b' ./nox -x \"p q\""), 1);
	assert_file("words", "1,a b,-x,p q\n");
}
END_TEST

START_TEST(a_plan_that_comes_out_the_same_stays)
{
	struct stat before, after;

	put_facts("[{'name':'a'}]");
	ck_assert_int_eq(PLAN(GIVE_FACTS, "exit", "0"), 0);
	ck_assert_int_eq(stat(".nox/.noxmk/sessions.mk", &before), 0);
	ck_assert_int_eq(PLAN(GIVE_FACTS, "exit", "0"), 0);
	ck_assert_int_eq(stat(".nox/.noxmk/sessions.mk", &after), 0);
	ck_assert_int_eq(before.st_ino, after.st_ino);
	put_facts("[{'name':'b'}]");
	ck_assert_int_eq(PLAN(GIVE_FACTS, "exit", "0"), 0);
	ck_assert_int_eq(stat(".nox/.noxmk/sessions.mk", &after), 0);
	ck_assert_int_ne(before.st_ino, after.st_ino);
}
END_TEST

/* The second time the command is not asked: it would have failed. */
START_TEST(a_plan_that_holds_is_not_made_anew)
{
	struct planning_options options = { .share = "share", .only_if_stale = true,
		.nox = "./nox" };

	file_put("noxfile.py", "");
	file_put("nox", "#!/bin/sh\ncp facts \"$NOXMK_PROBE_OUT\" && rm facts\n");
	ck_assert_int_eq(chmod("nox", 0755), 0);
	ck_assert_int_eq(system("touch -d @1000 nox noxfile.py"), 0);
	put_facts("[{'name':'a'}]");
	ck_assert_int_eq(planning_run(&options), 0);
	ck_assert_int_eq(planning_run(&options), 0);
	/* By hand it is, with the command of the last time. */
	options = (struct planning_options){ .share = "share" };
	ck_assert_int_ne(planning_run(&options), 0);
	assert_warned("facts");
}
END_TEST

START_TEST(that_a_plan_is_stale_is_told)
{
	struct planning_options options = { .share = "share", .nox = "./nox" };
	int state;

	file_put("noxfile.py", "");
	file_put("nox", "#!/bin/sh\ncp facts \"$NOXMK_PROBE_OUT\"\n");
	ck_assert_int_eq(chmod("nox", 0755), 0);
	ck_assert_int_eq(system("touch -d @1000 nox noxfile.py"), 0);
	put_facts("[{'name':'a'}]");
	ck_assert_int_eq(planning_run(&options), 0);
	state = open(".nox/.noxmk", O_RDONLY | O_DIRECTORY);
	planning_warn_stale(state);
	assert_silent();
	setenv("NOX_TAGS", "x", 1);
	planning_warn_stale(state);
	assert_warned("the plan is stale, as its environment has changed: `noxmk plan`, or the "
	    "next make, makes it anew");
	unsetenv("NOX_TAGS");
	file_put("noxfile.py", "changed");
	planning_warn_stale(state);
	assert_warned("the plan is stale, as noxfile.py has changed: ");
	close(state);
}
END_TEST

START_TEST(make_tells_the_knobs_by_the_environment)
{
	json_t *inputs;

	setenv("NOXMK_TOLD_NOX", "./none $(x)", 1);
	setenv("NOXMK_TOLD_NOXFILE", "a b.py", 1);
	setenv("NOXMK_TOLD_RESERVED", "clean  all", 1);
	file_put("a b.py", "");
	ck_assert_int_eq(planning_run(&(struct planning_options){ .share = "share" }),
	    EXIT_HELPER);
	assert_warned("cannot run nox (NOX='./none')");
	put_facts("[{'name':'clean'},{'name':'all'}]");
	file_put("nox", "#!/bin/sh\ncp facts \"$NOXMK_PROBE_OUT\"\n");
	ck_assert_int_eq(chmod("nox", 0755), 0);
	setenv("NOXMK_TOLD_NOX", "./nox $(x)", 1);
	ck_assert_int_eq(planning_run(&(struct planning_options){ .share = "share" }), 0);
	inputs = json_load_file(".nox/.noxmk/inputs.json", 0, NULL);
	ck_assert_str_eq(json_text(json_object_get(inputs, "knobs"), "NOX"), "./nox $(x)");
	ck_assert_str_eq(json_text(json_object_get(inputs, "knobs"), "NOXMK_NOXFILE"), "a b.py");
	json_decref(inputs);
	inputs = json_load_file(".nox/.noxmk/plan.jsonl", JSON_DISABLE_EOF_CHECK, NULL);
	ck_assert_str_eq(json_text(inputs, "noxfile"), "a b.py");
	json_decref(inputs);
}
END_TEST

#define WITHOUT "noxfile.py: No such file or directory: go to the project's folder, or write one"

START_TEST(a_folder_without_a_noxfile_is_left_as_it_is)
{
	unlink("noxfile.py");
	ck_assert_int_eq(PLAN("die", "9"), EXIT_USAGE);
	assert_warned(WITHOUT);
	ck_assert(!file_there(".nox"));
	/* Where there was one, the plan is none any more. */
	put_facts("[{'name':'a'}]");
	file_put("noxfile.py", "");
	ck_assert_int_eq(PLAN(GIVE_FACTS, "exit", "0"), 0);
	unlink("noxfile.py");
	ck_assert_int_eq(PLAN("die", "9"), EXIT_USAGE);
	assert_warned(WITHOUT);
	assert_no_plan();
}
END_TEST

START_TEST(without_facts_there_is_no_plan)
{
	ck_assert_int_eq(PLAN("exit", "0"), EXIT_HELPER);
	assert_warned("has ended well and not run nox for the noxfile");
	assert_no_plan();
	/* Those of a helper that was killed are not believed, and go. */
	close(folder_make(".nox/.noxmk/planning.killed"));
	put_facts("[{'name':'a'}]");
	ck_assert_int_eq(rename("facts", ".nox/.noxmk/planning.killed/facts.json"), 0);
	ck_assert_int_eq(PLAN("exit", "0"), EXIT_HELPER);
	assert_no_plan();
	file_put("facts", "{\"schema\":1");
	ck_assert_int_eq(PLAN(GIVE_FACTS, "exit", "0"), EXIT_HELPER);
	assert_warned("nox ended without telling about the noxfile");
	assert_no_plan();
	file_put("facts", "{\"schema\":1}");
	ck_assert_int_eq(PLAN(GIVE_FACTS, "exit", "0"), EXIT_HELPER);
	assert_warned("facts.json: \"sessions\" is not a list");
	assert_no_plan();
}
END_TEST

START_TEST(without_nox_there_is_no_plan)
{
	struct planning_options options = { .share = "share", .noxfile = "noxfile.py",
		.nox = "./no-nox" };

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
	struct planning_options options = { .share = "share", .noxfile = "noxfile.py",
		.nox = "./nox" };

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
	put_facts("[{'name':'a'}]");
	/* The probe is the word behind -f, which no verb of the helper's looks at. */
	file_put("nox", "#!/bin/sh\ncp \"$2\" probe\ncp facts \"$NOXMK_PROBE_OUT\"\n");
	ck_assert_int_eq(chmod("nox", 0755), 0);
	struct planning_options options = { .share = "share", .noxfile = "noxfile.py",
		.nox = "./nox" };

	ck_assert_int_eq(planning_run(&options), 0);
	assert_file("probe", wanted);
	assert_no_scratch();
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
	file_put("share/probe.py", "more than there is room for");
	limit_set(RLIMIT_FSIZE, 24);
	ck_assert_int_eq(PLAN("exit", "0"), EXIT_HELPER);
	limit_restore();
	assert_warned("/probe.py: File too large");
}
END_TEST

START_TEST(a_plan_that_cannot_be_written_is_warned_of)
{
	put_facts("[{'name':'a'}]");
	close(folder_make(".nox"));
	file_put(".nox/.noxmk", "a file");
	ck_assert_int_eq(PLAN("exit", "0"), EXIT_HELPER);
	unlink(".nox/.noxmk");
	/* A folder makes place for it. */
	close(folder_make(".nox/.noxmk/plan.jsonl/x"));
	close(folder_make(".nox/.noxmk/sessions.mk/x"));
	ck_assert_int_eq(PLAN(GIVE_FACTS, "exit", "0"), 0);
	ck_assert(file_there(".nox/.noxmk/plan.jsonl") && !file_there(".nox/.noxmk/plan.jsonl/x"));
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
	file_put("noxfile.py", "");
	code = PLAN("exit", "0");
	unlink("noxfile.py");
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

Suite *
check_planning_suite(void)
{
	Suite *suite = suite_create("planning");
	TCase *tc = support_case(suite, "probe");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, facts_become_a_plan);
	tcase_add_test(tc, the_users_hash_seed_stays);
	tcase_add_test(tc, a_failure_removes_the_old_plan);
	tcase_add_test(tc, a_folder_without_a_noxfile_is_left_as_it_is);
	tcase_add_test(tc, without_facts_there_is_no_plan);
	support_spawn_failure_test(tc, without_nox_there_is_no_plan);
	tcase_add_test(tc, an_unknown_nox_is_asked_for_a_list);
	tc = support_case(suite, "knobs");
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_loop_test(tc, a_command_that_cannot_be_is_refused_before_it_runs, 0,
	    countof(bad_commands));
	tcase_add_test(tc, words_before_nox_are_the_wrappers);
	tcase_add_test(tc, a_plan_that_comes_out_the_same_stays);
	tcase_add_test(tc, a_plan_that_holds_is_not_made_anew);
	tcase_add_test(tc, that_a_plan_is_stale_is_told);
	tcase_add_test(tc, make_tells_the_knobs_by_the_environment);
	tc = support_case(suite, "script");
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_loop_test(tc, the_probe_carries_the_script_block, 0, countof(scripts));
	tcase_add_test(tc, a_probe_that_cannot_be_copied_is_warned_of);
	tc = support_case(suite, "write");
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, a_plan_that_cannot_be_written_is_warned_of);
	tcase_add_test(tc, a_folder_without_a_path_is_warned_of);
	return suite;
}
