#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "state/history.h"
#include "state/record.h"
#include "support.h"

#define OWN "state/history.json"

/* A run of that one session. client: see struct record. */
static bool
ran_as(int client, const char *target, enum verdict verdict, double seconds)
{
	int state = folder_make("state"), run = folder_make("run");
	struct record r = { .target = xstrdup(target), .session = xstrdup(target), .exit = -1,
		.signal = -1, .verdict = verdict, .duration = seconds, .client = client,
		.cpu = 2 * seconds, .crowded = -1, .own = -1 };
	char *name = xasprintf("run/%s.json", target);
	bool changed;

	ck_assert_int_eq(record_write(run, -1, &r), 0);
	changed = history_update(state, run);
	unlink(name);
	free(name);
	record_clear(&r);
	close(run);
	close(state);
	return changed;
}

static bool
ran(const char *target, enum verdict verdict, double seconds)
{
	return ran_as(-1, target, verdict, seconds);
}

/* As the state folder's history has it now. Negative: that is what an unknown one is given. */
static double
expected(const char *target)
{
	int state = folder_make("state");
	struct history *history = history_load(state);
	struct expectation it = history_expect(history, target);

	history_free(history);
	close(state);
	return it.known ? it.seconds : -it.seconds;
}

static bool
is_client(const char *target)
{
	int state = folder_make("state");
	struct history *history = history_load(state);
	bool client = history_expect(history, target).client;

	history_free(history);
	close(state);
	return client;
}

/* Of that file's text, with ' for ". */
static void
put(const char *name, const char *text)
{
	char *copy = xstrdup(text);

	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	file_put(name, copy);
	free(copy);
}

START_TEST(what_has_never_run_takes_a_second)
{
	ck_assert_double_eq(expected("a"), -1);
	history_free(NULL);
	assert_silent();
}
END_TEST

START_TEST(the_median_of_the_last_runs_counts)
{
	static const double seconds[] = { 9, 1, 4, 2, 3, 8, 7, 6, 5, 5 };
	static const double medians[] = { 9, 5, 4, 3, 3, 3.5, 4, 4, 5, 5 };

	for (size_t i = 0; i < countof(seconds); i++) {
		ran("a", PASSED, seconds[i]);
		ck_assert_double_eq(expected("a"), medians[i]);
	}
	/* The newest last; the oldest three are gone. */
	assert_file(OWN, "{\"schema\":1,\"sessions\":{\"a\":[2.0,3.0,8.0,7.0,6.0,5.0,5.0]}}");
	assert_silent();
}
END_TEST

/* Without the whole file being parsed, and whatever is in it. */
START_TEST(a_run_is_not_compared_with_itself)
{
	struct record r = { .target = xstrdup("lint"), .duration = 1234.56789 };
	struct history *history;
	int state = folder_make("state");

	ran("lint", PASSED, 2);
	ran("lint", PASSED, 1234.56789);
	history = history_load(state);
	history_forget(history, &r);
	ck_assert_double_eq(history_expect(history, "lint").seconds, 2);
	history_forget(history, &r);
	ck_assert_double_eq(history_expect(history, "lint").seconds, 2);
	r.duration = 2;
	history_forget(history, &r);
	ck_assert(!history_expect(history, "lint").known);
	history_forget(history, &r);
	history_free(history);
	record_clear(&r);
	close(state);
}
END_TEST

START_TEST(one_session_can_be_looked_up)
{
	int state = folder_make("state");

	ck_assert(history_usual(state, "lint") < 0);
	(void)ran("lint", PASSED, 2.5);
	(void)ran("docs", PASSED, 1.5);
	ck_assert_double_eq_tol(history_usual(state, "lint"), 2.5, 1e-9);
	ck_assert(history_usual(state, "clients") < 0);
	ck_assert(history_usual(state, "none") < 0);
	file_put(OWN, "{\"schema\":1,\"sessions\":{\"lint\":[\"x\"],\"docs\":[1");
	ck_assert(history_usual(state, "lint") < 0);
	ck_assert(history_usual(state, "docs") < 0);
	close(state);
	assert_silent();
}
END_TEST

