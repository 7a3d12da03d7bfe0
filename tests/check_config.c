#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "plan/config.h"
#include "support.h"

static struct config *
config_of(const char *text)
{
	json_t *table = json_of(text);
	struct config *config = config_parse(table);

	json_decref(table);
	return config;
}

START_TEST(an_empty_configuration_has_the_defaults)
{
	static const char *const texts[] = { NULL, "null", "{}",
		"{'resources':{},'session':{},'group':{}}" };

	for (size_t i = 0; i < countof(texts); i++) {
		struct config *config = texts[i] ? config_of(texts[i]) : config_parse(NULL);

		ck_assert_ptr_nonnull(config);
		ck_assert(config->source_build);
		ck_assert_uint_eq(config->nresources + config->nsessions + config->ngroups, 0);
		config_free(config);
	}
	config_free(NULL);
	assert_silent();
}
END_TEST

START_TEST(every_key_is_read)
{
	struct config *config = config_of("{'source-build':false,"
	    "'resources':{'b':1,'a.b-c_9':'8G','n':4},"
	    "'session':{'tests*':{},'lint':{'uses':['b','n:2','m:1.'],'reads':['x']}}}");

	ck_assert_ptr_null(config);
	assert_warned("\"m:1.\" is no amount");
	config = config_of("{'source-build':false,'resources':{'b':1,'a.b-c_9':'8G','n':4},"
	    "'session':{'tests*':{},'lint':{'uses':['b','n:2K'],'reads':['x'],'after':['t','*'],"
	    "'needs':['z'],'alone':true,'jobs':'2..8','timeout':1.5,'slow':'1h30m','retries':0,"
	    "'env':{'_K9':'v','L':''},'default':false}},'group':{'g':['a','b']}}");
	ck_assert_ptr_nonnull(config);
	ck_assert(!config->source_build);
	ck_assert_uint_eq(config->nresources, 3);
	ck_assert_str_eq(config->resources[1].name, "a.b-c_9");
	ck_assert_int_eq(config->resources[1].capacity, 8LL << 30);
	ck_assert_int_eq(config->resources[2].capacity, 4);
	ck_assert_uint_eq(config->nsessions, 2);

	const struct config_session *s = config->sessions;

	ck_assert_str_eq(s[0].name, "tests*");
	ck_assert_uint_eq(s[0].nuses + s[0].reads.n + s[0].after.n + s[0].needs.n, 0);
	ck_assert(s[0].alone == CONFIG_UNSET && s[0].is_default == CONFIG_UNSET);
	ck_assert(s[0].retries == CONFIG_UNSET && s[0].jobs_min == 0);
	ck_assert(s[0].timeout < 0 && s[0].slow < 0 && !s[0].env);
	ck_assert_uint_eq(s[1].nuses, 2);
	ck_assert_str_eq(s[1].uses[0].name, "b");
	ck_assert_int_eq(s[1].uses[0].amount, 0);
	ck_assert_str_eq(s[1].uses[1].name, "n");
	ck_assert_int_eq(s[1].uses[1].amount, 2048);
	ck_assert_str_eq(s[1].reads.v[0], "x");
	ck_assert_str_eq(s[1].after.v[1], "*");
	ck_assert_str_eq(s[1].needs.v[0], "z");
	ck_assert(s[1].alone == 1 && s[1].is_default == 0 && s[1].retries == 0);
	ck_assert(s[1].jobs_min == 2 && s[1].jobs_max == 8);
	ck_assert(s[1].timeout == 1.5 && s[1].slow == 5400);
	ck_assert_uint_eq(json_object_size(s[1].env), 2);
	ck_assert_str_eq(config->groups[0].name, "g");
	ck_assert_uint_eq(config->groups[0].members.n, 2);
	config_free(config);
}
END_TEST

/* The value of one key in [tool.noxmk.session.s]: least, most for jobs; seconds for timeout. */
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

START_TEST(limits_and_secrets)
{
	struct config *config = config_of("{}");

	ck_assert_int_eq(config->log_limit, 8LL << 30);
	ck_assert_uint_eq(config->mask.n, 4);
	config_free(config);
	config = config_of("{'log-limit':'100M','mask':['*KEY*']}");
	ck_assert_int_eq(config->log_limit, 100 << 20);
	ck_assert_uint_eq(config->mask.n, 1);
	ck_assert_str_eq(config->mask.v[0], "*KEY*");
	config_free(config);
	config = config_of("{'log-limit':0,'mask':[]}");
	ck_assert_int_eq(config->log_limit, 0);
	ck_assert_uint_eq(config->mask.n, 0);
	config_free(config);
}
END_TEST

