#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "output/relay.h"
#include "support.h"

static int
log_make(const char *start)
{
	int log;

	file_put("log", start);
	log = open("log", O_RDWR | O_CLOEXEC);
	ck_assert_int_ge(log, 0);
	return log;
}

/* n lines of 10 bytes. */
static char *
lines(int n)
{
	char *text = xcalloc((size_t)n * 10 + 1, 1);

	for (int i = 0; i < n; i++)
		sprintf(text + (size_t)i * 10, "line%05d\n", i);
	return text;
}

/* As a session that writes it in pieces. */
static void
feed(struct relay *relay, const char *text, size_t n, size_t piece)
{
	for (size_t i = 0; i < n; i += piece) {
		ck_assert_int_eq(fd_write_all(relay_end(relay), text + i,
		    n - i < piece ? n - i : piece), 0);
		relay_copy(relay);
	}
}

START_TEST(all_of_it)
{
	static const char bytes[] = "a\0b\xff\n\n";
	int log = log_make("$ nox\n");
	struct relay *relay = relay_open(log, NULL, 0);
	struct buffer text = { 0 };

	feed(relay, bytes, sizeof(bytes), 3);
	ck_assert_int_eq(relay_close(relay), 0);
	ck_assert_int_eq(lseek(log, 0, SEEK_CUR), 6 + sizeof(bytes));
	ck_assert_int_eq(file_read(AT_FDCWD, "log", &text), 0);
	ck_assert_uint_eq(text.len, 6 + sizeof(bytes));
	ck_assert_mem_eq(text.data + 6, bytes, sizeof(bytes));
	buffer_free(&text);
	close(log);
	ck_assert_int_eq(relay_close(NULL), 0);
}
END_TEST

/* What is in the pipe at the end belongs to it; what comes after that does not. */
START_TEST(the_last_of_it)
{
	int log = log_make("");
	struct relay *relay = relay_open(log, NULL, 0);
	int end = dup(relay_end(relay));

	ck_assert_int_eq(fd_write_all(end, "last\n", 5), 0);
	ck_assert_int_eq(relay_close(relay), 0);
	close(end);
	close(log);
	assert_file("log", "last\n");
}
END_TEST

/* Whatever the length is, head and tail are whole lines' bytes in order, and the sum is right. */
START_TEST(limited)
{
	static const int lengths[] = { 99, 100, 101, 102, 149, 150, 151, 1000, 1023, 33333 };
	int n = lengths[_i];
	char *text = lines(n), *expected;
	int log = log_make("$ nox\n");
	struct relay *relay = relay_open(log, NULL, 1000);

	feed(relay, text, (size_t)n * 10, 70);
	ck_assert_int_eq(relay_close(relay), 0);
	close(log);
	if (n <= 100) {
		expected = xasprintf("$ nox\n%s", text);
	} else {
		char *mark = xasprintf("\n[noxmk: %d bytes cut out here: log-limit]",
		    n * 10 - 1000 + 80);

		expected = xasprintf("$ nox\n%.500s%-79s\n%s", text, mark, text + n * 10 - 420);
		free(mark);
	}
	assert_file("log", expected);
	free(expected);
	free(text);
}
END_TEST
enum { LENGTHS = 10 };

START_TEST(without_secrets)
{
	struct strings patterns = { (const char *[]){ "*TOKEN*" }, 1 };
	char token[] = "A_TOKEN=hunter22";
	char *const variables[] = { token, NULL };
	struct mask *mask = mask_open(&patterns, variables);
	int log = log_make("");
	struct relay *relay = relay_open(log, mask, 0);

	feed(relay, "the hunter22 of hunter2", 23, 6);
	ck_assert_int_eq(relay_close(relay), 0);
	close(log);
	mask_close(mask);
	assert_file("log", "the *** of hunter2");
}
END_TEST

/* The log may not grow: its head stays, and what is lost is counted. */
START_TEST(no_more_room)
{
	int log = log_make("$ nox\n");
	struct relay *relay = relay_open(log, NULL, 0);
	char *text = lines(30), *expected;
	long long lost;
	int error;

	limit_set(RLIMIT_FSIZE, 106);
	for (size_t i = 0; i < 300; i += 60) {
		(void)!write(relay_end(relay), text + i, 60);
		relay_copy(relay);
	}
	lost = relay_close(relay);
	error = errno;
	limit_restore();
	ck_assert_int_eq(lost, 200);
	ck_assert_int_eq(error, EFBIG);
	expected = xasprintf("$ nox\n%.100s", text);
	assert_file("log", expected);
	free(expected);
	free(text);
	close(log);
}
END_TEST

/* What a full disk takes, it gives back the end of. */
START_TEST(full_disk)
{
	int log = open("/dev/full", O_RDWR | O_CLOEXEC);
	struct relay *relay = relay_open(log, NULL, 0);

	feed(relay, "words\n", 6, 6);
	feed(relay, "words\n", 6, 6);
	ck_assert_int_eq(relay_close(relay), 12);
	ck_assert_int_eq(errno, ENOSPC);
	close(log);
}
END_TEST

/* Without a log it goes to standard error, if that takes it. */
START_TEST(no_log)
{
	struct relay *relay = relay_open(-1, NULL, 0);

	feed(relay, "words\n", 6, 6);
	ck_assert_int_eq(relay_close(relay), 0);
	assert_warned("words\n");
}
END_TEST

/* The log cannot be read: what came last is there, though not in order, and nothing hangs. */
START_TEST(unreadable)
{
	struct relay *relay;
	char *text = lines(200);
	int log;

	file_put("log", "");
	log = open("log", O_WRONLY | O_CLOEXEC);
	relay = relay_open(log, NULL, 1000);
	feed(relay, text, 2000, 100);
	ck_assert_int_eq(relay_close(relay), 0);
	ck_assert_int_eq(errno, EBADF);
	close(log);
	free(text);
}
END_TEST

START_TEST(no_pipe)
{
	limit_set(RLIMIT_NOFILE, 3);
	ck_assert_ptr_null(relay_open(-1, NULL, 0));
	limit_restore();
}
END_TEST

Suite *
check_relay_suite(void)
{
	Suite *suite = suite_create("relay");
	TCase *tc = support_case(suite, "relay");

	tcase_add_test(tc, all_of_it);
	tcase_add_test(tc, the_last_of_it);
	tcase_add_loop_test(tc, limited, 0, LENGTHS);
	tcase_add_test(tc, without_secrets);
	tcase_add_test(tc, no_more_room);
	tcase_add_test(tc, full_disk);
	tcase_add_test(tc, no_log);
	tcase_add_test(tc, unreadable);
	tcase_add_test(tc, no_pipe);
	return suite;
}
