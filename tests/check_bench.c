#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report/bench.h"
#include "support.h"

#define PLAN                                                                                 \
	"{\"schema\":1,\"command\":[\"./nox\",\"-x\"],\"noxfile\":\"n.py\"}\n"               \
	"{\"target\":\"a\",\"selector\":\"a(b=1)\"}\n{\"target\":\"c\",\"selector\":\"c\"}\n" \
	"{\"group\":\"both\",\"members\":[\"a\",\"c\"]}\n"

/* For a make that only looks: all is well unless there is a complaint. */
#define LOOK "[ $1 != -n ] || { [ -e complaint ] || exit 0; cat complaint >&2; exit 2; }"

/* Programs in place of make and nox: they say how they were called, then do that. */
static void
begin(const char *make, const char *nox)
{
	static const char *const names[] = { "make", "nox" };

	close(folder_make(".nox/.noxmk"));
	file_put(".nox/.noxmk/plan.jsonl", PLAN);
	for (size_t i = 0; i < countof(names); i++) {
		char *text = xasprintf("#!/bin/sh\n%s\necho \"%s $*\" >>calls\n%s\n",
		    i ? "" : LOOK, names[i], i ? nox : make);

		file_put(names[i], text);
		ck_assert_int_eq(chmod(names[i], 0755), 0);
		free(text);
	}
	setenv("MAKE", "./make", 1);
}

/* What it prints; the caller frees. */
static char *
bench(const char *goals, unsigned rounds, int wanted)
{
	json_t *list = json_of(goals);
	struct bench_options options = { .share = "/p/share/noxmk", .noxfile = "noxfile.py",
		.jobs = 3, .rounds = rounds, .goals = list };
	int result;
	char *text;

	output_begin();
	result = bench_run(&options);
	text = output_end();
	json_decref(list);
	ck_assert_int_eq(result, wanted);
	return text;
}

#define MAKE_CALL "make -I /p/share/noxmk/../../include"

START_TEST(both_run_in_turns)
{
	char *text, *calls;

	begin("sleep 0.05", "sleep 1");
	file_put("Makefile", "include nox.mk\n");
	text = bench("[]", 3, 0);
	ck_assert_ptr_nonnull(strstr(text, "noxmk: make -j3 took "));
	ck_assert_ptr_nonnull(strstr(text, "s where nox took "));
	ck_assert_ptr_nonnull(strstr(text, " times as fast\n"));
	/* The first two are not measured. */
	assert_file("calls", MAKE_CALL " -j3 ci\nnox -x -f n.py\nnox -x -f n.py\n" MAKE_CALL
		    " -j3 ci\n" MAKE_CALL " -j3 ci\nnox -x -f n.py\nnox -x -f n.py\n" MAKE_CALL
		    " -j3 ci\n");
	free(text);
	calls = file_get(".nox/.noxmk/bench.log");
	free(calls);
	assert_silent();
}
END_TEST

/* Without a makefile of ours, with goals; and here make is no faster. */
START_TEST(goals_and_a_slower_make_are_told)
{
	char *text, *calls;

	begin("sleep 1.5", "sleep 0.05");
	file_put("makefile", "all:\n");
	text = bench("['both']", 1, 0);
	ck_assert_ptr_nonnull(strstr(text, " more, "));
	ck_assert_ptr_nonnull(strstr(text, " times as fast, but one round may be chance: "));
	free(text);
	calls = file_get("calls");
	ck_assert_ptr_nonnull(strstr(calls, "-f /p/share/noxmk/../../include/nox.mk NOXMK=/"));
	ck_assert_ptr_nonnull(strstr(calls, " NOXMK_NOXFILE=noxfile.py -j3 both\n"));
	ck_assert_ptr_nonnull(strstr(calls, "nox -x -f n.py -s a(b=1) c\n"));
	free(calls);
}
END_TEST

/* Each round of make takes longer than any of nox, which is no chance. */
START_TEST(what_is_always_slower_is)
{
	char *text;

	begin("sleep 1", "sleep 0.05");
	text = bench("[]", 2, 0);
	ck_assert_ptr_nonnull(strstr(text, " more, "));
	ck_assert_ptr_nonnull(strstr(text, " times as fast\n"));
	free(text);
}
END_TEST

START_TEST(what_fails_is_not_measured)
{
	setenv("A_TOKEN", "hunter22-hunter22", 1);
	begin("echo words $A_TOKEN; exit 2", "exit 1");
	free(bench("[]", 1, 1));
	assert_warned("make -j3 fails, and what fails cannot be measured: see "
	    ".nox/.noxmk/bench.log");
	assert_file(".nox/.noxmk/bench.log", "words ***\n");
	begin("exit 0", "exit 1");
	free(bench("[]", 1, 1));
	assert_warned("nox fails, and what fails cannot be measured");
	free(bench("['zzz']", 1, -1));
	assert_warned("zzz: no target of this plan");
	unlink("nox");
	free(bench("[]", 1, 1));
	assert_warned("./nox: No such file");
	unlink(".nox/.noxmk/plan.jsonl");
	free(bench("[]", 1, -1));
	assert_warned("there is no plan");
	unlink(".nox/.noxmk/bench.log");
	close(folder_make(".nox/.noxmk/bench.log"));
	free(bench("[]", 1, 1));
	assert_warned(".nox/.noxmk/bench.log: Is a directory");
}
END_TEST

START_TEST(what_cannot_be_run_at_all_make_tells)
{
	begin("exit 0", "exit 0");
	file_put("complaint", "lnt: did you mean lint?\n");
	free(bench("['lnt']", 1, 1));
	ck_assert_str_eq(warnings(), "lnt: did you mean lint?\n");
	ck_assert(!file_there("calls"));
	ck_assert(!file_there(".nox/.noxmk/bench.log"));
}
END_TEST

Suite *
check_bench_suite(void)
{
	Suite *suite = suite_create("bench");
	TCase *tc = support_case(suite, "bench");

	tcase_add_test(tc, both_run_in_turns);
	tcase_add_test(tc, goals_and_a_slower_make_are_told);
	tcase_add_test(tc, what_is_always_slower_is);
	tcase_add_test(tc, what_cannot_be_run_at_all_make_tells);
	support_spawn_failure_test(tc, what_fails_is_not_measured);
	return suite;
}