START_TEST(job_ranges)
{
	char *text = xasprintf("{'session':{'s':{'jobs':%s}}}", jobs[_i].value);
	struct config *config = config_of(text);

	if (jobs[_i].least == 0) {
		ck_assert_ptr_null(config);
		assert_warned("pyproject.toml: tool.noxmk.session.s.jobs: is ");
		assert_warned("it takes a number from 1 on, \"1..4\" or \"1..all\"");
	} else {
		ck_assert_ptr_nonnull(config);
		ck_assert_uint_eq(config->sessions[0].jobs_min, jobs[_i].least);
		ck_assert_uint_eq(config->sessions[0].jobs_max, jobs[_i].most);
	}
	config_free(config);
	free(text);
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

START_TEST(durations_read)
{
	static const char *const keys[] = { "timeout", "slow" };

	for (size_t k = 0; k < countof(keys); k++) {
		char *text = xasprintf("{'session':{'s':{'%s':%s}}}", keys[k],
		    durations[_i].value);
		struct config *config = config_of(text);

		if (durations[_i].seconds < 0) {
			ck_assert_ptr_null(config);
			assert_warned("it takes seconds, \"90s\", \"10m\" or \"1h30m\"");
			assert_warned(keys[k]);
		} else {
			ck_assert_ptr_nonnull(config);
			ck_assert_double_eq(k ? config->sessions[0].slow :
						config->sessions[0].timeout,
			    durations[_i].seconds);
		}
		config_free(config);
		free(text);
	}
}
END_TEST

#define S(settings) "{'session':{'s':{" settings "}}}"
static const struct {
	const char *table, *message;
} faults[] = {
	{ "3", "tool.noxmk: is 3; it takes a table" },
	{ "[]", "tool.noxmk: is a list; it takes a table" },
	{ "{'ressources':{}}", "tool.noxmk.ressources: unknown key; did you mean \"resources\"?" },
	{ "{'sessions':{}}", "tool.noxmk.sessions: unknown key; did you mean \"session\"?" },
	{ "{'source_build':true}",
	  "tool.noxmk.source_build: unknown key; did you mean \"source-build\"?" },
	{ "{'a b':1}", "tool.noxmk.\"a b\": unknown key; there are source-build, log-limit, mask, "
	    "resources, " },
	{ "{'source-build':1}", "tool.noxmk.source-build: is 1; it takes true or false" },
	{ "{'log-limit':-1}",
	  "tool.noxmk.log-limit: is -1; it takes bytes, \"100M\", or 0 for no limit" },
	{ "{'log-limit':'much'}", "tool.noxmk.log-limit: is \"much\"; it takes bytes" },
	{ "{'log-limit':true}", "tool.noxmk.log-limit: is true; it takes bytes" },
	{ "{'mask':'*TOKEN*'}", "tool.noxmk.mask: is a string; write [\"*TOKEN*\"]" },
	{ "{'session':{'s':{'leaks':'deny'}}}", "leaks: is \"deny\"; it takes \"allow\"" },
	{ "{'session':{'s':{'budget':1}}}", "budget: is 1; it takes true or false" },
	{ "{'resources':[]}", "tool.noxmk.resources: is a list; it takes a table" },
	{ "{'session':'s'}", "tool.noxmk.session: is \"s\"; it takes a table" },
	{ "{'group':true}", "tool.noxmk.group: is true; it takes a table" },
	{ "{'resources':{'db':0}}",
	  "tool.noxmk.resources.db: is 0; it takes a capacity: 1, 4 or \"8G\"" },
	{ "{'resources':{'db':-1}}", "resources.db: is -1" },
	{ "{'resources':{'db':1.5}}", "resources.db: is 1.5" },
	{ "{'resources':{'db':true}}", "resources.db: is true" },
	{ "{'resources':{'db':'G'}}", "resources.db: is \"G\"" },
	{ "{'resources':{'db':'8X'}}", "resources.db: is \"8X\"" },
	{ "{'resources':{'db':'-8'}}", "resources.db: is \"-8\"" },
	{ "{'resources':{'db':''}}", "resources.db: is \"\"" },
	{ "{'resources':{'db':'9999999P'}}", "resources.db: is \"9999999P\"" },
	{ "{'resources':{'db':9223372036854775807}}", "resources.db: is 9223372036854775807" },
	{ "{'resources':{'db':{'x':1}}}", "resources.db: is a table; it takes a capacity: 1, 4 or "
	  "\"8G\" (a name with dots in it needs quotes)" },
	{ "{'resources':{'a b':1}}",
	  "tool.noxmk.resources.\"a b\": \"a b\" is no name of a resource: "
	  "only letters, digits and . _ - are allowed" },
	{ "{'resources':{'':1}}", "tool.noxmk.resources.\"\": \"\" is no name" },
	{ "{'resources':{'*':1}}", "\"*\" is no name of a resource" },
	{ "{'session':{'s':true}}", "tool.noxmk.session.s: is true; it takes a table of settings" },
	{ S("'usess':[]"), "tool.noxmk.session.s.usess: unknown key; did you mean \"uses\"?" },
	{ S("'Uses':[]"), "tool.noxmk.session.s.Uses: unknown key; did you mean \"uses\"?" },
	{ S("'tmieout':1"), "unknown key; did you mean \"timeout\"?" },
	{ S("'exclusive':[]"), "unknown key; there are uses, reads, after, needs, alone, jobs, " },
	{ "{'session':{'t-3':{'12':{'uses':[]}}}}",
	  "tool.noxmk.session.t-3.12: unknown key; a name "
	  "with dots in it needs quotes: tool.noxmk.session.\"t-3.12\"" },
	{ "{'session':{'t(a=\\'1\\')':{'x':1}}}", "tool.noxmk.session.\"t(a=\\\"1\\\")\".x: " },
	{ S("'uses':'db'"), "tool.noxmk.session.s.uses: is a string; write [\"db\"]" },
	{ S("'uses':7"), "s.uses: is 7; it takes a list of names" },
	{ S("'uses':[7]"), "s.uses: is 7; it takes a list of names" },
	{ S("'uses':['']"), "s.uses: is \"\"; it takes a list of names" },
	{ S("'uses':['a b']"), "s.uses: \"a b\" is no name of a resource" },
	{ S("'uses':[':2']"), "s.uses: \"\" is no name of a resource" },
	{ S("'uses':['m:']"), "s.uses: \"m:\" is no amount: write \"m:2\" or \"m:2G\"" },
	{ S("'uses':['m:0']"), "\"m:0\" is no amount" },
	{ S("'uses':['m:-1']"), "\"m:-1\" is no amount" },
	{ S("'uses':['m: 1']"), "\"m: 1\" is no amount" },
	{ S("'uses':['m:1:2']"), "\"m:1:2\" is no amount" },
	{ S("'uses':['m:lots']"), "\"m:lots\" is no amount" },
	{ S("'uses':['m','n','m:1']"), "s.uses: \"m\" is there twice" },
	{ S("'reads':['m:1']"),
	  "s.reads: \"m:1\": readers share a resource; amounts go into uses" },
	{ S("'reads':['m','m']"), "s.reads: \"m\" is there twice" },
	{ S("'reads':['m/n']"), "s.reads: \"m/n\" is no name of a resource" },
	{ S("'after':'lint'"), "s.after: is a string; write [\"lint\"]" },
	{ S("'needs':{}"), "s.needs: is a table; it takes a list of names" },
	{ S("'alone':1"), "s.alone: is 1; it takes true or false" },
	{ S("'alone':'yes'"), "s.alone: is \"yes\"; it takes true or false" },
	{ S("'default':null"), "s.default: is null; it takes true or false" },
	{ S("'retries':-1"), "s.retries: is -1; it takes a number from 0 to 1000" },
	{ S("'retries':1001"), "s.retries: is 1001; it" },
	{ S("'retries':'1'"), "s.retries: is \"1\"; it" },
	{ S("'retries':true"), "s.retries: is true; it" },
	{ S("'env':['A=b']"), "s.env: is a list; it takes a table: {NAME = \"value\"}" },
	{ S("'env':{'A':1}"), "s.env: is 1; it takes strings: {NAME = \"value\"}" },
	{ S("'env':{'A-B':''}"), "s.env: \"A-B\" is no name of a variable" },
	{ S("'env':{'':''}"), "s.env: \"\" is no name of a variable" },
	{ S("'env':{'9A':''}"), "s.env: \"9A\" is no name of a variable" },
	{ "{'group':{'g':[]}}", "tool.noxmk.group.g: has no sessions" },
	{ "{'group':{'g':'lint'}}", "tool.noxmk.group.g: is a string; write [\"lint\"]" },
	{ "{'group':{'g':[1]}}", "tool.noxmk.group.g: is 1; it takes a list of names" },
	{ S("'alone':'0123456789012345678901234567890123456789012345678901234567890123'"),
	  "s.alone: is \"01234567890123456789012345678901234567890123456789012345678…; it takes" },
	{ S("'alone':'a\\u001b[31mb'"), "s.alone: is \"a\\u001B[31mb\"; it takes" },
};

START_TEST(one_fault)
{
	ck_assert_ptr_null(config_of(faults[_i].table));
	assert_warned("pyproject.toml: tool.noxmk");
	assert_warned(faults[_i].message);
	ck_assert_ptr_eq(strchr(warnings(), '\n'), strrchr(warnings(), '\n'));
}
END_TEST

START_TEST(first_of_many_faults)
{
	ck_assert_ptr_null(config_of("{'x':1,'resources':{'a':0,'b':0},"
				     "'session':{'s':{'y':1,'jobs':0,'uses':['a b',7]}}}"));
	assert_warned("pyproject.toml: tool.noxmk.x: unknown key");
	ck_assert_ptr_eq(strchr(warnings(), '\n'), strrchr(warnings(), '\n'));
}
END_TEST

START_TEST(a_place_is_named_as_in_toml)
{
	static const char *const parts[][4] = {
		{ NULL, NULL, NULL, "tool.noxmk" },
		{ "session", "lint", "uses", "tool.noxmk.session.lint.uses" },
		{ "session", "tests*", "uses", "tool.noxmk.session.\"tests*\".uses" },
		{ "session", "t-3.12(a='x \"y\"')", NULL,
		  "tool.noxmk.session.\"t-3.12(a='x \\\"y\\\"')\"" },
		{ NULL, NULL, "k", "tool.noxmk.k" },
		{ "group", "ü", NULL, "tool.noxmk.group.\"ü\"" },
	};

	for (size_t i = 0; i < countof(parts); i++) {
		char *place = config_place(parts[i][0], parts[i][1], parts[i][2]);

		ck_assert_str_eq(place, parts[i][3]);
		free(place);
	}
}
END_TEST

static const struct {
	const char *word, *meant;
} slips[] = {
	{ "lint", "lint" }, { "lnt", "lint" }, { "lintt", "lint" }, { "ilnt", "lint" },
	{ "LINT", "lint" }, { "linz", "lint" }, { "int", "lint" }, { "unittests", "unit_tests" },
	{ "unit-tets", "unit_tests" }, { "tests-312", "tests-3.12" }, { "a", NULL },
	{ "doc", "docs" }, { "zzzz", NULL }, { "", NULL }, { "li", NULL }, { "typecheck", NULL },
	{ "ab", NULL }, { "lxyt", NULL },
};

START_TEST(nearest_words)
{
	static const char *words[] = { "lint", "unit_tests", "tests-3.12", "tests-3.11", "docs" };
	static const char *letters[] = { "b" };
	const struct strings list = { words, countof(words) }, few = { letters, 1 }, none = { 0 };
	const char *found = nearest(slips[_i].word, &list);

	if (!strcmp(slips[_i].word, "a"))
		ck_assert_ptr_null(nearest("a", &few)); /* nothing in common */
	else if (slips[_i].meant)
		ck_assert_str_eq(found, slips[_i].meant);
	else
		ck_assert_ptr_null(found);
	ck_assert_ptr_null(nearest(slips[_i].word, &none));
}
END_TEST

START_TEST(long_words)
{
	enum { LENGTH = 100000 };
	char *word = xcalloc(LENGTH + 1, 1);
	const char *words[] = { word, "lint" };
	const struct strings list = { words, 2 };

	memset(word, 'x', LENGTH);
	ck_assert_str_eq(nearest("lnt", &list), "lint");
	ck_assert_ptr_null(nearest(word, &list));
	free(word);
}
END_TEST

Suite *
check_config_suite(void)
{
	Suite *suite = suite_create("config");
	TCase *tc = support_case(suite, "parse");

	tcase_add_test(tc, an_empty_configuration_has_the_defaults);
	tcase_add_test(tc, every_key_is_read);
	tcase_add_test(tc, limits_and_secrets);
	tcase_add_loop_test(tc, job_ranges, 0, countof(jobs));
	tcase_add_loop_test(tc, durations_read, 0, countof(durations));
	tc = support_case(suite, "faults");
	tcase_add_loop_test(tc, one_fault, 0, countof(faults));
	tcase_add_test(tc, first_of_many_faults);
	tcase_add_test(tc, a_place_is_named_as_in_toml);
	tc = support_case(suite, "nearest");
	tcase_add_loop_test(tc, nearest_words, 0, countof(slips));
	tcase_add_test(tc, long_words);
	return suite;
}