START_TEST(only_what_passed_counts)
{
	for (enum verdict verdict = FAILED; verdict < VERDICTS; verdict++)
		ck_assert(ran("a", verdict, 7) == (verdict == SKIPPED));
	ck_assert_double_eq(expected("a"), -1);
	ck_assert(ran("b", PASSED, 3) && !ran("b", FAILED, 100));
	ck_assert_double_eq(expected("b"), 3);
	/* Nobody can tell shorter ones apart, and none takes no time. */
	ran("c", PASSED, 0);
	ck_assert_double_eq(expected("c"), 0.001);
	/* The median of all that are known, for the others. */
	ran("d", PASSED, 50);
	ck_assert_double_eq(expected("zzz"), -3);
	assert_silent();
}
END_TEST

/* The state folder's history knows of it, and the seconds, or -1. */
static double
skipped(const char *target)
{
	int state = folder_make("state");
	struct history *history = history_load(state);
	double seconds = history_skipped(history, target);

	history_free(history);
	close(state);
	return seconds;
}

/* A run like each of these, with words of ARGS or without, and what is expected then. */
START_TEST(with_words_a_session_may_do_less)
{
	static const struct { bool worded; double seconds, expected; bool changes; } runs[] = {
		{ true, 1, 1, true }, { true, 3, 2, true }, { false, 20, 20, true },
		{ true, 1, 20, false }, { false, 22, 21, false } };

	close(folder_make("run"));
	for (size_t i = 0; i < countof(runs); i++) {
		file_put_json("run/.request.json", runs[i].worded ? "{'posargs':['-x']}" :
		    "{'posargs':[]}");
		ck_assert_int_eq(ran("tests", PASSED, runs[i].seconds), runs[i].changes);
		ck_assert_double_eq(expected("tests"), runs[i].expected);
	}
	assert_silent();
}
END_TEST

/* An interpreter that is not there: it is known how soon that is found out, every time. */
START_TEST(what_was_skipped_last_is_known)
{
	ck_assert_double_eq(skipped("a"), -1);
	ck_assert(ran("a", SKIPPED, 0.5) && !ran("a", SKIPPED, 0.25));
	ck_assert_double_eq(skipped("a"), 0.25);
	assert_file(OWN, "{\"schema\":1,\"sessions\":{},\"skipped\":{\"a\":0.25}}");
	/* It may run again; what it takes then is not forgotten. */
	ck_assert(ran("a", PASSED, 10));
	ck_assert_double_eq(skipped("a"), -1);
	ck_assert(ran("a", SKIPPED, 0.5));
	ck_assert_double_eq(expected("a"), 10);
	ck_assert_double_eq(skipped("a"), 0.5);
	/* Where nothing was seen yet others' experience counts. */
	put("seed", "{'schema':1,'sessions':{},'skipped':{'a':7,'b':2,'c':-1,'d':'x'}}");
	setenv("NOXMK_HISTORY", "seed", 1);
	ck_assert_double_eq(skipped("a"), 0.5);
	ck_assert_double_eq(skipped("b"), 2);
	ck_assert_double_eq(skipped("c"), -1);
	ck_assert_double_eq(skipped("d"), -1);
	ran("a", PASSED, 10);
	ck_assert_double_eq(skipped("a"), -1);
	unsetenv("NOXMK_HISTORY");
	assert_silent();
}
END_TEST

START_TEST(a_notable_change_is_told)
{
	ck_assert(ran("a", PASSED, 10));
	ck_assert(!ran("a", PASSED, 10) && !ran("a", PASSED, 30));
	/* 10, 10, 30, 30: from 10 to 20. */
	ck_assert(ran("a", PASSED, 30));
	/* The median of all is up by a tenth, no more. */
	ck_assert(ran("b", PASSED, 10) && !ran("b", PASSED, 11.9) && !ran("b", PASSED, 10.5));
	ck_assert(ran("c", PASSED, 10) && ran("c", PASSED, 5));
	ck_assert(ran("d", PASSED, 0) && ran("d", PASSED, 1));
	assert_silent();
}
END_TEST

