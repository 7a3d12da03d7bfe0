#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/util.h"
#include "state/policy.h"
#include "state/rundir.h"

#define NAME ".halt"

/* The first words of that file: end those that run, or let them end by themselves. */
#define CANCEL "cancel "
#define WAIT "wait "

/*
 * Writes why the run is to end early, unless a reason stands there; of two at the same moment the
 * last one stays. Frees `why`.
 */
static void
halt(int rundir, const char *how, char *why)
{
	bool unused;
	char *line = xasprintf("%s%s\n", how, why), *reason = policy_stop_reason(rundir, &unused);

	if (!reason && file_store(rundir, NAME, line, strlen(line)) < 0)
		warn("the run goes on, though it was to end here (%s): " NAME, why);
	free(reason);
	free(line);
	free(why);
}

static void
count_failed(void *data, const struct record *record)
{
	unsigned *n = data;

	*n += record->verdict == FAILED || record->verdict == ABORTED;
}

void
policy_consider(int rundir, const struct policy *policy, const struct record *record)
{
	const char *how = policy->wait ? WAIT : CANCEL;
	unsigned failed = 0;

	if (record->verdict != FAILED && record->verdict != ABORTED)
		return;
	if (policy->max_fail > 0)
		record_each(rundir, count_failed, &failed);
	if (policy->fail_fast)
		halt(rundir, how, xasprintf("%s %s (FAIL_FAST)", record->target,
		    verdict_name(record->verdict)));
	else if (policy->max_fail > 0 && failed >= policy->max_fail)
		halt(rundir, how, xasprintf("%u failed (MAX_FAIL)", policy->max_fail));
}

char *
policy_stop_reason(int rundir, bool *cancel)
{
	struct buffer line = { 0 };
	char *reason = NULL, *end;

	if (faccessat(rundir, NAME, F_OK, AT_SYMLINK_NOFOLLOW) == 0 &&
	    file_load(rundir, NAME, &line) == 0 && (end = strchr(line.data, '\n'))) {
		*end = '\0';
		*cancel = !strncmp(line.data, CANCEL, strlen(CANCEL));
		if (*cancel || !strncmp(line.data, WAIT, strlen(WAIT)))
			reason = xstrdup(strchr(line.data, ' ') + 1);
	}
	buffer_free(&line);
	return reason;
}

double
policy_run_ends(const struct policy *policy, int rundir)
{
	json_t *info = policy->deadline > 0 ? rundir_info(rundir) : NULL;
	double begun = json_number(info, "clock");

	json_decref(info);
	return info ? begun + policy->deadline : 0;
}
