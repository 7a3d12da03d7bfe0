#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/leaving.h"
#include "base/fd.h"
#include "support.h"

/* file_put, with the folders that the name needs. */
static void
put(const char *name, const char *text)
{
	char *folder = xstrdup(name);
	int fd;

	*strrchr(folder, '/') = '\0';
	fd = folder_make(folder);
	fd_close(&fd);
	free(folder);
	file_put(name, text);
}

/* Two folders that differ in what a test does. */
static void
make_both(void)
{
	static const char *const names[] = { "a/same", "a/sub/file", "b/same", "b/sub/file" };

	for (size_t i = 0; i < countof(names); i++)
		put(names[i], "text");
}

/* The paths at which they differ, with blanks between. */
static char *
differences(void)
{
	struct leaving a = leaving_of("a"), b = leaving_of("b");
	struct strings paths = leaving_differ(&a, &b);
	char *all = strings_join(&paths, " ");

	free(paths.v);
	leaving_clear(&a);
	leaving_clear(&b);
	return all;
}

static void
assert_differences(const char *wanted)
{
	char *all = differences();

	ck_assert_str_eq(all, wanted);
	free(all);
}

START_TEST(content_counts_and_when_it_was_written_does_not)
{
	const struct timespec times[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };

	make_both();
	ck_assert_int_eq(utimensat(AT_FDCWD, "a/same", times, 0), 0);
	assert_differences("");
	file_put("a/same", "tex!");
	put("b/more", "");
	file_put("a/sub/less", "");
	assert_differences("more same sub/less");
}
END_TEST

START_TEST(so_do_modes_and_links)
{
	make_both();
	ck_assert_int_eq(chmod("a/same", 0700), 0);
	ck_assert_int_eq(symlink("x", "a/link"), 0);
	ck_assert_int_eq(symlink("y", "b/link"), 0);
	ck_assert_int_eq(symlink("sub", "a/equal"), 0);
	ck_assert_int_eq(symlink("sub", "b/equal"), 0);
	assert_differences("link same");
}
END_TEST

START_TEST(what_tools_keep_for_themselves_is_left_out)
{
	static const char *const names[] = { "a/.git/index", "a/.nox/lint/x", "a/.nox/.noxmk/x",
		"a/sub/__pycache__/m.pyc", "a/.pytest_cache/v", "a/venv/lib/m.py", "a/.coverage" };

	make_both();
	for (size_t i = 0; i < countof(names); i++)
		put(names[i], "x");
	put("a/venv/pyvenv.cfg", "");
	assert_differences(".coverage");
}
END_TEST

START_TEST(a_cache_around_the_project_is_none_in_it)
{
	struct leaving a;

	put(".cache/project/file", "");
	a = leaving_of(".cache/project");
	ck_assert_uint_eq(a.n, 1);
	leaving_clear(&a);
}
END_TEST

START_TEST(whatever_lies_there_nobody_waits)
{
	make_both();
	ck_assert_int_eq(mkfifo("a/fifo", 0600), 0);
	ck_assert_int_eq(symlink("nowhere", "a/dangling"), 0);
	assert_differences("dangling");
}
END_TEST

Suite *
check_leaving_suite(void)
{
	Suite *s = suite_create("leaving");
	TCase *tc = support_case(s, "leaving");

	tcase_add_test(tc, content_counts_and_when_it_was_written_does_not);
	tcase_add_test(tc, so_do_modes_and_links);
	tcase_add_test(tc, what_tools_keep_for_themselves_is_left_out);
	tcase_add_test(tc, a_cache_around_the_project_is_none_in_it);
	tcase_add_test(tc, whatever_lies_there_nobody_waits);
	return s;
}
