#include <arpa/inet.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#include <bsd/string.h>

#include "base/clock.h"
#include "trace/calls.h"
#include "trace/tracee.h"
#include "trace/witness.h"

/* Of a folder's path and a name, each of which the kernel takes. */
#define PATH_SIZE ((size_t)2 * PATH_MAX)

/* Bytes of a name like fd/1023; and of such links that are followed. */
enum { LINK_SIZE = 32, MOST_LINKS = 8 };

/* Programs whose names are remembered, by the last digits of their processes. */
enum { NAMES = 256 };

struct name {
	pid_t pid;
	char *text;
};

struct witness {
	struct hold hold;
	struct made call; /* the one that is looked at */
	struct store *store;
	const char *script;
	struct name names[NAMES];
	bool wanders; /* somebody may have other files by the same names */
	bool blind;   /* we must not look any more */
	unsigned long long unreadable, foreign;
};

struct witness *
witness_open(const struct hold *hold, struct store *store, const char *script)
{
	struct witness *witness = xcalloc(1, sizeof(*witness));

	*witness = (struct witness){ .hold = *hold, .store = store, .script = script };
	return witness;
}

void
witness_close(struct witness *witness)
{
	if (!witness)
		return;
	for (size_t i = 0; i < NAMES; i++)
		free(witness->names[i].text);
	free(witness);
}

unsigned long long
witness_unreadable(const struct witness *witness)
{
	return witness->unreadable;
}

unsigned long long
witness_foreign(const struct witness *witness)
{
	return witness->foreign;
}

const char *
witness_blindness(const struct witness *witness)
{
	if (witness->blind)
		return "it mounted something, and nobody looked after that";
	return witness->foreign > 0 ? "some of it ran where its calls cannot be seen" : NULL;
}

/* The thread that makes the call. */
static pid_t
caller(const struct witness *witness)
{
	return witness->call.pid;
}

/* What people call its program. */
static const char *
program_of(void *data)
{
	struct witness *witness = data;
	pid_t pid = caller(witness);
	struct name *name = &witness->names[(unsigned)pid % NAMES];

	if (name->pid != pid || !name->text) {
		free(name->text);
		name->pid = pid;
		name->text = tracee_program(pid);
		if (name->text && witness->script && !strcmp(name->text, witness->script)) {
			free(name->text);
			name->text = xstrdup("nox");
		}
	}
	return name->text;
}

/* It becomes another one. */
static void
forget_program(struct witness *witness)
{
	struct name *name = &witness->names[(unsigned)caller(witness) % NAMES];

	free(name->text);
	name->text = NULL;
}

/* False, and it is counted, when we may not look. */
static bool
may_read(struct witness *witness, enum tracee_read read)
{
	witness->unreadable += read == TRACEE_UNREADABLE;
	return read == TRACEE_READ;
}

/* What lies in /proc, or is a name of that, is another for each process. */
static bool
is_of_process(const char *path)
{
	return !strncmp(path, "/proc/", strlen("/proc/")) ||
	       !strncmp(path, "/dev/fd/", strlen("/dev/fd/")) ||
	       !strncmp(path, "/dev/std", strlen("/dev/std"));
}

/* Which process's link it is, of those in /proc, and its name there; *path goes on behind that. */
static bool
is_link_of(const char **path, pid_t caller, pid_t *pid, char name[LINK_SIZE])
{
	static const char *const links[] = { "cwd", "root", "exe" };
	const char *at = *path + strlen("/proc/"), *rest;
	size_t n;

	if (strncmp(*path, "/proc/", strlen("/proc/")) != 0 || !(rest = strchr(at, '/')))
		return false;
	*pid = *at >= '1' && *at <= '9' ? atoi(at) : caller;
	at = rest + 1;
	n = strcspn(at, "/");
	for (size_t i = 0; i < countof(links); i++)
		if (n == strlen(links[i]) && !strncmp(at, links[i], n)) {
			strlcpy(name, links[i], LINK_SIZE);
			*path = at + n;
			return true;
		}
	if (strncmp(at, "fd/", strlen("fd/")) != 0)
		return false;
	n = strlen("fd/") + strspn(at + strlen("fd/"), "0123456789");
	if (n == strlen("fd/") || n >= LINK_SIZE || (at[n] != '/' && at[n] != '\0'))
		return false;
	snprintf(name, LINK_SIZE, "%.*s", (int)n, at);
	*path = at + n;
	return true;
}

/*
 * Has a path that leads through such a link, as /proc/self/cwd or /dev/stdin does, lead where that
 * does. False, and it stays as it is, if the link is meant itself or leads to no path.
 */
