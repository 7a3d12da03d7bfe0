#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "order/workload.h"
#include "support.h"

/* A session, what is known of it, and what comes of that: seconds, and processors kept busy. */
static const struct {
	const char *session, *learned;
	double seconds, demand;
} sessions[] = {
	{ "{'target':'a'}", NULL, 20.1234, 0 },
	/* It was wide for a part of its time. */
	{ "{'target':'a'}", "{'width':4,'cpu':30.2,'alone':12.5}", 12.5, 2.416 },
	{ "{'target':'a'}", "{'width':4,'cpu':30.2}", 20.1234, 30.2 / 20.1234 },
	{ "{'target':'a'}", "{'width':4,'cpu':100,'alone':12.5}", 12.5, 4 },
	{ "{'target':'a'}", "{'width':4,'cpu':100,'alone':0.0001}", 20.1234, 4 },
	{ "{'target':'a'}", "{'width':4}", 20.1234, 0 },
	/* Narrow, or the user says how many slots it takes. */
	{ "{'target':'a'}", "{'width':1,'cpu':30.2,'alone':12.5}", 20.1234, 0 },
	{ "{'target':'a'}", "{'alone':12.5}", 20.1234, 0 },
	{ "{'target':'a','options':{'jobs':[2,4]}}", "{'width':4,'cpu':30.2,'alone':12.5}",
	    20.1234, 0 },
	/* A part of which nothing is known takes its share of the whole. */
	{ "{'target':'a.part-2','part':[2,4],'whole':'a'}", NULL, 5.03085, 0 },
	{ "{'target':'a.part-2','part':[2,4],'whole':'a'}", "{'width':4,'cpu':30.2,'alone':12.5}",
	    3.125, 2.416 },
	{ "{'target':'a','part':[2,4],'whole':'b'}", NULL, 20.1234, 0 },
	{ "{'target':'x','part':[2,4],'whole':'b'}", NULL, 20.1234, 0 },
	{ "{'target':'x','part':[2,0],'whole':'a'}", NULL, 20.1234, 0 },
	/* What was skipped last, and one part of what is cut was. */
	{ "{'target':'s'}", NULL, 0.5, 0 },
	{ "{'target':'s','part':[2,4],'whole':'a'}", "{'width':4,'cpu':30.2,'alone':12.5}", 0.5,
	    0 },
};

static struct workload *
workload_of(const char *session, const char *learned, bool is_client, bool coarse)
{
	json_t *active = json_pack("{s:o}", "a", json_of(session));
	json_t *root = json_pack("{s:i,s:{s:[f]},s:[s],s:{s:o*},s:{s:f}}", "schema", 1, "sessions",
	    "a", 20.1234, "clients", is_client ? "a" : "b", "learned", "a",
	    learned ? json_of(learned) : NULL, "skipped", "s", 0.5);
	int state = folder_make("state");
	struct history *history;
	struct workload *work;

	ck_assert_ptr_nonnull(root);
	ck_assert_int_eq(json_dump_file(root, "state/history.json", 0), 0);
	history = history_load(state);
	work = workload_new(active, history, coarse);
	history_free(history);
	close(state);
	json_decref(active);
	json_decref(root);
	return work;
}

START_TEST(a_wide_session_keeps_several_processors_busy)
{
	struct workload *work = workload_of(sessions[_i].session, sessions[_i].learned, false,
	    false);

	ck_assert_double_eq_tol(work->schedule.jobs[0].seconds, sessions[_i].seconds, 1e-9);
	ck_assert_double_eq_tol(work->schedule.jobs[0].demand, sessions[_i].demand, 1e-9);
	if (strstr(sessions[_i].session, "'target':'s'"))
		ck_assert(work->schedule.jobs[0].known);
	workload_free(work);
	assert_silent();
}
END_TEST

/* A client's share is what is free. */
START_TEST(a_client_is_no_wide_session)
{
	struct workload *work = workload_of("{'target':'a'}", sessions[1].learned, true, false);

	ck_assert_double_eq(work->schedule.jobs[0].seconds, 20.1234);
	ck_assert_double_eq(work->schedule.jobs[0].demand, 0);
	workload_free(work);
}
END_TEST

START_TEST(small_changes_do_not_count_where_it_is_coarse)
{
	struct workload *work = workload_of("{'target':'a'}", sessions[1].learned, false, true);

	ck_assert_double_eq_tol(work->schedule.jobs[0].seconds, 13, 1e-9);
	ck_assert_double_eq(work->schedule.jobs[0].demand, 2.5);
	workload_free(work);
}
END_TEST

Suite *
check_workload_suite(void)
{
	Suite *suite = suite_create("workload");
	TCase *tc = support_case(suite, "workload");

	tcase_add_loop_test(tc, a_wide_session_keeps_several_processors_busy, 0,
	    countof(sessions));
	tcase_add_test(tc, a_client_is_no_wide_session);
	tcase_add_test(tc, small_changes_do_not_count_where_it_is_coarse);
	return suite;
}