/* What counts of a client is the processor's time, twice as long here. */
START_TEST(processor_time_of_clients_counts)
{
	put("seed.json", "{'schema':1,'sessions':{'b':[5],'c':[3]},'clients':['b',1]}");
	setenv("NOXMK_HISTORY", "seed.json", 1);
	ck_assert(is_client("b") && !is_client("c") && !is_client("a"));
	ck_assert(ran_as(0, "a", PASSED, 4) && !is_client("a"));
	ck_assert(ran_as(1, "a", PASSED, 2) && is_client("a"));
	assert_file(OWN, "{\"schema\":1,\"sessions\":{\"a\":[4.0,4.0]},\"clients\":[\"a\"]}");
	/* Where there was no jobserver, nothing is learned of it. */
	ck_assert(!ran_as(-1, "a", PASSED, 2) && is_client("a"));
	ck_assert(ran_as(0, "a", PASSED, 4) && !is_client("a"));
	assert_file(OWN, "{\"schema\":1,\"sessions\":{\"a\":[4.0,4.0,4.0,4.0]}}");
	put(OWN, "{'schema':1,'sessions':{'a':[1]},'clients':{'a':1}}");
	ck_assert(!is_client("a"));
	assert_silent();
}
END_TEST

START_TEST(a_seed_stands_in_for_unknown_targets)
{
	put("seed.json", "{'schema':1,'sessions':{'a':[7,8,9],'b':[5],'e':[]}}");
	setenv("NOXMK_HISTORY", "seed.json", 1);
	ran("a", PASSED, 2);
	ck_assert_double_eq(expected("a"), 2);
	ck_assert_double_eq(expected("b"), 5);
	ck_assert_double_eq(expected("e"), -3.5);
	/* Ours is not filled from it. */
	assert_file(OWN, "{\"schema\":1,\"sessions\":{\"a\":[2.0]}}");
	setenv("NOXMK_HISTORY", "", 1);
	ck_assert_double_eq(expected("b"), -2);
	assert_silent();
	/* It was asked for: that it is not there is said. */
	setenv("NOXMK_HISTORY", "zzz.json", 1);
	ck_assert_double_eq(expected("a"), 2);
	assert_warned("zzz.json: nothing is known of how long sessions take: No such file");
	unsetenv("NOXMK_HISTORY");
}
END_TEST

static const char *const damaged[] = {
	"", "{", "[]", "null", "{'schema':1,'sessions':{'a':[1.0", "\xff\xfe", "{}",
	"{'schema':0,'sessions':{'a':[1]}}", "{'schema':1,'sessions':[]}",
	"{'schema':'2','sessions':{'a':[1]}}",
	"{'schema':1,'sessions':{'a':7}}", "{'schema':1,'sessions':{'a':['7']}}",
	"{'schema':1,'sessions':{'a':[-1]}}", "{'schema':1,'sessions':{'a':[1e9]}}",
	"{'schema':1,'sessions':{'a':[1e999]}}", "{'schema':1,'sessions':{'a':[NaN]}}",
	"{'schema':1,'sessions':{'a':[[]]}}", "{'schema':1,'sessions':{'b':[1],'a':null}}",
};

/* Said, counts as empty, stays as it is, and gives way to what is learnt next. */
START_TEST(a_damaged_history_counts_as_empty)
{
	char *text;

	close(folder_make("state"));
	put(OWN, damaged[_i]);
	text = file_get(OWN);
	ck_assert_double_eq(expected("a"), -1);
	assert_warned(".nox/.noxmk/history.json:");
	assert_warned("nothing of it counts");
	assert_file(OWN, text);
	ck_assert(ran("b", PASSED, 2));
	assert_file(OWN, "{\"schema\":1,\"sessions\":{\"b\":[2.0]}}");
	unlink(OWN);
	put("seed.json", text);
	setenv("NOXMK_HISTORY", "seed.json", 1);
	ck_assert_double_eq(expected("a"), -1);
	assert_warned("seed.json:");
	assert_file("seed.json", text);
	unsetenv("NOXMK_HISTORY");
	free(text);
}
END_TEST

