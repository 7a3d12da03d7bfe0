#include <stdlib.h>
#include <string.h>

#include "plan/options.h"
#include "support.h"

/* One key of the configuration into the options; false after its fault was told. */
static bool
read_option(struct options *options, const char *key, const char *value)
{
	struct setting_reader r = { .table = "session", .name = "s" };
	json_t *json = json_of(value);

	ck_assert(options_read(options, &r, key, json));
	json_decref(json);
	return !r.failed;
}

/* What the configuration says, and least and most of it; least 0: it is wrong. */
static const struct {
	const char *value;
	unsigned least, most;
} jobs[] = {
	{ "1", 1, 1 }, { "65536", 65536, 65536 }, { "'4'", 4, 4 }, { "'1..4'", 1, 4 },
	{ "'3..3'", 3, 3 }, { "'1..all'", 1, 0 }, { "'2..all'", 2, 0 },
	/* Wrong ones. */
	{ "0", 0, 0 }, { "-1", 0, 0 }, { "65537", 0, 0 }, { "1.0", 0, 0 }, { "true", 0, 0 },
	{ "''", 0, 0 }, { "'0'", 0, 0 }, { "'0..4'", 0, 0 }, { "'4..1'", 0, 0 }, { "'1..'", 0, 0 },
	{ "'..4'", 0, 0 }, { "'1.4'", 0, 0 }, { "'1...4'", 0, 0 }, { "'1..4 '", 0, 0 },
	{ "'all'", 0, 0 }, { "'1..All'", 0, 0 }, { "'1..99999999999999999999'", 0, 0 },
	{ "'99999999999999999999'", 0, 0 }, { "'1-4'", 0, 0 }, { "' 1'", 0, 0 }, { "[1,4]", 0, 0 },
	{ "9223372036854775807", 0, 0 }, { "{}", 0, 0 }, { "'1..70000'", 0, 0 },
};

START_TEST(jobs_are_a_number_or_a_range)
{
	struct options options = { 0 };

	if (jobs[_i].least > 0) {
		ck_assert(read_option(&options, "jobs", jobs[_i].value));
		assert_silent();
	} else {
		ck_assert(!read_option(&options, "jobs", jobs[_i].value));
		assert_warned("pyproject.toml: tool.noxmk.session.s.jobs: is ");
		assert_warned("it takes \"auto\", a number from 1 on, \"1..4\" or \"1..all\"");
	}
	ck_assert_uint_eq(options.jobs.least, jobs[_i].least);
	ck_assert_uint_eq(options.jobs.most, jobs[_i].most);
}
END_TEST

static const struct {
	const char *value;
	double seconds; /* -1: wrong */
} durations[] = {
	{ "90", 90 }, { "0", 0 }, { "0.5", 0.5 }, { "'90'", 90 }, { "'90s'", 90 }, { "'10m'", 600 },
	{ "'1.5h'", 5400 }, { "'1h30m'", 5400 }, { "'2d'", 172800 }, { "'500ms'", 0.5 },
	{ "'1m1ms'", 60.001 }, { "'0s'", 0 },
	{ "-1", -1 }, { "-0.1", -1 }, { "2e9", -1 }, { "true", -1 }, { "''", -1 }, { "'m'", -1 },
	{ "'10 m'", -1 }, { "'10min'", -1 }, { "'-1s'", -1 }, { "'1e3'", -1 }, { "'inf'", -1 },
	{ "'nan'", -1 }, { "'0x10'", -1 }, { "'99999999999d'", -1 }, { "'.5s'", -1 }, { "[1]", -1 },
	{ "'999999999999999999999999999999999'", -1 }, { "'1h30'", -1 }, { "'.'", -1 },
};

