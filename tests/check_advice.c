#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/report.h"
#include "state/record.h"
#include "kept.h"
#include "support.h"

static int run;

static void
put(struct record r)
{
	kept_put(run, r);
}

/* One that has not run, and no failure: what it requires was skipped. */
static void
put_excused(const char *target)
{
	struct record r = kept_record(target, NOT_RUN, 0, 0, NULL);

	r.excused = true;
	r.reason = xstrdup("a was skipped");
	put(r);
}

/* d was to begin when c had ended, by a cue or in make's order, and its helper never waited. */
START_TEST(a_resource_that_made_make_wait_is_tried_without)
{
	struct record d = kept_record("d", PASSED, 3, 7, NULL);
	json_t *json, *without;

	run = kept_begin();
	put(kept_record("a", PASSED, 0, 3, NULL));
	put(kept_record("c", PASSED, 0, 3, NULL));
	d.cue = xstrdup("c");
	put(d);
	put_excused("b");
	put_excused("e");
	json = kept_parsed("json");
	without = json_object_get(json_object_get(json, "predictions"), "without");
	ck_assert_uint_eq(json_object_size(without), 1);
	ck_assert_ptr_nonnull(json_object_get(without, "db"));
	json_decref(json);
	close(run);
}
END_TEST

START_TEST(what_was_excused_takes_no_time)
{
	json_t *json;

	run = kept_put_all();
	put(kept_record("a", SKIPPED, 1, 1.5, NULL));
	put(kept_record("e", PASSED, 9, 9.5, NULL));
	put_excused("d");
	json = kept_parsed("json");
	ck_assert_double_eq_tol(kept_number(json_object_get(json_object_get(json, "predictions"),
	    "jobs"), "1"), 7.0, 0.1);
	json_decref(json);
	close(run);
}
END_TEST

/* Of a session that was cancelled nobody knows what it would have taken. */
START_TEST(a_run_that_was_cut_short_is_not_simulated)
{
	char *text;

	run = kept_put_all();
	put(kept_record("b", CANCELLED, 4, 5, NULL));
	text = kept_printed(&(struct report_options){ 0 }, 0);
	ck_assert_ptr_nonnull(strstr(text, "1 cancelled"));
	ck_assert_ptr_null(strstr(text, "What would help, "));
	ck_assert_ptr_nonnull(strstr(text,
	    "\nWhat would help cannot be worked out: b was cancelled\n"));
	free(text);
	/* As where a machine is missing. */
	put(kept_record("b", NOT_RUN, 0, 0, NULL));
	text = kept_printed(&(struct report_options){ 0 }, 0);
	ck_assert_ptr_nonnull(strstr(text, "1 not run"));
	ck_assert_ptr_nonnull(strstr(text,
	    "\nWhat would help cannot be worked out: b was not run\n"));
	free(text);
	close(run);
}
END_TEST

/* Of two sessions that took a second each, one spent most of that on its environment. */
START_TEST(uv_is_named_where_it_would_help)
{
	static const struct {
		const char *command;
		bool named;
	} cases[] = { { "created by virtualenv", true }, { "created by uv", false } };

	for (size_t i = 0; i < countof(cases); i++) {
		struct record a = kept_record("a", PASSED, 1, 2, NULL);
		char *text;

		run = kept_begin();
		a.steps = json_pack("[{s:s,s:s,s:f}]", "kind", "environment", "command",
		    cases[i].command, "seconds", 0.6);
		put(a);
		put(kept_record("b", PASSED, 1, 2, NULL));
		text = kept_printed(&(struct report_options){ 0 }, 0);
		ck_assert(!strstr(text, "\nEnvironments and installs took 30% of ") ==
		    !cases[i].named);
		free(text);
		close(run);
	}
}
END_TEST

