#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "plan/planner.h"
#include "support.h"

/* Far more than any test needs, also under valgrind: it only ends what hangs. */
enum { SECONDS_MAX = 300 };

/* Milliseconds for what another process does soon, however busy the machine is. */
enum { SOON = 100000, TICK = 10 };

static char root[PATH_MAX];
static pid_t own; /* the test's */
static int tree = -1, real_output = -1, real_errors = -1, errors = -1;
static struct buffer said;
static bool torn_down;
static int limited;
static struct rlimit old_limit;

/* Where sanitizers write, when the tests are built with them. */
void __sanitizer_set_report_fd(void *fd) __attribute__((weak));
/* xcalloc's and xreallocarray's answer to an absurd size is a test. */
const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *place)
{
	(void)st, (void)type, (void)place;
	return remove(path);
}

void
support_begin(void)
{
	const char *temp = getenv("TMPDIR");

	snprintf(root, sizeof(root), "%s/noxmk-check-XXXXXX", temp && *temp ? temp : "/tmp");
	if (!mkdtemp(root) || (tree = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) {
		perror(root);
		exit(1);
	}
}

void
support_end(void)
{
	folder_remove(root);
	close(tree);
	buffer_free(&said);
}

/* Of a test that ended the process, what it wrote to standard error may tell why. */
static void
replay(void)
{
	if (getpid() != own) /* a child of it, which is to end without a word */
		return;
	limit_restore(); /* LeakSanitizer needs descriptors */
	if (!torn_down && real_errors >= 0)
		diagnose("%s", warnings());
}

static void
setup(void)
{
	static const char *const unwanted[] = { "MAKEFLAGS", "MFLAGS", "MAKELEVEL", "NOXMK_JOBS",
		"NOXMK_RUN", "NO_COLOR", "FORCE_COLOR", "MAKE_TERMOUT", "PYTHONHASHSEED",
		"CI", "GITHUB_ACTIONS", "FORGEJO_ACTIONS", "GITEA_ACTIONS", "GITLAB_CI", "TF_BUILD",
		"TEAMCITY_VERSION", "GITHUB_STEP_SUMMARY" };
	char folder[PATH_MAX + 8];
	int ends[2];

	/* The pipe holds whatever a test may say, and RLIMIT_FSIZE does not touch it. */
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
	errors = ends[0];
	real_errors = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 20);
	ck_assert_int_ge(dup2(ends[1], STDERR_FILENO), 0);
	close(ends[1]);
	if (__sanitizer_set_report_fd)
		__sanitizer_set_report_fd((void *)(intptr_t)real_errors);
	atexit(replay);
	own = getpid();
	buffer_free(&said);
	torn_down = false;
	for (size_t i = 0; i < countof(unwanted); i++)
		unsetenv(unwanted[i]);
	snprintf(folder, sizeof(folder), "%s/XXXXXX", root);
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chdir(folder), 0);
	/* For the runtime folders of makes, which are different ones in each test. */
	setenv("XDG_RUNTIME_DIR", folder, 1);
}

static void
teardown(void)
{
	sigset_t none;

	limit_restore();
	if (real_output >= 0)
		free(output_end());
	torn_down = true;
	dup2(real_errors, STDERR_FILENO);
	if (__sanitizer_set_report_fd)
		__sanitizer_set_report_fd((void *)(intptr_t)STDERR_FILENO);
	close(real_errors);
	close(errors);
	buffer_free(&said);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	ck_assert_int_eq(fchdir(tree), 0);
}

TCase *
support_case(Suite *suite, const char *name)
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, SECONDS_MAX);
	suite_add_tcase(suite, tc);
	return tc;
}

void
support_exit_test(TCase *tc, const TTest *test, int code)
{
	const char *fork = getenv("CK_FORK");

	if (!fork || strcmp(fork, "no") != 0)
		tcase_add_exit_test(tc, test, code);
}

void
support_spawn_failure_test(TCase *tc, const TTest *test)
{
	const char *preload = getenv("LD_PRELOAD");

	if (!preload || !strstr(preload, "vgpreload"))
		tcase_add_test(tc, test);
}

