#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cpus.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/process.h"
#include "base/sig.h"
#include "base/spawn.h"
#include "session/zygote.h"
#include "state/forkable.h"
#include "state/makekey.h"
#include "state/runtime.h"

/*
 * In the runtime folder: its socket, which the zygote calls so when it is ready, how that is called
 * before, and if nobody is to use it any more; and why there is nothing to fork.
 */
#define SOCKET ".zygote" RUNTIME_OF_NOW
#define LOADS ".zygote-loads" RUNTIME_OF_NOW
#define RETIRED ".zygote-retired" RUNTIME_OF_NOW
#define REFUSED ".zygote-refused" RUNTIME_OF_NOW

/* Its descriptors: the socket, what tells of the end of its make, the runtime folder. */
enum { ZYGOTE_SOCKET = 3, ZYGOTE_MAKE, ZYGOTE_RUNTIME, ZYGOTE_FDS };

/*
 * So many sessions have to follow those that start at once: to load the noxfile besides costs about
 * as much as two starts of nox, and it is not ready before these have ended. Where it is known that
 * sessions can be forked these wait for that, and cost no start of their own; then it counts how
 * many the processors can start at once, however many make does.
 */
enum { WORTH = 3, WORTH_KNOWN = 1 };

/* Milliseconds in which one that is told to end does. */
enum { END_PATIENCE = 300 };

/*
 * Seconds in which one is ready for which the next makes wait. Who waits is as patient: what keeps
 * it idle would keep a nox of the session's own idle, too.
 */
enum { SOON = 3 };

/*
 * One that is known to be of use is waited for; every so many milliseconds somebody looks. It is
 * given up when it was idle each of so many times in a row, and in any case after so many looks:
 * keeper_start gives up later. One that has its name and does not listen yet is about to.
 */
enum { LOOK_EVERY = 20, IDLE_LOOKS = SOON * 1000 / LOOK_EVERY, LOOKS_MOST = 400,
	LISTEN_LOOKS = 10 };

/* So many may have asked while it loads, or forks another. */
enum { BACKLOG = 64 };

/* A path of any length is short by way of the folder's descriptor. */
static void
make_address(struct sockaddr_un *address, int runtime, const char *name)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(address->sun_path, sizeof(address->sun_path), "/proc/self/fd/%d/%s", runtime,
	    name);
}

/* Connects to the zygote of that name, if it is ours. *pid: its process. -1 with errno set. */
static int
reach(int runtime, const char *name, pid_t *pid)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct ucred peer = { 0 };
	struct sockaddr_un address;

	make_address(&address, runtime, name);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &(socklen_t){ sizeof(peer) }) == 0 &&
	    peer.uid == geteuid() && peer.pid > 0) {
		*pid = peer.pid;
		return fd;
	}
	fd_close(&fd);
	return -1;
}

static void
add_text(struct buffer *out, const char *text)
{
	buffer_add(out, text, strlen(text) + 1);
}

/* The lines of /proc/self/status that a child of ours would have, too. */
static void
add_status(struct buffer *out)
{
	static const char *const wanted[] = { "Umask:", "Uid:", "Gid:", "Groups:", "Cap",
		"NoNewPrivs:", "Seccomp", "Cpus_allowed:", "Mems_allowed:" };
	struct buffer status = { 0 };
	char *rest, *line;

	(void)!file_read(AT_FDCWD, "/proc/self/status", &status);
	rest = status.data;
	while ((line = strsep(&rest, "\n")))
		for (size_t i = 0; i < countof(wanted); i++)
			if (!strncmp(line, wanted[i], strlen(wanted[i])))
				buffer_printf(out, "%s\n", line);
	buffer_free(&status);
}

static void
add_file(struct buffer *out, const char *path)
{
	struct buffer text = { 0 };

	if (file_read(AT_FDCWD, path, &text) == 0)
		buffer_add(out, text.data, text.len);
	buffer_free(&text);
}

/*
 * What a process has of its parent that no request sets, as text: a fork has it of the zygote,
 * which has it of the helper that started it. So the two texts have to be the same.
 */
