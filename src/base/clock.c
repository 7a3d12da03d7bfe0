#include <limits.h>
#include <time.h>

#include "base/clock.h"

static double
seconds_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double
clock_now(void)
{
	return seconds_of(CLOCK_REALTIME);
}

unsigned long long
clock_nanoseconds(const struct timespec *t)
{
	return (unsigned long long)t->tv_sec * 1000000000 + (unsigned long long)t->tv_nsec;
}

double
clock_monotonic(void)
{
	return seconds_of(CLOCK_MONOTONIC);
}

double
clock_processor(void)
{
	return seconds_of(CLOCK_THREAD_CPUTIME_ID);
}

int
clock_until(double time, int timeout)
{
	double left = (time - clock_monotonic()) * 1000;
	int until = left >= INT_MAX - 1 ? INT_MAX : left > 0 ? (int)left + 1 : 0;

	return time == 0 || (timeout >= 0 && timeout < until) ? timeout : until;
}

int
clock_earlier(int a, int b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}
