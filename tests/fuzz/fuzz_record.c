/*
 * A run's folder with any bytes in its files, through all that reads one. Parts of the input:
 * plan.jsonl (empty: a sound one), a.json, b.json, .run.json (empty: a sound one).
 */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "notified.h"
#include "plan/planfile.h"
#include "report/list.h"
#include "report/show.h"
#include "report/summary.h"
#include "report/why.h"
#include "state/record.h"
#include "state/rundir.h"

static const char sound_plan[] =
    "{\"schema\":1,\"nox\":\"1\",\"command\":[\"nox\"],\"python\":null,\"path\":[],"
    "\"noxfile\":\"/noxfile.py\",\"complaint\":null}\n"
    "{\"target\":\"a\",\"session\":\"a\",\"name\":\"a\",\"index\":0,\"selector\":\"a\","
    "\"description\":\"\",\"default\":true,\"requires\":[],\"after\":[],\"complaint\":null}\n"
    "{\"target\":\"b\",\"session\":\"b\",\"name\":\"b\",\"index\":1,\"selector\":\"b\","
    "\"description\":\"\",\"default\":true,\"requires\":[\"a\"],\"after\":[],\"complaint\":null}\n"
    "{\"group\":\"ci\",\"what\":\"the default sessions\",\"members\":[\"a\",\"b\"]}\n";
static const char sound_run[] = "{\"schema\":1,\"run\":\"r\",\"make\":\"1-1\",\"clock\":1.0}";

static void
read_plan(struct planfile *plan)
{
	json_t *all = json_object();

	json_decref(planfile_session(plan, "a"));
	json_decref(planfile_targets_at(plan, 1));
	if (fuzz_expand(plan, "ci", all) == 0)
		json_object_clear(all);
	if (fuzz_expand(plan, "a", all) == 0)
		REQUIRE(json_object_get(all, "a"));
	json_decref(all);
}

static void
sum_up(int dirfd, struct planfile *plan)
{
	json_t *goals = json_pack("[s,s]", "ci", "a"), *tried = json_object();
	json_t *pending = notified_pending(dirfd, plan, tried);

	/* What has a record has run. */
	REQUIRE(json_is_object(pending) && !json_object_get(pending, "a.json"));
	json_decref(pending);
	json_decref(tried);
	if (summary_print(&(struct summary){ .state = dirfd, .rundir = dirfd, .plan = plan,
		.goals = goals, .hints = true }) == 0)
		REQUIRE(!summary_is_well(dirfd, plan, "no such goal"));
	REQUIRE(summary_verdict(dirfd, plan, "no such goal") == 1);
	(void)!why_print(&(int){ -1 }, dirfd, "a");
	list_print(plan);
	show_print(dirfd, plan, goals);
	json_decref(goals);
}

/* A record that can be read says one thing; only a good one makes its goal well. */
static void
read_record(int dirfd)
{
	struct record record;
	int found = record_read(dirfd, "a", &record);
	json_t *word;
	size_t i;

	REQUIRE(found == 1 || (!record.target && !record.notify));
	if (found == 1) {
		REQUIRE(record.verdict < VERDICTS && record.target && record.session &&
			json_is_array(record.notify));
		REQUIRE(record_is_bad(&record) || record.verdict == PASSED ||
			record.verdict == SKIPPED || record.excused);
		REQUIRE(record.crowded >= 0 || record.crowded == -1);
		REQUIRE(record.own >= 0 || record.own == -1);
		REQUIRE(record.memory <= INT64_MAX);
		json_array_foreach(record.wide, i, word)
			REQUIRE(json_is_string(word));
	}
	record_clear(&record);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "plan.jsonl", "a.json", "b.json", ".run.json" };
	static bool is_quiet;
	int dirfd = fuzz_folder();
	struct planfile *plan;

	if (!is_quiet)
		is_quiet = freopen("/dev/null", "w", stdout) != NULL;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		size_t length = 0;
		const uint8_t *part = fuzz_part(&data, &size, &length);

		if (i == 0 && length == 0)
			fuzz_file(dirfd, names[i], sound_plan, sizeof(sound_plan) - 1);
		else if (i == 3 && length == 0)
			fuzz_file(dirfd, names[i], sound_run, sizeof(sound_run) - 1);
		else
			fuzz_file(dirfd, names[i], part, length);
	}
	read_record(dirfd);
	json_decref(rundir_info(dirfd));
	if ((plan = planfile_open(dirfd))) {
		read_plan(plan);
		sum_up(dirfd, plan);
		planfile_close(plan);
	}
	return 0;
}
