#include <stdlib.h>

#include "base/json.h"
#include "state/samples.h"
#include "support.h"

enum { MIB = 1 << 20 };

static struct samples samples;

static void
setup(void)
{
	samples = (struct samples){ 0 };
}

static void
add(double until, double cpu, unsigned width, unsigned mib)
{
	samples_add(&samples, until, &(struct sample){ .cpu = cpu, .width = width,
	    .memory = (unsigned long long)mib * MIB });
}

static void
assert_json(const char *expected)
{
	json_t *json = samples_json(&samples), *wanted = json_of(expected);

	ck_assert_msg(json_equal(json, wanted), "%s", json ? json_dumps(json, 0) : "nothing");
	ck_assert(samples_are_sound(json));
	json_decref(json);
	json_decref(wanted);
}

START_TEST(each_span_has_its_part_of_the_time_and_the_most_of_the_rest)
{
	add(0.125, 0.125, 1, 8);
	add(0.625, 1, 4, 16);
	add(0.75, 0, 0, 2);
	assert_json("{'every':0.25,'cpu':[1.5,2.0,1.0],'width':[4,4,4],'mib':[16.0,16.0,16.0]}");
	/* What is told twice, or of the past, is nothing. */
	add(0.75, 7, 9, 99);
	add(0.5, 7, 9, 99);
	assert_json("{'every':0.25,'cpu':[1.5,2.0,1.0],'width':[4,4,4],'mib':[16.0,16.0,16.0]}");
}
END_TEST

/* Less than half of a span belongs to the one before; more is one. */
START_TEST(the_last_span_is_what_is_left)
{
	json_t *json;

	add(0.25, 0.25, 1, 1);
	add(0.35, 0.25, 2, 2);
	assert_json("{'every':0.25,'cpu':[1.43],'width':[2],'mib':[2.0]}");
	json = samples_json(&samples);
	ck_assert_double_eq(samples_span(json, 0, 0.35).to, 0.35);
	json_decref(json);
	add(0.45, 0, 3, 3);
	assert_json("{'every':0.25,'cpu':[1.0,1.25],'width':[1,3],'mib':[1.0,3.0]}");
	json = samples_json(&samples);
	ck_assert_uint_eq(samples_count(json), 2);
	ck_assert_double_eq(samples_span(json, 1, 0.45).from, 0.25);
	ck_assert_double_eq(samples_span(json, 1, 0.45).to, 0.45);
	ck_assert_double_eq(samples_span(json, 1, 0.45).mib, 3);
	ck_assert_uint_eq(samples_span(json, 1, 0.45).width, 3);
	ck_assert_double_eq(samples_span(json, 0, 0.45).to, 0.25);
	json_decref(json);
}
END_TEST

START_TEST(what_is_too_short_has_none)
{
	ck_assert_ptr_null(samples_json(&samples));
	add(0.2, 1, 1, 1);
	ck_assert_ptr_null(samples_json(&samples));
	ck_assert(!samples_are_sound(NULL));
}
END_TEST

/* By looks that are as far apart as that, for so long. */
static const struct {
	double step, last;
} lengths[] = { { 0.25, 16 }, { 0.25, 16.25 }, { 0.3, 1000 }, { 7, 86400 }, { 1e6, 1e8 } };

START_TEST(however_long_it_is_bounded)
{
	double sum = 0, every;
	json_t *json;
	size_t n;

	for (int i = 1; i * lengths[_i].step <= lengths[_i].last; i++)
		add(i * lengths[_i].step, 2 * lengths[_i].step, i == 3 ? 9 : 2, 1);
	json = samples_json(&samples);
	ck_assert(samples_are_sound(json));
	n = samples_count(json);
	every = json_number(json, "every");
	ck_assert_uint_le(n, SAMPLES_MOST);
	ck_assert_uint_ge(n, SAMPLES_MOST / 2);
	ck_assert_double_le(every * (double)(n - 1), samples.until);
	/* No processor second is lost, nor the one look at which it was wide. */
	for (size_t i = 0; i < n; i++) {
		struct samples_span span = samples_span(json, i, samples.until);

		sum += span.cpu * (span.to - span.from);
		ck_assert_double_eq_tol(span.cpu, 2, 0.011);
		ck_assert_uint_eq(span.width, span.from < 3 * lengths[_i].step &&
		    span.to > 2 * lengths[_i].step ? 9 : 2);
	}
	ck_assert_double_eq_tol(sum, 2 * samples.until, 0.01 * samples.until);
	json_decref(json);
}
END_TEST

/* What may stand in a record instead. */
static const char *const strange[] = { "[]", "{}", "{'every':0.25}",
	"{'every':0.25,'cpu':[],'width':[],'mib':[]}",
	"{'every':0.25,'cpu':[1.0],'width':[1],'mib':[]}",
	"{'every':0.25,'cpu':[1.0],'width':[1],'mib':[1,2]}",
	"{'every':0,'cpu':[1.0],'width':[1],'mib':[1]}",
	"{'every':1e300,'cpu':[1.0],'width':[1],'mib':[1]}",
	"{'every':'1','cpu':[1.0],'width':[1],'mib':[1]}",
	"{'every':0.25,'cpu':[-1.0],'width':[1],'mib':[1]}",
	"{'every':0.25,'cpu':[1e300],'width':[1],'mib':[1]}",
	"{'every':0.25,'cpu':['x'],'width':[1],'mib':[1]}",
	"{'every':0.25,'cpu':[1.0],'width':[1.5],'mib':[1]}",
	"{'every':0.25,'cpu':[1.0],'width':[-1],'mib':[1]}",
	"{'every':0.25,'cpu':[1.0],'width':[9223372036854775807],'mib':[1]}",
	"{'every':0.25,'cpu':{},'width':[1],'mib':[1]}" };

START_TEST(what_is_not_sound_is_known)
{
	json_t *json = json_of(strange[_i]);

	ck_assert(!samples_are_sound(json));
	json_decref(json);
}
END_TEST

START_TEST(too_many_are_not_sound)
{
	json_t *json = json_of("{'every':0.25,'cpu':[],'width':[],'mib':[]}"), *list;
	const char *key;

	for (int i = 0; i <= SAMPLES_MOST; i++) {
		ck_assert_int_eq(samples_are_sound(json), i > 0);
		json_object_foreach(json, key, list)
			if (json_is_array(list))
				json_array_append_new(list, json_integer(1));
	}
	ck_assert(!samples_are_sound(json));
	json_decref(json);
}
END_TEST

Suite *
check_samples_suite(void)
{
	Suite *suite = suite_create("samples");
	TCase *tc = support_case(suite, "samples");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, each_span_has_its_part_of_the_time_and_the_most_of_the_rest);
	tcase_add_test(tc, the_last_span_is_what_is_left);
	tcase_add_test(tc, what_is_too_short_has_none);
	tcase_add_loop_test(tc, however_long_it_is_bounded, 0, countof(lengths));
	tcase_add_loop_test(tc, what_is_not_sound_is_known, 0, countof(strange));
	tcase_add_test(tc, too_many_are_not_sound);
	return suite;
}