/* It is warned of, not used, and not destroyed. */
START_TEST(a_history_of_a_newer_noxmk_stays)
{
	static const char text[] = "{\"schema\":2,\"sessions\":{\"a\":[1]}}";

	close(folder_make("state"));
	file_put(OWN, text);
	ck_assert_double_eq(expected("a"), -1);
	assert_warned("history.json: of a newer noxmk: nothing of it counts");
	ck_assert(!ran("b", PASSED, 2));
	assert_file(OWN, text);
	/* One that NOXMK_HISTORY names keeps nobody from learning. */
	setenv("NOXMK_HISTORY", OWN, 1);
	ck_assert_double_eq(expected("a"), -1);
	unlink(OWN);
	file_put("seed.json", text);
	setenv("NOXMK_HISTORY", "seed.json", 1);
	ck_assert(ran("b", PASSED, 2));
	unsetenv("NOXMK_HISTORY");
}
END_TEST

/* A run of `a` in which somebody looked, or not: then the width is 0. */
static bool
ran_with(unsigned width, double crowded)
{
	bool changed;

	int state = folder_make("state"), run = folder_make("run");
	struct record r = { .target = xstrdup("a"), .session = xstrdup("a"), .exit = -1,
		.signal = -1, .duration = 8, .client = -1, .cpu = 1.5, .width = width,
		.crowded = crowded };

	ck_assert_int_eq(record_write(run, -1, &r), 0);
	changed = history_update(state, run);
	unlink("run/a.json");
	record_clear(&r);
	close(run);
	close(state);
	return changed;
}

START_TEST(another_width_may_want_another_order)
{
	ck_assert(ran_with(2, 0) && !ran_with(3, 0) && !ran_with(0, 0));
	ck_assert(ran_with(1, 0) && !ran_with(1, 0) && !ran_with(0, 0) && ran_with(2, 0));
}
END_TEST

START_TEST(what_a_run_teaches_is_kept_with_its_session)
{
	close(folder_make("state"));
	put(OWN, "{'schema':1,'sessions':{'b':[1]},'learned':{'b':{'width':2,'x':{'a':{}}},"
		"'c':{'width':3}}}");
	(void)ran_with(3, 1);
	/* What is said of a session that is not there goes, and what nobody understands. */
	assert_file(OWN, "{\"schema\":1,\"sessions\":{\"b\":[1],\"a\":[8.0]},\"learned\":"
		"{\"b\":{\"told\":0,\"width\":2,\"memory\":0,\"cpu\":0.0},"
		"\"a\":{\"told\":0,\"width\":3,\"memory\":0,\"cpu\":1.5,\"alone\":7.0}}}");
	(void)ran_with(0, -1);
	assert_file(OWN, "{\"schema\":1,\"sessions\":{\"b\":[1],\"a\":[8.0,8.0]},\"learned\":"
		"{\"b\":{\"told\":0,\"width\":2,\"memory\":0,\"cpu\":0.0},"
		"\"a\":{\"told\":0,\"width\":3,\"memory\":0,\"cpu\":1.5,\"alone\":7.0}}}");
	put(OWN, "{'schema':1,'sessions':{'a':[1]},'learned':[7]}");
	(void)ran_with(0, -1);
	assert_file(OWN, "{\"schema\":1,\"sessions\":{\"a\":[1,8.0]}}");
	put(OWN, "{'schema':1,'sessions':{'a':[1]},'learned':{'a':{'width':'x'}}}");
	(void)ran_with(0, -1);
	assert_file(OWN, "{\"schema\":1,\"sessions\":{\"a\":[1,8.0]}}");
	assert_silent();
}
END_TEST