static void
add_likeness(struct buffer *out)
{
	const unsigned char *mask = (const unsigned char *)sig_original_mask();
	struct stat folder = { 0 }, root = { 0 };
	struct sched_param parameters = { 0 };
	struct rlimit limit;

	add_status(out);
	(void)!stat(".", &folder);
	(void)!stat("/", &root);
	buffer_printf(out, "%llu/%llu %llu/%llu\n", (unsigned long long)folder.st_dev,
	    (unsigned long long)folder.st_ino, (unsigned long long)root.st_dev,
	    (unsigned long long)root.st_ino);
	for (int i = 0; i < (int)RLIMIT_NLIMITS; i++)
		if (getrlimit((__rlimit_resource_t)i, &limit) == 0)
			buffer_printf(out, "%llu/%llu ", (unsigned long long)limit.rlim_cur,
			    (unsigned long long)limit.rlim_max);
	sched_getparam(0, &parameters);
	buffer_printf(out, "\n%d %d %d %ld\n", getpriority(PRIO_PROCESS, 0), sched_getscheduler(0),
	    parameters.sched_priority, syscall(SYS_ioprio_get, 1, 0));
	for (size_t i = 0; i < _NSIG / 8; i++)
		buffer_printf(out, "%02x", mask[i]);
	buffer_addstr(out, "\n");
	add_file(out, "/proc/self/cgroup");
	add_file(out, "/proc/self/oom_score_adj");
	buffer_add(out, "", 1);
}

/* A file with the request; -1 with errno set. */
static int
write_request(const struct keeper_task *task)
{
	struct buffer request = { 0 };
	size_t words = 0;
	int fd, saved;

	add_likeness(&request);
	while (task->argv[words])
		words++;
	buffer_printf(&request, "%zu", words);
	buffer_add(&request, "", 1);
	for (char *const *word = task->argv; *word; word++)
		add_text(&request, *word);
	for (char *const *variable = task->envp; *variable; variable++)
		add_text(&request, *variable);
	fd = memfd_create("noxmk-request", MFD_CLOEXEC);
	if (fd >= 0 && fd_write_all(fd, request.data, request.len) < 0) {
		saved = errno;
		fd_close(&fd);
		errno = saved;
	}
	buffer_free(&request);
	return fd;
}

static bool
send_with(int socket, const char *text, const int *fds, size_t n)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(5 * sizeof(int))];
	} control = { 0 };
	struct iovec data = { .iov_base = (char *)text, .iov_len = strlen(text) };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control,
		.msg_controllen = CMSG_SPACE(n * sizeof(int)) };
	struct cmsghdr *header = &control.align;

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(header), fds, n * sizeof(int));
	return sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

/* Asks for the fork. */
static bool
send_request(int socket, const struct keeper_task *task)
{
	int request = write_request(task);
	int folder = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fds[] = { request, folder, task->out, task->err, task->more };
	bool sent = request >= 0 && folder >= 0 &&
		    send_with(socket, "fork", fds, task->more < 0 ? 4 : 5);

	fd_close(&request);
	fd_close(&folder);
	return sent;
}

/* Reaches one that loads the noxfile; it may just have been started by another helper. */
static int
reach_loading(int runtime, pid_t *pid)
{
	int socket;

	for (int look = 0; (socket = reach(runtime, LOADS, pid)) < 0 && errno == ECONNREFUSED &&
			   look < LISTEN_LOOKS;
	     look++)
		poll(NULL, 0, LOOK_EVERY);
	return socket < 0 && errno == ENOENT ? reach(runtime, SOCKET, pid) : socket;
}

/* Is it at work? time: what it had used of processors at the last look. */
static bool
works(pid_t pid, unsigned long long *time)
{
	unsigned long long last = *time;
	struct process_stat stat;

	if (!process_stat(pid, &stat))
		return false;
	*time = stat.time;
	return stat.state == 'R' || stat.state == 'D' || stat.time != last;
}

