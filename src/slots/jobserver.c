#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/makeflags.h"
#include "slots/jobserver.h"

/* See makeflags.h. */
#define AUTH "--jobserver-auth="

struct jobserver {
	int take, give;
};

static bool
is_fifo(int fd, struct stat *status)
{
	return fstat(fd, status) == 0 && S_ISFIFO(status->st_mode);
}

static bool
allows(int fd, int access)
{
	int mode = fcntl(fd, F_GETFL) & O_ACCMODE;

	return mode == access || mode == O_RDWR;
}

/*
 * The end for giving is opened first: that fails where nobody can take, as in a FIFO whose make is
 * gone.
 */
static bool
open_path(struct jobserver *jobserver, const char *path)
{
	struct stat status;

	jobserver->give = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (jobserver->give >= 0 && is_fifo(jobserver->give, &status))
		jobserver->take = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return jobserver->take >= 0;
}

/* Are these the two ends of one pipe? */
static bool
read_pipe(const char *auth, int *take, int *give)
{
	struct stat of_take, of_give;
	int end = 0;

	return sscanf(auth, "%9d,%9d%n", take, give, &end) == 2 && !auth[end] &&
	       is_fifo(*take, &of_take) && is_fifo(*give, &of_give) &&
	       of_take.st_ino == of_give.st_ino && of_take.st_dev == of_give.st_dev &&
	       allows(*take, O_RDONLY) && allows(*give, O_WRONLY);
}

static bool
open_pipe(struct jobserver *jobserver, const char *auth)
{
	int take, give;
	char path[64];

	if (!read_pipe(auth, &take, &give))
		return false;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", take);
	return open_path(jobserver, path);
}

/* Another descriptor for it, of which those that we start know by MAKEFLAGS. */
static int
leave_stream(int fd)
{
	int other = fd > STDERR_FILENO ? fd : fcntl(fd, F_DUPFD, STDERR_FILENO + 1);
	int null = other == fd ? -1 : open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null >= 0)
		dup2(null, fd);
	fd_close(&null);
	return other;
}

void
jobserver_leave_streams(void)
{
	char *text = getenv("MAKEFLAGS"), *found, *other;
	struct makeflags makeflags = makeflags_read(text, 1);
	int take, give;

	if (text && makeflags.auth && read_pipe(makeflags.auth, &take, &give) &&
	    (take <= STDERR_FILENO || give <= STDERR_FILENO) &&
	    (found = strstr(text, AUTH))) {
		take = leave_stream(take);
		give = leave_stream(give);
		found += strlen(AUTH);
		other = xasprintf("%.*s%d,%d%s", (int)(found - text), text, take, give,
		    found + strlen(makeflags.auth));
		setenv("MAKEFLAGS", other, 1);
		free(other);
	}
	makeflags_clear(&makeflags);
}

struct jobserver *
jobserver_open(const char *auth)
{
	struct jobserver *jobserver;

	if (!auth)
		return NULL;
	jobserver = xcalloc(1, sizeof(*jobserver));
	*jobserver = (struct jobserver){ .take = -1, .give = -1 };
	if (!strncmp(auth, "fifo:", 5) ? open_path(jobserver, auth + 5) :
					 open_pipe(jobserver, auth))
		return jobserver;
	jobserver_close(jobserver);
	return NULL;
}

void
jobserver_close(struct jobserver *jobserver)
{
	if (!jobserver)
		return;
	fd_close(&jobserver->give);
	fd_close(&jobserver->take);
	free(jobserver);
}

int
jobserver_take(struct jobserver *jobserver)
{
	unsigned char token;

	return read(jobserver->take, &token, 1) == 1 ? token : -1;
}

bool
jobserver_give(struct jobserver *jobserver, int token)
{
	unsigned char byte = (unsigned char)token;

	return write(jobserver->give, &byte, 1) == 1;
}

unsigned long long
jobserver_number(const struct jobserver *jobserver)
{
	struct stat status;

	return is_fifo(jobserver->take, &status) ? status.st_ino : 0;
}

int
jobserver_fd(const struct jobserver *jobserver)
{
	return jobserver->take;
}

int
jobserver_give_fd(const struct jobserver *jobserver)
{
	return jobserver->give;
}

void
jobserver_stop_giving(struct jobserver *jobserver)
{
	fd_close(&jobserver->give);
}
