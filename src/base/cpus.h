#ifndef NOXMK_BASE_CPUS_H
#define NOXMK_BASE_CPUS_H

/* How many processors we may really use, which in a container is less than the machine has. */

/* The processors that CPU affinity and the CPU quotas of our cgroups leave us; at least 1. */
unsigned cpus_available(void);

/*
 * The threads that run or could on the whole machine now, the caller's included; 0 where that is
 * not known. `processors` are those that we may use: if the machine has more, its threads say
 * nothing of these, and that is 0, too. loadavg: a file like /proc/loadavg (proc(5)).
 */
unsigned cpus_wanted(const char *loadavg, unsigned processors);

/*
 * The least quota of our cgroup and of those above it, in processors, rounded up; 0 when there is
 * none. Version 2 (cpu.max) and version 1 (cpu.cfs_quota_us) are read; see cgroups(7) and the
 * kernel's cgroup-v2 documentation, "CPU Interface Files". proc_cgroup: a file like
 * /proc/self/cgroup; root: where cgroup file systems are mounted, like /sys/fs/cgroup.
 */
unsigned cpus_quota(const char *proc_cgroup, const char *root);

#endif
