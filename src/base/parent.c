#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/util.h"
#include "base/parent.h"

enum { CHECK_EVERY = 10 }; /* milliseconds */

/* Which of the signals that end make the process catches; see proc(5), SigCgt. */
static unsigned long long
caught_by(pid_t pid)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
	char *path = xasprintf("/proc/%d/status", (int)pid);
	struct buffer status = { 0 };
	unsigned long long mask = 0, caught = 0;
	const char *line;

	if (file_read(AT_FDCWD, path, &status) == 0 && (line = strstr(status.data, "\nSigCgt:")))
		mask = strtoull(line + strlen("\nSigCgt:"), NULL, 16);
	for (size_t i = 0; i < countof(signals); i++)
		caught |= mask & 1ULL << (signals[i] - 1);
	buffer_free(&status);
	free(path);
	return caught;
}

struct parent
parent_open(void)
{
	struct parent parent = { .pid = getppid() };

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	parent.caught = caught_by(parent.pid);
	return parent;
}

void
parent_close(void)
{
	prctl(PR_SET_PDEATHSIG, 0);
}

void
parent_set_dead(struct parent *parent)
{
	parent->pid = -1;
}

int
parent_stopped_by(const struct parent *parent)
{
	unsigned long long gone;

	if (getppid() != parent->pid)
		return SIGKILL;
	gone = parent->caught & ~caught_by(parent->pid);
	return gone ? __builtin_ctzll(gone) + 1 : 0;
}

int
parent_stopped_within(const struct parent *parent, int milliseconds)
{
	int signal;

	while ((signal = parent_stopped_by(parent)) == 0 && milliseconds > 0) {
		poll(NULL, 0, CHECK_EVERY);
		milliseconds -= CHECK_EVERY;
	}
	return signal;
}
