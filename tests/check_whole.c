#include <stdlib.h>
#include <string.h>

#include "report/whole.h"
#include "support.h"

enum { MOST = 8 };

/* Records by what counts here: {'target':…,'whole':…,'part':1,'verdict':…,'reason':…}. */
static size_t
records_of(const char *text, struct record records[MOST])
{
	json_t *list = json_of(text), *item;
	size_t i;

	json_array_foreach(list, i, item) {
		const char *verdict = json_string_value(json_object_get(item, "verdict"));
		const char *whole = json_string_value(json_object_get(item, "whole"));
		const char *reason = json_string_value(json_object_get(item, "reason"));
		struct record *r = &records[i];

		*r = (struct record){ .target = xasprintf("r%zu", i), .session = xstrdup("s"),
			.started = 100 + (double)i, .ended = 103 + (double)i, .duration = 3,
			.cpu = 2, .exit = -1, .signal = -1, .logged = true };
		if (whole) {
			r->whole = xstrdup(whole);
			r->part = (unsigned)json_integer_value(json_object_get(item, "part"));
			r->parts = 3;
		}
		while (strcmp(verdict_name(r->verdict), verdict ? verdict : "passed") != 0)
			r->verdict++;
		r->reason = reason ? xstrdup(reason) : NULL;
		r->excused = json_is_true(json_object_get(item, "excused"));
		r->attempts = json_incref(json_object_get(item, "attempts"));
	}
	json_decref(list);
	return i;
}

#define PART(n, more) "{'whole':'t','part':" #n more "}"

/* "TARGET VERDICT DURATION: REASON, …" */
static const struct {
	const char *records, *wholes;
} cases[] = {
	{ "[]", "" },
	{ "[{},{'verdict':'failed','reason':'x'}]", "r0 passed 3; r1 failed 3: x; " },
	{ "[" PART(1, "") ",{}," PART(2, "") "," PART(3, "") "]", "t passed 9; r1 passed 3; " },
	{ "[{}," PART(1, "") "," PART(2, ",'verdict':'failed','reason':'exit 1'") "]",
	  "r0 passed 3; t failed 6: part 2 of 3: exit 1; " },
	/* The worst one counts, and those that are bad are named. */
	{ "[" PART(3, ",'verdict':'not run','reason':'gone'") ","
	  PART(1, ",'verdict':'aborted','reason':'killed'") "," PART(2, "") "]",
	  "t aborted 9: part 1 of 3: killed; " },
	{ "[" PART(1, ",'verdict':'cancelled'") "," PART(2, ",'verdict':'not run'") "]",
	  "t cancelled 6: part 1 of 3: cancelled; " },
	/* What is no failure is none. */
	{ "[" PART(1, ",'verdict':'skipped','reason':'no'") "," PART(2, "") "]",
	  "t passed 6: only part 2 of 3; " },
	{ "[" PART(1, ",'verdict':'skipped','reason':'no'") "," PART(2, ",'verdict':'skipped'") "]",
	  "t skipped 6: only parts 1, 2 of 3: no; " },
	{ "[" PART(1, "") "," PART(2, ",'verdict':'not run','excused':true,'reason':'so'") "]",
	  "t not run 6: only parts 1, 2 of 3: so; " },
	{ "[" PART(1, "") ",{'whole':'u','part':1,'verdict':'failed'}," PART(2, "") "]",
	  "t passed 6: only parts 1, 2 of 3; u failed 3: part 1 of 3: failed; " },
};

START_TEST(parts_are_one_session)
{
	struct record records[MOST] = { 0 };
	size_t n = records_of(cases[_i].records, records);
	struct wholes wholes = wholes_of(records, n);
	struct buffer words = { 0 };

	buffer_addstr(&words, "");
	for (size_t i = 0; i < wholes.n; i++) {
		const struct record *r = &wholes.v[i];

		buffer_printf(&words, "%s %s %.0f%s%s; ", r->target, verdict_name(r->verdict),
		    r->duration, r->reason ? ": " : "", r->reason ? r->reason : "");
		ck_assert(whole_is_made(r) == !r->logged);
	}
	ck_assert_str_eq(words.data, cases[_i].wholes);
	wholes_clear(&wholes);
	for (size_t i = 0; i < n; i++)
		record_clear(&records[i]);
	buffer_free(&words);
}
END_TEST

START_TEST(times_are_those_of_all)
{
	struct record records[MOST] = { 0 };
	size_t n = records_of("[" PART(1, "") "," PART(2, "") "," PART(3,
	    ",'attempts':[{'verdict':'failed'}]") "]", records);
	struct wholes wholes;

	records[1].left = xstrdup("sleep (pid 7)");
	records[1].memory = 5;
	records[2].width = 4;
	records[0].machine = xstrdup("shard 1/3");
	records[1].machine = xstrdup("shard 2/3");
	records[2].machine = xstrdup("shard 1/3");
	records[2].waits = json_of("[{'for':'slot','seconds':1.5}]");
	records[0].waits = json_of("[{'for':'processors','seconds':2}]");
	wholes = wholes_of(records, n);
	ck_assert_uint_eq(wholes.n, 1);
	ck_assert_double_eq(wholes.v[0].started, 100);
	ck_assert_double_eq(wholes.v[0].ended, 105);
	ck_assert_double_eq(wholes.v[0].cpu, 6);
	ck_assert_uint_eq(wholes.v[0].memory, 5);
	ck_assert_uint_eq(wholes.v[0].width, 4);
	ck_assert_str_eq(wholes.v[0].left, "sleep (pid 7)");
	ck_assert_uint_eq(json_array_size(wholes.v[0].waits), 2);
	ck_assert_str_eq(wholes.v[0].machine, "shard 1/3, shard 2/3");
	ck_assert(record_is_flaky(&wholes.v[0]));
	wholes_clear(&wholes);
	for (size_t i = 0; i < n; i++)
		record_clear(&records[i]);
}
END_TEST

Suite *
check_whole_suite(void)
{
	Suite *suite = suite_create("whole");
	TCase *tc = support_case(suite, "whole");

	tcase_add_loop_test(tc, parts_are_one_session, 0, countof(cases));
	tcase_add_test(tc, times_are_those_of_all);
	return suite;
}
