#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "output/lines.h"
#include "support.h"

/* What is shown of the text, which comes in pieces of that size, at once. The caller frees. */
static char *
shown(const char *target, enum ci ci, const char *text, size_t piece)
{
	struct lines *lines = lines_open(target, ci);
	size_t n = strlen(text);

	output_begin();
	for (size_t i = 0; i < n; i += piece)
		lines_feed(lines, text + i, n - i < piece ? n - i : piece, 100);
	lines_flush(lines, false);
	lines_close(lines);
	return output_end();
}

static const struct {
	enum ci ci;
	const char *text, *alone, *among;
} texts[] = {
	{ CI_NONE, "", "", "" },
	{ CI_NONE, "a\nb\n", "a\nb\n", "t | a\nt | b\n" },
	{ CI_NONE, "a\n\nb", "a\n\nb", "t | a\nt | \nt | b\n" },
	/* The last state of each line. */
	{ CI_NONE, "1%\r2%\r3%\nend\n", "3%\nend\n", "t | 3%\nt | end\n" },
	{ CI_NONE, "\r1%\r2%\n", "2%\n", "t | 2%\n" },
	{ CI_NONE, "1%\r2%\r", "2%", "t | 2%\n" },
	{ CI_NONE, "100%\r   \rdone\n", "done\n", "t | done\n" },
	/* Colours end with the line, and go on in the next. */
	{ CI_NONE, "\033[1ma\nb\033[0m\nc\n", "\033[1ma\nb\033[0m\nc\n",
	    "t | \033[1ma\033[0m\nt | \033[1mb\033[0m\nt | c\n" },
	/* Only where a CI reads is this a command. */
	{ CI_NONE, "::error::x\n", "::error::x\n", "t | ::error::x\n" },
	{ CI_ANNOTATIONS, "::error::x\n ::notice::y\na ::z\n", "::error::x\n ::notice::y\na ::z\n",
	    "::error::x\n ::notice::y\nt | a ::z\n" },
};

START_TEST(lines_are_shown_whole)
{
	for (size_t piece = 1; piece < 30; piece++) {
		char *alone = shown(NULL, texts[_i].ci, texts[_i].text, piece);
		char *among = shown("t", texts[_i].ci, texts[_i].text, piece);

		ck_assert_str_eq(alone, texts[_i].alone);
		ck_assert_str_eq(among, texts[_i].among);
		free(alone);
		free(among);
	}
}
END_TEST

/* Fed at that second. */
static void
feed(struct lines *lines, const char *text, double now)
{
	lines_look(lines, now);
	lines_feed(lines, text, strlen(text), now);
}

START_TEST(a_line_that_takes_long_is_shown_in_parts)
{
	struct lines *lines = lines_open("t", CI_NONE);
	char *text;

	output_begin();
	ck_assert_double_eq(lines_due(lines), 0);
	feed(lines, "one ", 10);
	ck_assert_double_eq(lines_due(lines), 11);
	feed(lines, "two ", 10.9);
	feed(lines, "three ", 11);
	feed(lines, "four\nfive\n", 13);
	ck_assert_double_eq(lines_due(lines), 0);
	lines_close(lines);
	text = output_end();
	ck_assert_str_eq(text, "t | one two  …\nt | … three  …\nt | … four\nt | five\n");
	free(text);
}
END_TEST

START_TEST(a_session_alone_shows_the_start_of_its_line_soon)
{
	struct lines *lines = lines_open(NULL, CI_NONE);
	char *text;

	output_begin();
	feed(lines, ".", 10);
	feed(lines, ".", 10.1);
	feed(lines, ".", 10.3);
	feed(lines, "\nso far", 20);
	lines_flush(lines, true);
	feed(lines, " done\n", 20.1);
	lines_close(lines);
	text = output_end();
	ck_assert_str_eq(text, "...\nso far\n done\n");
	free(text);
}
END_TEST

