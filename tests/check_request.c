#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cpus.h"
#include "state/request.h"
#include "support.h"

/* What make has written for `begin`, read and checked. */
static bool
check_text(const char *text, struct request *request)
{
	char *name = xasprintf(".noxmk/.request-begin-%s", own_key());
	int state = folder_make(".noxmk");
	json_t *settings;
	bool good;

	file_put(name, text);
	settings = request_take(state, "begin", own_key());
	ck_assert_ptr_nonnull(settings);
	ck_assert(!file_there(name));
	good = request_check(settings, request);
	json_decref(settings);
	close(state);
	free(name);
	return good;
}

START_TEST(a_request_is_read_and_kept)
{
	struct request request = { 0 }, again = { 0 };
	int rundir = folder_make("run");

	ck_assert(check_text("NOXMK_OUTPUT=live\nNOXMK_JOBS=3\nNOXMK_KEEP=\nMAX_FAIL=2\n"
			     "goals=ci lint\nalone=\nargs=-k 'a b'\nMAX_FAIL=\xe9\n", &request));
	assert_silent();
	ck_assert_int_eq(request_write(rundir, &request, NULL), 0);
	ck_assert_int_eq(request_read(rundir, &again), 0);
	ck_assert_int_eq(again.knobs.output, OUTPUT_STREAM);
	ck_assert_uint_eq(again.knobs.jobs, 3);
	ck_assert_uint_eq(again.knobs.keep, 20);
	ck_assert_uint_eq(again.knobs.policy.max_fail, 2);
	ck_assert_uint_eq(json_array_size(again.goals), 2);
	ck_assert_str_eq(json_string_value(json_array_get(again.goals, 1)), "lint");
	ck_assert_str_eq(again.alone, "");
	ck_assert_uint_eq(again.posargs.n, 3);
	ck_assert_str_eq(again.posargs.v[0], "-k");
	ck_assert_str_eq(again.posargs.v[1], "a b");
	ck_assert_uint_eq(again.processors, cpus_available());
	/* Bytes that are no UTF-8 stay what they are. */
	ck_assert_str_eq(again.posargs.v[2], "MAX_FAIL=\xe9");
	request_clear(&request);
	request_clear(&again);
	close(rundir);
}
END_TEST

START_TEST(args_may_be_longer_than_an_argument)
{
	struct request request = { 0 };
	struct buffer text = { 0 };

	buffer_addstr(&text, "args=");
	for (int i = 0; i < 40000; i++)
		buffer_printf(&text, "word%d ", i);
	ck_assert(check_text(text.data, &request));
	ck_assert_uint_eq(request.posargs.n, 40000);
	ck_assert_str_eq(request.posargs.v[39999], "word39999");
	request_clear(&request);
	buffer_free(&text);
}
END_TEST

static const struct {
	const char *text, *message;
} faults[] = {
	{ "args=it's\n", "ARGS has a ' without its second: it's\n" },
	{ "args=a \"b\n", "ARGS has a \" without its second: a \"b\n" },
	{ "MAX_FAIL=x\nNOXMK_OUTPUT=lvie\nargs=\n", "MAX_FAIL=x: it takes" },
	{ "MAX_FAIL=x\nNOXMK_OUTPUT=lvie\nargs=\n", "did you mean live?" },
	{ "NOXMK_KEEP=\xff\n", "NOXMK_KEEP=\xff: it takes" },
};

START_TEST(what_is_wrong_is_told)
{
	struct request request = { 0 };

	ck_assert(!check_text(faults[_i].text, &request));
	assert_warned(faults[_i].message);
	request_clear(&request);
}
END_TEST

START_TEST(a_word_that_no_program_can_get_is_told)
{
	struct request request = { 0 };
	struct buffer text = { 0 };

	buffer_addstr(&text, "args=b ");
	for (int i = 0; i < 128 * 1024; i++)
		buffer_addstr(&text, "a");
	ck_assert(!check_text(text.data, &request));
	assert_warned("ARGS has a word of 131072 bytes; the system takes 131071 at most: aaa");
	request_clear(&request);
	buffer_free(&text);
}
END_TEST

START_TEST(what_its_goals_run_the_plan_tells)
{
	int folder = folder_make("run");
	json_t *active;

	file_put_json("run/" REQUEST_FILE, "{'schema':1,'knobs':{},'goals':['a'],'alone':'',"
	    "'posargs':[],'processors':2,'sessions':2}");
	ck_assert(!request_active(folder));
	assert_warned("there is no plan");
	file_put_json("run/plan.jsonl", "{'schema':1}\n{'target':'a','requires':['b']}\n"
	    "{'target':'b'}\n{'target':'c'}\n");
	active = request_active(folder);
	ck_assert_uint_eq(json_object_size(active), 2);
	ck_assert(json_object_get(active, "a") && json_object_get(active, "b"));
	json_decref(active);
	unlink("run/" REQUEST_FILE);
	ck_assert(!request_active(folder));
	assert_warned(REQUEST_FILE);
	close(folder);
}
END_TEST

