/*
 * nox's report, and any way in which its process can end, to a verdict; then through a record on
 * disk and back. Input: two bytes of wait status, one that says how to read them, the report.
 */

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "fuzz.h"
#include "nox/verdict.h"
#include "output/screen.h"

static const char plan_text[] =
    "{\"schema\":1,\"nox\":\"1\",\"command\":[\"nox\"],\"python\":null,\"path\":[],"
    "\"noxfile\":\"/noxfile.py\",\"complaint\":null}\n"
    "{\"target\":\"a\",\"session\":\"a\",\"name\":\"a\",\"index\":0,\"selector\":\"a\","
    "\"description\":\"\",\"default\":true,\"requires\":[],\"after\":[],\"complaint\":null}\n"
    "{\"target\":\"b-2\",\"session\":\"b(2)\",\"name\":\"b\",\"index\":1,\"selector\":\"b(2)\","
    "\"description\":\"\",\"default\":true,\"requires\":[\"a\"],\"after\":[],\"complaint\":null}\n"
    "{\"group\":\"ci\",\"what\":\"the default sessions\",\"members\":[\"a\",\"b-2\"]}\n";

/* A status as waitpid(2) without WUNTRACED may give: an exit or a death, with or without a core. */
static int
decode_status(const uint8_t *data)
{
	int signal = 1 + data[1] % 64;

	switch (data[0] % 4) {
	case 0:
		return 0;
	case 1:
		return W_EXITCODE(data[1], 0);
	case 2:
		return W_EXITCODE(0, signal);
	default:
		return W_EXITCODE(0, signal) | WCOREFLAG;
	}
}

static void
check_verdict(const struct record *r, int status)
{
	json_t *item;
	size_t i;

	REQUIRE(r->verdict == PASSED || r->verdict == FAILED || r->verdict == SKIPPED ||
		r->verdict == ABORTED);
	REQUIRE(!WIFSIGNALED(status) || r->verdict == FAILED);
	REQUIRE((r->exit >= 0) == WIFEXITED(status) && (r->signal >= 0) == WIFSIGNALED(status));
	REQUIRE(!r->reason || *r->reason);
	REQUIRE(r->verdict != PASSED || r->exit == 0 || r->reason);
	REQUIRE(json_is_array(r->notify));
	json_array_foreach(r->notify, i, item) {
		const char *target = json_string_value(json_object_get(item, "target"));

		REQUIRE(target && (!strcmp(target, "a") || !strcmp(target, "b-2")));
	}
}

static void
check_record(int dirfd, const struct record *wrote)
{
	struct record read;

	REQUIRE(record_write(dirfd, -1, wrote) == 0);
	REQUIRE(record_read(dirfd, "a", &read) == 1);
	REQUIRE(read.verdict == wrote->verdict && read.exit == wrote->exit &&
		read.signal == wrote->signal && json_equal(read.notify, wrote->notify));
	REQUIRE(!read.reason == !wrote->reason &&
		(!read.reason || !strcmp(read.reason, wrote->reason)));
	record_clear(&read);
}

static void
check_screen(const char *text)
{
	char *safe = screen_safe(text);

	REQUIRE(strlen(safe) <= 4 * strlen(text));
	for (const char *p = safe; *p; p++)
		REQUIRE((unsigned char)*p >= ' ' && *p != 0x7f);
	free(safe);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct planfile *plan;
	int dirfd = fuzz_folder(), status;
	struct record record = { 0 };
	struct buffer report = { 0 };

	if (size < 3)
		return 0;
	if (!plan) {
		fuzz_file(dirfd, "plan.jsonl", plan_text, sizeof(plan_text) - 1);
		plan = planfile_open(dirfd);
		REQUIRE(plan);
	}
	status = decode_status(data);
	record.target = xstrdup("a");
	record.session = xstrdup(data[2] % 2 ? "a" : "b(2)");
	buffer_add(&report, data + 3, size - 3);
	verdict_judge(&record, status, &report, plan);
	check_verdict(&record, status);
	check_record(dirfd, &record);
	if (record.reason)
		check_screen(record.reason);
	record_clear(&record);
	buffer_free(&report);
	return 0;
}
