#include <stdlib.h>
#include <string.h>

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
	ck_assert_uint_eq(s[0].uses.n + s[0].reads.n + s[0].after.n + s[0].needs.n, 0);
	ck_assert(s[0].alone == CONFIG_UNSET && s[0].is_default == CONFIG_UNSET);
	ck_assert_uint_eq(s[1].uses.n, 2);
	ck_assert_str_eq(s[1].uses.v[0].name, "b");
	ck_assert_int_eq(s[1].uses.v[0].amount, 0);
	ck_assert_str_eq(s[1].uses.v[1].name, "n");
	ck_assert_int_eq(s[1].uses.v[1].amount, 2048);
	ck_assert_str_eq(s[1].reads.v[0], "x");
	ck_assert_str_eq(s[1].after.v[1], "*");
	ck_assert_str_eq(s[1].needs.v[0], "z");
	ck_assert(s[1].alone == 1 && s[1].is_default == 0);
	ck_assert_str_eq(json_string_value(json_object_get(s[1].table, "jobs")), "2..8");
	ck_assert_str_eq(config->groups[0].name, "g");
	ck_assert_uint_eq(config->groups[0].members.n, 2);
	config_free(config);
}
END_TEST

START_TEST(limits_and_secrets)
{
	struct config *config = config_of("{}");

	ck_assert_int_eq(config->log_limit, 8LL << 30);
	ck_assert_uint_eq(config->mask.n, 6);
	ck_assert_uint_eq(config->unmask.n, 0);
	ck_assert_ptr_null(config->ci_commands);
	config_free(config);
	config = config_of("{'log-limit':'100M','mask':['*KEY*'],'unmask':['A_KEY'],"
	    "'ci-commands':'annotations','locks':'best-effort','hazards':'learn'}");
	ck_assert_int_eq(config->log_limit, 100 << 20);
	ck_assert_uint_eq(config->mask.n, 1);
	ck_assert_str_eq(config->mask.v[0], "*KEY*");
	ck_assert_str_eq(config->unmask.v[0], "A_KEY");
	ck_assert_str_eq(config->ci_commands, "annotations");
	ck_assert_str_eq(config->locks, CONFIG_BEST_EFFORT);
	ck_assert_str_eq(config->hazards, CONFIG_LEARN);
	config_free(config);
	config = config_of("{'log-limit':0,'mask':[],'ci-commands':'none'}");
	ck_assert_int_eq(config->log_limit, 0);
	ck_assert_uint_eq(config->mask.n, 0);
	config_free(config);
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
	    "unmask, locks, ci-commands, hazards, resources, " },
	{ "{'unmask':'A'}", "tool.noxmk.unmask: is a string; write [\"A\"]" },
	{ "{'hazards':'lern'}", "tool.noxmk.hazards: is \"lern\"; did you mean \"learn\"?" },
	{ "{'hazards':1}", "tool.noxmk.hazards: is 1; it takes \"learn\" or \"report\"" },
	{ "{'locks':'best'}", "tool.noxmk.locks: is \"best\"; it takes \"required\" or "
	  "\"best-effort\"" },
	{ "{'ci-commands':'annotation'}",
	  "tool.noxmk.ci-commands: is \"annotation\"; did you mean \"annotations\"?" },
	{ "{'ci-commands':'all'}",
	  "tool.noxmk.ci-commands: is \"all\"; it takes \"annotations\" or \"none\"" },
	{ "{'ci-commands':true}", "ci-commands: is true; it takes \"annotations\" or \"none\"" },
	{ "{'ci_commands':'none'}",
	  "tool.noxmk.ci_commands: unknown key; did you mean \"ci-commands\"?" },
	{ "{'source-build':1}", "tool.noxmk.source-build: is 1; it takes true or false" },
	{ "{'log-limit':-1}",
	  "tool.noxmk.log-limit: is -1; it takes bytes, \"100M\", or 0 for no limit" },
	{ "{'log-limit':'much'}", "tool.noxmk.log-limit: is \"much\"; it takes bytes" },
	{ "{'log-limit':true}", "tool.noxmk.log-limit: is true; it takes bytes" },
	{ "{'mask':'*TOKEN*'}", "tool.noxmk.mask: is a string; write [\"*TOKEN*\"]" },
	{ "{'session':{'s':{'runs-on':'a b'}}}", "runs-on: is \"a b\"; it takes a label of "
	  "machines: letters, digits and . _ -" },
	{ "{'session':{'s':{'leaks':'deny'}}}", "leaks: is \"deny\"; it takes \"allow\"" },
	{ "{'session':{'s':{'budget':1}}}", "budget: is 1; it takes true, false or \"strict\"" },
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
	{ S("'exclusive':[]"), "unknown key; there are uses, reads, after, needs, together, alone, "
	  "default, "
	  "jobs, timeout, slow, retries, env, budget, leaks, runs-on, parts, part-args\n" },
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

Suite *
check_config_suite(void)
{
	Suite *suite = suite_create("config");
	TCase *tc = support_case(suite, "parse");

	tcase_add_test(tc, an_empty_configuration_has_the_defaults);
	tcase_add_test(tc, every_key_is_read);
	tcase_add_test(tc, limits_and_secrets);
	tc = support_case(suite, "faults");
	tcase_add_loop_test(tc, one_fault, 0, countof(faults));
	tcase_add_test(tc, first_of_many_faults);
	return suite;
}