START_TEST(requests_of_dead_makes_go)
{
	static const char *const old[] = { ".request-begin-999999999-1-c0ffee",
		".request-x-nonsense", ".request", "failed.1~" };
	struct request request = { 0 };
	char *living = xasprintf(".noxmk/.request-order-%s", own_key());
	int state = folder_make(".noxmk");

	file_put(living, "");
	file_put(".noxmk/.request-begin-999999999-1-c0ffee", "");
	file_put(".noxmk/.request-x-nonsense", "");
	file_put(".noxmk/failed.1~", "");
	file_put(".noxmk/.request", "");
	file_put(".noxmk/.request-begin-999999999-2-c0ffee", "");
	for (size_t i = 0; i < countof(old); i++)
		ck_assert_int_eq(utimensat(state, old[i], (struct timespec[]){ { .tv_sec = 1 },
		    { .tv_sec = 1 } }, 0), 0);
	ck_assert(check_text("", &request));
	/* Another container may have a make that we do not see. */
	ck_assert(file_there(".noxmk/.request-begin-999999999-2-c0ffee"));
	ck_assert(!file_there(".noxmk/failed.1~"));
	ck_assert(file_there(living) && file_there(".noxmk/.request"));
	ck_assert(!file_there(".noxmk/.request-begin-999999999-1-c0ffee"));
	ck_assert(!file_there(".noxmk/.request-x-nonsense"));
	request_clear(&request);
	free(living);
	close(state);
}
END_TEST

START_TEST(what_is_not_there_is_warned_of)
{
	struct request request = { 0 };
	int folder = folder_make("run");

	ck_assert_ptr_null(request_take(folder, "begin", "../x"));
	assert_warned("'../x' does not name a make");
	ck_assert_ptr_null(request_take(folder, "begin", own_key()));
	assert_warned(".request-begin-");
	ck_assert_int_eq(request_read(folder, &request), -1);
	assert_warned(".request.json: No such file or directory");
	file_put("run/.request.json", "{\"schema\":1");
	ck_assert_int_eq(request_read(folder, &request), -1);
	assert_warned(".request.json: damaged");
	close(folder);
}
END_TEST

/* What has been put into one, and is it damaged then? */
static const struct {
	const char *text;
	bool damaged;
} changes[] = {
	{ "{'schema':1,'goals':['lint'],'posargs':[null,1],'knobs':7}", false },
	{ "{'schema':1,'goals':['ci','a_b-3.9'],'left':[],'own':['dist/ü #1'],"
	  "'knobs':{'NOXMK_KEEP':'\\n::error::a','NOXMK_\\n':'','NOXMK_JOBS':[]}}", false },
	{ "{'schema':2,'goals':['lint']}", true },
	{ "{'schema':1}", true },
	{ "{'schema':1,'goals':'lint'}", true },
	{ "{'schema':1,'goals':[7]}", true },
	{ "{'schema':1,'goals':['a',['b']]}", true },
	{ "{'schema':1,'goals':['']}", true },
	{ "{'schema':1,'goals':['a\\n::error::b']}", true },
	{ "{'schema':1,'goals':['##vso[a]']}", true },
	{ "{'schema':1,'goals':['a'],'left':7}", true },
	{ "{'schema':1,'goals':['a'],'left':null}", true },
	{ "{'schema':1,'goals':['a'],'left':['b',7]}", true },
	{ "{'schema':1,'goals':['a'],'own':'check'}", true },
	{ "{'schema':1,'goals':['a'],'own':{'check':1}}", true },
	{ "{'schema':1,'goals':['a'],'own':[7]}", true },
};

START_TEST(one_that_was_changed_is_damaged_or_read_in_silence)
{
	json_t *json = json_of(changes[_i].text);
	struct request request = { 0 };
	int folder = folder_make("run");

	ck_assert_int_eq(json_dump_file(json, "run/" REQUEST_FILE, 0), 0);
	ck_assert_int_eq(request_read(folder, &request), changes[_i].damaged ? -1 : 0);
	if (changes[_i].damaged)
		assert_warned(".request.json: damaged");
	else
		assert_silent();
	request_clear(&request);
	json_decref(json);
	close(folder);
}
END_TEST

Suite *
check_request_suite(void)
{
	Suite *suite = suite_create("request");
	TCase *tc = support_case(suite, "request");

	tcase_add_test(tc, a_request_is_read_and_kept);
	tcase_add_test(tc, args_may_be_longer_than_an_argument);
	tcase_add_loop_test(tc, what_is_wrong_is_told, 0, countof(faults));
	tcase_add_test(tc, a_word_that_no_program_can_get_is_told);
	tcase_add_test(tc, what_its_goals_run_the_plan_tells);
	tcase_add_test(tc, requests_of_dead_makes_go);
	tcase_add_test(tc, what_is_not_there_is_warned_of);
	tcase_add_loop_test(tc, one_that_was_changed_is_damaged_or_read_in_silence, 0,
	    countof(changes));
	return suite;
}
