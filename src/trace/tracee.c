#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/process.h"
#include "trace/tracee.h"

enum { PAGE = 4096 };

/* Is that errno of somebody who may not look? */
static enum tracee_read
why_not(int error)
{
	return error == EPERM || error == EACCES ? TRACEE_UNREADABLE : TRACEE_GONE;
}

static ssize_t
read_memory(pid_t pid, uint64_t address, void *to, size_t n)
{
	struct iovec here = { .iov_base = to, .iov_len = n };
	struct iovec there = { .iov_base = (void *)(uintptr_t)address, .iov_len = n };

	return process_vm_readv(pid, &here, 1, &there, 1, 0);
}

enum tracee_read
tracee_bytes(pid_t pid, uint64_t address, void *to, size_t n)
{
	ssize_t got = read_memory(pid, address, to, n);

	if (got < 0)
		return why_not(errno);
	return (size_t)got == n ? TRACEE_READ : TRACEE_GONE;
}

/* By page: the next one may not be there. */
enum tracee_read
tracee_string(pid_t pid, uint64_t address, char text[PATH_MAX])
{
	size_t len = 0;

	while (len < PATH_MAX) {
		size_t most = PAGE - (address + len) % PAGE;
		ssize_t got;

		if (most > PATH_MAX - len)
			most = PATH_MAX - len;
		got = read_memory(pid, address + len, text + len, most);
		if (got <= 0)
			return got < 0 ? why_not(errno) : TRACEE_GONE;
		if (memchr(text + len, '\0', (size_t)got))
			return TRACEE_READ;
		len += (size_t)got;
	}
	return TRACEE_GONE;
}

/* The link /proc/PID/NAME. */
static enum tracee_read
read_link(pid_t pid, const char *name, char to[PATH_MAX])
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	n = readlink(path, to, PATH_MAX - 1);
	to[n < 0 ? 0 : n] = '\0';
	return n < 0 ? why_not(errno) : TRACEE_READ;
}

enum tracee_read
tracee_link(pid_t pid, const char *name, char path[PATH_MAX])
{
	enum tracee_read read = read_link(pid, name, path);

	/* A pipe, a socket, memory. */
	if (*path != '/' || !strncmp(path, "/memfd:", strlen("/memfd:")))
		*path = '\0';
	return read;
}

enum tracee_read
tracee_folder(pid_t pid, int dirfd, char path[PATH_MAX])
{
	char name[32] = "cwd";

	if (dirfd != AT_FDCWD)
		snprintf(name, sizeof(name), "fd/%d", dirfd);
	return tracee_link(pid, name, path);
}

static const char *
base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The letter of the option of that interpreter behind which code stands; else NUL. */
static char
code_letter(const char *name)
{
	static const struct {
		const char *name;
		char letter;
	} interpreters[] = { { "python", 'c' }, { "pypy", 'c' }, { "sh", 'c' }, { "bash", 'c' },
		{ "dash", 'c' }, { "node", 'e' }, { "perl", 'e' }, { "ruby", 'e' } };

	for (size_t i = 0; i < countof(interpreters); i++) {
		size_t n = strlen(interpreters[i].name);

		/* Also python3.11, but not shellcheck. */
		if (!strncmp(name, interpreters[i].name, n) && strspn(name + n, "0123456789.") ==
		    strlen(name + n))
			return interpreters[i].letter;
	}
	return '\0';
}

/* Is it that option, or several in one word of which it is the last, as in -Bc? */
static bool
is_option(const char *word, char letter)
{
	return *word == '-' && !strchr("-XW", word[1]) && word[strlen(word) - 1] == letter;
}

/* Of the words behind an interpreter's, each with its NUL, the script or module; NULL: none. */
static const char *
script_of(const char *word, const char *end, char code)
{
	while (word < end && *word == '-' && !is_option(word, 'm')) {
		if (is_option(word, code))
			return NULL;
		/* These of Python's options have a word of their own. */
		if (!strcmp(word, "-X") || !strcmp(word, "-W"))
			word += strlen(word) + 1;
		word += word < end ? strlen(word) + 1 : 0;
	}
	if (word < end && is_option(word, 'm'))
		word += strlen(word) + 1;
	return word < end && *word ? word : NULL;
}

char *
tracee_program(pid_t pid)
{
	char path[64], words[PATH_MAX];
	const char *name, *script;
	ssize_t n;
	char code;
	int file;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	file = open(path, O_RDONLY | O_CLOEXEC);
	n = file >= 0 ? read(file, words, sizeof(words) - 1) : -1;
	fd_close(&file);
	if (n <= 0)
		return NULL;
	words[n] = '\0';
	/* A login shell has a dash before its name. */
	name = base_of(words + (*words == '-'));
	code = code_letter(name);
	script = code ? script_of(words + strlen(words) + 1, words + n, code) : NULL;
	if (script)
		name = base_of(script);
	return xstrdup(name);
}

bool
tracee_is_near(pid_t pid)
{
	char theirs[PATH_MAX], ours[PATH_MAX];

	if (read_link(pid, "root", theirs) == TRACEE_READ && strcmp(theirs, "/") != 0)
		return false;
	return read_link(pid, "ns/mnt", theirs) != TRACEE_READ ||
	       read_link(getpid(), "ns/mnt", ours) != TRACEE_READ || !strcmp(theirs, ours);
}

/* Its number as a process, which a thread's own is not. */
static pid_t
process_of(pid_t thread)
{
	char *path = xasprintf("/proc/%d/status", (int)thread);
	struct buffer status = { 0 };
	const char *line = NULL;
	pid_t pid = thread;

	if (file_read(AT_FDCWD, path, &status) == 0)
		line = strstr(status.data, "\nTgid:");
	if (line)
		pid = atoi(line + strlen("\nTgid:"));
	buffer_free(&status);
	free(path);
	return pid;
}

/* Where a sandbox keeps others' descriptors from us, it is taken for one of TCP. */
bool
tracee_is_udp(pid_t pid, int socket)
{
	int process = process_open(process_of(pid));
	int ours = process < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, process, socket, 0);
	int type = SOCK_STREAM;
	socklen_t size = sizeof(type);

	if (ours >= 0)
		getsockopt(ours, SOL_SOCKET, SO_TYPE, &type, &size);
	fd_close(&ours);
	fd_close(&process);
	return type == SOCK_DGRAM;
}