/* Waits while it loads the noxfile. True if it has said something, or has ended. */
static bool
await_answer(int socket, pid_t pid)
{
	struct pollfd fd = { .fd = socket, .events = POLLIN };
	unsigned long long time = 0;

	for (int look = 0, idle = 0; look < LOOKS_MOST && idle < IDLE_LOOKS; look++) {
		if (poll(&fd, 1, LOOK_EVERY) > 0)
			return true;
		idle = works(pid, &time) ? 0 : idle + 1;
	}
	return false;
}

static bool
is_before(struct timespec a, struct timespec b)
{
	return a.tv_sec < b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec < b.tv_nsec);
}

/* See forkable_plan; NULL if the plan was made after the zygote had begun. The caller frees. */
static char *
plan_of_zygote(int state, int runtime)
{
	static const char *const names[] = { SOCKET, RETIRED };
	struct timespec made;
	char *plan = forkable_plan(state, &made);
	struct stat zygote;

	for (size_t i = 0; i < countof(names); i++)
		if (fstatat(runtime, names[i], &zygote, AT_SYMLINK_NOFOLLOW) == 0 &&
		    is_before(zygote.st_mtim, made)) {
			free(plan);
			return NULL;
		}
	return plan;
}

/*
 * Why the noxfile cannot be forked, as this make or an earlier one has found; or NULL, likewise.
 * What this one has found is kept with its plan, if there is one, for the next. The caller frees.
 */
static char *
find_refusal(int state, int runtime, const char *plan)
{
	char *why = plan ? forkable_refusal(state, plan) : NULL;

	if (!why && (why = forkable_read(runtime, REFUSED, "")) && plan)
		forkable_refuse(state, plan, why);
	return why;
}

/* One that was ready soon, and is still to be used at the end of its make, has been of use. */
static bool
was_of_use(int runtime)
{
	struct stat zygote;

	/* Made when it was started, and renamed when it was ready. */
	return fstatat(runtime, SOCKET, &zygote, AT_SYMLINK_NOFOLLOW) == 0 &&
	       zygote.st_ctim.tv_sec - zygote.st_mtim.tv_sec <= SOON;
}

/* The next makes are to know what this one has found of its plan. */
static void
keep_findings(int state, int runtime)
{
	char *plan = plan_of_zygote(state, runtime);

	free(find_refusal(state, runtime, plan));
	if (plan && was_of_use(runtime))
		forkable_know(state, plan);
	free(plan);
}

/* Do sessions wait until it is ready? */
static bool
is_awaited(const struct zygote_options *o)
{
	char *plan;
	bool known;

	if (o->fork == FORK_ALWAYS)
		return true;
	plan = plan_of_zygote(o->state, o->runtime);
	known = plan && forkable_is_known(o->state, plan);
	free(plan);
	return known;
}

static void
say_why_unreached(int runtime, int error, char why[KEEPER_WHY])
{
	char *refusal = forkable_read(runtime, REFUSED, "");
	const char *text = "there is no process to fork";

	if (refusal)
		text = refusal;
	else if (error == ECONNREFUSED)
		text = "the process to fork has ended";
	else if (error != ENOENT)
		text = strerror(error);
	else if (faccessat(runtime, RETIRED, F_OK, 0) == 0)
		text = "the process to fork does not answer";
	else if (faccessat(runtime, LOADS, F_OK, 0) == 0)
		text = "the process to fork was not ready";
	strlcpy(why, text, KEEPER_WHY);
	free(refusal);
}

/* Others need not find out for themselves that it does not answer, nor need the next makes. */
static void
retire(void *data)
{
	const struct zygote_options *o = data;

	forkable_forget(o->state);
	if (renameat(o->runtime, SOCKET, o->runtime, RETIRED) < 0)
		renameat(o->runtime, LOADS, o->runtime, RETIRED);
}

