#include <stdlib.h>
#include <string.h>

#include "jobs.h"
#include "order/dispatch.h"
#include "support.h"

/* The resources are 0 and 1, and 4 of 2. starts: of each job, by its number. */
static const struct {
	const char *jobs, *urgency;
	unsigned slots;
	const char *sequence, *starts;
	double end;
} runs[] = {
	/* The most urgent takes the slot. */
	{ "1;2;3", "0 1 2", 1, "0 1 2", "0 1 3", 6 },
	{ "1;2;3", "2 1 0", 2, "2 1 0", "2 0 0", 3 },
	{ "1;2;3", "1 0 2", 9, "1 0 2", "0 0 0", 3 },
	/* A job that waits for another comes when it is ready, and then at its place. */
	{ "1;2 <0", "1 0", 2, "0 1", "0 1", 3 },
	{ "1;3;1 <0;1;1", "2 0 1 3 4", 2, "0 1 2 3 4", "0 0 1 2 3", 4 },
	/* One that does not fit is passed over, also by one that claims the same. */
	{ "2 x0;2 x0;1", "0 1 2", 2, "0 2 1", "0 2 0", 4 },
	{ "2 s0;1 x0;2 s0", "0 1 2", 4, "0 2 1", "0 2 0", 3 },
	{ "2 x0;1 s0;1 s0", "0 1 2", 4, "0 1 2", "0 2 2", 3 },
	{ "2 x0;1 x1", "0 1", 4, "0 1", "0 0", 2 },
	{ "2 3:2;1 2:2;1 1:2", "0 1 2", 4, "0 2 1", "0 2 0", 3 },
	{ "2 2:2;1 2:2", "0 1", 4, "0 1", "0 0", 2 },
	{ "1;2 #2;5", "0 1 2", 2, "0 2 1", "0 5 0", 7 },
	{ "4 #9;1", "0 1", 2, "0 1", "0 4", 5 },
	/* Clients go by what is free. */
	{ "4;~4", "0 1", 2, "0 1", "0 0", 4 },
	{ "~4;1 <0", "0 1", 2, "0 1", "0 2", 3 },
	/* What can never start comes last. */
	{ "1 <1;1 <0;2", "0 1 2", 2, "2 0 1", "2 2 0", 2 },
	{ "1 5:2;1", "0 1", 2, "1 0", "1 0", 1 },
};

static size_t *
indices_of(const char *text, size_t n)
{
	size_t *list = xcalloc(n, sizeof(*list)), i = 0;
	char *copy = xstrdup(text), *rest = copy, *word;

	while ((word = strsep(&rest, " ")))
		list[i++] = strtoul(word, NULL, 10);
	ck_assert_uint_eq(i, n);
	free(copy);
	return list;
}

START_TEST(the_most_urgent_job_that_fits_starts)
{
	struct schedule *s = schedule_of(runs[_i].jobs, "1 1 4");
	size_t *urgency = indices_of(runs[_i].urgency, s->n);
	size_t *sequence = xcalloc(s->n, sizeof(*sequence));
	double *starts = xcalloc(s->n, sizeof(*starts));
	struct buffer found = { 0 }, times = { 0 };

	ck_assert_double_eq(dispatch(s, urgency, runs[_i].slots, sequence, starts), runs[_i].end);
	for (size_t i = 0; i < s->n; i++) {
		buffer_printf(&found, "%s%zu", i ? " " : "", sequence[i]);
		buffer_printf(&times, "%s%g", i ? " " : "", starts[i]);
	}
	ck_assert_str_eq(found.data, runs[_i].sequence);
	ck_assert_str_eq(times.data, runs[_i].starts);
	buffer_free(&found);
	buffer_free(&times);
	free(urgency);
	free(sequence);
	free(starts);
	schedule_drop(s);
}
END_TEST

Suite *
check_dispatch_suite(void)
{
	Suite *suite = suite_create("dispatch");
	TCase *tc = support_case(suite, "dispatch");

	tcase_add_loop_test(tc, the_most_urgent_job_that_fits_starts, 0, countof(runs));
	return suite;
}
