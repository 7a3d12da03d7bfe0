#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cpus.h"
#include "base/file.h"
#include "base/util.h"

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

/* The number in that file of the folder; -1 where there is none. */
static long long
read_number(const char *dir, const char *name)
{
	char *path = xasprintf("%s/%s", dir, name);
	struct buffer text = { 0 };
	long long value = -1;

	if (file_read(AT_FDCWD, path, &text) == 0)
		value = strtoll(text.data, NULL, 10);
	buffer_free(&text);
	free(path);
	return value;
}

/* The quota of the group with that folder, by either version. */
static unsigned
group_quota(const char *dir)
{
	char *path = xasprintf("%s/cpu.max", dir);
	struct buffer text = { 0 };
	long long quota, period;
	unsigned cpus = 0;

	if (file_read(AT_FDCWD, path, &text) == 0 &&
	    sscanf(text.data, "%lld %lld", &quota, &period) == 2)
		cpus = to_cpus(quota, period);
	buffer_free(&text);
	free(path);
	return least(cpus, to_cpus(read_number(dir, "cpu.cfs_quota_us"),
			       read_number(dir, "cpu.cfs_period_us")));
}

/* The least quota of a group and of every group above it, up to the mount point. */
static unsigned
path_quota(const char *mount, const char *group)
{
	char *dir = xasprintf("%s%s", mount, strcmp(group, "/") ? group : "");
	unsigned cpus = group_quota(dir);
	char *slash;

	while (strlen(dir) > strlen(mount) && (slash = strrchr(dir, '/'))) {
		*slash = '\0';
		cpus = least(cpus, group_quota(dir));
	}
	free(dir);
	return cpus;
}

/* Is the word in a list with commas? "cpu" is not in "cpuset". */
static bool
has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = list; (p = strstr(p, word)); p += len)
		if ((p == list || p[-1] == ',') && (p[len] == ',' || !p[len]))
			return true;
	return false;
}

unsigned
cpus_quota(const char *proc_cgroup, const char *root)
{
	static const char *const v1_mounts[] = { "cpu", "cpu,cpuacct" };
	struct buffer text = { 0 };
	unsigned cpus = 0;
	char *line, *rest;

	if (file_read(AT_FDCWD, proc_cgroup, &text) < 0)
		return 0;
	/* Each line: number:controllers:path; version 2 has no controllers. */
	for (rest = text.data; (line = strsep(&rest, "\n"));) {
		char *controllers = strchr(line, ':');
		char *group = controllers ? strchr(controllers + 1, ':') : NULL;

		if (!group)
			continue;
		*group++ = '\0';
		controllers++;
		if (!*controllers) {
			cpus = least(cpus, path_quota(root, group));
			continue;
		}
		for (size_t i = 0; i < countof(v1_mounts); i++) {
			char *mount = xasprintf("%s/%s", root, v1_mounts[i]);

			if (has_word(controllers, "cpu"))
				cpus = least(cpus, path_quota(mount, group));
			free(mount);
		}
	}
	buffer_free(&text);
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
