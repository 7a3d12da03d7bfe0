/*
 * For LD_PRELOAD: what noxmk asks the kernel about the processors, and what is another on the
 * simulated machine (machine.c).
 */

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "machine.h"

/* How many there are. */
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

/* The seconds that those below a process have computed; 0 where nobody knows. */
static double
work_below(pid_t pid)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct request request = { .seconds = pid };
	struct usage usage = { 0 };
	const char *path = getenv("SIMULATED_MACHINE");
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (path && strlen(path) < sizeof(address.sun_path))
		strcpy(address.sun_path, path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	    write(fd, &request, sizeof(request)) == sizeof(request) &&
	    read(fd, &usage, sizeof(usage)) != sizeof(usage))
		usage.work = 0;
	close(fd);
	return usage.work;
}

/* The processor time of a child and those below it. */
pid_t
wait4(pid_t pid, int *status, int options, struct rusage *usage)
{
	pid_t found = (pid_t)syscall(SYS_wait4, pid, status, options, usage);

	if (found > 0 && usage) {
		double work = work_below(found);

		usage->ru_utime.tv_sec += (time_t)work;
		usage->ru_utime.tv_usec += (suseconds_t)((work - (double)(time_t)work) * 1e6);
		usage->ru_utime.tv_sec += usage->ru_utime.tv_usec / 1000000;
		usage->ru_utime.tv_usec %= 1000000;
	}
	return found;
}