/* In the keeper; see keeper.h. */
static int
ask(void *data, const struct keeper_task *task, char why[KEEPER_WHY])
{
	struct zygote_options *o = data;
	pid_t pid = 0;
	int socket = reach(o->runtime, SOCKET, &pid), error = errno;
	bool loads = socket < 0 && error == ENOENT && is_awaited(o), failed = true;

	if (loads) {
		socket = reach_loading(o->runtime, &pid);
		error = errno;
	}
	if (socket < 0)
		say_why_unreached(o->runtime, error, why);
	else if (process_is_stopped(pid))
		strlcpy(why, "the process to fork is stopped", KEEPER_WHY);
	else if (!send_request(socket, task))
		strlcpy(why, strerror(errno), KEEPER_WHY);
	else if (loads && !await_answer(socket, pid))
		strlcpy(why, "the process to fork was not ready", KEEPER_WHY);
	else if (loads && recv(socket, &(char){ 0 }, 1, MSG_PEEK | MSG_DONTWAIT) <= 0)
		say_why_unreached(o->runtime, ECONNREFUSED, why);
	else
		failed = false;
	if (failed && loads)
		retire(o);
	if (failed)
		fd_close(&socket);
	return socket;
}

/* A socket that has its name. The zygote itself is to listen, as that tells others who it is. */
static int
open_socket(int runtime)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un address;

	make_address(&address, runtime, LOADS);
	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		fd_close(&fd);
	return fd;
}

/*
 * The process itself: a session of its own, which ^C does not reach, a subreaper, which has what a
 * keeper keeps that is killed, and nothing of ours but what it needs.
 */
static _Noreturn void
become(char *const *argv, char *const *envp, const int *fds)
{
	int in = open("/dev/null", O_RDONLY | O_CLOEXEC), out[2] = { -1, -1 }, moved[ZYGOTE_FDS];

	/* What its streams can do Python finds out at its start, and sessions write into a pipe. */
	(void)!pipe2(out, O_CLOEXEC);
	setsid();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	/* Away from the numbers that they are to have. */
	for (int i = 0; i < ZYGOTE_FDS; i++)
		moved[i] = fcntl(i == 0 ? in : i < ZYGOTE_SOCKET ? out[1] : fds[i],
		    F_DUPFD_CLOEXEC, ZYGOTE_FDS);
	for (int i = 0; i < ZYGOTE_FDS; i++)
		if (moved[i] < 0 || dup2(moved[i], i) < 0)
			_exit(1);
	if (listen(ZYGOTE_SOCKET, BACKLOG) < 0)
		_exit(1);
	closefrom(ZYGOTE_FDS);
	for (int i = 1; i < _NSIG; i++)
		signal(i, SIG_DFL);
	sigprocmask(SIG_SETMASK, sig_original_mask(), NULL);
	execvpe(argv[0], argv, envp);
	_exit(1);
}

/* Forks it as nobody's child: it outlives us, and is not taken for the session's. */
static void
fork_away(char *const *argv, char *const *envp, const int *fds)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return;
	pid = fork();
	if (pid == 0) {
		if (fork() == 0)
			become(argv, envp, fds);
		_exit(0);
	}
	close(ends[1]);
	if (pid > 0)
		(void)!spawn_wait(pid);
	/* It closes the pipe once it listens: from then on it can be asked. */
	(void)!read(ends[0], &(char){ 0 }, 1);
	close(ends[0]);
}

/* Starts it. */
static void
start(const struct keeper_task *task, const int *fds)
{
	struct buffer likeness = { 0 };
	struct strings env = { 0 };
	char *keeper = process_own_program(), *texts[3];

	add_likeness(&likeness);
	texts[0] = xasprintf("NOXMK_SHIM_ZYGOTE=%d,%d,%d", ZYGOTE_SOCKET, ZYGOTE_MAKE,
	    ZYGOTE_RUNTIME);
	texts[1] = xasprintf("NOXMK_SHIM_LIKENESS=%s", likeness.data);
	texts[2] = xasprintf("NOXMK_SHIM_KEEPER=%s", keeper);
	for (char *const *variable = task->envp; *variable; variable++)
		strings_add(&env, *variable);
	for (size_t i = 0; i < countof(texts); i++)
		strings_add(&env, texts[i]);
	strings_add(&env, NULL);
	fork_away(task->argv, (char *const *)env.v, fds);
	for (size_t i = 0; i < countof(texts); i++)
		free(texts[i]);
	free(env.v);
	free(keeper);
	buffer_free(&likeness);
}

