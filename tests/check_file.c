#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "support.h"

START_TEST(a_whole_file_is_read)
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

START_TEST(what_cannot_be_read_says_why)
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

START_TEST(a_signal_does_not_cut_reading_short)
{
	struct buffer b = { 0 };
	int result;

	ck_assert_int_eq(mkfifo("pipe", 0600), 0);
	other_end = open("pipe", O_RDWR | O_CLOEXEC);
	ck_assert_int_ge(other_end, 0);
	alarms = 0;
	alarm_every(10000, on_alarm_write);
	result = file_read(AT_FDCWD, "pipe", &b);
	alarm_end();
	ck_assert_int_eq(result, 0);
	ck_assert_str_eq(b.data, "late");
	buffer_free(&b);
}
END_TEST

START_TEST(a_file_is_replaced_and_a_link_not_followed)
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

START_TEST(what_is_reserved_is_filled)
{
	int folder = folder_make("f");
	struct stat st;

	ck_assert_int_eq(file_reserve(folder, "room", 10000), 0);
	ck_assert_int_eq(fstatat(folder, "room", &st, 0), 0);
	ck_assert_int_eq(st.st_size, 10000);
	ck_assert_int_eq(file_reserve(folder, "room", 5), 0);
	ck_assert_int_eq(file_fill(folder, "room", "a", "text", 4), 0);
	assert_file("f/a", "text");
	ck_assert(!file_there("f/room"));
	ck_assert_int_eq(file_fill(folder, "room", "a", "other", 5), -1);
	ck_assert_int_eq(errno, ENOENT);
	limit_set(RLIMIT_FSIZE, 100);
	ck_assert_int_eq(file_reserve(folder, "large", 10000), -1);
	limit_restore();
	ck_assert_int_eq(errno, EFBIG);
	ck_assert(!file_there("f/large"));
	close(folder);
}
END_TEST

START_TEST(a_failed_replacement_leaves_the_old_file)
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

Suite *
check_file_suite(void)
{
	Suite *suite = suite_create("file");
	TCase *tc = support_case(suite, "file");

	tcase_add_test(tc, a_whole_file_is_read);
	tcase_add_test(tc, what_cannot_be_read_says_why);
	tcase_add_test(tc, a_signal_does_not_cut_reading_short);
	tcase_add_test(tc, a_file_is_replaced_and_a_link_not_followed);
	tcase_add_test(tc, what_is_reserved_is_filled);
	tcase_add_test(tc, a_failed_replacement_leaves_the_old_file);
	return suite;
}