/* Deep, long, and no file at all. */
START_TEST(a_hostile_history_does_no_harm)
{
	enum { HUGE = 1 << 20 };
	char *text = xcalloc(HUGE + 1, 1);
	struct buffer long_list = { 0 };

	close(folder_make("state"));
	memset(text, '[', HUGE);
	file_put(OWN, text);
	ck_assert_double_eq(expected("a"), -1);
	assert_warned("nothing of it counts");
	/* Of a list that somebody made longer, the newest seven. */
	buffer_addstr(&long_list, "{\"schema\":1,\"sessions\":{\"a\":[");
	for (int i = 0; i < 100000; i++)
		buffer_addstr(&long_list, "500,");
	buffer_addstr(&long_list, "1,2,3,4,5,6,7]}}");
	file_put(OWN, long_list.data);
	ck_assert_double_eq(expected("a"), 4);
	ran("a", PASSED, 8);
	assert_file(OWN, "{\"schema\":1,\"sessions\":{\"a\":[2,3,4,5,6,7,8.0]}}");
	unlink(OWN);
	close(folder_make(OWN));
	ck_assert_double_eq(expected("a"), -1);
	assert_warned("nothing is known of how long sessions take: Is a directory");
	/* It makes place for a file. */
	ck_assert(ran("a", PASSED, 1));
	assert_file(OWN, "{\"schema\":1,\"sessions\":{\"a\":[1.0]}}");
	buffer_free(&long_list);
	free(text);
}
END_TEST

/* What cannot be written is said, and what there was stays. */
START_TEST(a_history_that_cannot_be_written_stays)
{
	int state, run = folder_make("run");
	struct record r = { .target = xstrdup("a"), .session = xstrdup("a"), .exit = -1,
		.signal = -1, .duration = 9 };
	bool changed;
	int merged;
	char *text;

	ran("a", PASSED, 1);
	text = file_get(OWN);
	ck_assert_int_eq(record_write(run, -1, &r), 0);
	state = folder_make("state");
	limit_set(RLIMIT_FSIZE, 0);
	changed = history_update(state, run);
	merged = history_update_merged(state, run, &(struct machine){ 40, 4 });
	limit_restore();
	ck_assert(!changed);
	ck_assert_int_eq(merged, -1);
	assert_warned(".nox/.noxmk/history.json: File too large");
	assert_file(OWN, text);
	free(text);
	record_clear(&r);
	close(state);
	close(run);
}
END_TEST

/* To root every folder can be written. */
START_TEST(a_folder_that_is_read_only_is_warned_of)
{
	int state;

	ran("a", PASSED, 1);
	if (_i == 0) {
		state = folder_make("state");
		ck_assert_int_eq(fchmod(state, 0555), 0);
		if (faccessat(state, ".", W_OK, 0) < 0) {
			ck_assert(!ran("a", PASSED, 5));
			assert_warned(".nox/.noxmk/history.json: Permission denied");
		}
		fchmod(state, 0755);
		close(state);
	} else {
		file_put("plain", "");
		state = open("plain", O_RDONLY | O_CLOEXEC);
		ck_assert(!history_update(state, state));
		assert_warned(".nox/.noxmk/history.json: Not a directory");
		close(state);
	}
	ck_assert_double_eq(expected("a"), 1);
}
END_TEST

/* Those that ran last are kept. */
START_TEST(the_longest_unused_sessions_are_forgotten)
{
	json_t *sessions = json_object(), *root;
	int state = folder_make("state");
	char name[16], *text;

	for (int i = 0; i < 5003; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		json_object_set_new(sessions, name, json_pack("[i]", i));
	}
	root = json_pack("{s:i,s:o}", "schema", 1, "sessions", sessions);
	text = json_dumps(root, JSON_COMPACT);
	file_put(OWN, text);
	free(text);
	json_decref(root);
	/* The oldest of all runs again. */
	ran("t0", PASSED, 0);
	ck_assert_double_ge(expected("t0"), 0);
	ck_assert_double_lt(expected("t1"), 0);
	ck_assert_double_lt(expected("t3"), 0);
	ck_assert_double_eq(expected("t4"), 4);
	ck_assert_double_eq(expected("t5002"), 5002);
	ck_assert(ran("new", PASSED, 3));
	ck_assert_double_eq(expected("new"), 3);
	ck_assert_double_lt(expected("t4"), 0);
	ck_assert_double_eq(expected("t5"), 5);
	close(state);
	assert_silent();
}
END_TEST