static bool
follow_link(pid_t caller, bool stays, char path[PATH_SIZE])
{
	static const char *const streams[] = { "/dev/stdin", "/dev/stdout", "/dev/stderr" };
	char text[PATH_SIZE], name[LINK_SIZE], leads[PATH_MAX];
	const char *rest = text;
	pid_t pid;

	strlcpy(text, path, sizeof(text));
	if (!strncmp(path, "/dev/fd/", strlen("/dev/fd/")))
		snprintf(text, sizeof(text), "/proc/self/fd/%s", path + strlen("/dev/fd/"));
	for (size_t i = 0; i < countof(streams); i++)
		if (!strcmp(path, streams[i]))
			snprintf(text, sizeof(text), "/proc/self/fd/%zu", i);
	if (!is_link_of(&rest, caller, &pid, name) || (stays && !*rest) ||
	    tracee_link(pid, name, leads) != TRACEE_READ || !*leads)
		return false;
	strlcpy(path, strcmp(leads, "/") != 0 || !*rest ? leads : "", PATH_SIZE);
	strlcat(path, rest, PATH_SIZE);
	return true;
}

/*
 * The absolute path that is meant, into `path`; of a descriptor the file that it is. False: the
 * call fails, or the path cannot be known, or it is no file.
 */
static bool
find_path(struct witness *witness, const struct touch *touch, char path[PATH_SIZE])
{
	pid_t pid = caller(witness);
	char name[PATH_MAX] = "", folder[PATH_MAX];

	if (touch->path != 0 && !may_read(witness, tracee_string(pid, touch->path, name)))
		return false;
	if (touch->path != 0 && !*name && !touch->may_be_empty)
		return false;
	if (*name == '/') {
		strlcpy(path, name, PATH_SIZE);
		for (int i = 0; i < MOST_LINKS && is_of_process(path); i++)
			if (!follow_link(pid, touch->stays, path))
				break;
		return true;
	}
	/* utimensat(2) and others take no path for that of the descriptor. */
	if (!*name && touch->dirfd == AT_FDCWD && touch->path == 0)
		return false;
	if (!may_read(witness, tracee_folder(pid, touch->dirfd, folder)) || !*folder)
		return false;
	snprintf(path, PATH_SIZE, "%s%s%s", folder, *name ? "/" : "", name);
	return true;
}

/* What is there. */
static enum trace_kind
take_touch(struct witness *witness, const struct touch *touch, const char *path,
    enum trace_kind source)
{
	const struct toucher who = { .name = program_of, .data = witness };

	if (!is_of_process(path))
		return store_touch(witness->store, path, touch, source, &who);
	store_note(witness->store, path, &who);
	return TRACE_OTHER;
}

static bool
changes_nothing(const struct touch *touch)
{
	return touch->act == ACT_PROBE || touch->act == ACT_READLINK || touch->act == ACT_LIST ||
	       (touch->act == ACT_OPEN && (touch->flags & (O_ACCMODE | O_CREAT | O_TRUNC)) == 0);
}

/* What the call has in memory, besides paths. */
static bool
find_more(struct witness *witness, const struct call *call, uint64_t *more)
{
	const uint64_t *arguments = witness->call.arguments;
	pid_t pid = caller(witness);
	struct timespec times[2];

	/* The first member of struct open_how. */
	if (call->act == ACT_OPEN2)
		return may_read(witness, tracee_bytes(pid, arguments[2], more, sizeof(*more)));
	if (call->act != ACT_UTIME)
		return true;
	*more = CALL_TIME_NOW;
	if (arguments[2] == 0)
		return true;
	if (!may_read(witness, tracee_bytes(pid, arguments[2], times, sizeof(times))))
		return false;
	if (times[1].tv_nsec == UTIME_OMIT)
		*more = CALL_TIME_STAYS;
	else if (times[1].tv_nsec != UTIME_NOW)
		*more = clock_nanoseconds(&times[1]);
	return true;
}

static void
take_paths(struct witness *witness, const struct call *call)
{
	const uint64_t *arguments = witness->call.arguments;
	char paths[CALL_TOUCHES][PATH_SIZE];
	enum trace_kind kind = TRACE_UNSEEN;
	struct touch touches[CALL_TOUCHES];
	uint64_t more = 0;
	size_t n;

	if (!find_more(witness, call, &more))
		return;
	n = call_touches(call, arguments, more, touches);
	for (size_t i = 0; i < n; i++)
		if (!find_path(witness, &touches[i], paths[i]))
			return;
	/* What has been read is the caller's if that has waited for us until then. */
	program_of(witness);
	if (changes_nothing(&touches[0]) ? !witness->hold.let_go(witness->hold.data) :
	    !witness->hold.waits(witness->hold.data))
		return;
	for (size_t i = 0; i < n && kind != TRACE_NOTHING; i++)
		kind = take_touch(witness, &touches[i], paths[i], kind);
}

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
};

