#include <dirent.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/process.h"
#include "slots/clients.h"

/* A session that starts tools without end is not searched without end. */
enum { SEARCHES = 50 };

struct clients {
	int pipe;          /* make's, borrowed */
	int watch;         /* tells when it is opened, in whatever session */
	bool found;
	unsigned searches; /* that are left */
};

struct clients *
clients_open(const struct slot *slot)
{
	struct clients *clients;
	int pipe, watch;

	if (!slot_jobserver(slot))
		return NULL;
	pipe = jobserver_fd(slot_jobserver(slot));
	watch = fd_watch(pipe, IN_OPEN);
	if (watch < 0)
		return NULL;
	clients = xcalloc(1, sizeof(*clients));
	*clients = (struct clients){ .pipe = pipe, .watch = watch, .searches = SEARCHES };
	return clients;
}

void
clients_close(struct clients *clients)
{
	if (!clients)
		return;
	fd_close(&clients->watch);
	free(clients);
}

int
clients_fd(const struct clients *clients)
{
	return clients && !clients->found && clients->searches > 0 ? clients->watch : -1;
}

static bool
has_open(size_t pid, const struct stat *file)
{
	char *path = xasprintf("/proc/%zu/fd", pid);
	DIR *folder = opendir(path);
	struct dirent *entry;
	struct stat st;
	bool found = false;

	while (folder && !found && (entry = readdir(folder)))
		found = fstatat(dirfd(folder), entry->d_name, &st, 0) == 0 &&
			st.st_ino == file->st_ino && st.st_dev == file->st_dev;
	if (folder)
		closedir(folder);
	free(path);
	return found;
}

int
clients_found(struct clients *clients, pid_t session)
{
	struct indices processes = { 0 };
	struct stat pipe;
	char events[4096];

	if (!clients)
		return -1;
	if (clients_fd(clients) < 0 || read(clients->watch, events, sizeof(events)) <= 0 ||
	    fstat(clients->pipe, &pipe) < 0)
		return clients->found;
	clients->searches--;
	process_descendants(session, &processes);
	for (size_t i = 0; i < processes.n && !clients->found; i++)
		clients->found = has_open(processes.v[i], &pipe);
	free(processes.v);
	return clients->found;
}
