#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "nox/inputs.h"
#include "support.h"

static json_t *knobs;

/* Do the inputs that have been written hold? */
static bool
hold(void)
{
	json_t *said = inputs_read(AT_FDCWD);
	bool result = said && inputs_hold(said, AT_FDCWD, knobs);

	json_decref(said);
	return result;
}

static void
write_inputs(json_t *list, json_t *variables, const char *changing)
{
	json_t *inputs = json_pack("{s:O,s:s?,s:o,s:o}", "knobs", knobs, "volatile", changing,
	    "variables", variables ? variables : json_object(), "inputs", list);

	inputs_write(inputs, AT_FDCWD);
	json_decref(inputs);
}

static void
set_up(void)
{
	knobs = json_of("{'NOX':'nox'}");
	file_put("plan.jsonl", "lines");
	file_put("sessions.mk", "rules");
}

static void
set_date(const char *name, time_t seconds)
{
	struct timespec times[2] = { { seconds, 5 }, { seconds, 5 } };

	ck_assert_int_eq(utimensat(AT_FDCWD, name, times, 0), 0);
}

/* `act`, a shell command, happens between the plan and the check. NUMBERS stands for those of x. */
static const struct {
	const char *before, *input, *act;
	bool holds;
} cases[] = {
	{ "echo a >x", "['file','x',NUMBERS]", ":", true },
	{ "echo a >x", "['file','x',NUMBERS]", "touch x", false },
	{ "echo a >x", "['file','x',NUMBERS]", "echo ab >x; touch -d @1000.000000005 x", false },
	{ "echo a >x", "['file','x',NUMBERS]", "cp -p x y; mv y x", false },
	{ "echo a >x", "['file','x',NUMBERS]", "rm x", false },
	{ "echo a >x", "['file','x',-1,2,3]", ":", false },
	{ "echo a >x", "['file','x',1]", ":", false },
	{ ":", "['file','x']", ":", true },
	{ ":", "['file','x']", "touch x", false },
	{ "mkdir x x/b; touch x/a x/b.c", "['folder','x',1,'a/b//b.c']", ":", true },
	{ "mkdir x x/b; touch x/a x/b.c", "['folder','x',1,'a/b//b.c']", "touch x/b/n", true },
	{ "mkdir x x/b; touch x/a x/b.c", "['folder','x',1,'a/b//b.c']", "touch x/.n", false },
	{ "mkdir x x/b; touch x/a x/b.c", "['folder','x',1,'a/b//b.c']", "rm x/a", false },
	{ "mkdir x; touch x/a", "['folder','x',1,'a']", "rm x/a; mkdir x/a", false },
	{ "mkdir x", "['folder','x',1,'']", ":", true },
	{ "mkdir x; touch x/a; ln -s . x/b", "['folder','x',1,'a/b']", ":", true },
	/* The date alone is enough. */
	{ "mkdir x; touch -d @1000.000000005 x", "['folder','x',1000000000005,'lie']", ":", true },
	{ "mkdir x", "['folder','x',1,'']", "rmdir x", false },
	{ ":", "['folder','x']", ":", true },
	{ ":", "['folder','x']", "touch x", true },
	{ ":", "['folder','x']", "mkdir x", false },
	{ "mkdir x", "['folder','x',1]", ":", false },
	{ "touch x", "['kind','x','file']", "echo >>x", true },
	{ "touch x", "['kind','x','file']", "chmod u+x x", false },
	{ "touch x", "['kind','x','file']", "rm x; mkdir x", false },
	{ "mkdir x", "['kind','x','folder']", "touch x/a", true },
	{ "mkdir x", "['kind','x','folder']", "rmdir x", false },
	{ "mkfifo x", "['kind','x','other']", ":", true },
	{ ":", "['kind','x']", ":", true },
	{ ":", "['kind','x']", "touch x", false },
	{ "ln -s y x", "['link','x','y']", ":", true },
	{ "ln -s y x", "['link','x','y']", "ln -sf z x", false },
	{ "ln -s y x", "['link','x','y']", "rm x", false },
	{ "touch x", "['link','x','']", ":", true },
	{ ":", "['link','x']", "ln -s y x", false },
	{ ":", "['link','x']", ":", true },
	{ "mkdir b; touch b/x; chmod +x b/x", "['program','x','b/x']", ":", true },
	{ "mkdir b; touch b/x; chmod +x b/x", "['program','x','b/x']", "chmod -x b/x", false },
	{ ":", "['program','x','']", ":", true },
	{ ":", "['program','x','']", "mkdir a; touch a/x; chmod +x a/x", false },
	{ ":", "['sound','x']", ":", false },
	{ ":", "[]", ":", false },
};

