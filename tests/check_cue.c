#include <stdlib.h>

#include "jobs.h"
#include "order/cue.h"
#include "order/dispatch.h"
#include "support.h"

/* The resources are 0 and 1, and 4 of 2. The jobs' own order is their urgency. */
static const struct {
	const char *jobs;
	unsigned slots;
	const char *cues; /* "3<2": the end of 2 is the cue of 3 */
} choices[] = {
	/* make keeps this order by itself. */
	{ "1;1;1;1", 2, "" },
	{ "1;4;5 <0;1;1", 3, "" },
	/* make would start 3 in the place of 2, when 0 ends. */
	{ "1;4;5 <0;1;1", 2, "3<1 4<3" },
	{ "1;4;5 <0;2;2", 2, "3<1" },
	/* An edge makes it wait for that one anyway. */
	{ "1;4;5 <0;1 <1;1", 2, "4<3" },
	{ "1;4 x0;5 <0;1 x0;1", 2, "4<3" },
	{ "1;4 s0;5 <0;1 x0;1", 2, "4<3" },
	/* Readers do not wait for each other. */
	{ "1;4 s0;5 <0;1 s0;1", 2, "3<1 4<3" },
	/* The end is not known of a job that has never run, and of a client. */
	{ "1;?4;5 <0;1;1", 2, "4<3" },
	{ "1;~4;5 <0;1;1", 2, "4<3" },
	/* Who is first to get an amount is said even where make would keep the order. */
	{ "2 4:2;1 4:2", 2, "1<0" },
	{ "2 4:2;1 4:2 <0", 2, "" },
	/* Of two that end at once the one that gives the amount back. */
	{ "2;2 2:2;1;1 4:2", 3, "3<1" },
	/* Each end is a cue of its own job. */
	{ "1;4 2:2;4;5 <0;1 3:2;1", 3, "4<1 5<2" },
};

static void
assert_cues(const char *jobs, unsigned slots, const char *wanted)
{
	struct schedule *s = schedule_of(jobs, "1 1 4");
	size_t *urgency = xcalloc(s->n, sizeof(*urgency));
	size_t *sequence = xcalloc(s->n, sizeof(*sequence));
	size_t *cues = xcalloc(s->n, sizeof(*cues));
	double *starts = xcalloc(s->n, sizeof(*starts));
	struct buffer found = { 0 };

	for (size_t i = 0; i < s->n; i++)
		urgency[i] = i;
	dispatch(s, urgency, slots, sequence, starts);
	cue_choose(s, slots, sequence, starts, cues);
	buffer_addstr(&found, "");
	for (size_t i = 0; i < s->n; i++)
		if (cues[i] != NO_JOB)
			buffer_printf(&found, "%s%zu<%zu", found.len ? " " : "", i, cues[i]);
	ck_assert_str_eq(found.data, wanted);
	buffer_free(&found);
	free(urgency);
	free(sequence);
	free(cues);
	free(starts);
	schedule_drop(s);
}

START_TEST(only_what_make_needs_gets_a_cue)
{
	assert_cues(choices[_i].jobs, choices[_i].slots, choices[_i].cues);
}
END_TEST

Suite *
check_cue_suite(void)
{
	Suite *suite = suite_create("cue");
	TCase *tc = support_case(suite, "cue");

	tcase_add_loop_test(tc, only_what_make_needs_gets_a_cue, 0, countof(choices));
	return suite;
}