/* One process of several: its runs, each of a session of its own. */
static void
update_often(int process, int runs)
{
	char target[32], folder[32];

	snprintf(folder, sizeof(folder), "run-%d", process);
	for (int k = 0; k < runs; k++) {
		struct record r = { .target = target, .session = target, .exit = -1, .signal = -1,
			.duration = process + 1 };
		int run = folder_make(folder), state = folder_make("state");

		snprintf(target, sizeof(target), "s%d-%d", process, k);
		if (record_write(run, -1, &r) == 0)
			history_update(state, run);
		folder_remove(folder);
		close(state);
		close(run);
	}
}

/* None of what they learnt is lost. */
START_TEST(runs_that_end_at_once_lose_nothing)
{
	enum { PROCESSES = 4, OFTEN = 20 };
	char name[32];
	int status;

	close(folder_make("state"));
	for (int i = 0; i < PROCESSES; i++)
		if (fork() == 0) {
			update_often(i, OFTEN);
			_exit(0);
		}
	for (int i = 0; i < PROCESSES; i++) {
		ck_assert_int_gt(wait(&status), 0);
		ck_assert_int_eq(status, 0);
	}
	for (int i = 0; i < PROCESSES; i++)
		for (int k = 0; k < OFTEN; k++) {
			snprintf(name, sizeof(name), "s%d-%d", i, k);
			ck_assert_double_eq(expected(name), i + 1);
		}
	assert_silent();
}
END_TEST

/* What is no record adds nothing, and a missing run is no reason to lose anything. */
START_TEST(strange_runs_do_not_count)
{
	int state, run;

	ran("a", PASSED, 1);
	run = folder_make("run");
	file_put("run/b.json", "{");
	put("run/c.json", "{'schema':1,'target':'c','session':'c','verdict':'passed',"
			  "'duration':-5,'notify':[],'waits':[]}");
	state = folder_make("state");
	ck_assert(!history_update(state, run));
	assert_file(OWN, "{\"schema\":1,\"sessions\":{\"a\":[1.0]}}");
	folder_remove("run");
	ck_assert(!history_update(state, -1));
	assert_file(OWN, "{\"schema\":1,\"sessions\":{\"a\":[1.0]}}");
	close(run);
	close(state);
}
END_TEST

Suite *
check_history_suite(void)
{
	Suite *suite = suite_create("history");
	TCase *tc = support_case(suite, "history");

	tcase_add_test(tc, what_has_never_run_takes_a_second);
	tcase_add_test(tc, the_median_of_the_last_runs_counts);
	tcase_add_test(tc, a_run_is_not_compared_with_itself);
	tcase_add_test(tc, one_session_can_be_looked_up);
	tcase_add_test(tc, only_what_passed_counts);
	tcase_add_test(tc, with_words_a_session_may_do_less);
	tcase_add_test(tc, what_was_skipped_last_is_known);
	tcase_add_test(tc, a_notable_change_is_told);
	tcase_add_test(tc, processor_time_of_clients_counts);
	tcase_add_test(tc, a_seed_stands_in_for_unknown_targets);
	tcase_add_loop_test(tc, a_damaged_history_counts_as_empty, 0, countof(damaged));
	tcase_add_test(tc, a_history_of_a_newer_noxmk_stays);
	tcase_add_test(tc, another_width_may_want_another_order);
	tcase_add_test(tc, what_a_run_teaches_is_kept_with_its_session);
	tcase_add_test(tc, a_hostile_history_does_no_harm);
	tcase_add_test(tc, a_history_that_cannot_be_written_stays);
	tcase_add_loop_test(tc, a_folder_that_is_read_only_is_warned_of, 0, 2);
	tcase_add_test(tc, the_longest_unused_sessions_are_forgotten);
	tcase_add_test(tc, runs_that_end_at_once_lose_nothing);
	tcase_add_test(tc, strange_runs_do_not_count);
	return suite;
}
