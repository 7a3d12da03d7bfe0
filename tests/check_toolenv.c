#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "slots/toolenv.h"
#include "support.h"

static const char *
variable(const struct toolenv *toolenv, const char *name)
{
	const struct strings *list = toolenv_variables(toolenv);
	size_t len = strlen(name);

	for (size_t i = 0; list && i < list->n; i++)
		if (!strncmp(list->v[i], name, len) && list->v[i][len] == '=')
			return list->v[i] + len + 1;
	return NULL;
}

static struct toolenv *
open_for(const struct slot *slot, const struct makeflags *makeflags, unsigned told)
{
	int folder = folder_make("runtime");
	struct toolenv *toolenv = toolenv_open(&(struct toolenv_options){ .slot = slot,
	    .makeflags = makeflags, .told = told, .folder = folder, .share = "/share" });

	close(folder);
	return toolenv;
}

/* How many tokens a tool finds by MAKEFLAGS. */
static int
tokens_by(const struct toolenv *toolenv)
{
	const char *makeflags = variable(toolenv, "MAKEFLAGS");
	const char *prefix = " -- --jobserver-auth=fifo:";
	int fd, n = -1;

	ck_assert(!strncmp(makeflags, prefix, strlen(prefix)));
	fd = open(makeflags + strlen(prefix), O_RDWR | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ioctl(fd, FIONREAD, &n);
	close(fd);
	return n;
}

START_TEST(nothing_is_told_where_nothing_counts)
{
	struct makeflags makeflags = makeflags_read("", 0);
	struct slot *slot = slot_open(&makeflags, -1, "", 0);
	struct toolenv *toolenv = open_for(slot, &makeflags, 0);

	ck_assert_ptr_null(toolenv);
	ck_assert_ptr_null(toolenv_variables(toolenv));
	toolenv_close(toolenv);
	slot_close(slot);
}
END_TEST

START_TEST(one_slot_shares_the_pipe_and_several_have_one)
{
	int ends[2], folder = folder_make("run");
	char *flags;
	struct makeflags makeflags;
	struct slot *slot;
	struct toolenv *toolenv;

	setenv("PATH", "/bin", 1);
	setenv("OMP_NUM_THREADS", "7", 1);
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	ck_assert_int_eq(write(ends[1], "+++", 3), 3);
	flags = xasprintf(" -j4 --jobserver-auth=%d,%d", ends[0], ends[1]);
	makeflags = makeflags_read(flags, 0);
	slot = slot_open(&makeflags, -1, "", 0);
	toolenv = open_for(slot, &makeflags, 0);
	ck_assert_int_eq(tokens_by(toolenv), 3);
	ck_assert_str_eq(variable(toolenv, "PATH"), "/share/tools:/bin");
	ck_assert_str_eq(variable(toolenv, "NOXMK_SLOTS"), "1");
	ck_assert_str_eq(variable(toolenv, "CARGO_BUILD_JOBS"), "1");
	ck_assert_ptr_null(variable(toolenv, "OMP_NUM_THREADS"));
	toolenv_close(toolenv);
	/* Who has three gets a pipe with the two that are not its own. */
	slot_want(slot, 3, 3);
	for (int i = 0; i < 100000 && !slot_try(slot); i++)
		poll(NULL, 0, 1);
	toolenv = open_for(slot, &makeflags, 0);
	ck_assert_int_eq(tokens_by(toolenv), 2);
	ck_assert_str_eq(variable(toolenv, "NOXMK_SLOTS"), "3");
	toolenv_close(toolenv);
	slot_close(slot);
	free(flags);
	makeflags_clear(&makeflags);
	makeflags = (struct makeflags){ .slots = 3, .unlimited = true };
	slot = slot_open(&makeflags, folder, own_key(), 0);
	ck_assert(slot_try(slot));
	toolenv = open_for(slot, &makeflags, 0);
	ck_assert_int_eq(tokens_by(toolenv), 0);
	toolenv_close(toolenv);
	/* What make says of the load reaches tools, too. */
	makeflags.load = 2.5;
	toolenv = open_for(slot, &makeflags, 0);
	ck_assert_int_eq(strncmp(variable(toolenv, "MAKEFLAGS"), " -l2.5 -- ", 10), 0);
	toolenv_close(toolenv);
	slot_close(slot);
	close(folder);
	close(ends[0]);
	close(ends[1]);
	assert_silent();
}
END_TEST

START_TEST(a_session_is_told_of_processors_that_it_may_wait_for)
{
	int ends[2];
	char *flags;
	struct makeflags makeflags;
	struct slot *slot;
	struct toolenv *toolenv;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	flags = xasprintf(" -j8 --jobserver-auth=%d,%d", ends[0], ends[1]);
	makeflags = makeflags_read(flags, 0);
	slot = slot_open(&makeflags, -1, "", 0);
	toolenv = open_for(slot, &makeflags, 8);
	ck_assert_str_eq(variable(toolenv, "PYTEST_XDIST_AUTO_NUM_WORKERS"), "8");
	ck_assert_str_eq(variable(toolenv, "NOXMK_SLOTS"), "8");
	/* With more than four mypy is slower. */
	ck_assert_str_eq(variable(toolenv, "MYPY_NUM_WORKERS"), "4");
	/* A build asks the jobserver, which it would not if it had a number. */
	ck_assert_ptr_null(variable(toolenv, "CMAKE_BUILD_PARALLEL_LEVEL"));
	ck_assert_str_eq(variable(toolenv, "OMP_WAIT_POLICY"), "passive");
	toolenv_close(toolenv);
	/* Alone it is as under nox. */
	toolenv = toolenv_open(&(struct toolenv_options){ .slot = slot, .makeflags = &makeflags,
	    .told = 8, .only = true, .folder = -1, .share = "/share" });
	ck_assert_ptr_null(variable(toolenv, "OMP_WAIT_POLICY"));
	toolenv_close(toolenv);
	slot_close(slot);
	free(flags);
	makeflags_clear(&makeflags);
	assert_silent();
}
END_TEST

START_TEST(sessions_share_tokens_where_there_is_no_jobserver)
{
	struct makeflags makeflags = { .slots = 8, .unlimited = true };
	struct slot *slot = slot_open(&makeflags, folder_make("run"), own_key(), 0);
	struct toolenv *one, *two;
	char token;
	int fd;

	ck_assert(slot_try(slot));
	one = open_for(slot, &makeflags, 8);
	ck_assert_int_eq(tokens_by(one), 7);
	fd = open("runtime/.tokens.now", O_RDWR | O_CLOEXEC);
	ck_assert_int_eq(read(fd, &token, 1), 1);
	two = open_for(slot, &makeflags, 8);
	ck_assert_int_eq(tokens_by(one), 6);
	ck_assert_int_eq(tokens_by(two), 6);
	/* What a tool took to its grave is there again for who comes when all have gone. */
	toolenv_close(one);
	toolenv_close(two);
	one = open_for(slot, &makeflags, 8);
	ck_assert_int_eq(tokens_by(one), 7);
	toolenv_close(one);
	close(fd);
	slot_close(slot);
	assert_silent();
}
END_TEST

START_TEST(what_is_no_fifo_is_not_taken_for_one)
{
	struct makeflags makeflags = { .slots = 8, .unlimited = true };
	struct slot *slot = slot_open(&makeflags, folder_make("run"), own_key(), 0);

	ck_assert(slot_try(slot));
	close(folder_make("runtime"));
	file_put("runtime/.tokens.now", "+++");
	ck_assert_ptr_null(open_for(slot, &makeflags, 8));
	assert_warned("the tools of this session do not know their job slots: pipe: ");
	slot_close(slot);
}
END_TEST

Suite *
check_toolenv_suite(void)
{
	Suite *suite = suite_create("toolenv");
	TCase *tc = support_case(suite, "toolenv");

	tcase_add_test(tc, nothing_is_told_where_nothing_counts);
	tcase_add_test(tc, a_session_is_told_of_processors_that_it_may_wait_for);
	tcase_add_test(tc, sessions_share_tokens_where_there_is_no_jobserver);
	tcase_add_test(tc, what_is_no_fifo_is_not_taken_for_one);
	tcase_add_test(tc, one_slot_shares_the_pipe_and_several_have_one);
	return suite;
}
