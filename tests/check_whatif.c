#include <stdlib.h>

#include "order/whatif.h"
#include "support.h"

/* a and b share db; c requires a; w is wide; f passed at its second try. On two processors. */
static const char sessions[] =
    "{'a':{'target':'a','claims':[{'resource':'db','use':'exclusive'}]},"
    "'b':{'target':'b','claims':[{'resource':'db','use':'exclusive'}]},"
    "'c':{'target':'c','requires':['a']},'w':{'target':'w'},'f':{'target':'f'}}";

static const struct one {
	const char *target;
	double seconds, cpu, crowded;
	unsigned width;
	const char *waits, *attempts;
} ones[] = {
	{ "a", 4, 0, 0, 1, NULL, NULL },
	{ "b", 4, 0, 0, 1, "[{'for':'slot','seconds':3}]", NULL },
	{ "c", 2, 2, 0, 0, NULL, NULL },
	/* It waited for a second while it ran, and lost a second to others. */
	{ "w", 6, 8, 1, 2, "[{'for':'processors','seconds':1}]", NULL },
	{ "f", 1, 0, 0, 0, NULL, "[{'verdict':'failed','duration':2}]" },
};

/* Of those with these targets. The caller frees. */
static struct whatif *
make(const char *targets, double apart, struct record *records, json_t **active,
    struct history **history)
{
	json_t *all = json_of(sessions);
	size_t n = 0;

	*active = json_object();
	*history = history_load(-1);
	for (; *targets; targets++)
		for (size_t i = 0; i < countof(ones); i++) {
			const struct one *one = &ones[i];

			if (*one->target != *targets)
				continue;
			/* One after the other, or all at once: then that tells nothing. */
			records[n] = (struct record){ .target = xstrdup(one->target),
				.verdict = PASSED, .started = 100, .ended = 100 + one->seconds,
				.duration = one->seconds, .cpu = one->cpu, .client = -1,
				.crowded = one->crowded, .width = one->width,
				.waits = one->waits ? json_of(one->waits) : NULL,
				.attempts = one->attempts ? json_of(one->attempts) : NULL };
			if (apart > 0 && n > 0) {
				records[n].started = records[n - 1].ended + apart;
				records[n].ended = records[n].started + one->seconds;
			}
			n++;
			json_object_set(*active, one->target, json_object_get(all, one->target));
		}
	json_decref(all);
	return whatif_new(*active, records, n, *history, 2, 2);
}

static const struct {
	const char *targets;
	double one, two, four, without, edges;
} runs[] = {
	{ "", 0, 0, 0, 0, 0 },
	/* Only the resource keeps them apart. */
	{ "ab", 8, 8, 8, 4, 8 },
	{ "ac", 6, 6, 6, 6, 4 },
	/* a goes first, since c waits for it. */
	{ "abc", 10, 8, 8, 6, 8 },
	/* w wants both processors for 4 s, c one for 2 s: together that is 5 s of both. */
	{ "w", 4, 4, 4, 4, 4 },
	{ "wc", 6, 5, 5, 5, 5 },
	/* Who sleeps is in nobody's way. */
	{ "wf", 7, 4, 4, 4, 4 },
	{ "f", 3, 3, 3, 3, 3 },
};

START_TEST(a_run_is_simulated)
{
	struct record records[countof(ones)] = { 0 };
	struct history *history;
	json_t *active;
	struct whatif *whatif = make(runs[_i].targets, 0, records, &active, &history);

	ck_assert_double_eq_tol(whatif_slots(whatif, 1), runs[_i].one, 1e-6);
	ck_assert_double_eq_tol(whatif_as_it_was(whatif), runs[_i].two, 1e-6);
	ck_assert_double_eq_tol(whatif_slots(whatif, 4), runs[_i].four, 1e-6);
	ck_assert_double_eq_tol(whatif_without(whatif, "db"), runs[_i].without, 1e-6);
	ck_assert_double_eq_tol(whatif_without(whatif, "none"), runs[_i].two, 1e-6);
	ck_assert_double_eq_tol(whatif_without_edges(whatif), runs[_i].edges, 1e-6);
	/* All is as it was again. */
	ck_assert_double_eq_tol(whatif_slots(whatif, 2), runs[_i].two, 1e-6);
	whatif_free(whatif);
	history_free(history);
	json_decref(active);
	for (size_t i = 0; i < countof(records); i++)
		record_clear(&records[i]);
}
END_TEST

START_TEST(a_session_takes_half)
{
	struct record records[countof(ones)] = { 0 };
	struct history *history;
	json_t *active;
	struct whatif *whatif = make("abc", 0, records, &active, &history);

	ck_assert_double_eq_tol(whatif_halved(whatif, "a"), 6, 1e-6);
	ck_assert_double_eq_tol(whatif_halved(whatif, "c"), 8, 1e-6);
	ck_assert_double_eq_tol(whatif_halved(whatif, "nobody"), 8, 1e-6);
	ck_assert_double_eq_tol(whatif_slots(whatif, 2), 8, 1e-6);
	ck_assert_uint_eq(json_object_size(whatif_resources(whatif)), 1);
	whatif_free(whatif);
	history_free(history);
	json_decref(active);
	for (size_t i = 0; i < countof(records); i++)
		record_clear(&records[i]);
}
END_TEST

/* a and b, which cannot meet, took 8.4 s: so each takes 0.2 s besides its own 4 s. */
START_TEST(make_takes_time_for_each_session)
{
	struct record records[countof(ones)] = { 0 };
	struct history *history;
	json_t *active;
	struct whatif *whatif = make("ab", 0.4, records, &active, &history);

	ck_assert_double_eq_tol(whatif_as_it_was(whatif), 8.4, 0.01);
	ck_assert_double_eq_tol(whatif_without(whatif, "db"), 4.2, 0.01);
	whatif_free(whatif);
	for (size_t i = 0; i < countof(records); i++)
		record_clear(&records[i]);
	json_decref(active);
	history_free(history);
	/* What held them up for a minute was not make. */
	whatif = make("ab", 60, records, &active, &history);
	ck_assert_double_eq_tol(whatif_as_it_was(whatif), 8, 1e-6);
	whatif_free(whatif);
	history_free(history);
	json_decref(active);
	for (size_t i = 0; i < countof(records); i++)
		record_clear(&records[i]);
}
END_TEST

Suite *
check_whatif_suite(void)
{
	Suite *suite = suite_create("whatif");
	TCase *tc = support_case(suite, "whatif");

	tcase_add_loop_test(tc, a_run_is_simulated, 0, countof(runs));
	tcase_add_test(tc, a_session_takes_half);
	tcase_add_test(tc, make_takes_time_for_each_session);
	return suite;
}
