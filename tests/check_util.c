#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>
#include <wchar.h>

#include "base/fd.h"
#include "base/file.h"
#include "support.h"

static volatile size_t absurd = SIZE_MAX / 2;

START_TEST(calloc_dies)
{
	free(xcalloc(absurd, 4));
}
END_TEST

START_TEST(reallocarray_dies)
{
	free(xreallocarray(NULL, absurd, 4));
}
END_TEST

/* No multibyte text of the C locale: vasprintf fails. */
static const wchar_t unprintable[] = { 0x7ffffff0, 0 };

START_TEST(asprintf_dies)
{
	free(xasprintf("%ls", unprintable));
}
END_TEST

START_TEST(buffer_printf_dies)
{
	struct buffer b = { 0 };

	buffer_printf(&b, "%ls", unprintable);
	buffer_free(&b);
}
END_TEST

START_TEST(nothing_is_something)
{
	void *a = xcalloc(0, 0), *b = xreallocarray(NULL, 0, 0);

	ck_assert_ptr_nonnull(a);
	ck_assert_ptr_nonnull(b);
	free(a);
	free(b);
}
END_TEST

START_TEST(buffer_grows)
{
	struct buffer b = { 0 };

	buffer_add(&b, "", 0);
	ck_assert_str_eq(b.data, "");
	for (int i = 0; i < 1000; i++)
		buffer_printf(&b, "%d,", i);
	ck_assert_uint_eq(b.len, strlen(b.data));
	ck_assert_uint_eq(b.len, 3890);
	buffer_add(&b, "a\0b", 3);
	ck_assert_uint_eq(b.len, 3893);
	ck_assert_mem_eq(b.data + b.len - 3, "a\0b", 4);
	buffer_free(&b);
	ck_assert_ptr_null(b.data);
}
END_TEST

START_TEST(lists_grow)
{
	struct strings s = { 0 };
	struct indices n = { 0 };

	strings_add(&s, "a");
	strings_add(&s, NULL);
	indices_add(&n, 7);
	indices_add(&n, 9);
	ck_assert_uint_eq(s.n, 2);
	ck_assert_str_eq(s.v[0], "a");
	ck_assert_ptr_null(s.v[1]);
	ck_assert(indices_has(&n, 7) && indices_has(&n, 9) && !indices_has(&n, 8));
	free(s.v);
	free(n.v);
}
END_TEST

START_TEST(read_whole_file)
{
	struct buffer b = { 0 };

	file_put("a", "one\ntwo\n");
	ck_assert_int_eq(file_read(AT_FDCWD, "a", &b), 0);
	ck_assert_str_eq(b.data, "one\ntwo\n");
	ck_assert_uint_eq(b.len, 8);
	buffer_free(&b);
	file_put("a", "");
	ck_assert_int_eq(file_read(AT_FDCWD, "a", &b), 0);
	ck_assert_str_eq(b.data, "");
	buffer_free(&b);
	/* Its size is 0, and yet it has a content. */
	ck_assert_int_eq(file_read(AT_FDCWD, "/proc/self/status", &b), 0);
	ck_assert_uint_gt(b.len, 100);
	buffer_free(&b);
}
END_TEST

START_TEST(read_fails)
{
	struct buffer b = { 0 };

	ck_assert_int_eq(symlink("loop", "loop"), 0);
	file_put("file", "");
	close(folder_make("folder"));
	static const struct {
		const char *name;
		int error;
	} table[] = { { "none", ENOENT }, { "loop", ELOOP }, { "file/x", ENOTDIR },
		{ "folder", EISDIR } };

	for (size_t i = 0; i < countof(table); i++) {
		ck_assert_int_eq(file_read(AT_FDCWD, table[i].name, &b), -1);
		ck_assert_int_eq(errno, table[i].error);
		buffer_free(&b);
	}
	assert_silent();
}
END_TEST

static int other_end;
static volatile sig_atomic_t alarms;

static void
on_alarm_write(int signal)
{
	(void)signal;
	if (alarms++ == 1) {
		(void)!write(other_end, "late", 4);
		close(other_end);
	}
}

static void
on_alarm_drain(int signal)
{
	char data[65536];

	(void)signal;
	if (alarms++ >= 1)
		(void)!read(other_end, data, sizeof(data));
}

/* Without SA_RESTART, so that system calls come back with EINTR. */
static void
alarm_every(long microseconds, void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler };
	struct itimerval timer = { { 0, microseconds }, { 0, microseconds } };

	alarms = 0;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

static void
alarm_end(void)
{
	struct itimerval never = { 0 };

	setitimer(ITIMER_REAL, &never, NULL);
	signal(SIGALRM, SIG_DFL);
}

START_TEST(read_interrupted)
{
	struct buffer b = { 0 };
	int result;

	ck_assert_int_eq(mkfifo("pipe", 0600), 0);
	other_end = open("pipe", O_RDWR | O_CLOEXEC);
	ck_assert_int_ge(other_end, 0);
	alarm_every(10000, on_alarm_write);
	result = file_read(AT_FDCWD, "pipe", &b);
	alarm_end();
	ck_assert_int_eq(result, 0);
	ck_assert_str_eq(b.data, "late");
	buffer_free(&b);
}
END_TEST