/* Begins one, unless somebody has. It has to be told of the end of its make. */
static void
begin(const struct zygote_options *o, const struct keeper_task *task)
{
	int make = process_open(makekey_pid(o->key));
	int socket = make < 0 || !makekey_is_alive(o->key) ? -1 : open_socket(o->runtime);

	if (socket >= 0)
		start(task, (int[]){ [ZYGOTE_SOCKET] = socket, [ZYGOTE_MAKE] = make,
		    [ZYGOTE_RUNTIME] = o->runtime });
	fd_close(&socket);
	fd_close(&make);
}

/* Was one begun in this make? */
static bool
was_begun(int runtime)
{
	return faccessat(runtime, LOADS, F_OK, 0) == 0 ||
	       faccessat(runtime, SOCKET, F_OK, 0) == 0 ||
	       faccessat(runtime, RETIRED, F_OK, 0) == 0;
}

/* One session alone has nobody to share it with, whatever is known of the plan. */
static bool
never_pays(const struct zygote_options *o)
{
	return o->fork == FORK_NEVER || (o->fork == FORK_PAYING && o->sessions <= WORTH_KNOWN);
}

/* Does it save more than it costs? plan: see plan_of_zygote. */
static bool
pays(const struct zygote_options *o, const char *plan)
{
	unsigned slots;

	if (o->fork != FORK_PAYING)
		return o->fork == FORK_ALWAYS;
	slots = o->makeflags->slots;
	if (o->sessions >= slots + WORTH)
		return true;
	if (!plan || !forkable_is_known(o->state, plan))
		return false;
	return o->sessions >= at_most(slots, cpus_available()) + WORTH_KNOWN;
}

struct keeper_lender
zygote_lender(const struct zygote_options *o, const struct keeper_task *task)
{
	struct keeper_lender lender = { .ask = ask, .silent = retire, .why = o->why,
		.data = (void *)o };
	int is_subreaper = 0;
	bool lends;
	char *plan;

	/* A filter of calls is set before nox starts, and a terminal is taken before that. */
	if (never_pays(o) || o->runtime < 0 || task->watcher || task->is_terminal)
		return (struct keeper_lender){ 0 };
	plan = plan_of_zygote(o->state, o->runtime);
	lends = pays(o, plan) && !(*o->why = find_refusal(o->state, o->runtime, plan));
	free(plan);
	if (!lends)
		return (struct keeper_lender){ 0 };
	/* What is nobody's child becomes ours once we have had a session. */
	prctl(PR_GET_CHILD_SUBREAPER, &is_subreaper);
	if (!is_subreaper && !was_begun(o->runtime))
		begin(o, task);
	return lender;
}

/* One that is called so ends: it is told, and has a moment for that, or none. */
static void
end_one(int runtime, const char *name, int milliseconds)
{
	pid_t pid = 0;
	int socket = reach(runtime, name, &pid);
	int process = socket < 0 ? -1 : process_open(pid);
	struct pollfd fd = { .fd = process, .events = POLLIN };

	if (process >= 0) {
		(void)!send(socket, "end", strlen("end"), MSG_NOSIGNAL | MSG_DONTWAIT);
		if (poll(&fd, 1, milliseconds) == 0)
			syscall(SYS_pidfd_send_signal, process, SIGKILL, NULL, 0);
	}
	fd_close(&process);
	fd_close(&socket);
}

void
zygote_end(int state, int runtime)
{
	if (runtime < 0)
		return;
	keep_findings(state, runtime);
	end_one(runtime, SOCKET, END_PATIENCE);
	/* It was given up, as it did not answer. */
	end_one(runtime, RETIRED, 0);
}