START_TEST(an_input_holds_until_it_changes)
{
	struct buffer text = { 0 };
	const char *mark = strstr(cases[_i].input, "NUMBERS");
	struct stat st;

	set_up();
	setenv("PATH", "a:b::/bin:/usr/bin", 1);
	ck_assert_int_eq(system(cases[_i].before), 0); /* NOLINT: of the table */
	if (mark) {
		set_date("x", 1000);
		ck_assert_int_eq(stat("x", &st), 0);
		buffer_printf(&text, "[%.*s1000000000005,%lld,%lld]]",
		    (int)(mark - cases[_i].input), cases[_i].input, (long long)st.st_size,
		    (long long)st.st_ino);
	} else {
		buffer_printf(&text, "[%s]", cases[_i].input);
	}
	write_inputs(json_of(text.data), NULL, NULL);
	ck_assert_int_eq(system(cases[_i].act), 0); /* NOLINT: of the table */
	ck_assert_int_eq(hold(), cases[_i].holds);
	buffer_free(&text);
	json_decref(knobs);
	assert_silent();
}
END_TEST

START_TEST(a_file_is_noted_as_it_is)
{
	json_t *list = json_array();

	set_up();
	file_put("old", "text");
	set_date("old", 1000);
	file_put("new", "text");
	inputs_add_file(list, "old");
	inputs_add_file(list, "none");
	write_inputs(json_incref(list), NULL, NULL);
	ck_assert(hold());
	/* It may not change again within the same tick of the clock. */
	inputs_add_file(list, "new");
	write_inputs(json_incref(list), NULL, NULL);
	ck_assert(hold());
	file_put("new", "TEXT");
	ck_assert(!hold());
	json_decref(list);
	json_decref(knobs);
}
END_TEST

START_TEST(a_program_is_noted_where_PATH_has_it)
{
	json_t *list = json_array(), *wanted;

	mkdir("a", 0777);
	mkdir("b", 0777);
	file_put("a/p", "");
	file_put("b/p", "");
	ck_assert_int_eq(chmod("b/p", 0755), 0);
	setenv("PATH", ":a:b", 1);
	inputs_add_program(list, "p");
	inputs_add_program(list, "q");
	wanted = json_of("['program','p','b/p']");
	ck_assert(json_equal(json_array_get(list, 0), wanted));
	ck_assert_str_eq(json_string_value(json_array_get(json_array_get(list, 1), 1)), "b/p");
	json_decref(wanted);
	wanted = json_of("['program','q','']");
	ck_assert(json_equal(json_array_get(list, 2), wanted));
	ck_assert_uint_eq(json_array_size(list), 3);
	json_decref(wanted);
	json_decref(list);
}
END_TEST

