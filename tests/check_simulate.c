#include <stdlib.h>
#include <string.h>

#include "jobs.h"
#include "order/simulate.h"
#include "support.h"

/*
 * The resources are 0 and 1, and 4 of 2. Where a job is not in the order it starts never: "-".
 */
static const struct {
	const char *jobs, *order;
	unsigned slots;
	const char *starts;
	double end;
} runs[] = {
	{ "1", "", 1, "-", 0 },
	{ "1;2;3", "0 1 2", 1, "0 1 3", 6 },
	{ "1;2;3", "2 0 1", 2, "0 1 0", 3 },
	{ "1;2;3", "0 1 2", 9, "0 0 0", 3 },
	/* before, also of one that does not run. */
	{ "1;2 <0", "0 1", 2, "0 1", 3 },
	{ "1;2 <0", "1", 2, "- 0", 2 },
	{ "1;2 <0", "1 0", 2, "0 1", 3 },
	/* Writers one by one, along the order; a reader waits for the last writer. */
	{ "1 x0;2 x0;3 s0;4 s0", "1 0 2 3", 4, "2 0 3 3", 7 },
	{ "1 s0;2 s0;3 x0;4 s0", "0 1 2 3", 4, "0 0 2 5", 9 },
	{ "1 s0;2 x1;3 x0 x1", "0 1 2", 4, "0 0 2", 5 },
	{ "1 x0;1 s0;1 x1", "2 0 1", 4, "0 1 0", 2 },
	{ "5 x0;1 s0;1 x0", "0 2", 4, "0 - 5", 6 },
	/* Amounts, first come, first served: nobody slips past one who waits for much. */
	{ "2 2:2;3 2:2;1 1:2", "0 1 2", 4, "0 0 2", 3 },
	{ "2 3:2;1 4:2;1 1:2", "0 1 2", 4, "0 2 3", 4 },
	{ "2 3:2;1 2:2;1 1:2;1", "0 1 2 3", 4, "0 2 2 0", 3 },
	/* Who waits for amounts keeps no slot from others, */
	{ "2 4:2;1 4:2;2", "0 1 2", 2, "0 2 0", 3 },
	/* but has to get one again when it has them. */
	{ "2 4:2;1 4:2;5;5", "0 1 2 3", 2, "0 2 0 3", 8 },
	/* It comes before make's next, which make does not leave meanwhile. */
	{ "2 4:2;1 4:2;3;5;1 <2;1", "0 1 2 3 4 5", 2, "0 2 0 3 3 4", 8 },
	/* Two amounts that wait for nobody both fit. */
	{ "1 4:2;1 4:2", "1 0", 2, "1 0", 2 },
	/*
	 * make stays at 3 until 0 ends, since 2 was not ready when it came by: 2 waits for the next
	 * pass though it stands before 3.
	 */
	{ "1;4;1 <0;4", "0 1 2 3", 2, "0 0 4 1", 5 },
	{ "1;4;1 <0;4;4", "0 1 2 3 4", 2, "0 0 5 1 4", 8 },
	/* Two slots at once, and none while it waits for them. */
	{ "4;3 #2;1;1", "0 1 2 3", 2, "0 4 0 1", 7 },
	{ "4 #9;3;1", "0 1 2", 2, "0 4 4", 7 },
	/* A client has what is free, and they share it. */
	{ "4;~4;4", "0 1 2", 2, "0 0 4", 8 },
	{ "4;4;~4", "0 1 2", 2, "0 0 4", 6 },
	{ "1;~4;1 <1", "0 1 2", 2, "0 0 2.5", 3.5 },
	{ "~4;~8;1 <0;1 <1", "0 1 2 3", 4, "0 0 2 3.25", 4.25 },
	{ "~4 x0;1 x0", "0 1", 4, "0 1", 2 },
	/* More than there is: never. */
	{ "1 5:2;1", "0 1", 2, "- 0", 1 },
	/* A cycle: never, and no hang. */
	{ "1 <1;1 <0;1", "0 1 2", 2, "- - 0", 1 },
};

START_TEST(jobs_start_as_make_starts_them)
{
	struct schedule *s = schedule_of(runs[_i].jobs, "1 1 4");
	char *copy = xstrdup(runs[_i].order), *rest = copy, *word;
	double *starts = xcalloc(s->n, sizeof(*starts));
	struct indices order = { 0 };
	struct buffer text = { 0 };

	while ((word = strsep(&rest, " ")))
		if (*word)
			indices_add(&order, strtoul(word, NULL, 10));
	for (size_t i = 0; i < s->n; i++)
		starts[i] = -1;
	ck_assert_double_eq(simulate(s, order.v, order.n, runs[_i].slots, NULL, starts, NULL),
	    runs[_i].end);
	for (size_t i = 0; i < s->n; i++)
		if (starts[i] < 0)
			buffer_printf(&text, "%s-", i ? " " : "");
		else
			buffer_printf(&text, "%s%g", i ? " " : "", starts[i]);
	ck_assert_str_eq(text.data, runs[_i].starts);
	ck_assert_double_eq(simulate(s, order.v, order.n, runs[_i].slots, NULL, NULL, NULL),
	    runs[_i].end);
	buffer_free(&text);
	free(order.v);
	free(starts);
	free(copy);
	schedule_drop(s);
}
END_TEST

/* Its cue is an edge, if that job runs. */
START_TEST(a_cue_is_an_edge_if_its_job_runs)
{
	struct schedule *s = schedule_of("1;4;1 <0;4", "1");
	double starts[4], ends[4];

	ck_assert_double_eq(simulate(s, (size_t[]){ 0, 1, 2, 3 }, 4, 2,
	    (size_t[]){ NO_JOB, NO_JOB, NO_JOB, 2 }, starts, ends), 6);
	ck_assert_double_eq(starts[2], 1);
	ck_assert_double_eq(starts[3], 2);
	ck_assert_double_eq(ends[3], 6);
	ck_assert_double_eq(ends[2], 2);
	ck_assert_double_eq(simulate(s, (size_t[]){ 0, 1, 3 }, 3, 2,
	    (size_t[]){ NO_JOB, NO_JOB, NO_JOB, 2 }, starts, ends), 5);
	schedule_drop(s);
}
END_TEST

/* A thousand writers are done one by one, in no time. */
START_TEST(a_thousand_writers_are_done_in_no_time)
{
	enum { MANY = 1000 };
	struct schedule s = { .jobs = xcalloc(MANY, sizeof(*s.jobs)), .n = MANY,
		.capacities = (long long[]){ 1 }, .nresources = 1 };
	struct schedule_claim claim = { 0, EXCLUSIVE, 0 };
	size_t *order = xcalloc(MANY, sizeof(*order));

	for (size_t i = 0; i < MANY; i++) {
		s.jobs[i] = (struct schedule_job){ .seconds = 1, .claims = &claim, .nclaims = 1 };
		order[i] = MANY - 1 - i;
	}
	ck_assert_double_eq(simulate(&s, order, MANY, 8, NULL, NULL, NULL), MANY);
	free(order);
	free(s.jobs);
}
END_TEST

Suite *
check_simulate_suite(void)
{
	Suite *suite = suite_create("simulate");
	TCase *tc = support_case(suite, "simulate");

	tcase_add_loop_test(tc, jobs_start_as_make_starts_them, 0, countof(runs));
	tcase_add_test(tc, a_cue_is_an_edge_if_its_job_runs);
	tcase_add_test(tc, a_thousand_writers_are_done_in_no_time);
	return suite;
}