const char *
warnings(void)
{
	char data[4096];
	ssize_t n;

	fflush(stderr);
	buffer_addstr(&said, "");
	while ((n = read(errors, data, sizeof(data))) > 0)
		buffer_add(&said, data, (size_t)n);
	return said.data;
}

void
diagnose(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vdprintf(real_errors, fmt, ap);
	va_end(ap);
}

static void
output_to(int fd)
{
	fflush(stdout);
	real_output = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 20);
	ck_assert_int_ge(dup2(fd, STDOUT_FILENO), 0);
	close(fd);
}

void
output_begin(void)
{
	output_to(memfd_create("output", MFD_CLOEXEC));
}

char *
output_end(void)
{
	struct buffer text = { 0 };

	fflush(stdout);
	buffer_addstr(&text, "");
	(void)!file_read(AT_FDCWD, "/proc/self/fd/1", &text);
	output_restore();
	return text.data;
}

void
output_break(void)
{
	output_to(open("/dev/full", O_WRONLY | O_CLOEXEC));
}

void
output_restore(void)
{
	fflush(stdout);
	clearerr(stdout);
	dup2(real_output, STDOUT_FILENO);
	close(real_output);
	real_output = -1;
}

void
file_put(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	ck_assert_msg(fd >= 0, "%s: %s", name, strerror(errno));
	ck_assert_int_eq(fd_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

void
file_put_json(const char *name, const char *text)
{
	char *copy = xstrdup(text);

	for (char *quote = copy; (quote = strchr(quote, '\''));)
		*quote = '"';
	file_put(name, copy);
	free(copy);
}

char *
file_get(const char *name)
{
	struct buffer text = { 0 };

	ck_assert_msg(file_read(AT_FDCWD, name, &text) == 0, "%s: %s", name, strerror(errno));
	return text.data;
}

bool
file_there(const char *name)
{
	return faccessat(AT_FDCWD, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

void
odd_put(enum odd odd, const char *path)
{
	char *inner = xasprintf("%s/file", path);

	switch (odd) {
	case ODD_FIFO:
		ck_assert_int_eq(mkfifo(path, 0666), 0);
		break;
	case ODD_FOLDER:
		close(folder_make(path));
		file_put(inner, "");
		break;
	case ODD_ZEROS:
	case ODD_DANGLING:
		ck_assert_int_eq(symlink(odd == ODD_ZEROS ? "/dev/zero" : "nowhere", path), 0);
		break;
	default:
		file_put(path, "h\n");
		if (odd != ODD_STRANGER || geteuid() != 0 || chown(path, 65533, 65533) < 0)
			ck_assert_int_eq(truncate(path, 1LL << 40), 0);
	}
	free(inner);
}

void
file_await(const char *name)
{
	for (int i = 0; i < SOON / TICK && !file_there(name); i++)
		poll(NULL, 0, TICK);
	ck_assert_msg(file_there(name), "%s never came", name);
}

pid_t
file_pid(const char *name)
{
	char *text = file_get(name);
	pid_t pid = (pid_t)atoi(text);

	free(text);
	return pid;
}

int
folder_make(const char *name)
{
	char *path = xstrdup(name);
	int fd;

	for (char *slash = path; (slash = strchr(slash + 1, '/')); *slash = '/') {
		*slash = '\0';
		mkdir(path, 0777);
	}
	mkdir(path, 0777);
	free(path);
	fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_msg(fd >= 0, "%s: %s", name, strerror(errno));
	return fd;
}

void
folder_remove(const char *name)
{
	nftw(name, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void
assert_file(const char *name, const char *text)
{
	char *found = file_get(name);

	ck_assert_str_eq(found, text);
	free(found);
}

const char *
helper_path(void)
{
	static char path[PATH_MAX + 16];
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX);
	char *slash;

	ck_assert_int_gt(n, 0);
	path[n] = '\0';
	slash = strrchr(path, '/');
	ck_assert_ptr_nonnull(slash);
	strcpy(slash, "/helper");
	return path;
}

char
process_state(pid_t pid)
{
	char *name = xasprintf("/proc/%d/stat", (int)pid), state = 'X';
	FILE *stat = fopen(name, "re");

	free(name);
	if (stat && fscanf(stat, "%*d %*s %c", &state) != 1)
		state = 'X';
	if (stat)
		fclose(stat);
	return state == 'Z' ? 'X' : state;
}

bool
process_becomes(pid_t pid, char state)
{
	for (int i = 0; i < SOON / TICK; i++) {
		if (process_state(pid) == state)
			return true;
		poll(NULL, 0, TICK);
	}
	return false;
}

void
limit_set(int resource, unsigned long value)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit((__rlimit_resource_t)resource, &old_limit);
	limited = resource + 1;
	limit = old_limit;
	limit.rlim_cur = value;
	setrlimit((__rlimit_resource_t)resource, &limit);
}

void
limit_restore(void)
{
	if (limited)
		setrlimit((__rlimit_resource_t)(limited - 1), &old_limit);
	limited = 0;
}

/* Without SA_RESTART, so that system calls come back with EINTR. */
void
alarm_every(long microseconds, void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler };
	struct itimerval timer = { { 0, microseconds }, { 0, microseconds } };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

void
alarm_end(void)
{
	struct itimerval never = { 0 };

	setitimer(ITIMER_REAL, &never, NULL);
	signal(SIGALRM, SIG_DFL);
}

json_t *
json_of(const char *text)
{
	char *copy = xstrdup(text);
	json_error_t error;
	json_t *json;

	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	json = json_loads(copy, JSON_DECODE_ANY, &error);
	ck_assert_msg(json != NULL, "%s: %s", error.text, text);
	free(copy);
	return json;
}

json_t *
facts_json(const char *sessions, const char *queue)
{
	json_t *list = json_of(sessions), *session, *facts;
	size_t i;

	json_array_foreach(list, i, session) {
		json_t *name = json_object_get(session, "name");
		json_t *defaults = json_pack("{s:i,s:o,s:O,s:s,s:[],s:[],s:[],s:[]}",
		    "index", (int)i, "name", json_sprintf("s%zu", i),
		    "session", name ? name : json_null(), "description", "",
		    "signatures", "tags", "requires", "notifies");

		json_object_update_missing(session, defaults);
		json_decref(defaults);
	}
	facts = json_pack("{s:i,s:s,s:s,s:s,s:[s,s],s:o,s:[],s:o}", "schema", 1,
	    "nox", "2024.4.15", "python", "/usr/bin/python3", "noxfile", "/p/noxfile.py",
	    "path", "/usr/lib/python3", "/usr/lib/site",
	    "queue", json_of(queue), "args", "sessions", list);
	ck_assert_ptr_nonnull(facts);
	return facts;
}

struct facts *
facts_of(const char *sessions, const char *queue)
{
	json_t *json = facts_json(sessions, queue);
	struct facts *facts = facts_parse(json, "test");

	json_decref(json);
	ck_assert_msg(facts != NULL, "%s", warnings());
	return facts;
}

void
plan_put(int folder, struct facts *facts, const char *python, const struct strings *command)
{
	struct strings nothing = { 0 };
	struct buffer text = { 0 };
	struct plan *plan;

	facts->python = python;
	plan = planner_make(facts, &nothing);
	planfile_write(plan, &(struct planfile_nox){ .noxfile = "noxfile.py", .noxfile_date = 7,
		.command = command ? command : &nothing }, &text);
	ck_assert_int_eq(file_replace(folder, "plan.jsonl", text.data, text.len), 0);
	buffer_free(&text);
	plan_free(plan);
}

const char *
own_key(void)
{
	static char key[64];
	char *stat = file_get("/proc/self/stat"), *field = strrchr(stat, ')');

	/* The field behind the name is the third, and the start time the 22nd (proc(5)). */
	for (int i = 2; i < 22; i++)
		field = strchr(field + 1, ' ');
	snprintf(key, sizeof(key), "%d-%.*s-c0ffee", (int)getpid(), (int)strcspn(field + 1, " "),
	    field + 1);
	free(stat);
	return key;
}