START_TEST(seconds_have_units)
{
	static const struct {
		const char *name;
		size_t field;
	} keys[] = {
		{ "timeout", offsetof(struct options, timeout) },
		{ "slow", offsetof(struct options, slow) },
	};

	for (size_t i = 0; i < countof(keys); i++) {
		struct options options = { .timeout = 7, .slow = 7 };
		const double *field = (const double *)((const char *)&options + keys[i].field);

		if (durations[_i].seconds >= 0) {
			ck_assert(read_option(&options, keys[i].name, durations[_i].value));
			ck_assert_double_eq(*field, durations[_i].seconds);
		} else {
			ck_assert(!read_option(&options, keys[i].name, durations[_i].value));
			ck_assert_double_eq(*field, 7);
			assert_warned("it takes seconds, \"90s\", \"10m\" or \"1h30m\"");
			assert_warned(keys[i].name);
		}
		ck_assert_double_eq(options.timeout + options.slow, *field + 7);
	}
}
END_TEST

START_TEST(a_name_that_is_no_key_is_refused)
{
	static const char *const others[] = { "uses", "alone", "default", "job", "jobss", "" };
	struct options options = { 0 };
	struct setting_reader r = { 0 };

	for (size_t i = 0; i < countof(others); i++)
		ck_assert(!options_read(&options, &r, others[i], json_true()));
	ck_assert(!r.failed);
	assert_silent();
}
END_TEST

START_TEST(every_name_is_a_key)
{
	struct options options = { 0 };
	struct strings names = { 0 };

	strings_add(&names, "first");
	options_add_names(&names);
	ck_assert_uint_eq(names.n, 11);
	ck_assert_str_eq(names.v[0], "first");
	for (size_t i = 1; i < names.n; i++)
		ck_assert_msg(!read_option(&options, names.v[i], "null"), "%s", names.v[i]);
	options_clear(&options);
	free(names.v);
}
END_TEST

static void
add(struct options *options, const char *table)
{
	json_t *json = json_of(table);

	options_add(options, json);
	json_decref(json);
}

#define ALL                                                                                \
	"{'jobs':[2,8],'timeout':600.0,'slow':1.5,'retries':3,'env':{'K':'v'},'budget':false," \
	"'leaks':'allow'}"

static void
assert_written(const struct options *options, const char *text)
{
	json_t *written = options_json(options), *wanted = json_of(text);
	char *is = json_dumps(written, JSON_COMPACT);

	ck_assert_msg(json_equal(written, wanted), "%s, not %s", is, text);
	free(is);
	json_decref(written);
	json_decref(wanted);
}

START_TEST(the_plan_keeps_them_all)
{
	json_t *line = json_of("{'target':'t','timeout':9,'options':" ALL "}");
	struct options options = options_of(line);

	json_decref(line);
	ck_assert(options.jobs.least == 2 && options.jobs.most == 8);
	ck_assert(options.timeout == 600 && options.slow == 1.5 && options.retries == 3);
	ck_assert(options.budget == BUDGET_NONE && options.may_leak);
	ck_assert_str_eq(json_string_value(json_object_get(options.env, "K")), "v");
	assert_written(&options, ALL);
	options_clear(&options);
	ck_assert_ptr_null(options.env);
	assert_written(&options, "{}");
}
END_TEST

static const struct {
	const char *table, *written;
} tables[] = {
	{ "{}", "{}" },
	/* As the configuration says it. */
	{ "{'jobs':'1..all','timeout':'10m','slow':90}",
	  "{'jobs':[1,0],'timeout':600.0,'slow':90.0}" },
	/* What is the same as nothing is not written. */
	{ "{'timeout':0,'slow':0,'retries':0,'env':{},'budget':true}", "{}" },
	{ "{'uses':['x'],'alone':true,'retries':1}", "{'retries':1}" },
	/* What is wrong is passed over, and the others are not. */
	{ "{'jobs':[0,4],'retries':1}", "{'retries':1}" },
	{ "{'jobs':[65537,65537],'retries':1}", "{'retries':1}" },
	{ "{'jobs':[1,-1],'retries':1}", "{'retries':1}" },
	{ "{'jobs':[1,65537],'retries':1}", "{'retries':1}" },
	{ "{'jobs':[],'retries':1}", "{'retries':1}" },
	{ "{'timeout':-1,'slow':'x','retries':1}", "{'retries':1}" },
	{ "{'env':{'A':1,'B':'b'},'leaks':'no','budget':0}", "{'env':{'B':'b'}}" },
	{ "{'env':{'A B':'','1A':'','A1':''}}", "{'env':{'A1':''}}" },
	{ "{'env':['A'],'retries':-1}", "{}" },
	{ "[]", "{}" },
};

