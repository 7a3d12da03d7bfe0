#ifndef NOXMK_STATE_MACHINE_H
#define NOXMK_STATE_MACHINE_H

/*
 * What the machines of a CI are like, on which shards of a project run (src/shard): how long one is
 * busy before its make begins, by installing Python and noxmk, and how many processors it has.
 */

#include <stdbool.h>

struct machine {
	double seconds;      /* that each takes besides its sessions; -1: unknown */
	unsigned processors; /* that each has; 0: unknown */
};

/*
 * The seconds since the job began that runs us: by CI_JOB_STARTED_AT, as GitLab says it, or else
 * since git has fetched what is checked out. -1: this is no CI, or nobody knows.
 */
double machine_busy(void);

/* Can a machine take so many seconds before a make? And have so many processors? */
bool machine_is_busy_time(double seconds);
bool machine_is_processors(long long n);

#endif
