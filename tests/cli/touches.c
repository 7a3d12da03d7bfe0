/*
 * touches FOLDER PORT: touches files in every way that a trace knows, each under a name of its own;
 * what the trace has to say of each is in trace.sh. It works in the folder, which that has filled.
 * Exits 1, and says where, when something cannot be done that it counts on. `touches i386` and
 * `touches namespace` touch a file in ways that a trace does not see through. `touches signals` and
 * `touches restarts` say whether the signals of a fast timer have interrupted any of their calls,
 * the latter with SA_RESTART.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <dirent.h>
#include <netinet/in.h>
#include <time.h>
#include <unistd.h>

#define DO(call)                                                          \
	do {                                                              \
		if ((call) < 0) {                                         \
			fprintf(stderr, "%s: %s\n", #call, strerror(errno)); \
			exit(1);                                          \
		}                                                         \
	} while (0)

extern char **environ;

static int
opened(const char *path, int flags)
{
	int fd = open(path, flags, 0644);

	if (fd >= 0)
		close(fd);
	return fd;
}

static void *
in_a_thread(void *unused)
{
	DO(opened("thread", O_RDONLY));
	return unused;
}

static void
await(pid_t pid)
{
	int status;

	DO(waitpid(pid, &status, 0));
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		DO((errno = ECHILD, -1));
}

static void
opens(int folder)
{
	struct open_how how = { .flags = O_RDONLY };
	char by_number[64];
	int path;

	DO(opened("read", O_RDONLY));
	DO(opened("both", O_RDWR));
	DO(opened("write", O_WRONLY));
	DO(opened("append", O_WRONLY | O_APPEND));
	DO(opened("truncated", O_WRONLY | O_TRUNC));
	DO(opened("created", O_WRONLY | O_CREAT));
	DO(opened("alone", O_WRONLY | O_CREAT | O_EXCL));
	(void)opened("is there", O_WRONLY | O_CREAT | O_EXCL);
	(void)opened("missing", O_RDONLY);
	(void)opened("nowhere/made", O_WRONLY | O_CREAT);
	DO(creat("creat", 0644));
	DO(openat(folder, "at", O_RDONLY));
	DO(syscall(SYS_openat2, folder, "at2", &how, sizeof(how)));
	DO(path = open("folder/deep", O_PATH | O_DIRECTORY));
	DO(openat(path, "../../climbs", O_RDONLY));
	DO(truncate("cut", 1));
	DO(opened("link", O_RDONLY));
	DO(opened("to folder/linked", O_RDONLY));
	DO(fchdir(folder));
	DO(opened("relative", O_RDONLY));
	DO(chdir(".."));
	DO(opened("/proc/self/status", O_RDONLY));
	DO(path = open("O_TMPFILE", O_RDONLY));
	DO(dup2(path, 99));
	DO(opened("/proc/self/fd/99", O_RDONLY));
	DO(opened("/proc/self/cwd/by cwd", O_RDONLY));
	snprintf(by_number, sizeof(by_number), "/proc/%d/fd/%d/by fd", (int)getpid(), folder);
	DO(opened(by_number, O_RDONLY));
	DO(opened("/proc/thread-self/root/proc/self/cwd/by root", O_RDONLY));
}

static void
names(int folder)
{
	DO(rename("from", "to"));
	DO(renameat(folder, "from", AT_FDCWD, "to at"));
	DO(renameat2(AT_FDCWD, "one", AT_FDCWD, "other", RENAME_EXCHANGE));
	DO(rename("old folder", "new folder"));
	DO(unlink("gone"));
	(void)unlink("gone already");
	DO(unlinkat(folder, "gone", 0));
	DO(unlinkat(AT_FDCWD, "gone folder", AT_REMOVEDIR));
	DO(rmdir("rmdir"));
	(void)rmdir("full folder");
	(void)rmdir("is there");
	(void)unlink("full folder");
	DO(mkdir("mkdir", 0755));
	(void)mkdir("folder", 0755);
	DO(mkdirat(folder, "mkdir", 0755));
	DO(mkfifo("fifo", 0644));
	DO(link("hard", "hard link"));
	DO(linkat(folder, "hard", AT_FDCWD, "hard link at", 0));
	DO(symlink("read", "soft link"));
	DO(symlinkat("read", folder, "soft link"));
}

static void
metadata(void)
{
	const struct timespec now[2] = { { .tv_nsec = UTIME_NOW }, { .tv_nsec = UTIME_NOW } };
	char target[64];
	struct statx stx;
	struct stat st;
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	DIR *names;
	int fd;

	DO(chmod("chmod", 0500));
	DO(fchmodat(AT_FDCWD, "fchmodat", 0500, 0));
	DO(chown("chown", (uid_t)-1, (gid_t)-1));
	DO(lchown("lchown", (uid_t)-1, (gid_t)-1));
	DO(utimensat(AT_FDCWD, "utimensat", now, 0));
	DO(fd = open("futimens", O_RDONLY));
	DO(futimens(fd, now));
	(void)setxattr("setxattr", "user.x", "y", 1, 0);
	DO(stat("stat", &st));
	DO(lstat("lstat link", &st));
	DO(statx(AT_FDCWD, "statx", 0, STATX_MODE, &stx));
	DO(access("access", R_OK));
	DO(faccessat(AT_FDCWD, "faccessat", R_OK, 0));
	(void)stat("missing stat", &st);
	DO(readlink("readlink", target, sizeof(target)));
	(void)readlink("no link", target, sizeof(target));
	names = opendir("listed");
	while (names && readdir(names))
		;
	DO(fd = open("flock", O_RDONLY));
	DO(flock(fd, LOCK_EX));
	DO(fd = open("fcntl", O_WRONLY));
	DO(fcntl(fd, F_SETLK, &whole));
}

static void
processes(void)
{
	char *argv[] = { (char[]){ "true" }, NULL };
	posix_spawn_file_actions_t files;
	pthread_t thread;
	pid_t pid;

	if (pthread_create(&thread, NULL, in_a_thread, NULL) == 0)
		pthread_join(thread, NULL);
	DO(pid = fork());
	if (pid == 0)
		_exit(opened("fork", O_RDONLY) < 0);
	await(pid);
	DO(pid = vfork());
	if (pid == 0)
		_exit((int)syscall(SYS_openat, AT_FDCWD, "vfork", O_RDONLY) < 0);
	await(pid);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 0, "spawn", O_RDONLY, 0);
	if (posix_spawn(&pid, "./true", &files, NULL, argv, environ) == 0)
		await(pid);
}

static void
sockets(in_port_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in any = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "socket" };

	DO(bind(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&any, sizeof(any)));
	DO(bind(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&in, sizeof(in)));
	DO(connect(socket(AF_INET, SOCK_DGRAM, 0), (struct sockaddr *)&in, sizeof(in)));
	DO(bind(socket(AF_UNIX, SOCK_DGRAM, 0), (struct sockaddr *)&un, sizeof(un)));
	DO(connect(socket(AF_UNIX, SOCK_DGRAM, 0), (struct sockaddr *)&un, sizeof(un)));
	un.sun_path[0] = '\0';
	DO(bind(socket(AF_UNIX, SOCK_DGRAM, 0), (struct sockaddr *)&un,
	    sizeof(sa_family_t) + sizeof("socket") - 1));
	memcpy(un.sun_path, "\0a\0b", 4);
	DO(bind(socket(AF_UNIX, SOCK_DGRAM, 0), (struct sockaddr *)&un, sizeof(sa_family_t) + 4));
}

/* open(2) by its number of i386, of which is told, but not what it is. Some kernels have none. */
static void
i386(void)
{
#ifdef __x86_64__
	int status;
	pid_t pid;

	DO(pid = fork());
	if (pid == 0) {
		char *name = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
		long result;

		strcpy(name, "i386");
		__asm__ volatile("int $0x80" : "=a"(result)
		    : "a"(5), "b"(name), "c"(0), "d"(0) : "memory", "r8", "r9", "r10", "r11");
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (WIFEXITED(status))
		return;
#endif
	puts("no i386 here");
}

static void
in_a_namespace(void)
{
	pid_t pid;

	DO(pid = fork());
	if (pid == 0) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0)
			opened("elsewhere", O_RDONLY);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static void
ignore(int number)
{
	(void)number;
}

/* Opens, makes, asks and renames while there are signals all the time. */
static void
signals(int flags)
{
	struct sigaction action = { .sa_handler = ignore, .sa_flags = flags };
	struct itimerval timer = { { 0, 500 }, { 0, 500 } };
	struct timespec began, now;
	unsigned interrupted = 0;
	long passed;
	struct stat st;

	DO(sigaction(SIGALRM, &action, NULL));
	DO(setitimer(ITIMER_REAL, &timer, NULL));
	clock_gettime(CLOCK_MONOTONIC, &began);
	do {
		interrupted += opened("signals", O_WRONLY | O_CREAT) < 0 && errno == EINTR;
		interrupted += opened("signals", O_RDONLY) < 0 && errno == EINTR;
		interrupted += stat("signals", &st) < 0 && errno == EINTR;
		interrupted += rename("signals", "signalled") < 0 && errno == EINTR;
		clock_gettime(CLOCK_MONOTONIC, &now);
		passed = (now.tv_sec - began.tv_sec) * 1000 +
			 (now.tv_nsec - began.tv_nsec) / 1000000;
	} while (passed < 100);
	printf("interrupted: %s\n", interrupted ? "some" : "none");
}

int
main(int argc, char *argv[])
{
	int folder;

	if (argc == 2 && !strcmp(argv[1], "i386")) {
		i386();
		return 0;
	}
	if (argc == 2 && (!strcmp(argv[1], "signals") || !strcmp(argv[1], "restarts"))) {
		signals(*argv[1] == 'r' ? SA_RESTART : 0);
		return 0;
	}
	if (argc == 2) {
		in_a_namespace();
		return 0;
	}
	if (argc != 3)
		return 2;
	DO(chdir(argv[1]));
	DO(folder = open("folder", O_RDONLY | O_DIRECTORY));
	opens(folder);
	names(folder);
	metadata();
	processes();
	sockets((in_port_t)atoi(argv[2]));
	/* Nobody would see what it does. */
	errno = 0;
	if (syscall(SYS_io_uring_setup, 1, NULL) != -1 || errno != ENOSYS)
		DO((errno = EEXIST, -1));
	return 0;
}
