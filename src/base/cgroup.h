#ifndef NOXMK_BASE_CGROUP_H
#define NOXMK_BASE_CGROUP_H

/*
 * Our control groups (cgroups(7)), which limit what we may use of the machine: in a container that
 * is less than there is. A limit may be set on our group or on any above it, by version 1 or 2.
 */

/*
 * Calls visit with the folder of each group that a limit of ours may be in. It need not exist: in a
 * container our group is not always visible. version: whose files these are, 1 or 2. proc_cgroup: a
 * file like /proc/self/cgroup; root: where cgroup file systems are mounted, like /sys/fs/cgroup;
 * mounts: where version 1 has its controller below that, ending with NULL, the first by the
 * controller's own name.
 */
typedef void cgroup_visit(void *data, int version, const char *dir);
void cgroup_each(const char *proc_cgroup, const char *root, const char *const mounts[],
    cgroup_visit *visit, void *data);

/* The number in that file of the folder; -1 where there is none, as in "max". */
long long cgroup_number(const char *dir, const char *name);

#endif
