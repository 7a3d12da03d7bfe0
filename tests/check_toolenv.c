#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "slots/toolenv.h"
#include "support.h"

static const char *
variable(const struct toolenv *bridge, const char *name)
{
	const struct strings *list = toolenv_variables(bridge);
	size_t len = strlen(name);

	for (size_t i = 0; list && i < list->n; i++)
		if (!strncmp(list->v[i], name, len) && list->v[i][len] == '=')
			return list->v[i] + len + 1;
	return NULL;
}

/* How many tokens a tool finds by MAKEFLAGS. */
static int
tokens_by(const struct toolenv *bridge)
{
	const char *makeflags = variable(bridge, "MAKEFLAGS");
	const char *prefix = " -- --jobserver-auth=fifo:";
	int fd, n = -1;

	ck_assert(!strncmp(makeflags, prefix, strlen(prefix)));
	fd = open(makeflags + strlen(prefix), O_RDWR | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ioctl(fd, FIONREAD, &n);
	close(fd);
	return n;
}

START_TEST(none)
{
	struct slot *slot = slot_open(&(struct slot_options){ .makeflags = "" });
	struct toolenv *bridge = toolenv_open(slot, "/share");

	ck_assert_ptr_null(bridge);
	ck_assert_ptr_null(toolenv_variables(bridge));
	toolenv_close(bridge);
	slot_close(slot);
}
END_TEST

START_TEST(shared_or_own)
{
	int ends[2], folder = folder_make("run");
	char *flags;
	struct slot *slot;
	struct toolenv *bridge;

	setenv("PATH", "/bin", 1);
	setenv("OMP_NUM_THREADS", "7", 1);
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	ck_assert_int_eq(write(ends[1], "+++", 3), 3);
	flags = xasprintf(" -j4 --jobserver-auth=%d,%d", ends[0], ends[1]);
	slot = slot_open(&(struct slot_options){ .makeflags = flags });
	bridge = toolenv_open(slot, "/share");
	ck_assert_int_eq(tokens_by(bridge), 3);
	ck_assert_str_eq(variable(bridge, "PATH"), "/share/tools:/bin");
	ck_assert_str_eq(variable(bridge, "NOXMK_SLOTS"), "1");
	ck_assert_str_eq(variable(bridge, "CARGO_BUILD_JOBS"), "1");
	ck_assert_ptr_null(variable(bridge, "OMP_NUM_THREADS"));
	toolenv_close(bridge);
	/* Who has three gets a pipe with the two that are not its own. */
	slot_want(slot, 3, 3);
	for (int i = 0; i < 5000 && !slot_try(slot); i++)
		poll(NULL, 0, 1);
	bridge = toolenv_open(slot, "/share");
	ck_assert_int_eq(tokens_by(bridge), 2);
	ck_assert_str_eq(variable(bridge, "NOXMK_SLOTS"), "3");
	toolenv_close(bridge);
	slot_close(slot);
	free(flags);
	slot = slot_open(&(struct slot_options){ .makeflags = " -j", .rundir = folder,
		.jobs = 3 });
	ck_assert(slot_try(slot));
	bridge = toolenv_open(slot, "/share");
	ck_assert_int_eq(tokens_by(bridge), 0);
	toolenv_close(bridge);
	slot_close(slot);
	close(folder);
	close(ends[0]);
	close(ends[1]);
	assert_silent();
}
END_TEST

/* In place of make: says what it was given, and whether the descriptors are a pipe. */
static const char script[] =
	"#!/bin/sh\n"
	"case $MAKEFLAGS in *--jobserver-auth=[0-9]*) open=yes ;; *) open=no ;; esac\n"
	"for fd in $(printf %s \"$MAKEFLAGS\" |"
	" sed -n 's/.*auth=\\([0-9]*\\),\\([0-9]*\\).*/\\1 \\2/p')\n"
	"do [ -p \"/proc/self/fd/$fd\" ] || open=closed; done\n"
	"flags=$(printf %s \"$MAKEFLAGS\" | sed 's/=[0-9]*,[0-9]*/=R,W/')\n"
	"printf '%s|' \"$open\" \"$flags\" \"$@\" >said\n";

/* words: separated by blanks. */
static int
make_by(const char *words)
{
	char *copy = xstrdup(words), *rest = copy, *word, *argv[32];
	int n = 0, result;

	while ((word = strsep(&rest, " ")))
		argv[n++] = word;
	argv[n] = NULL;
	result = submake_exec(argv);
	free(copy);
	return result;
}

static void
assert_make(const char *makeflags, const char *words, const char *said)
{
	int status;
	char *text;
	pid_t pid;

	unlink("said");
	if (makeflags)
		setenv("MAKEFLAGS", makeflags, 1);
	else
		unsetenv("MAKEFLAGS");
	pid = fork();
	if (pid == 0)
		_exit(make_by(words));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	text = file_get("said");
	ck_assert_str_eq(text, said);
	free(text);
}

START_TEST(make)
{
	static const char *const names[] = { "make", "tools/make", "bin/make" };
	int ends[2];
	char *path, *bridged;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	path = xasprintf("fifo:/proc/%d/fd/%d", (int)getpid(), ends[0]);
	bridged = xasprintf("k -- --jobserver-auth=%s A=1", path);
	close(folder_make("bin"));
	file_put("bin/make", script);
	chmod("bin/make", 0755);
	/* A PATH on which this program comes first under make's name. */
	close(folder_make("tools"));
	ck_assert_int_eq(symlink("/proc/self/exe", "tools/make"), 0);
	setenv("PATH", "tools:bin:/usr/bin:/bin", 1);
	assert_make(NULL, "make -j4 all", "no||-j4|all|");
	assert_make(" -j2", "tools/make x", "no| -j2|x|");
	for (size_t i = 0; i < countof(names); i++) {
		char *said = xasprintf("yes|k -j --jobserver-auth=R,W -- --jobserver-auth=%s A=1"
				       "|-f|m.mk|-k|--|-j9|", path);

		char *words = xasprintf("%s -j 4 -f m.mk -j -j12 --jobs --jobs=3 -k -- -j9",
		    names[i]);

		assert_make(bridged, words, said);
		free(words);
		free(said);
	}
	/* Whoever made the path is gone: as if there were none. */
	assert_make(" -- --jobserver-auth=fifo:/nonexistent", "make -j4",
	    "no| -- --jobserver-auth=fifo:/nonexistent|-j4|");
	close(ends[0]);
	close(ends[1]);
	free(path);
	free(bridged);
	assert_silent();
}
END_TEST

START_TEST(no_make)
{
	setenv("PATH", "/nonexistent", 1);
	ck_assert_int_eq(make_by("make"), 127);
	assert_warned("make: not found");
	file_put("text", "?");
	ck_assert_int_eq(make_by("./text"), 126);
	assert_warned("./text: Permission denied");
}
END_TEST

Suite *
check_toolenv_suite(void)
{
	Suite *suite = suite_create("bridge");
	TCase *tc = support_case(suite, "bridge");

	tcase_add_test(tc, none);
	tcase_add_test(tc, shared_or_own);
	tcase_add_test(tc, make);
	tcase_add_test(tc, no_make);
	return suite;
}