START_TEST(write_interrupted)
{
	char data[65536];
	int ends[2], result;

	memset(data, 'x', sizeof(data));
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	fcntl(ends[1], F_SETFL, O_NONBLOCK);
	while (write(ends[1], data, sizeof(data)) > 0)
		;
	fcntl(ends[1], F_SETFL, 0);
	/* Or the handler waits for the next byte, and that for the handler. */
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	other_end = ends[0];
	alarm_every(10000, on_alarm_drain);
	result = fd_write_all(ends[1], data, sizeof(data));
	alarm_end();
	ck_assert_int_eq(result, 0);
	ck_assert_int_ge(alarms, 2);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(write_fails)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	ck_assert_int_eq(fd_write_all(full, "x", 1), -1);
	ck_assert_int_eq(errno, ENOSPC);
	ck_assert_int_eq(fd_write_all(full, "x", 0), 0);
	close(full);
}
END_TEST

START_TEST(replace_whole_file)
{
	int folder = folder_make("f");

	ck_assert_int_eq(file_replace(folder, "a", "one", 3), 0);
	assert_file("f/a", "one");
	ck_assert_int_eq(file_replace(folder, "a", "", 0), 0);
	assert_file("f/a", "");
	/* A link is replaced, not followed. */
	ck_assert_int_eq(symlink("../elsewhere", "f/link"), 0);
	ck_assert_int_eq(file_replace(folder, "link", "two", 3), 0);
	assert_file("f/link", "two");
	ck_assert(!file_there("elsewhere"));
	close(folder);
}
END_TEST

START_TEST(replace_leaves_the_old_file)
{
	int folder = folder_make("f"), result, error;
	char *temp = xasprintf("f/a.%d~", (int)getpid());

	file_put("f/a", "old");
	limit_set(RLIMIT_FSIZE, 2);
	result = file_replace(folder, "a", "new text", 8);
	error = errno;
	limit_restore();
	ck_assert_int_eq(result, -1);
	ck_assert_int_eq(error, EFBIG);
	assert_file("f/a", "old");
	ck_assert(!file_there(temp));

	ck_assert_int_eq(file_replace(folder, "none/a", "x", 1), -1);
	ck_assert_int_eq(errno, ENOENT);
	close(folder_make("f/b/c"));
	ck_assert_int_eq(file_replace(folder, "b", "x", 1), -1);
	ck_assert_int_eq(errno, EISDIR);
	/* Somebody's link in the place of the file beside it is not followed. */
	ck_assert_int_eq(symlink("../elsewhere", temp), 0);
	ck_assert_int_eq(file_replace(folder, "a", "x", 1), -1);
	ck_assert_int_eq(errno, ELOOP);
	free(temp);
	close(folder);
}
END_TEST

static const struct {
	const char *word, *quoted;
} shell_words[] = {
	{ "", "''" }, { "lint", "lint" }, { "-s", "-s" }, { "a b", "'a b'" },
	{ "/usr/bin/python3.12", "/usr/bin/python3.12" }, { "x=1,2:3@4%+", "x=1,2:3@4%+" },
	{ "it's", "'it'\\''s'" }, { "'", "''\\'''" }, { "$HOME", "'$HOME'" }, { "~", "'~'" },
	{ "a\nb", "'a\nb'" }, { "*", "'*'" }, { "#", "'#'" }, { "\xff", "'\xff'" },
};

START_TEST(shell_word)
{
	struct buffer b = { 0 };

	buffer_add_shell(&b, shell_words[_i].word);
	ck_assert_str_eq(b.data, shell_words[_i].quoted);
	buffer_free(&b);
}
END_TEST

Suite *
check_util_suite(void)
{
	Suite *suite = suite_create("util");
	TCase *tc = support_case(suite, "memory");

	support_exit_test(tc, calloc_dies, EXIT_HELPER);
	support_exit_test(tc, reallocarray_dies, EXIT_HELPER);
	support_exit_test(tc, asprintf_dies, EXIT_HELPER);
	support_exit_test(tc, buffer_printf_dies, EXIT_HELPER);
	tcase_add_test(tc, nothing_is_something);
	tcase_add_test(tc, buffer_grows);
	tcase_add_test(tc, lists_grow);
	tc = support_case(suite, "files");
	tcase_add_test(tc, read_whole_file);
	tcase_add_test(tc, read_fails);
	tcase_add_test(tc, read_interrupted);
	tcase_add_test(tc, write_interrupted);
	tcase_add_test(tc, write_fails);
	tcase_add_test(tc, replace_whole_file);
	tcase_add_test(tc, replace_leaves_the_old_file);
	tc = support_case(suite, "shell");
	tcase_add_loop_test(tc, shell_word, 0, countof(shell_words));
	return suite;
}