START_TEST(a_checked_table_is_read_in_silence)
{
	struct options options = { 0 };

	add(&options, tables[_i].table);
	assert_written(&options, tables[_i].written);
	options_clear(&options);
	assert_silent();
}
END_TEST

/* Before, the table that is added, and after it. */
static const struct {
	const char *first, *second, *both;
} sums[] = {
	{ ALL, "{}", ALL },
	{ "{}", ALL, ALL },
	{ ALL, "{'timeout':1,'budget':true,'jobs':1}",
	  "{'jobs':[1,1],'timeout':1.0,'slow':1.5,'retries':3,'env':{'K':'v'},'leaks':'allow'}" },
	{ ALL, "{'jobs':[0,4],'timeout':'x','slow':-1,'retries':1001,'env':1,'budget':1,"
	  "'leaks':1}", ALL },
	{ "{'timeout':5,'slow':6,'retries':7}", "{'timeout':0,'slow':0,'retries':0}", "{}" },
	{ "{'env':{'A':'1','B':'1'}}", "{'env':{'B':'2','C':'2'}}",
	  "{'env':{'A':'1','B':'2','C':'2'}}" },
	{ "{'env':{'A':'1'}}", "{'env':{}}", "{'env':{'A':'1'}}" },
	{ "{'runs-on':'gpu'}", "{'runs-on':'gpu-t4.x_1'}", "{'runs-on':'gpu-t4.x_1'}" },
	{ "{'runs-on':'gpu'}", "{'runs-on':'a b'}", "{'runs-on':'gpu'}" },
	{ "{'runs-on':''}", "{'runs-on':['gpu']}", "{}" },
	{ "{'parts':4,'part-args':['a','b']}", "{'parts':2,'part-args':['c']}",
	  "{'parts':2,'part-args':['c']}" },
	{ "{'parts':4,'part-args':['a','b']}", "{'parts':1000,'part-args':[]}", "{'parts':4}" },
};

START_TEST(a_later_table_wins_key_by_key)
{
	struct options options = { 0 };

	add(&options, sums[_i].first);
	add(&options, sums[_i].second);
	assert_written(&options, sums[_i].both);
	options_clear(&options);
}
END_TEST

/* Two sessions that a section's table is added to do not share their env. */
START_TEST(an_env_has_one_owner)
{
	json_t *table = json_of("{'env':{'A':'1'}}");
	struct options one = { 0 }, other = { 0 };

	options_add(&one, table);
	options_add(&other, table);
	add(&one, "{'env':{'A':'2'}}");
	assert_written(&other, "{'env':{'A':'1'}}");
	ck_assert_str_eq(json_string_value(json_object_get(json_object_get(table, "env"), "A")),
	    "1");
	options_clear(&one);
	options_clear(&other);
	json_decref(table);
}
END_TEST

Suite *
check_options_suite(void)
{
	Suite *suite = suite_create("options");
	TCase *tc = support_case(suite, "read");

	tcase_add_loop_test(tc, jobs_are_a_number_or_a_range, 0, countof(jobs));
	tcase_add_loop_test(tc, seconds_have_units, 0, countof(durations));
	tcase_add_test(tc, a_name_that_is_no_key_is_refused);
	tcase_add_test(tc, every_name_is_a_key);
	tc = support_case(suite, "plan");
	tcase_add_test(tc, the_plan_keeps_them_all);
	tcase_add_loop_test(tc, a_checked_table_is_read_in_silence, 0, countof(tables));
	tcase_add_loop_test(tc, a_later_table_wins_key_by_key, 0, countof(sums));
	tcase_add_test(tc, an_env_has_one_owner);
	return suite;
}
