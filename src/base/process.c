#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/process.h"

/* Milliseconds that the kernel has for a KILL. */
enum { DIES_WITHIN = 300 };

#define OWN_PROGRAM "/proc/self/exe"

/* Opens a file below /proc for reading; -1 when the process is gone, or is not ours to look at. */
static int
open_file(pid_t pid, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/*
 * Reads such a file into a string, as far as there is room. This is done many times a second: in
 * one read and without malloc. False when there is nothing.
 */
static bool
read_file(pid_t pid, const char *name, char *text, size_t room)
{
	int fd = open_file(pid, name);
	ssize_t n = fd < 0 ? -1 : read(fd, text, room - 1);

	fd_close(&fd);
	text[n < 0 ? 0 : n] = '\0';
	return n > 0;
}

void
process_threads(pid_t pid, struct indices *list)
{
	char path[64];
	DIR *tasks;
	struct dirent *task;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	tasks = opendir(path);
	while (tasks && (task = readdir(tasks)))
		if (task->d_name[0] != '.')
			indices_add(list, strtoul(task->d_name, NULL, 10));
	if (tasks)
		closedir(tasks);
}

void
process_thread_children(pid_t pid, pid_t thread, struct indices *list)
{
	char name[64], text[4096];
	size_t number = 0;
	ssize_t n;
	int fd;

	snprintf(name, sizeof(name), "task/%d/children", (int)thread);
	fd = open_file(pid, name);
	/* A blank follows each number, but the kernel may end a read within one. */
	while (fd >= 0 && (n = read(fd, text, sizeof(text))) > 0)
		for (ssize_t i = 0; i < n; i++) {
			if (isdigit((unsigned char)text[i])) {
				number = 10 * number + (size_t)(text[i] - '0');
			} else if (number > 0) {
				indices_add(list, number);
				number = 0;
			}
		}
	fd_close(&fd);
}

void
process_children(pid_t pid, struct indices *list)
{
	struct indices threads = { 0 };

	process_threads(pid, &threads);
	for (size_t i = 0; i < threads.n; i++)
		process_thread_children(pid, (pid_t)threads.v[i], list);
	free(threads.v);
}

void
process_descendants(pid_t pid, struct indices *list)
{
	size_t i = list->n;

	process_children(pid, list);
	for (; i < list->n; i++)
		process_children((pid_t)list->v[i], list);
}

void
process_signal_descendants(pid_t pid, int signal)
{
	struct indices all = { 0 };

	process_descendants(pid, &all);
	for (size_t i = 0; i < all.n; i++)
		kill((pid_t)all.v[i], signal);
	free(all.v);
}

void
process_session(pid_t session, struct indices *list)
{
	DIR *processes = opendir("/proc");
	struct dirent *process;

	while (processes && (process = readdir(processes))) {
		pid_t pid = (pid_t)strtol(process->d_name, NULL, 10);

		if (pid <= 0 || getsid(pid) != session || !process_runs(pid))
			continue;
		indices_add(list, (size_t)pid);
		process_descendants(pid, list);
	}
	if (processes)
		closedir(processes);
}

void
process_wake_children(void)
{
	siginfo_t info = { 0 };

	while (waitid(P_ALL, 0, &info, WSTOPPED | WNOHANG) == 0 && info.si_pid > 0) {
		kill(info.si_pid, SIGCONT);
		info.si_pid = 0;
	}
}

/* glibc has no function for it before 2.36. */
int
process_open(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

void
process_end_child(pid_t pid, int *status, int milliseconds)
{
	struct pollfd end = { .fd = process_open(pid), .events = POLLIN };
	int unused;

	kill(pid, SIGCONT);
	if (end.fd >= 0 && poll(&end, 1, milliseconds) == 0) {
		kill(pid, SIGKILL);
		poll(&end, 1, DIES_WITHIN);
	}
	/* One that is traced is not ours to reap. Without a pidfd there is no limit. */
	if (waitpid(pid, status ? status : &unused, end.fd >= 0 ? WNOHANG : 0) <= 0 && status)
		*status = SIGKILL;
	fd_close(&end.fd);
}

/* What follows the name, which may have blanks and parentheses of its own: the state. */
static char *
after_name(char *text)
{
	char *parenthesis = strrchr(text, ')');

	return parenthesis && parenthesis[1] == ' ' ? parenthesis + 2 : NULL;
}

bool
process_stat(pid_t pid, struct process_stat *stat)
{
	/* The numbers of the fields in proc(5), where the state is the third. */
	enum { STATE = 3, PARENT = 4, UTIME = 14, STIME, CUTIME, CSTIME, THREADS = 20,
		STARTED = 22, RSS = 24, CODE_BEGINS = 26, CODE_ENDS, STACK, FIELDS };
	unsigned long long fields[FIELDS] = { 0 };
	char text[1024], *rest;

	if (!read_file(pid, "stat", text, sizeof(text)) || !(rest = after_name(text)))
		return false;
	stat->state = *rest++;
	for (int i = STATE + 1; i < FIELDS; i++)
		fields[i] = strtoull(rest, &rest, 10);
	stat->parent = (pid_t)fields[PARENT];
	stat->threads = (unsigned)fields[THREADS];
	stat->time = fields[UTIME] + fields[STIME];
	stat->reaped = fields[CUTIME] + fields[CSTIME];
	stat->started = fields[STARTED];
	stat->pages = fields[RSS];
	stat->code = fields[CODE_ENDS] - fields[CODE_BEGINS];
	stat->stack = fields[STACK];
	return true;
}

bool
process_is_stopped(pid_t pid)
{
	struct process_stat stat;

	return process_stat(pid, &stat) && (stat.state == 'T' || stat.state == 't');
}

bool
process_runs(pid_t pid)
{
	struct process_stat stat;

	/* The main thread may have ended alone. */
	return process_stat(pid, &stat) && (stat.state != 'Z' || stat.threads > 1);
}

char
process_thread_state(pid_t pid, pid_t thread)
{
	char name[64], text[1024], *state;

	snprintf(name, sizeof(name), "task/%d/stat", (int)thread);
	if (!read_file(pid, name, text, sizeof(text)) || !(state = after_name(text)))
		return 'X';
	return *state;
}

/* The process that it is to count as a child of; 0: its own parent. */
static pid_t
stands_in_for(pid_t pid)
{
	char *name = process_name(pid);
	int asker = 0;

	if (sscanf(name, PROCESS_LENT " %*d %d", &asker) != 1)
		asker = 0;
	free(name);
	return (pid_t)asker;
}

static pid_t
parent_of(pid_t pid)
{
	pid_t asker = stands_in_for(pid);
	struct process_stat stat;

	if (asker > 0)
		return asker;
	return process_stat(pid, &stat) ? stat.parent : 0;
}

/* Whoever gives itself such a command line does not keep us here for ever. */
void
process_ancestors(struct indices *list)
{
	pid_t pid = getppid();

	for (; pid > 0 && !indices_has(list, (size_t)pid); pid = parent_of(pid))
		indices_add(list, (size_t)pid);
}

bool
process_has_open(pid_t pid, dev_t device, ino_t inode)
{
	char path[64];
	struct dirent *entry;
	struct stat st;
	bool found = false;
	DIR *files;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	files = opendir(path);
	if (!files)
		return false;
	while (!found && (entry = readdir(files)))
		found = fstatat(dirfd(files), entry->d_name, &st, 0) == 0 && st.st_dev == device &&
			st.st_ino == inode;
	closedir(files);
	return found;
}

struct process_pages
process_pages(pid_t pid)
{
	struct process_pages pages;
	char text[256];

	if (!read_file(pid, "statm", text, sizeof(text)) ||
	    sscanf(text, "%*u %llu %llu", &pages.resident, &pages.shared) != 2)
		return (struct process_pages){ 0 };
	return pages;
}

double
process_own_part(pid_t pid)
{
	static const char anonymous[] = "\nAnonymous:", share[] = "\nPss_Anon:";
	const char *all, *own;
	char text[4096];

	if (!read_file(pid, "smaps_rollup", text, sizeof(text)) ||
	    !(all = strstr(text, anonymous)) || !(own = strstr(text, share)))
		return 1;
	all += strlen(anonymous);
	own += strlen(share);
	return strtod(all, NULL) > 0 ? strtod(own, NULL) / strtod(all, NULL) : 1;
}

char *
process_name(pid_t pid)
{
	char *path = xasprintf("/proc/%d/cmdline", (int)pid), *end;
	struct buffer words = { 0 }, name = { 0 };
	int tries = 5;

	/* One that becomes another program has none for a moment, as one that ends has. */
	while (file_read(AT_FDCWD, path, &words) == 0 && words.len == 0 && tries-- > 0)
		usleep(1000);
	if (words.len == 0) {
		free(path);
		path = xasprintf("/proc/%d/comm", (int)pid);
		if (file_read(AT_FDCWD, path, &name) == 0 && (end = strchr(name.data, '\n')))
			*end = '\0';
		buffer_printf(&words, "[%s]", name.data ? name.data : "?");
		buffer_free(&name);
	}
	free(path);
	for (size_t i = 0; i + 1 < words.len; i++)
		if (words.data[i] == '\0')
			words.data[i] = ' ';
	return words.data;
}

char *
process_own_program(void)
{
	char path[PATH_MAX];
	ssize_t n = readlink(OWN_PROGRAM, path, sizeof(path) - 1);

	path[n < 0 ? 0 : n] = '\0';
	return xstrdup(path);
}

bool
process_is_own_program(const char *path)
{
	struct stat it, us;

	return stat(path, &it) == 0 && stat(OWN_PROGRAM, &us) == 0 && it.st_ino == us.st_ino &&
	       it.st_dev == us.st_dev;
}

char *
process_installed(const char *below)
{
	char *program = process_own_program(), *slash, *path;

	for (int i = 0; i < 2; i++)
		if ((slash = strrchr(program, '/')))
			*slash = '\0';
	path = xasprintf("%s/%s", program, below);
	free(program);
	return path;
}

char *
process_find(const char *name, bool (*is_ours)(const char *path))
{
	const char *path = getenv("PATH");
	char *copy = xstrdup(path ? path : PROCESS_PATH), *rest = copy, *folder;
	char *found = NULL;

	while (!found && (folder = strsep(&rest, ":"))) {
		char *program = xasprintf("%s/%s", *folder ? folder : ".", name);

		if (access(program, X_OK) == 0 && !(is_ours && is_ours(program)))
			found = program;
		else
			free(program);
	}
	free(copy);
	return found;
}
