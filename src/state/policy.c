#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/util.h"
#include "state/policy.h"
#include "state/rundir.h"

#define NAME ".halt"

/* The first words of that file: end those that run, or let them end by themselves. */
#define CANCEL "cancel "
#define WAIT "wait "

/* Writes why the run is to end early, unless a reason stands there. Frees `why`. */
static void
halt(int rundir, const char *how, char *why)
{
	int fd = openat(rundir, NAME, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	char *line = xasprintf("%s%s\n", how, why);

	/* The file is there before its line is: a helper that reads no whole line looks again. */
	if (fd >= 0 ? fd_write_all(fd, line, strlen(line)) < 0 : errno != EEXIST)
		warn("the run goes on, though it was to end here (%s): " NAME, why);
	if (fd >= 0)
		close(fd);
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
	    file_read(rundir, NAME, &line) == 0 && (end = strchr(line.data, '\n'))) {
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
