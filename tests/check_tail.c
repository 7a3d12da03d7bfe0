#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output/tail.h"
#include "support.h"

/* The lines of such a log with | behind each, and a + in front if there are others. */
static char *
lines_of(const char *text, size_t len, size_t most)
{
	int log = open("a.log", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	struct buffer all = { 0 };
	struct tail tail;

	ck_assert_int_eq(write(log, text, len), (ssize_t)len);
	tail = tail_open(log, most);
	buffer_addstr(&all, tail.whole ? "" : "+");
	for (size_t i = 0; i < tail.lines.n; i++)
		buffer_printf(&all, "%s|", tail.lines.v[i]);
	tail_close(&tail);
	close(log);
	return all.data;
}

static const struct {
	const char *log, *last;
} lasts[] = {
	{ "$ nox -s a\n", "" }, { "$ nox -s a", "" }, { "", "" },
	{ "$ nox\none\ntwo\n", "two" }, { "$ nox\none\n\n  \n", "one" },
	{ "$ nox\none\n  tw", "tw" }, { "$ nox\n10%\r20%\r", "20%" },
	{ "$ nox\n\033[32mgreen\033[0m\n\033[0m\n", "green" },
	{ "$ nox\n\033[2J\033]0;title\a\033(B x\033", "x" },
	{ "$ nox\n\033]0;a\033\\b\033P1q\033\\\033_c\033\\\033Xd\033\\e", "be" },
	{ "$ nox\na\n\033]0;title without an end", "a" },
	{ "$ nox\n\r\r\n", "" }, { "$ nox\n\033[", "" }, { "$ nox\nx\n\033", "x" },
	{ "$ nox\n\033]0;a\033[1mb\033\033[0mc\033[3\033[0md", "bcd" },
};

START_TEST(the_last_line_is_what_the_session_wrote)
{
	char *line;
	int log;

	file_put("a.log", lasts[_i].log);
	log = open("a.log", O_RDONLY | O_CLOEXEC);
	line = tail_line(log);
	ck_assert_str_eq(line, lasts[_i].last);
	free(line);
	close(log);
}
END_TEST

START_TEST(the_last_line_of_a_long_log_is_its_end)
{
	char *text = xcalloc(1, 3001), *line;
	int log;

	memset(text, 'x', 3000);
	memcpy(text + 2000, "\n", 1);
	memcpy(text, "$ nox\n", 6);
	file_put("a.log", text);
	log = open("a.log", O_RDONLY | O_CLOEXEC);
	line = tail_line(log);
	ck_assert_uint_eq(strlen(line), 999);
	free(line);
	line = tail_line(-1);
	ck_assert_str_eq(line, "");
	free(line);
	close(log);
	free(text);
}
END_TEST

#define END "\n[exited with status 1.]\n"

static const struct {
	const char *log, *lines;
} tails[] = {
	{ "$ nox\n" END, "" }, { "$ nox\none\n" END, "one|" }, { "$ nox\none" END, "one|" },
	{ "$ nox\none\n\n  two\n" END, "one|  two|" }, { "$ nox\na\nb\nc" END, "a|b|c|" },
	{ "$ nox\na\nb\nc\n\033[1md" END, "+b|c|d|" }, { "$ nox\n1%\r2%\r\n" END, "2%|" },
	{ "$ nox\n[exited with status 0.]\n" END, "[exited with status 0.]|" },
	{ "$ nox\n***\n\n[noxmk: masked: A]\n[exited with status 1.]\n", "***|" },
	{ "$ nox\n\n[noxmk: masked: A]\n[exited with status 1.]\n", "" },
	{ "$ nox", "" }, { "", "" },
};

START_TEST(the_last_lines_are_what_the_session_wrote)
{
	char *lines = lines_of(tails[_i].log, strlen(tails[_i].log), 3);

	ck_assert_str_eq(lines, tails[_i].lines);
	free(lines);
}
END_TEST

START_TEST(without_a_log_nothing_is_whole)
{
	struct tail tail = tail_open(-1, 3);

	ck_assert_uint_eq(tail.lines.n, 0);
	ck_assert(!tail.whole);
	tail_close(&tail);
}
END_TEST

START_TEST(a_nul_does_not_end_a_line)
{
	static const char text[] = "$ nox\na\0b\n" END;
	char *lines = lines_of(text, sizeof(text) - 1, 3);

	ck_assert_str_eq(lines, "a b|");
	free(lines);
}
END_TEST

START_TEST(of_a_long_log_only_the_end_is_read)
{
	size_t len = 40000;
	char *text = xcalloc(1, len + sizeof(END)), *lines;

	memset(text, 'x', len);
	memcpy(text, "$ nox\n", 6);
	memcpy(text + len - 3, "\nok", 3);
	memcpy(text + len, END, sizeof(END) - 1);
	lines = lines_of(text, len + sizeof(END) - 1, 3);
	ck_assert_int_eq(lines[0], '+');
	ck_assert_uint_lt(strlen(lines), 20000);
	ck_assert_ptr_nonnull(strstr(lines, "x|ok|"));
	free(lines);
	free(text);
}
END_TEST

Suite *
check_tail_suite(void)
{
	Suite *suite = suite_create("tail");
	TCase *tc = support_case(suite, "tail");

	tcase_add_loop_test(tc, the_last_line_is_what_the_session_wrote, 0, (int)countof(lasts));
	tcase_add_test(tc, the_last_line_of_a_long_log_is_its_end);
	tcase_add_loop_test(tc, the_last_lines_are_what_the_session_wrote, 0,
	    (int)countof(tails));
	tcase_add_test(tc, without_a_log_nothing_is_whole);
	tcase_add_test(tc, a_nul_does_not_end_a_line);
	tcase_add_test(tc, of_a_long_log_only_the_end_is_read);
	return suite;
}
