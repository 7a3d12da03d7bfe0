#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/stdlib.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/quantity.h"
#include "base/util.h"
#include "state/policy.h"

#define NAME ".halt"

/* The first words of that file. */
#define CANCEL "cancel "
#define WAIT "wait "

static bool
is_no(const char *value)
{
	return !*value || !strcmp(value, "0") || !strcmp(value, "no") || !strcmp(value, "false");
}

/* False if that is no value for it. */
static bool
set(struct policy *policy, const char *name, const char *value)
{
	const char *bad = NULL;

	if (!strcmp(name, "fail-fast")) {
		policy->wait = !strcmp(value, "wait");
		policy->fail_fast = !is_no(value);
		policy->fail_fast_said = true;
		return policy->wait || is_no(value) || !strcmp(value, "1") ||
		       !strcmp(value, "yes") || !strcmp(value, "true");
	}
	if (!strcmp(name, "max-fail")) {
		policy->max_fail = (unsigned)strtonum(value, 0, 1000000, &bad);
		return !bad;
	}
	if (!strcmp(name, "deadline"))
		return quantity_read_duration(value, &policy->deadline);
	if (!strcmp(name, "flaky")) {
		policy->flaky_fails = !strcmp(value, "fail");
		return policy->flaky_fails || !strcmp(value, "pass");
	}
	return false;
}

bool
policy_set(struct policy *policy, const char *word)
{
	char *name = xstrdup(word), *value = strchr(name, '=');
	bool good;

	if (value)
		*value++ = '\0';
	good = value && set(policy, name, value);
	if (!good)
		warnx("-o %s: not understood; there are fail-fast=1 or =wait (FAIL_FAST), "
		      "max-fail=N (MAX_FAIL), deadline=10m (NOXMK_DEADLINE), flaky=fail or =pass "
		      "(NOXMK_FLAKY)", word);
	free(name);
	return good;
}

/* The first reason counts. */
static void
halt(int rundir, const char *how, char *why)
{
	int fd = openat(rundir, NAME, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	char *line = xasprintf("%s%s\n", how, why);

	/* A short line is written at once or not at all; who reads it half, looks again. */
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
