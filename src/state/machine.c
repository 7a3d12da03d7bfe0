#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "state/commit.h"
#include "state/machine.h"

/* A folder that has been checked out for longer tells nothing of a job. */
#define LONGEST 3600.0

/* More processors than any machine has. */
enum { PROCESSORS_MOST = 4096 };

/* The Unix time in such words, 2026-11-29T08:00:00Z, or -1. */
static double
read_date(const char *text)
{
	struct tm tm = { 0 };
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);

	return end && *end == '\0' ? (double)timegm(&tm) : -1;
}

bool
machine_is_busy_time(double seconds)
{
	return seconds >= 0 && seconds <= LONGEST;
}

bool
machine_is_processors(long long n)
{
	return n >= 1 && n <= PROCESSORS_MOST;
}

double
machine_busy(void)
{
	const char *ci = getenv("CI"), *date = getenv("CI_JOB_STARTED_AT");
	double began = date ? read_date(date) : -1, seconds;

	if (!ci || !*ci)
		return -1;
	if (began < 0)
		began = commit_fetched();
	seconds = began < 0 ? -1 : clock_now() - began;
	return machine_is_busy_time(seconds) ? seconds : -1;
}
