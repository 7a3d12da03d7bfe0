#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/past.h"
#include "state/record.h"
#include "support.h"

static const struct {
	double times[16];
	size_t n, change;
} series[] = {
	{ { 0 }, 0, 0 },
	{ { 1, 2 }, 2, 0 },
	/* Slower, faster; the noise of a real machine. */
	{ { 1, 1.1, 0.9, 2, 2.1, 1.9 }, 6, 3 },
	{ { 4, 4.1, 3.9, 4, 2, 2.1, 1.9 }, 7, 4 },
	{ { 10, 11, 10.5, 9.8, 10.2, 13, 12.5, 14, 13.1 }, 9, 5 },
	/* Neither two new times are a proof, nor one that stands out, nor much noise. */
	{ { 1, 1.1, 0.9, 1, 2, 2.1 }, 6, 0 },
	{ { 1, 1.1, 9, 1, 1, 1.1, 0.9 }, 7, 0 },
	{ { 1, 3, 2, 4, 1, 5, 2, 4, 3 }, 9, 0 },
	/* Too little to matter, by share and by seconds. */
	{ { 100, 101, 100, 105, 106, 105 }, 6, 0 },
	{ { 0.1, 0.11, 0.1, 0.2, 0.21, 0.2 }, 6, 0 },
};

START_TEST(a_change_is_found)
{
	ck_assert_uint_eq(past_change(series[_i].times, series[_i].n), series[_i].change);
}
END_TEST

/* The run of that day: verdict by its first letter, r is flaky; n: the session is not in it. */
static void
put(int day, char letter, double seconds, double crowded)
{
	char *path = xasprintf(".nox/.noxmk/runs/202611%02dT000000.000Z-c0ffee01", day);
	struct record r = { .target = xstrdup(letter == 'n' ? "other" : "t"),
		.session = xstrdup("t"), .exit = -1, .signal = -1, .client = -1,
		.verdict = letter == 'f' ? FAILED : PASSED, .started = 1795396700.0,
		.ended = 1795396700.0 + seconds, .duration = seconds, .own = seconds,
		.crowded = crowded };
	int rundir = folder_make(path);

	if (letter == 'f')
		r.reason = xstrdup("exit\0331");
	if (letter == 'f')
		r.recheck = json_of("{'verdict':'passed','beside':['lint'],'others':1}");
	if (letter == 'r')
		r.attempts = json_of("[{'verdict':'failed'}]");
	ck_assert_int_eq(record_write(rundir, -1, &r), 0);
	record_clear(&r);
	close(rundir);
	free(path);
}

static int
put_all(void)
{
	put(1, 'p', 1, 0);
	put(2, 'n', 9, 0);
	put(3, 'r', 1.5, 0.5);
	put(4, 'f', 9, 0);
	put(5, 'p', 1, 0);
	for (int day = 6; day < 9; day++)
		put(day, 'p', 3, 0);
	return folder_make(".nox/.noxmk");
}

START_TEST(a_session_has_a_past)
{
	int state = put_all();
	char *text;

	output_begin();
	ck_assert_int_eq(past_print(state, "t", false), 0);
	text = output_end();
	ck_assert_str_eq(text,
	    "run                            verdict       time  reason\n"
	    "20261101T000000.000Z-c0ffee01  passed        1.0s\n"
	    "20261103T000000.000Z-c0ffee01  passed        1.5s  flaky\n"
	    "20261104T000000.000Z-c0ffee01  failed        9.0s  exit\\^[1; fails only beside lint\n"
	    "20261105T000000.000Z-c0ffee01  passed        1.0s\n"
	    "20261106T000000.000Z-c0ffee01  passed        3.0s\n"
	    "20261107T000000.000Z-c0ffee01  passed        3.0s\n"
	    "20261108T000000.000Z-c0ffee01  passed        3.0s\n"
	    "\n"
	    "noxmk: 7 runs: 6 passed, 1 failed, 1 flaky; median 2.0s, half of them from 1.0s to "
	    "3.0s, without what it lost to others\n"
	    "noxmk: slower since 20261106T000000.000Z-c0ffee01: 1.0s before, 3.0s then\n");
	free(text);
	assert_silent();
	close(state);
}
END_TEST

