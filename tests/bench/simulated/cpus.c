/* For LD_PRELOAD: whoever asks is told that it may use SIMULATED_CPUS processors. */

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

int
sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set)
{
	const char *number = getenv("SIMULATED_CPUS");
	int n = number ? atoi(number) : 1;

	(void)pid;
	if (size * 8 < (size_t)n) {
		errno = EINVAL;
		return -1;
	}
	memset(set, 0, size);
	for (int i = 0; i < n; i++)
		CPU_SET_S((size_t)i, size, set);
	return 0;
}
