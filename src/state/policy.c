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

/* The first words of that file: end those that run, or let them end by themselves. */
#define CANCEL "cancel "
#define WAIT "wait "

static bool
is_one_of(const char *value, const char *const *words)
{
	for (; *words; words++)
		if (!strcmp(value, *words))
			return true;
	return false;
}

static bool
set_fail_fast(struct policy *policy, const char *value)
{
	static const char *const yes[] = { "1", "yes", "true", NULL };
	static const char *const no[] = { "", "0", "no", "false", NULL };

	policy->wait = !strcmp(value, "wait");
	policy->fail_fast = policy->wait || is_one_of(value, yes);
	policy->fail_fast_said = true;
	return policy->fail_fast || is_one_of(value, no);
}

static bool
set_max_fail(struct policy *policy, const char *value)
{
	const char *bad = NULL;

	policy->max_fail = (unsigned)strtonum(value, 0, 1000000, &bad);
	return !bad;
}

static bool
set_deadline(struct policy *policy, const char *value)
{
	return quantity_read_duration(value, &policy->deadline);
}

static bool
set_flaky(struct policy *policy, const char *value)
{
	policy->flaky_fails = !strcmp(value, "fail");
	return policy->flaky_fails || !strcmp(value, "pass");
}

static const struct {
	const char *name;
	bool (*set)(struct policy *, const char *value); /* false if that is no value for it */
} settings[] = {
	{ "fail-fast", set_fail_fast },
	{ "max-fail", set_max_fail },
	{ "deadline", set_deadline },
	{ "flaky", set_flaky },
};

bool
policy_set(struct policy *policy, const char *word)
{
	const char *value = strchr(word, '=');
	size_t length = value ? (size_t)(value - word) : 0;

	for (size_t i = 0; value && i < countof(settings); i++)
		if (strlen(settings[i].name) == length &&
		    !strncmp(settings[i].name, word, length) &&
		    settings[i].set(policy, value + 1))
			return true;
	warnx("-o %s: not understood; there are fail-fast=1 or =wait (FAIL_FAST), "
	      "max-fail=N (MAX_FAIL), deadline=10m (NOXMK_DEADLINE), flaky=fail or =pass "
	      "(NOXMK_FLAKY)", word);
	return false;
}

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
