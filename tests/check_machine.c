#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "state/history.h"
#include "state/machine.h"
#include "state/request.h"
#include "support.h"

/* Seconds ago. */
static void
written(const char *name, double ago)
{
	double then = clock_now() - ago;
	struct timespec times[2] = { { .tv_sec = (time_t)then }, { .tv_sec = (time_t)then } };

	file_put(name, "");
	ck_assert_int_eq(utimensat(AT_FDCWD, name, times, 0), 0);
}

static void
forget(void)
{
	setenv("CI", "true", 1);
	unsetenv("CI_JOB_STARTED_AT");
	close(folder_make(".git"));
}

START_TEST(a_machine_is_busy_since_its_checkout)
{
	forget();
	ck_assert_double_eq(machine_busy(), -1);
	written(".git/HEAD", 40);
	ck_assert_double_eq_tol(machine_busy(), 40, 10);
	written(".git/FETCH_HEAD", 100);
	ck_assert_double_eq_tol(machine_busy(), 100, 10);
	written(".git/FETCH_HEAD", 4000);
	ck_assert_double_eq(machine_busy(), -1);
	unsetenv("CI");
	written(".git/FETCH_HEAD", 100);
	ck_assert_double_eq(machine_busy(), -1);
}
END_TEST

START_TEST(a_forge_knows_when_the_job_began)
{
	time_t then = time(NULL) - 200;
	char date[32];
	struct tm tm;

	forget();
	written(".git/FETCH_HEAD", 100);
	strftime(date, sizeof(date), "%FT%TZ", gmtime_r(&then, &tm));
	setenv("CI_JOB_STARTED_AT", date, 1);
	ck_assert_double_eq_tol(machine_busy(), 200, 10);
	setenv("CI_JOB_STARTED_AT", "yesterday", 1);
	ck_assert_double_eq_tol(machine_busy(), 100, 10);
	setenv("CI_JOB_STARTED_AT", "2001-01-01T00:00:00Z", 1);
	ck_assert_double_eq(machine_busy(), -1);
}
END_TEST

START_TEST(a_request_has_it)
{
	struct request request = { .goals = json_array(), .alone = xstrdup(""),
		.knob_texts = json_object() };
	int run = folder_make("run");
	json_t *json;

	forget();
	ck_assert_int_eq(request_write(run, &request, NULL), 0);
	json = json_load_file("run/" REQUEST_FILE, 0, NULL);
	ck_assert_ptr_null(json_object_get(json, "busy"));
	json_decref(json);
	written(".git/HEAD", 100);
	ck_assert_int_eq(request_write(run, &request, NULL), 0);
	json = json_load_file("run/" REQUEST_FILE, 0, NULL);
	ck_assert_double_eq_tol(json_number_value(json_object_get(json, "busy")), 100, 10);
	json_decref(json);
	request_clear(&request);
	close(run);
}
END_TEST

/* What one merged run after the other has said of the machines, as "SECONDS PROCESSORS". */
START_TEST(machines_are_learned)
{
	static const struct {
		struct machine said;
		double seconds;
		unsigned processors;
	} runs[] = { { { -1, 0 }, -1, 0 }, { { 40, 4 }, 40, 4 }, { { 50, 2 }, 45, 2 },
		{ { -1, 0 }, 45, 2 }, { { 60, 8 }, 50, 8 } };
	int state = folder_make("state"), run = folder_make("run");
	struct history *history;
	struct machine machine;

	for (size_t i = 0; i < countof(runs) + 8; i++) {
		const struct machine last = { 100, 8 };
		bool more = i >= countof(runs);

		ck_assert_int_eq(history_update_merged(state, run,
		    more ? &last : &runs[i].said), 0);
		history = history_load(state);
		machine = history_machine(history);
		if (!more) {
			ck_assert_double_eq(machine.seconds, runs[i].seconds);
			ck_assert_uint_eq(machine.processors, runs[i].processors);
		}
		history_free(history);
	}
	/* Those of long ago are forgotten, and a run of one machine leaves it all. */
	(void)history_update(state, run);
	history = history_load(state);
	ck_assert_double_eq(history_machine(history).seconds, 100);
	history_free(history);
	/* Another history counts where ours says nothing of it. */
	setenv("NOXMK_HISTORY", "state/history.json", 1);
	history = history_load(run);
	ck_assert_uint_eq(history_machine(history).processors, 8);
	history_free(history);
	unsetenv("NOXMK_HISTORY");
	assert_silent();
	close(run);
	close(state);
}
END_TEST

START_TEST(nonsense_of_machines_is_not_known)
{
	static const char *const machines[] = { "7", "[]", "{}",
		"{\"seconds\":7,\"processors\":\"4\"}", "{\"seconds\":[-1,\"a\",1e9],"
		"\"processors\":1000000}", "{\"processors\":-4}" };

	for (size_t i = 0; i < countof(machines); i++) {
		char *text = xasprintf("{\"schema\":1,\"sessions\":{},\"machine\":%s}",
		    machines[i]);
		int state = folder_make("state"), run = folder_make("run");
		struct history *history;

		file_put("state/history.json", text);
		history = history_load(state);
		ck_assert_double_eq(history_machine(history).seconds, -1);
		ck_assert_uint_eq(history_machine(history).processors, 0);
		history_free(history);
		ck_assert_int_eq(history_update_merged(state, run,
		    &(struct machine){ 5, 2 }), 0);
		history = history_load(state);
		ck_assert_double_eq(history_machine(history).seconds, 5);
		history_free(history);
		free(text);
		close(run);
		close(state);
	}
}
END_TEST

Suite *
check_machine_suite(void)
{
	Suite *suite = suite_create("machine");
	TCase *tc = support_case(suite, "machine");

	tcase_add_test(tc, a_machine_is_busy_since_its_checkout);
	tcase_add_test(tc, a_forge_knows_when_the_job_began);
	tcase_add_test(tc, a_request_has_it);
	tcase_add_test(tc, machines_are_learned);
	tcase_add_test(tc, nonsense_of_machines_is_not_known);
	return suite;
}
