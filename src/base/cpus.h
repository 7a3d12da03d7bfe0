#ifndef NOXMK_BASE_CPUS_H
#define NOXMK_BASE_CPUS_H

/* How many processors we may really use. */

/* The least of CPU affinity and the CPU quotas of our cgroups; at least 1. */
unsigned cpus_available(void);

/*
 * The quota alone, in processors, rounded up; 0 when there is none. proc_cgroup: a file as
 * /proc/self/cgroup; root: where cgroup file systems are mounted, as /sys/fs/cgroup. Version 2
 * (cpu.max) and version 1 (cpu.cfs_quota_us) are read, in our group and all above it; see
 * cgroups(7) and the kernel's cgroup-v2 documentation, "CPU Interface Files".
 */
unsigned cpus_quota(const char *proc_cgroup, const char *root);

#endif
