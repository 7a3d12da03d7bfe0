#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "slots/submake.h"
#include "support.h"

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

START_TEST(make_is_a_client_of_the_path)
{
	static const char *const names[] = { "make", "tools/make", "bin/make" };
	int ends[2], nearer[2];
	char *path, *flags, *said;

	ck_assert(pipe2(ends, O_CLOEXEC) == 0 && pipe(nearer) == 0);
	path = xasprintf("fifo:/proc/%d/fd/%d", (int)getpid(), ends[0]);
	flags = xasprintf("k -- --jobserver-auth=%s A=1", path);
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
		said = xasprintf("yes|k -j --jobserver-auth=R,W -- --jobserver-auth=%s A=1"
				       "|-f|m.mk|-k|--|-j9|", path);

		char *words = xasprintf("%s -j 4 -f m.mk -j -j12 --jobs --jobs=3 -k -- -j9",
		    names[i]);

		assert_make(flags, words, said);
		free(words);
		free(said);
	}
	/* A folder of -I is none of make's own options. */
	free(flags);
	flags = xasprintf(" -Ix\\ -j9 -- --jobserver-auth=%s", path);
	said = xasprintf("yes| -Ix\\ -j9 -j --jobserver-auth=R,W -- --jobserver-auth=%s||", path);
	assert_make(flags, "make ", said);
	free(said);
	/* A jobserver that is nearer, by descriptors that are open, stays. */
	free(flags);
	flags = xasprintf(" -j --jobserver-auth=%d,%d -- --jobserver-auth=%s", nearer[0], nearer[1],
	    path);
	said = xasprintf("yes| -j --jobserver-auth=R,W -- --jobserver-auth=%s|-j2|", path);
	assert_make(flags, "make -j2", said);
	free(said);
	/* Whoever made the path is gone: as if there were none. */
	assert_make(" -- --jobserver-auth=fifo:/nonexistent", "make -j4",
	    "no| -- --jobserver-auth=fifo:/nonexistent|-j4|");
	for (int i = 0; i < 2; i++) {
		close(ends[i]);
		close(nearer[i]);
	}
	free(path);
	free(flags);
	assert_silent();
}
END_TEST

START_TEST(what_cannot_be_started_is_said)
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
check_submake_suite(void)
{
	Suite *suite = suite_create("submake");
	TCase *tc = support_case(suite, "submake");

	tcase_add_test(tc, make_is_a_client_of_the_path);
	tcase_add_test(tc, what_cannot_be_started_is_said);
	return suite;
}
