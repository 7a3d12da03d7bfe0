/*
 * order.mk with anything in it, beside a history and a plan: every session has a place and a time
 * all the same. Parts of the input: order.mk, history.json, plan.jsonl (empty: a sound one), slots.
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "order/forecast.h"
#include "order/order.h"
#include "plan/planfile.h"

static const char sound_plan[] =
    "{\"schema\":1,\"nox\":\"1\",\"command\":[\"nox\"],\"python\":null,\"path\":[],"
    "\"noxfile\":\"/noxfile.py\",\"complaint\":null}\n"
    "{\"target\":\"a\",\"session\":\"a\",\"requires\":[],\"after\":[\"d\"],\"claims\":["
    "{\"resource\":\"x\",\"use\":\"exclusive\",\"by\":\"-\"}]}\n"
    "{\"target\":\"b\",\"session\":\"b\",\"requires\":[\"a\"],\"after\":[],\"claims\":["
    "{\"resource\":\"x\",\"use\":\"shared\",\"by\":\"-\"},"
    "{\"resource\":\"m\",\"use\":\"amount\",\"amount\":3,\"capacity\":4,\"by\":\"-\"}]}\n"
    "{\"target\":\"c\",\"session\":\"c\",\"requires\":[],\"after\":[],\"claims\":["
    "{\"resource\":\"m\",\"use\":\"amount\",\"amount\":2,\"capacity\":4,\"by\":\"-\"}],"
    "\"options\":{\"jobs\":[2,3]}}\n"
    "{\"target\":\"d\",\"session\":\"d\",\"requires\":[],\"after\":[],\"claims\":["
    "{\"resource\":\"x\",\"use\":\"shared\",\"by\":\"-\"}]}\n"
    "{\"group\":\"ci\",\"what\":\"-\",\"members\":[\"a\",\"b\",\"c\",\"d\"]}\n";

static void
check_expected(int state, const json_t *active, unsigned slots)
{
	size_t n = json_object_size(active);
	bool *seen = calloc(n + 1, sizeof(*seen));
	double wall;
	struct forecast_line *lines = forecast_run(state, active, slots, &wall);

	REQUIRE(isfinite(wall) && wall >= 0);
	for (size_t i = 0; i < n; i++) {
		const struct forecast_line *line = &lines[i];

		REQUIRE(json_object_get(active, line->target));
		REQUIRE(line->place < n && !seen[line->place]);
		seen[line->place] = true;
		REQUIRE(isfinite(line->start) && line->start >= 0);
		REQUIRE(isfinite(line->end) && line->end >= line->start);
		REQUIRE(!line->cue || json_object_get(active, line->cue));
		REQUIRE(i == 0 || lines[i - 1].start <= line->start);
	}
	free(lines);
	free(seen);
}

/* What we write has a place for each of them. */
static void
check_written(int state, const json_t *active, unsigned slots)
{
	size_t n = json_object_size(active);
	const char *target;
	json_t *session;

	REQUIRE(order_write(state, active, slots) == 0);
	json_object_foreach((json_t *)active, target, session)
		if (n > 1 && fuzz_is_slug(target, strlen(target)))
			REQUIRE(order_rank(state, target) <= n);
	check_expected(state, active, slots);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "order.mk", "history.json", "plan.jsonl" };
	int state = fuzz_folder();
	struct planfile *plan;
	json_t *active = json_object();
	size_t length = 0;
	unsigned slots;

	unsetenv("MAKEFLAGS");
	for (size_t i = 0; i < countof(names); i++) {
		const uint8_t *part = fuzz_part(&data, &size, &length);

		if (i == 2 && (!part || length == 0))
			fuzz_file(state, names[i], sound_plan, sizeof(sound_plan) - 1);
		else
			fuzz_file(state, names[i], part, length);
	}
	slots = 1 + (data && size ? *data % 8U : 1);
	if ((plan = planfile_open(state))) {
		if (fuzz_expand(plan, "ci", active) < 0)
			json_object_clear(active);
		(void)order_rank(state, "a");
		check_expected(state, active, slots);
		check_written(state, active, slots);
		planfile_close(plan);
	}
	json_decref(active);
	return 0;
}
