#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "output/screen.h"
#include "session/outcome.h"

/* Has that target passed in this run? If not, the record's session is not run. */
static bool
has_passed(const char *target, int rundir, struct record *record)
{
	struct record other;
	bool found = record_read(rundir, target, &other) == 1, passed = false;

	if (!found) {
		record_decide(record, NOT_RUN, xasprintf("it requires %s, which has no record",
		    target));
	} else if (other.verdict == PASSED) {
		passed = true;
	} else {
		record_decide(record, NOT_RUN, xasprintf("it requires %s, which %s%s", target,
		    other.verdict == FAILED ? "" : "was ", verdict_name(other.verdict)));
		record->excused = other.verdict == SKIPPED || other.excused;
	}
	record_clear(&other);
	return passed;
}

bool
outcome_may_run(struct record *record, const json_t *session, int rundir)
{
	const char *complaint = json_string_value(json_object_get(session, "complaint"));
	const json_t *item;
	size_t i;

	if (complaint) {
		record_decide(record, FAILED, xstrdup(complaint));
		return false;
	}
	json_array_foreach(json_object_get(session, "requires"), i, item) {
		const char *target = json_string_value(item);

		if (!has_passed(target ? target : "", rundir, record))
			return false;
	}
	return true;
}

void
outcome_not_started(struct record *record, const char *program, int error)
{
	record_decide(record, FAILED, xasprintf("cannot start %s: %s", program, strerror(error)));
}

void
outcome_no_room(struct record *record, int error)
{
	record_decide(record, FAILED, xasprintf("there is no room for its record: %s",
	    strerror(error)));
	warnx("%s is not started: %s", record->target, record->reason);
}

void
outcome_timed_out(struct record *record, double seconds)
{
	record_decide(record, FAILED, xasprintf("timeout after %s", screen_duration(seconds).s));
}

void
outcome_orphaned(struct record *record)
{
	record_decide(record, CANCELLED, xstrdup("its helper was killed"));
	record->signal = -1;
	record->gone = false;
	json_decref(record->notify);
	record->notify = NULL;
}

void
outcome_settle(struct record *record, const char *stopped, bool tried, bool flaky_fails)
{
	if (stopped)
		record_decide(record, tried ? CANCELLED : NOT_RUN, xstrdup(stopped));
	if (record_is_flaky(record) && flaky_fails)
		record_decide(record, FAILED, xasprintf("flaky: passed at attempt %zu only "
		    "(NOXMK_FLAKY)", json_array_size(record->attempts) + 1));
}