/* The path of a Unix socket as it is named, into `path`: false if it has none. */
static bool
unix_path(struct witness *witness, const struct sockaddr_un *address, size_t len,
    char path[PATH_SIZE])
{
	char folder[PATH_MAX];
	size_t n = len - offsetof(struct sockaddr_un, sun_path);

	if (len <= offsetof(struct sockaddr_un, sun_path))
		return false;
	if (address->sun_path[0] == '\0') {
		/* Such a name may have more NULs, which all are shown as in /proc/net/unix. */
		memcpy(path, address->sun_path, n);
		for (size_t i = 0; i < n; i++)
			if (path[i] == '\0')
				path[i] = '@';
		path[n] = '\0';
		return true;
	}
	n = strnlen(address->sun_path, n);
	if (address->sun_path[0] == '/')
		snprintf(path, PATH_SIZE, "%.*s", (int)n, address->sun_path);
	else if (may_read(witness, tracee_folder(caller(witness), AT_FDCWD, folder)))
		snprintf(path, PATH_SIZE, "%s/%.*s", folder, (int)n, address->sun_path);
	else
		return false;
	return true;
}

/* A socket gets an address, or connects to one. A port that the kernel chooses says nothing. */
static void
take_socket(struct witness *witness, bool binds)
{
	const struct toucher who = { .name = program_of, .data = witness };
	const uint64_t *arguments = witness->call.arguments;
	struct trace_socket found = { .binds = binds };
	char path[PATH_SIZE], text[INET6_ADDRSTRLEN];
	pid_t pid = caller(witness);
	size_t len = (uint32_t)arguments[2];
	union address address = { 0 };
	const void *number = &address.in.sin_addr;

	if (len > sizeof(address))
		len = sizeof(address);
	if (!may_read(witness, tracee_bytes(pid, arguments[1], &address, len)) ||
	    !witness->hold.waits(witness->hold.data))
		return;
	if (address.any.sa_family == AF_UNIX) {
		if (!unix_path(witness, &address.un, len, path))
			return;
		found.path = path;
	} else if (address.any.sa_family == AF_INET || address.any.sa_family == AF_INET6) {
		found.port = ntohs(address.in.sin_port); /* at the same place in both */
		if (found.port == 0)
			return;
		if (address.any.sa_family == AF_INET6)
			number = &address.in6.sin6_addr;
		found.address = (char *)inet_ntop(address.any.sa_family, number, text,
		    sizeof(text));
		found.udp = tracee_is_udp(pid, (int)arguments[0]);
	} else {
		return;
	}
	store_socket(witness->store, &found, &who);
}

/*
 * A call after which the paths of its process, or all, may mean something else. What is mounted may
 * be answered for by a process of the session (FUSE), which waits for us: then we must not look.
 */
static void
take_foreign(struct witness *witness, const struct call *call)
{
	bool mounts = call->number == SCMP_SYS(mount) || call->number == SCMP_SYS(move_mount);

	witness->foreign += call->number == SCMP_SYS(open_by_handle_at);
	if (mounts && tracee_is_near(caller(witness))) {
		witness->blind = true;
		store_close_eyes(witness->store);
	}
	witness->wanders |= call->number != SCMP_SYS(open_by_handle_at);
}

/* Can we see what the caller sees? */
static bool
is_visible(struct witness *witness, const struct call *call)
{
	/* Also clone3(2), whose flags a filter does not see, may have made it a namespace. */
	if (call->act == ACT_EXEC && !witness->wanders)
		witness->wanders = !tracee_is_near(caller(witness));
	return !witness->blind && (!witness->wanders || tracee_is_near(caller(witness)));
}

/* call: NULL: it is not in the table. */
static void
take(struct witness *witness, const struct call *call)
{
	if (!call || !is_visible(witness, call))
		witness->foreign++;
	else if (call->act == ACT_BIND || call->act == ACT_CONNECT)
		take_socket(witness, call->act == ACT_BIND);
	else
		take_paths(witness, call);
}

void
witness_take(struct witness *witness, const struct made *made)
{
	const struct call *call = NULL;

	witness->call = *made;
	/* A process without a number is in a world of its own. */
	if (made->arch == seccomp_arch_native() && made->pid > 0)
		call = call_of(made->number);
	if (call && call->act == ACT_FOREIGN)
		take_foreign(witness, call);
	else if (!store_is_full(witness->store))
		take(witness, call);
	if (call && call->act == ACT_EXEC)
		forget_program(witness);
}
