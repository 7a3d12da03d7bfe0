/*
 * A hazards.json of any bytes, and a plan of three sessions and one in parts: what is taken of it
 * names what targets can be called, says of what in a line of text, and leaves the plan without a
 * cycle; what is not taken leaves the plan as it was.
 */

#include <string.h>

#include "fuzz.h"
#include "plan/hazards.h"
#include "plan/planner.h"

#define SESSION(index, name)                                                          \
	"{\"index\":" index ",\"name\":\"" name "\",\"session\":\"" name              \
	"\",\"description\":\"\",\"signatures\":[],\"tags\":[],\"requires\":[],"      \
	"\"notifies\":[]}"

static const char facts_text[] =
    "{\"schema\":1,\"nox\":\"1\",\"python\":\"/p\",\"noxfile\":\"/n\",\"path\":[],\"args\":[],"
    "\"queue\":[0,1,2,3],\"config\":{\"session\":{\"t\":{\"parts\":2,\"part-args\":[\"{part}\"]}}},"
    "\"sessions\":[" SESSION("0", "a") "," SESSION("1", "b") "," SESSION("2", "c") ","
    SESSION("3", "t") "]}";

static bool
is_line(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ')
			return false;
	return true;
}

static void
check_pairs(const json_t *pairs)
{
	const json_t *pair;
	size_t i;

	REQUIRE(json_is_array(pairs));
	json_array_foreach(pairs, i, pair) {
		const char *what = json_string_value(json_array_get(pair, 2));

		for (size_t k = 0; k < 2; k++) {
			const char *name = json_string_value(json_array_get(pair, k));

			REQUIRE(name && *name && is_line(name) && !strpbrk(name, "/$ %:#=;`\\"));
		}
		REQUIRE(what ? is_line(what) : json_is_null(json_array_get(pair, 2)));
	}
}

/* Each claims what it did before, and at most once what its parts do. */
static void
check_claims(const struct plan *plan, size_t before)
{
	size_t claims = 0;

	for (size_t i = 0; i < plan->n; i++) {
		REQUIRE(plan->sessions[i].nclaims <= 2);
		claims += plan->sessions[i].nclaims;
		for (size_t k = 0; k < plan->sessions[i].nclaims; k++)
			REQUIRE(plan->sessions[i].claims[k].resource < plan->nresources);
	}
	REQUIRE(plan->nresources == before || (plan->nresources == before + 1 && claims > 0));
}

static void
check_plan(const struct plan *plan)
{
	for (size_t i = 0; i < plan->n; i++)
		for (size_t k = 0; k < plan->sessions[i].after.n; k++) {
			size_t other = plan->sessions[i].after.v[k];

			REQUIRE(other < plan->n && other != i);
			REQUIRE(!plan_waits_for(plan, other, i));
			REQUIRE(json_is_string(json_object_get(plan->sessions[i].by,
			    plan->sessions[other].target)));
		}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *root = json_loads(facts_text, 0, NULL), *pairs;
	const struct strings reserved = { 0 };
	struct facts *facts = facts_parse(root, "facts");
	struct plan *plan = facts ? planner_make(facts, &reserved) : NULL;
	size_t resources;

	REQUIRE(plan && plan->n == 5);
	resources = plan->nresources;
	fuzz_file(fuzz_folder(), HAZARDS_NAME, data, size);
	pairs = hazards_read(fuzz_folder(), HAZARDS_NAME, true, "input");
	if (pairs)
		check_pairs(pairs);
	hazards_apply(plan, pairs);
	check_plan(plan);
	check_claims(plan, resources);
	json_decref(pairs);
	plan_free(plan);
	facts_free(facts);
	json_decref(root);
	return 0;
}
