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

/* Of a session without secrets. */
static struct relay *
open_relay(int log, long long limit)
{
	static struct mask *mask;
	struct strings none = { 0 };
	char *const variables[] = { NULL };

	if (!mask)
		mask = mask_open(&(struct secrets){ none, none }, variables);
	return relay_open(log, &(struct commands_options){ .mask = mask }, limit);
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

START_TEST(every_byte_reaches_the_log)
{
	static const char bytes[] = "a\0b\xff\n\n";
	int log = log_make("$ nox\n");
	struct relay *relay = open_relay(log, 0);
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

START_TEST(what_is_in_the_pipe_at_the_end_is_copied)
{
	int log = log_make("");
	struct relay *relay = open_relay(log, 0);
	int end = dup(relay_end(relay));

	ck_assert_int_eq(fd_write_all(end, "last\n", 5), 0);
	ck_assert_int_eq(relay_close(relay), 0);
	close(end);
	close(log);
	assert_file("log", "last\n");
}
END_TEST

/* Whatever the length is, the bytes are in order, and the number of those cut out is right. */
START_TEST(of_a_long_log_head_and_tail_are_kept)
{
	static const int lengths[] = { 99, 100, 101, 102, 149, 150, 151, 1000, 1023, 33333 };
	int n = lengths[_i];
	char *text = lines(n), *expected;
	int log = log_make("$ nox\n");
	struct relay *relay = open_relay(log, 1000);

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

START_TEST(no_secret_reaches_the_log)
{
	struct strings patterns = { (const char *[]){ "*TOKEN*" }, 1 }, none = { 0 };
	char token[] = "A_TOKEN=hunter22";
	char *const variables[] = { token, NULL };
	struct mask *mask = mask_open(&(struct secrets){ patterns, none }, variables);
	int log = log_make("");
	struct relay *relay = relay_open(log, &(struct commands_options){ .mask = mask }, 0);

	feed(relay, "the hunter22 of hunter2", 23, 6);
	ck_assert_int_eq(relay_close(relay), 0);
	close(log);
	mask_close(mask);
	assert_file("log", "the *** of hunter2");
}
END_TEST

/* What the log has when a command is found. */
static void
look(void *data, bool is_annotation, const char *line, size_t n)
{
	ck_assert(!is_annotation);
	ck_assert_uint_eq(n, strlen("::add-mask::hunter22"));
	ck_assert(!strncmp(line, "::add-mask::hunter22", n));
	assert_file("log", "one\n");
	*(bool *)data = true;
}

START_TEST(a_command_is_handed_on_after_what_was_before_it)
{
	struct strings none = { 0 };
	char *const variables[] = { NULL };
	struct mask *mask = mask_open(&(struct secrets){ none, none }, variables);
	bool found = false;
	struct commands_options options = { .mask = mask, .masks = true, .found = look,
		.data = &found };
	int log = log_make("");
	struct relay *relay = relay_open(log, &options, 0);
	static const char text[] = "one\n::add-mask::hunter22\ntwo hunter22";

	relay_take(relay, text, strlen(text));
	ck_assert(found);
	ck_assert_int_eq(relay_close(relay), 0);
	assert_file("log", "one\n::add-mask::***\ntwo ***");
	close(log);
	mask_close(mask);
}
END_TEST

/* The log may not grow beyond a limit of the process, and its head stays. */
START_TEST(what_is_lost_is_counted)
{
	int log = log_make("$ nox\n");
	struct relay *relay = open_relay(log, 0);
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

START_TEST(on_a_full_disk_all_is_counted_as_lost)
{
	int log = open("/dev/full", O_RDWR | O_CLOEXEC);
	struct relay *relay = open_relay(log, 0);

	feed(relay, "words\n", 6, 6);
	feed(relay, "words\n", 6, 6);
	ck_assert_int_eq(relay_close(relay), 12);
	ck_assert_int_eq(errno, ENOSPC);
	close(log);
}
END_TEST

START_TEST(without_a_log_it_goes_to_standard_error)
{
	struct relay *relay = open_relay(-1, 0);

	feed(relay, "words\n", 6, 6);
	ck_assert_int_eq(relay_close(relay), 0);
	assert_warned("words\n");
}
END_TEST

/* Its tail is there, though not in order. */
START_TEST(a_log_that_cannot_be_read_hangs_nothing)
{
	struct relay *relay;
	char *text = lines(200);
	int log;

	file_put("log", "");
	log = open("log", O_WRONLY | O_CLOEXEC);
	relay = open_relay(log, 1000);
	feed(relay, text, 2000, 100);
	ck_assert_int_eq(relay_close(relay), 0);
	ck_assert_int_eq(errno, EBADF);
	close(log);
	free(text);
}
END_TEST

START_TEST(without_a_pipe_there_is_no_relay)
{
	limit_set(RLIMIT_NOFILE, 3);
	ck_assert_ptr_null(open_relay(-1, 0));
	limit_restore();
}
END_TEST

Suite *
check_relay_suite(void)
{
	Suite *suite = suite_create("relay");
	TCase *tc = support_case(suite, "relay");

	tcase_add_test(tc, every_byte_reaches_the_log);
	tcase_add_test(tc, what_is_in_the_pipe_at_the_end_is_copied);
	tcase_add_loop_test(tc, of_a_long_log_head_and_tail_are_kept, 0, LENGTHS);
	tcase_add_test(tc, no_secret_reaches_the_log);
	tcase_add_test(tc, a_command_is_handed_on_after_what_was_before_it);
	tcase_add_test(tc, what_is_lost_is_counted);
	tcase_add_test(tc, on_a_full_disk_all_is_counted_as_lost);
	tcase_add_test(tc, without_a_log_it_goes_to_standard_error);
	tcase_add_test(tc, a_log_that_cannot_be_read_hangs_nothing);
	tcase_add_test(tc, without_a_pipe_there_is_no_relay);
	return suite;
}