START_TEST(variables_hold_until_nox_would_see_another_value)
{
	static const char *const names[] = { "CI", "LATIN", "MAKEFLAGS", "MY_TOKEN", "EMPTY_KEY",
		"NONE" };
	json_t *variables = json_object(), *wanted;

	set_up();
	setenv("CI", "1", 1);
	setenv("LATIN", "\xe9t\xe9", 1);
	setenv("MAKEFLAGS", "x", 1);
	setenv("MY_TOKEN", "s3cret", 1);
	setenv("EMPTY_KEY", "", 1);
	unsetenv("NONE");
	for (size_t i = 0; i < countof(names); i++)
		inputs_add_variable(variables, names[i],
		    i == 3 || i == 4);
	wanted = json_of("{'CI':'1','LATIN':3,'MAKEFLAGS':null,'MY_TOKEN':true,"
			 "'EMPTY_KEY':false,'NONE':null}");
	ck_assert(json_equal(variables, wanted));
	json_decref(wanted);
	write_inputs(json_array(), variables, NULL);
	ck_assert(hold());
	setenv("MAKEFLAGS", "y", 1);
	setenv("MY_TOKEN", "another", 1);
	ck_assert(hold());
	setenv("CI", "", 1);
	ck_assert(!hold());
	setenv("CI", "1", 1);
	unsetenv("MY_TOKEN");
	ck_assert(!hold());
	setenv("MY_TOKEN", "x", 1);
	ck_assert(hold());
	setenv("NONE", "", 1);
	ck_assert(!hold());
	json_decref(knobs);
}
END_TEST

START_TEST(knobs_and_the_files_of_the_plan_count)
{
	json_t *others = json_of("{'NOX':'nox','X':''}"), *said;

	set_up();
	write_inputs(json_array(), NULL, NULL);
	ck_assert(hold());
	said = inputs_read(AT_FDCWD);
	ck_assert(!inputs_hold(said, AT_FDCWD, others));
	json_decref(said);
	file_put("plan.jsonl", "cut");
	ck_assert(!hold());
	write_inputs(json_array(), NULL, NULL);
	ck_assert(hold());
	unlink("sessions.mk");
	ck_assert(!hold());
	json_decref(others);
	json_decref(knobs);
}
END_TEST

START_TEST(what_changes_without_a_trace_holds_for_one_make)
{
	set_up();
	write_inputs(json_array(), NULL, "the clock");
	ck_assert(!hold());
	setenv("MAKE_RESTARTS", "1", 1);
	ck_assert(hold());
	unsetenv("MAKE_RESTARTS");
	json_decref(knobs);
}
END_TEST

static const char *const damages[] = { "", "[]", "{}", "{\"schema\":2}", "{\"schema\":1",
	"{\"schema\":1}", "{\"schema\":1,\"knobs\":{\"NOX\":\"nox\"}}",
	"{\"schema\":1,\"knobs\":{\"NOX\":\"nox\"},\"plan\":7,\"variables\":[]}" };

START_TEST(a_damaged_file_does_not_hold)
{
	set_up();
	file_put("inputs.json", damages[_i]);
	ck_assert(!hold());
	json_decref(knobs);
	assert_silent();
}
END_TEST

START_TEST(a_plan_that_is_forgotten_does_not_hold)
{
	set_up();
	write_inputs(json_array(), NULL, NULL);
	inputs_forget(AT_FDCWD);
	ck_assert(!hold());
	inputs_forget(AT_FDCWD);
	close(folder_make("inputs.json/x"));
	write_inputs(json_array(), NULL, NULL);
	assert_silent();
	ck_assert(hold());
	limit_set(RLIMIT_FSIZE, 0);
	write_inputs(json_array(), NULL, NULL);
	limit_restore();
	assert_warned("inputs.json: File too large");
	json_decref(knobs);
}
END_TEST

Suite *
check_inputs_suite(void)
{
	Suite *suite = suite_create("inputs");
	TCase *tc = support_case(suite, "hold");

	tcase_add_loop_test(tc, an_input_holds_until_it_changes, 0, countof(cases));
	tcase_add_test(tc, knobs_and_the_files_of_the_plan_count);
	tcase_add_test(tc, variables_hold_until_nox_would_see_another_value);
	tcase_add_test(tc, what_changes_without_a_trace_holds_for_one_make);
	tcase_add_loop_test(tc, a_damaged_file_does_not_hold, 0, countof(damages));
	tc = support_case(suite, "note");
	tcase_add_test(tc, a_file_is_noted_as_it_is);
	tcase_add_test(tc, a_program_is_noted_where_PATH_has_it);
	tcase_add_test(tc, a_plan_that_is_forgotten_does_not_hold);
	return suite;
}
