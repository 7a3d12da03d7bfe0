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

/* What is said of it in the place of a file. */
static const char *const whys[] = { [ODD_FIFO] = "no plain file", [ODD_FOLDER] = "Is a directory",
	[ODD_ZEROS] = "a link", [ODD_DANGLING] = "a link", [ODD_HUGE] = "File too large" };

START_TEST(what_is_no_file_of_ours_is_not_opened)
{
	int folder = folder_make("f"), fd;
	struct buffer b = { 0 };

	odd_put(_i, "f/a");
	ck_assert_int_eq(file_load(folder, "a", &b), -1);
	ck_assert_str_eq(file_why(errno), whys[_i]);
	buffer_free(&b);
	/* But it makes place for one. */
	ck_assert_int_eq(file_store(folder, "a", "x", 1), 0);
	assert_file("f/a", "x");
	ck_assert_int_eq(file_remove(folder, "a"), 0);
	odd_put(_i, "f/a");
	fd = file_create(folder, "a", O_RDWR);
	ck_assert_int_ge(fd, 0);
	close(fd);
	assert_file("f/a", "");
	ck_assert_int_eq(file_remove(folder, "a"), 0);
	odd_put(_i, "f/a");
	fd = file_open_lock(folder, "a");
	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert(!file_there("nowhere"));
	ck_assert_int_eq(file_remove(folder, "a"), 0);
	ck_assert_int_eq(file_remove(folder, "a"), 0);
	close(folder);
	assert_silent();
}
END_TEST

/* Of us, of root, of the folder's owner, or of the group that may write there. */
START_TEST(a_stranger_s_file_is_not_ours)
{
	int folder = folder_make("f");
	struct buffer b = { 0 };

	if (geteuid() != 0)
		return;
	file_put("f/a", "text");
	ck_assert_int_eq(chown("f/a", 65533, 65533), 0);
	ck_assert_int_eq(file_load(folder, "a", &b), -1);
	ck_assert_str_eq(file_why(errno), "belongs to somebody else");
	ck_assert_int_eq(chown("f", 65533, 0), 0);
	ck_assert_int_eq(file_load(folder, "a", &b), 0);
	buffer_free(&b);
	ck_assert_int_eq(chown("f", 65532, 65533), 0);
	ck_assert_int_eq(file_load(folder, "a", &b), -1);
	ck_assert_int_eq(chmod("f", 02770), 0);
	ck_assert_int_eq(file_load(folder, "a", &b), 0);
	buffer_free(&b);
	close(folder_make("f/inner"));
	ck_assert_int_eq(chown("f/inner", 65531, 65531), 0);
	ck_assert_int_eq(file_open_folder(folder, "inner"), -1);
	ck_assert_int_eq(symlink("inner", "f/link"), 0);
	ck_assert_int_eq(file_open_folder(folder, "link"), -1);
	close(folder);
}
END_TEST

/* Why a folder cannot be made, and not that it is not there. */
START_TEST(a_folder_that_may_not_be_made)
{
	int fd, result, error;

	close(folder_make("closed"));
	ck_assert_int_eq(chmod("closed", 0555), 0);
	/* Root may do it: somebody else tries, if we can be that. */
	if (geteuid() == 0)
		ck_assert_int_eq(chmod(".", 0755) | seteuid(65533), 0);
	result = file_make_folder("closed/a/b", 0700, &fd);
	error = errno;
	(void)!seteuid(getuid());
	ck_assert_int_eq(result, -1);
	ck_assert_int_eq(error, EACCES);
}
END_TEST

START_TEST(reading_never_waits)
{
	struct buffer b = { 0 };

	ck_assert_int_eq(mkfifo("pipe", 0600), 0);
	ck_assert_int_eq(file_read(AT_FDCWD, "pipe", &b), 0);
	ck_assert_uint_eq(b.len, 0);
	buffer_free(&b);
	ck_assert_int_eq(file_read(AT_FDCWD, "/dev/zero", &b), -1);
	ck_assert_int_eq(errno, EFBIG);
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

/* What is nearly nothing is to fill no disk where somebody else has made it. */
START_TEST(a_copy_has_the_holes_of_its_file)
{
	const off_t hole = 64 << 20;
	int from = open("from", O_RDWR | O_CREAT | O_CLOEXEC, 0666), to;
	struct stat st, copy;
	char text[8] = "";

	ck_assert_int_eq(pwrite(from, "head", 4, 0), 4);
	ck_assert_int_eq(pwrite(from, "tail", 4, hole), 4);
	ck_assert_int_eq(ftruncate(from, 2 * hole), 0);
	ck_assert_int_eq(file_copy(from, AT_FDCWD, "to"), 0);
	to = open("to", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(fstat(from, &st) | fstat(to, &copy), 0);
	ck_assert_int_eq(copy.st_size, st.st_size);
	ck_assert_int_le(copy.st_blocks, st.st_blocks + (1 << 20) / 512);
	ck_assert_int_eq(pread(to, text, 4, 0), 4);
	ck_assert_int_eq(pread(to, text + 4, 3, hole), 3);
	ck_assert_str_eq(text, "headtai");
	/* The file may be empty, and may have nothing but a hole. */
	ck_assert_int_eq(ftruncate(from, 0), 0);
	ck_assert_int_eq(file_copy(from, AT_FDCWD, "to"), 0);
	ck_assert_int_eq(stat("to", &copy), 0);
	ck_assert_int_eq(copy.st_size, 0);
	ck_assert_int_eq(ftruncate(from, hole), 0);
	ck_assert_int_eq(file_copy(from, AT_FDCWD, "to"), 0);
	ck_assert_int_eq(stat("to", &copy), 0);
	ck_assert_int_eq(copy.st_size, hole);
	close(from);
	close(to);
}
END_TEST

START_TEST(a_failed_replacement_leaves_the_old_file)
{
	int folder = folder_make("f"), result, error;

	file_put("f/a", "old");
	limit_set(RLIMIT_FSIZE, 2);
	result = file_replace(folder, "a", "new text", 8);
	error = errno;
	limit_restore();
	ck_assert_int_eq(result, -1);
	ck_assert_int_eq(error, EFBIG);
	assert_file("f/a", "old");
	ck_assert_int_eq(unlink("f/a"), 0);
	/* Nothing stays beside it. */
	ck_assert_int_eq(file_replace(folder, "none/a", "x", 1), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(rmdir("f"), 0);
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
	tcase_add_loop_test(tc, what_is_no_file_of_ours_is_not_opened, 0, countof(whys));
	tcase_add_test(tc, a_stranger_s_file_is_not_ours);
	tcase_add_test(tc, reading_never_waits);
	tcase_add_test(tc, a_file_is_replaced_and_a_link_not_followed);
	tcase_add_test(tc, what_is_reserved_is_filled);
	tcase_add_test(tc, a_copy_has_the_holes_of_its_file);
	tcase_add_test(tc, a_failed_replacement_leaves_the_old_file);
	tcase_add_test(tc, a_folder_that_may_not_be_made);
	return suite;
}
