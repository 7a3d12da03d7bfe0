#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "begin.h"
#include "state/request.h"
#include "state/rundir.h"
#include "support.h"

/* As make does: the request is written, then `noxmk begin` called. What that returns. */
static int
begin(const char *text)
{
	char *name = xasprintf(".noxmk/.request-begin-%s", own_key());
	struct facts *facts = facts_of("[{'name':'a','description':'Alpha.'}]", "[]");
	int state = folder_make(".noxmk"), result;

	plan_put(state, facts, NULL, NULL);
	file_put(name, text);
	result = begin_run(state, own_key());
	ck_assert(!file_there(name));
	facts_free(facts);
	close(state);
	free(name);
	return result;
}

START_TEST(a_good_request_begins_a_run)
{
	struct request request = { 0 };
	int state = folder_make(".noxmk"), rundir;
	char *text;

	output_begin();
	ck_assert_int_eq(begin("NOXMK_KEEP=3\ngoals=a\nsessions=1\nalone=a\nargs=x\n"), 0);
	text = output_end();
	rundir = rundir_open(state, own_key());
	ck_assert_int_eq(request_read(rundir, &request), 0);
	ck_assert_str_eq(request.alone, "a");
	ck_assert_str_eq(text, "");
	assert_silent();
	request_clear(&request);
	free(text);
	close(rundir);
	close(state);
}
END_TEST

/* One that is alone does that itself. */
START_TEST(rooms_for_the_records_are_reserved)
{
	int state = folder_make(".noxmk"), rundir;

	ck_assert_int_eq(begin("goals=a\nsessions=2\nalone=\nargs=\n"), 0);
	rundir = rundir_open(state, own_key());
	ck_assert_int_eq(faccessat(rundir, ".a.room", F_OK, 0), 0);
	close(rundir);
	close(state);
}
END_TEST

START_TEST(a_bad_request_begins_none)
{
	ck_assert_int_eq(begin("MAX_FAIL=x\nNOXMK_OUTPUT=lvie\nargs=it's\n"), EXIT_USAGE);
	assert_warned("MAX_FAIL=x: ");
	assert_warned("NOXMK_OUTPUT=lvie: ");
	assert_warned("ARGS has a ' without its second: it's");
	ck_assert(!file_there(".noxmk/runs") && !file_there(".noxmk/latest"));
}
END_TEST

START_TEST(nothing_to_run_is_told_with_what_there_is)
{
	char *text;

	output_begin();
	ck_assert_int_eq(begin("goals=ci\nsessions=0\nargs=\n"), 0);
	text = output_end();
	ck_assert_ptr_nonnull(strstr(text, "the noxfile selects no session by default"));
	ck_assert_ptr_nonnull(strstr(text, "Alpha."));
	free(text);
	output_begin();
	ck_assert_int_eq(begin("goals=\nsessions=0\nargs=\n"), 0);
	text = output_end();
	ck_assert_str_eq(text, "");
	assert_silent();
	free(text);
}
END_TEST

START_TEST(what_other_machines_have_is_told_and_kept)
{
	struct request request = { 0 };
	int state = folder_make(".noxmk"), rundir;
	char *text;

	output_begin();
	ck_assert_int_eq(begin("NOXMK_SHARD=2/3@0123456789abcdef\ngoals=a\n"
	    "left=b c d e f g h\nsessions=1\nalone=a\nargs=\n"), 0);
	text = output_end();
	ck_assert_str_eq(text, "noxmk: shard 2/3: 1 of 8 sessions; left to other machines: "
	    "b c d e f g and 1 more\n");
	free(text);
	rundir = rundir_open(state, own_key());
	ck_assert_int_eq(request_read(rundir, &request), 0);
	ck_assert_uint_eq(json_array_size(request.left), 7);
	ck_assert_str_eq(json_string_value(json_object_get(request.knob_texts, "NOXMK_SHARD")),
	    "2/3@0123456789abcdef");
	request_clear(&request);
	output_begin();
	ck_assert_int_eq(begin("NOXMK_SHARD=1/1\ngoals=a\nleft=\nargs=\n"), 0);
	text = output_end();
	ck_assert_str_eq(text,
	    "noxmk: shard 1/1: 1 of 1 sessions; left to other machines: nothing\n");
	free(text);
	assert_silent();
	close(rundir);
	close(state);
}
END_TEST

START_TEST(without_a_request_nothing_begins)
{
	int state = folder_make(".noxmk");

	ck_assert_int_eq(begin_run(state, own_key()), EXIT_HELPER);
	assert_warned(".request-begin-");
	close(state);
}
END_TEST

Suite *
check_begin_suite(void)
{
	Suite *suite = suite_create("begin");
	TCase *tc = support_case(suite, "begin");

	tcase_add_test(tc, a_good_request_begins_a_run);
	tcase_add_test(tc, rooms_for_the_records_are_reserved);
	tcase_add_test(tc, a_bad_request_begins_none);
	tcase_add_test(tc, nothing_to_run_is_told_with_what_there_is);
	tcase_add_test(tc, what_other_machines_have_is_told_and_kept);
	tcase_add_test(tc, without_a_request_nothing_begins);
	return suite;
}
