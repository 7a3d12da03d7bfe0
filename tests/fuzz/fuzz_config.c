/*
 * [tool.noxmk] of pyproject.toml, as JSON, over a noxfile of a few sessions: what config_parse lets
 * through is within the bounds that its header tells, and a plan made of it is one that make reads.
 */

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "plan/config.h"
#include "plan/facts.h"
#include "plan/options.h"
#include "plan/planfile.h"
#include "plan/planner.h"
#include "plan/rule.h"
#include "rulecheck.h"

static const char noxfile[] =
    "{\"schema\":1,\"nox\":\"1\",\"noxfile\":\"/p/noxfile.py\",\"path\":[],"
    "\"queue\":[0,2],\"sessions\":["
    "{\"name\":\"a\",\"session\":\"a\",\"description\":\"\",\"envdir\":\"/p/.nox/a\","
    "\"signatures\":[\"a\"],\"tags\":[\"t\"],\"requires\":[],\"notifies\":[]},"
    "{\"name\":\"b\",\"session\":\"b-3.12\",\"description\":\"\",\"parallel\":false,"
    "\"signatures\":[\"b-3.12\"],\"tags\":[],\"requires\":[0],\"notifies\":[]},"
    "{\"name\":\"b\",\"session\":\"b-3.13(x=1)\",\"description\":\"\",\"envdir\":\"/p/.nox/a\","
    "\"signatures\":[\"b-3.13\",\"b-3.13(x=1)\"],\"tags\":[\"t\"],\"requires\":[],"
    "\"notifies\":[3]},"
    "{\"name\":\"c\",\"session\":\"c\",\"description\":\"\",\"signatures\":[\"c\"],\"tags\":[],"
    "\"requires\":[],\"notifies\":[]}]}";

static bool
is_time(double seconds)
{
	return seconds >= 0 && seconds <= 1e9;
}

/* In bounds, and the same when they are read from what they are written as. */
static void
check_options(const struct options *options)
{
	json_t *line = json_pack("{s:o}", "options", options_json(options));
	struct options again = options_of(line);

	REQUIRE(is_time(options->timeout) && is_time(options->slow) && options->retries <= 1000);
	REQUIRE(options->jobs.most == 0 || options->jobs.least <= options->jobs.most);
	REQUIRE(again.jobs.least == options->jobs.least && again.jobs.most == options->jobs.most);
	REQUIRE(again.timeout == options->timeout && again.slow == options->slow);
	REQUIRE(again.retries == options->retries && again.may_leak == options->may_leak);
	REQUIRE(again.budget == options->budget);
	REQUIRE(json_object_size(again.env) == json_object_size(options->env));
	options_clear(&again);
	json_decref(line);
}

static void
check_config(const struct config *config)
{
	for (size_t i = 0; i < config->nresources; i++)
		REQUIRE(*config->resources[i].name && config->resources[i].capacity > 0 &&
			config->resources[i].capacity <= 1LL << 53);
	for (size_t i = 0; i < config->nsessions; i++) {
		const struct config_session *s = &config->sessions[i];

		struct options options = { 0 };

		options_add(&options, s->table);
		check_options(&options);
		options_clear(&options);
		for (size_t k = 0; k < s->uses.n; k++)
			REQUIRE(*s->uses.v[k].name && s->uses.v[k].amount >= 0);
	}
}

static void
check_plan(const struct plan *plan, const struct strings *reserved)
{
	struct buffer rules = { 0 }, lines = { 0 };

	for (size_t i = 0; i < plan->n; i++)
		for (size_t k = 0; k < plan->sessions[i].nclaims; k++) {
			const struct plan_claim *claim = &plan->sessions[i].claims[k];

			REQUIRE(claim->resource < plan->nresources && claim->by);
			REQUIRE(claim->amount >= 0 &&
				claim->amount <= plan->resources[claim->resource].capacity);
		}
	rule_write(plan, &rules);
	planfile_write(plan, &(struct planfile_nox){ .noxfile = "noxfile.py", .command = reserved },
	    &lines);
	rulecheck_makefile(rules.data, plan, reserved);
	rulecheck_planfile(lines.data, plan);
	buffer_free(&rules);
	buffer_free(&lines);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *table = json_loadb((const char *)data, size, 0, NULL);
	json_t *root = json_loads(noxfile, 0, NULL);
	struct config *config = config_parse(table);
	struct strings reserved = { 0 };
	struct facts *facts;
	struct plan *plan;

	if (config)
		check_config(config);
	json_object_set(root, "config", table);
	facts = facts_parse(root, "input");
	REQUIRE(facts);
	strings_add(&reserved, "clean");
	plan = planner_make(facts, &reserved);
	REQUIRE(config || !plan);
	if (plan)
		check_plan(plan, &reserved);
	plan_free(plan);
	facts_free(facts);
	config_free(config);
	json_decref(root);
	json_decref(table);
	free(reserved.v);
	return 0;
}