/* What was traced takes longer: that is no change of the session. */
START_TEST(only_runs_of_one_kind_are_compared)
{
	int state = folder_make(".nox/.noxmk");
	char *text;

	for (int day = 1; day < 5; day++)
		put(day, 'p', 1, 0);
	for (int day = 5; day < 8; day++) {
		char *folder = xasprintf(".nox/.noxmk/runs/202611%02dT000000.000Z-c0ffee01", day);
		char *trace = xasprintf("%s/t.trace", folder);
		char *request = xasprintf("%s/.request.json", folder);

		put(day, 'p', 3, 0);
		if (day < 7)
			file_put(trace, "");
		else
			file_put_json(request, "{'posargs':['-x']}");
		free(request);
		free(trace);
		free(folder);
	}
	output_begin();
	ck_assert_int_eq(past_print(state, "t", false), 0);
	text = output_end();
	ck_assert_ptr_nonnull(strstr(text,
	    "\n20261104T000000.000Z-c0ffee01  passed        1.0s\n"
	    "20261105T000000.000Z-c0ffee01  passed        3.0s  traced\n"));
	ck_assert_ptr_nonnull(strstr(text,
	    "\n20261107T000000.000Z-c0ffee01  passed        3.0s  ARGS\n"));
	ck_assert_ptr_nonnull(strstr(text, "\nnoxmk: 7 runs: 7 passed; median 1.0s, half of them "
	    "from 1.0s to 1.0s; without 3 traced, forked or given ARGS otherwise than most\n"));
	ck_assert_ptr_null(strstr(text, "slower"));
	free(text);
	assert_silent();
	close(state);
}
END_TEST

/* One that was renamed, or that no goal has run for long. */
START_TEST(a_session_is_gone)
{
	int state = put_all();
	char *text;

	output_begin();
	ck_assert_int_eq(past_print(state, "other", false), 0);
	text = output_end();
	ck_assert_ptr_nonnull(strstr(text, "\nnoxmk: it was not in the last 6 runs\n"));
	free(text);
	assert_silent();
	close(state);
}
END_TEST

/* What has not run took no time, and a long reason is no screenful. */
START_TEST(each_run_is_a_line)
{
	struct record r = { .target = xstrdup("t"), .session = xstrdup("t"), .exit = -1,
		.signal = -1, .client = -1, .verdict = NOT_RUN,
		.reason = xasprintf("b %0500d failed", 0) };
	int state = put_all();
	int rundir = folder_make(".nox/.noxmk/runs/20261109T000000.000Z-c0ffee01");
	char *text, *line;

	ck_assert_int_eq(record_write(rundir, -1, &r), 0);
	record_clear(&r);
	close(rundir);
	output_begin();
	ck_assert_int_eq(past_print(state, "t", false), 0);
	text = output_end();
	line = strstr(text, "\n20261109T000000.000Z-c0ffee01  not run          -  b 000");
	ck_assert_ptr_nonnull(line);
	ck_assert_uint_lt(strcspn(line + 1, "\n"), 230);
	free(text);
	close(state);
}
END_TEST

START_TEST(a_past_in_json)
{
	int state = put_all();
	json_t *json, *change, *runs;
	char *text;

	output_begin();
	ck_assert_int_eq(past_print(state, "t", true), 0);
	text = output_end();
	json = json_loads(text, 0, NULL);
	change = json_object_get(json, "change");
	runs = json_object_get(json, "runs");
	ck_assert(json_is_null(json_object_get(json_array_get(runs, 0), "recheck")));
	ck_assert_str_eq(json_string_value(json_object_get(json_object_get(
	    json_array_get(runs, 2), "recheck"), "verdict")), "passed");
	ck_assert_uint_eq(json_array_size(json_object_get(json, "runs")), 7);
	ck_assert_double_eq(json_number_value(json_object_get(json, "median")), 2);
	ck_assert_double_eq(json_number_value(json_object_get(change, "after")), 3);
	ck_assert_int_eq(json_integer_value(json_object_get(json, "flaky")), 1);
	json_decref(json);
	free(text);
	output_begin();
	ck_assert_int_eq(past_print(state, "other", true), 0);
	text = output_end();
	json = json_loads(text, 0, NULL);
	ck_assert(json_is_null(json_object_get(json, "change")));
	json_decref(json);
	free(text);
	close(state);
}
END_TEST