/* What somebody else writes behind the first part would make the second one a line: a command. */
START_TEST(a_ci_never_gets_a_part_that_looks_like_a_line)
{
	struct lines *lines = lines_open(NULL, CI_ANNOTATIONS);
	struct buffer line = { 0 };
	char *text;

	output_begin();
	feed(lines, "a", 10);
	feed(lines, "b\n::error::", 20);
	ck_assert_double_eq(lines_due(lines), 0);
	for (int i = 0; i < PIPE_BUF; i++)
		feed(lines, "x", 30);
	feed(lines, "\n", 30);
	lines_flush(lines, true);
	for (int i = 0; i < PIPE_BUF; i++)
		buffer_addstr(&line, "y");
	buffer_addstr(&line, "::");
	feed(lines, line.data, 40);
	lines_flush(lines, false);
	lines_close(lines);
	text = output_end();
	ck_assert_ptr_nonnull(strstr(text, "ab\n::error::xx"));
	ck_assert_ptr_nonnull(strstr(text, "xx\ny"));
	ck_assert_ptr_null(strstr(text, "x …"));
	ck_assert_ptr_nonnull(strstr(text, "y …\n… y"));
	ck_assert_ptr_null(strstr(strstr(text, "x\ny"), "\n:"));
	ck_assert_int_eq(text[strlen(text) - 1], '\n');
	buffer_free(&line);
	free(text);
}
END_TEST

/* The part on the screen cannot be taken back; the states behind it can wait. */
START_TEST(a_bar_that_begins_late_costs_one_line)
{
	struct lines *alone = lines_open(NULL, CI_NONE), *among = lines_open("t", CI_NONE);
	struct lines *both[] = { alone, among };
	char *text;

	output_begin();
	for (size_t i = 0; i < 2; i++) {
		feed(both[i], "1%", 10);
		feed(both[i], "\r2%", 20);
		ck_assert_double_eq(lines_due(both[i]), 0);
		feed(both[i], "\r3%", 30);
		feed(both[i], "\r4%\nend\n", 40);
		lines_close(both[i]);
	}
	text = output_end();
	ck_assert_str_eq(text, "1%\n4%\nend\nt | 1% …\nt | 4%\nt | end\n");
	free(text);
}
END_TEST

/* Each write is a message here: all of them are whole lines that a pipe keeps together. */
START_TEST(no_write_is_too_long_for_a_pipe)
{
	struct lines *lines = lines_open("target", CI_NONE);
	int ends[2], saved = dup(STDOUT_FILENO), size = 1 << 20, writes = 0;
	char data[PIPE_BUF + 1], *text = xcalloc(20000, 1);
	ssize_t n;

	/* A line that is too long, and many that are not. */
	for (size_t i = 0; i + 2 < 20000; i += 2)
		memcpy(text + i, i % 500 == 0 && i > 12000 ? "!\n" : "ü", 2);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	dup2(ends[1], STDOUT_FILENO);
	close(ends[1]);
	lines_feed(lines, text, strlen(text), 1);
	lines_flush(lines, false);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	while ((n = recv(ends[0], data, sizeof(data), 0)) > 0) {
		writes++;
		ck_assert_int_le(n, PIPE_BUF);
		ck_assert_int_eq(data[n - 1], '\n');
		ck_assert(!strncmp(data, "target | ", 9));
		/* No character is cut in two. */
		ck_assert_int_ne((unsigned char)data[9] & 0xc0, 0x80);
	}
	ck_assert_int_ge(writes, 4);
	close(ends[0]);
	lines_close(lines);
	free(text);
}
END_TEST

Suite *
check_lines_suite(void)
{
	Suite *suite = suite_create("lines");
	TCase *tc = support_case(suite, "lines");

	tcase_add_loop_test(tc, lines_are_shown_whole, 0, countof(texts));
	tcase_add_test(tc, a_line_that_takes_long_is_shown_in_parts);
	tcase_add_test(tc, a_session_alone_shows_the_start_of_its_line_soon);
	tcase_add_test(tc, a_ci_never_gets_a_part_that_looks_like_a_line);
	tcase_add_test(tc, a_bar_that_begins_late_costs_one_line);
	tcase_add_test(tc, no_write_is_too_long_for_a_pipe);
	return suite;
}
