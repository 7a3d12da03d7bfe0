#ifndef NOXMK_BASE_MEMORY_H
#define NOXMK_BASE_MEMORY_H

/* How much memory there is for us, which in a container is less than the machine has. */

/* In bytes. total is 0 where nobody can know. */
struct memory {
	unsigned long long total;
	unsigned long long available; /* before something else must give way, or be killed */
};

/* At this moment. */
struct memory memory_now(void);

/*
 * The same. What is available is the least of what the machine says (MemAvailable), and of what
 * the limits of our cgroup and of those above it leave; they are read of version 2 (memory.max,
 * memory.high) and of version 1 (memory.limit_in_bytes). Files that a group has in memory can be
 * had back, and count as available, as they do in MemAvailable; also active ones: a group with 250
 * of 400 MiB full of a file that was read three times could take 350 all the same. meminfo: a file
 * like /proc/meminfo; proc_cgroup and root: see cgroup.h.
 */
struct memory memory_read(const char *meminfo, const char *proc_cgroup, const char *root);

#endif
