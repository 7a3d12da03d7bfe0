#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "base/cpus.h"
#include "base/file.h"
#include "base/util.h"

unsigned
cpus_wanted(const char *loadavg, unsigned processors)
{
	struct buffer text = { 0 };
	unsigned wanted = 0;

	if (sysconf(_SC_NPROCESSORS_ONLN) == (long)processors &&
	    file_read(AT_FDCWD, loadavg, &text) == 0 &&
	    sscanf(text.data, "%*f %*f %*f %u/", &wanted) != 1)
		wanted = 0;
	buffer_free(&text);
	return wanted;
}

/* The lesser of two numbers of processors, of which 0 is none. */
static unsigned
least(unsigned a, unsigned b)
{
	if (a == 0 || b == 0)
		return a + b;
	return a < b ? a : b;
}

/*
 * The processors that a quota stands for; both numbers are microseconds. Rounded up, as the JVM and
 * Go's automaxprocs do.
 */
static unsigned
to_cpus(long long quota, long long period)
{
	return quota > 0 && period > 0 ? (unsigned)(quota / period + (quota % period != 0)) : 0;
}

/* The quota in cpu.max of version 2, which is "QUOTA PERIOD"; 0: there is none. */
static unsigned
quota_of_two(const char *dir)
{
	char *path = xasprintf("%s/cpu.max", dir);
	struct buffer text = { 0 };
	long long quota = 0, period = 0;

	if (file_read(AT_FDCWD, path, &text) == 0 &&
	    sscanf(text.data, "%lld %lld", &quota, &period) != 2)
		quota = 0;
	buffer_free(&text);
	free(path);
	return to_cpus(quota, period);
}

/* Lessens the number of processors to the quota of the group with that folder. */
static void
add_quota(void *data, int version, const char *dir)
{
	unsigned *cpus = data;
	long long quota;

	if (version == 2) {
		*cpus = least(*cpus, quota_of_two(dir));
		return;
	}
	quota = cgroup_number(dir, "cpu.cfs_quota_us");
	if (quota > 0)
		*cpus = least(*cpus, to_cpus(quota, cgroup_number(dir, "cpu.cfs_period_us")));
}

unsigned
cpus_quota(const char *proc_cgroup, const char *root)
{
	static const char *const mounts[] = { "cpu", "cpu,cpuacct", NULL };
	unsigned cpus = 0;

	cgroup_each(proc_cgroup, root, mounts, add_quota, &cpus);
	return cpus;
}

unsigned
cpus_available(void)
{
	cpu_set_t set;
	unsigned affinity = 1;
	long online = sysconf(_SC_NPROCESSORS_ONLN);

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		affinity = (unsigned)CPU_COUNT(&set);
	else if (online > 0)
		/* The machine has more processors than a cpu_set_t holds. */
		affinity = (unsigned)online;
	return least(affinity, cpus_quota("/proc/self/cgroup", "/sys/fs/cgroup"));
}