/* The session was cut then. The parts, as bits, took so long each. */
static void
put_parts(int day, unsigned parts, double seconds)
{
	char *run = xasprintf(".nox/.noxmk/runs/202611%02dT000000.000Z-c0ffee01", day);
	char *path = xasprintf("%s/plan.jsonl", run);
	int rundir = folder_make(run);

	file_put(path, "{\"schema\":1}\n"
	    "{\"target\":\"t.part-1\",\"session\":\"t\",\"part\":[1,2],\"whole\":\"t\"}\n"
	    "{\"target\":\"t.part-2\",\"session\":\"t\",\"part\":[2,2],\"whole\":\"t\"}\n"
	    "{\"group\":\"t\",\"kind\":\"parts\",\"members\":[\"t.part-1\",\"t.part-2\"]}\n"
	    "{\"group\":\"ci\",\"members\":[\"t.part-1\",\"t.part-2\"]}\n");
	for (unsigned part = 1; part <= 2; part++) {
		struct record r = { .target = xasprintf("t.part-%u", part),
			.session = xstrdup("t"), .exit = -1, .signal = -1, .client = -1,
			.started = 1795396700.0, .ended = 1795396700.0 + seconds,
			.duration = seconds, .verdict = PASSED };

		if (parts & part)
			ck_assert_int_eq(record_write(rundir, -1, &r), 0);
		record_clear(&r);
	}
	close(rundir);
	free(path);
	free(run);
}

START_TEST(a_session_in_parts_has_a_past)
{
	int state = folder_make(".nox/.noxmk");
	char *text;

	put_parts(1, 1 | 2, 2.5);
	put_parts(2, 2, 1);
	put(3, 'p', 4, 0);
	output_begin();
	ck_assert_int_eq(past_print(state, "t", false), 0);
	text = output_end();
	/* What one part takes alone says nothing of the session's time. */
	ck_assert_str_eq(text,
	    "run                            verdict       time  reason\n"
	    "20261101T000000.000Z-c0ffee01  passed        5.0s\n"
	    "20261102T000000.000Z-c0ffee01  passed        1.0s  only part 2 of 2\n"
	    "20261103T000000.000Z-c0ffee01  passed        4.0s\n\n"
	    "noxmk: 3 runs: 3 passed; median 4.5s, half of them from 4.0s to 5.0s\n");
	free(text);
	/* A group is no session, however many there are of it. */
	output_begin();
	ck_assert_int_eq(past_print(state, "ci", false), -1);
	free(output_end());
	close(state);
}
END_TEST

START_TEST(a_session_without_one)
{
	int state = put_all();

	ck_assert_int_eq(past_print(state, "../t", false), -1);
	assert_warned("../t: no target");
	file_put(".nox/.noxmk/plan.jsonl",
	    "{\"schema\":1}\n{\"target\":\"new\",\"session\":\"new\"}\n");
	ck_assert_int_eq(past_print(state, "new", false), -1);
	assert_warned("new: in none of the runs that are kept");
	file_put(".nox/.noxmk/plan.jsonl", "{\"schema\":1}\n"
	    "{\"group\":\"news\",\"members\":[\"new\",1,\"a\\u001b\"]}\n"
	    "{\"group\":\"none\",\"members\":[]}\n");
	ck_assert_int_eq(past_print(state, "news", false), -1);
	assert_warned("news is a group: new, ?, a\\^[");
	ck_assert_int_eq(past_print(state, "none", false), -1);
	assert_warned("none is a group: it has no sessions");
	close(state);
}
END_TEST

/* A record that is damaged is one line, and the others count. */
START_TEST(a_past_with_a_hole)
{
	int state = put_all();
	char *text;

	file_put(".nox/.noxmk/runs/20261104T000000.000Z-c0ffee01/t.json", "nonsense");
	unlink(".nox/.noxmk/runs/20261101T000000.000Z-c0ffee01/t.json");
	odd_put(ODD_FIFO, ".nox/.noxmk/runs/20261101T000000.000Z-c0ffee01/t.json");
	output_begin();
	ck_assert_int_eq(past_print(state, "t", false), 0);
	text = output_end();
	ck_assert_ptr_nonnull(strstr(text, "noxmk: 5 runs: 5 passed, 1 flaky"));
	assert_warned("t.json: not a record of a session");
	free(text);
	close(state);
}
END_TEST

Suite *
check_past_suite(void)
{
	Suite *suite = suite_create("past");
	TCase *tc = support_case(suite, "past");

	tcase_add_loop_test(tc, a_change_is_found, 0, countof(series));
	tcase_add_test(tc, a_session_has_a_past);
	tcase_add_test(tc, only_runs_of_one_kind_are_compared);
	tcase_add_test(tc, a_session_is_gone);
	tcase_add_test(tc, each_run_is_a_line);
	tcase_add_test(tc, a_past_in_json);
	tcase_add_test(tc, a_session_in_parts_has_a_past);
	tcase_add_test(tc, a_session_without_one);
	tcase_add_test(tc, a_past_with_a_hole);
	return suite;
}