/* Two at once; of five sessions of a second each, nox took that part for itself. */
START_TEST(forks_are_named_where_they_would_help)
{
	static const struct {
		double own;
		const char *fork, *knob;
		size_t n;
		bool named;
	} cases[] = { { 0.5, NULL, "0", 4, false }, { 0.5, NULL, "0", 5, true },
		{ 0.9, NULL, "0", 5, false }, { 0.5, "", "0", 5, false },
		{ 0.5, "it was traced", "0", 5, false }, { 0.5, NULL, "1", 5, false } };
	static const char *const targets[] = { "a", "b", "c", "d", "e" };

	for (size_t i = 0; i < countof(cases); i++) {
		char *text = xasprintf("{\"schema\":1,\"knobs\":{\"NOXMK_FORK\":\"%s\"},"
		    "\"goals\":[\"ci\"],\"alone\":\"\",\"posargs\":[],\"processors\":2}",
		    cases[i].knob);

		run = kept_begin();
		file_put(KEPT_FOLDER "/.request.json", text);
		free(text);
		for (size_t k = 0; k < cases[i].n; k++) {
			struct record r = kept_record(targets[k], PASSED, 1, 2, NULL);

			r.own = cases[i].own;
			r.fork = k == 0 && cases[i].fork ? xstrdup(cases[i].fork) : NULL;
			put(r);
		}
		text = kept_printed(&(struct report_options){ 0 }, 0);
		ck_assert_msg(!strstr(text, "\nnox's own starts and ends took 50% of the "
		    "sessions' time, 2.5s: about 1.2s less without NOXMK_FORK=0.\n") ==
		    !cases[i].named, "%zu: %s", i, text);
		ck_assert(cases[i].named || !strstr(text, "NOXMK_FORK"));
		free(text);
		close(run);
	}
}
END_TEST

/* Two at once. A session that took nearly all of the time can be cut, or cut in more parts. */
START_TEST(a_session_that_is_too_long_can_be_cut)
{
	static const struct {
		double a, b;
		const char *line, *words; /* NULL: nothing is said */
	} cases[] = {
		{ 100, 20, "{'target':'a','session':'a'}", "\na alone took 1m40s of 1m40s; "
		  "shared evenly, the work of all takes 60.0s. Several machines share it if it is "
		  "cut: parts = 2 in [tool.noxmk.session.a], see nox.mk(5).\n" },
		{ 100, 20, "{'target':'a','session':'t','part':[1,2],'whole':'t-3.12'}",
		  "it is cut: parts = 4 in [tool.noxmk.session.\"t-3.12\"], see" },
		{ 100, 90, "{'target':'a','session':'a'}", NULL },
		{ 20, 1, "{'target':'a','session':'a'}", NULL },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		json_t *json = json_of(cases[i].line);
		char *plan, *line, *text;

		run = kept_begin();
		plan = file_get(KEPT_FOLDER "/plan.jsonl");
		line = json_dumps(json, JSON_COMPACT);
		text = xasprintf("{\"schema\":1}\n%s%s", line, strstr(plan, "\n{\"target\":\"b\""));
		file_put(KEPT_FOLDER "/plan.jsonl", text);
		free(text);
		put(kept_record("a", PASSED, 0, cases[i].a, NULL));
		put(kept_record("b", PASSED, 0, cases[i].b, NULL));
		text = kept_printed(&(struct report_options){ 0 }, 0);
		if (cases[i].words)
			ck_assert_msg(strstr(text, cases[i].words) != NULL, "%s", text);
		else
			ck_assert_msg(!strstr(text, "if it is cut"), "%s", text);
		free(text);
		json_decref(json);
		free(line);
		free(plan);
		close(run);
	}
}
END_TEST

Suite *
check_advice_suite(void)
{
	Suite *suite = suite_create("advice");
	TCase *tc = support_case(suite, "advice");

	tcase_add_test(tc, a_resource_that_made_make_wait_is_tried_without);
	tcase_add_test(tc, what_was_excused_takes_no_time);
	tcase_add_test(tc, a_run_that_was_cut_short_is_not_simulated);
	tcase_add_test(tc, uv_is_named_where_it_would_help);
	tcase_add_test(tc, forks_are_named_where_they_would_help);
	tcase_add_test(tc, a_session_that_is_too_long_can_be_cut);
	return suite;
}
