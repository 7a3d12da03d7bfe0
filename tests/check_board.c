#include <stdlib.h>
#include <string.h>

#include "output/board.h"
#include "output/utf8.h"
#include "support.h"

static const struct board_row rows[] = {
	{ .target = "tests-3.12", .seconds = 40.04, .usual = 125, .slots = 2, .state = "",
	    .last = "tests/test_a.py::test_b PASSED" },
	{ .target = "lint", .seconds = 2.1, .usual = -1, .slots = 1, .state = "",
	    .last = "日本語テスト\tand\033[2J more of it than there is room for here, by far" },
	{ .target = "a-target-with-a-name-that-is-long", .seconds = 100, .usual = 1, .slots = 1,
	    .state = "waits for free processors", .last = "not shown" },
};

static const struct board_wait waits[] = { { "a job slot", 5 }, { "database", 1 } };

static const struct board board = { .total = 14, .done = 5, .bad = { [FAILED] = 1 }, .elapsed = 42,
	.left = 140, .running = 3, .rows = rows, .nrows = 3, .waits = waits, .nwaits = 2 };

static char *
rendered(const struct board *b, int columns, size_t lines, bool colours)
{
	struct buffer out = { 0 };

	board_render(b, columns, lines, colours, &out);
	return out.data;
}

static const struct {
	int columns;
	size_t lines;
	const char *text;
} goldens[] = {
	{ 0, 0, "noxmk: 5 of 14 done, 1 failed, 3 run, 6 wait; 42.0s, about 2m20s left\n"
	    "  tests-3.12                         40.0s of 2m05s  2 slots  "
	    "tests/test_a.py::test_b PASSED\n"
	    "  lint                               2.1s            1 slot   "
	    "日本語テスト\\tand\\^[[2J more of it than there is room for here, by far\n"
	    "  a-target-with-a-name-that-is-long  1m40s of 1.0s   1 slot   "
	    "waits for free processors\n"
	    "waiting: 5 for a job slot, 1 for database\n" },
	{ 100, 0, "noxmk: 5 of 14 done, 1 failed, 3 run, 6 wait; 42.0s, about 2m20s left\n"
	    "  tests-3.12                         40.0s of 2m05s  2 slots  "
	    "tests/test_a.py::test_b PASSED\n"
	    "  lint                               2.1s            1 slot   "
	    "日本語テスト\\tand\\^…m for here, by far\n"
	    "  a-target-with-a-name-that-is-long  1m40s of 1.0s   1 slot   "
	    "waits for free processors\n"
	    "waiting: 5 for a job slot, 1 for database\n" },
	{ 40, 4, "noxmk: 5 of 14 done, 1 failed, 3 run\n"
	    "  tests-3.12  40.0s of 2m05s  2 slots\n"
	    "  … 2 more\n"
	    "waiting: 5 for a job…lot, 1 for database\n" },
	{ 40, 2, NULL }, { 20, 3, NULL }, { 9, 0, NULL }, { 1, 0, NULL },
};

/* No line is wider than the terminal, and there are no more than it has. */
START_TEST(it_fits)
{
	char *text = rendered(&board, goldens[_i].columns, goldens[_i].lines, false);
	size_t n = 0;

	if (goldens[_i].text)
		ck_assert_str_eq(text, goldens[_i].text);
	for (char *rest = text, *line; (line = strsep(&rest, "\n")) && rest; n++)
		if (goldens[_i].columns > 0)
			ck_assert_msg(utf8_columns(line) <= goldens[_i].columns, "%s", line);
	if (goldens[_i].lines > 0)
		ck_assert_uint_le(n, goldens[_i].lines);
	ck_assert_uint_gt(n, 0);
	free(text);
}
END_TEST

START_TEST(what_is_not_so_is_not_said)
{
	const struct board begun = { .total = 3, .left = -1, .elapsed = 0.2 };
	const struct board ended = { .total = 3, .done = 2, .bad = { [NOT_RUN] = 1 },
		.left = -1, .elapsed = 4, .ended = true };
	char *text = rendered(&begun, 0, 0, true);

	ck_assert_str_eq(text, "noxmk: 0 of 3 done, 3 wait; 0.2s\n");
	free(text);
	text = rendered(&ended, 0, 0, true);
	ck_assert_str_eq(text, "noxmk: 2 of 3 done, 1 not run; 4.0s\n");
	free(text);
}
END_TEST

START_TEST(failures_have_a_colour_and_nothing_else)
{
	char *text = rendered(&board, 0, 0, true);

	ck_assert(!strncmp(text, "noxmk: 5 of 14 done, \033[31m1 failed\033[0m, 3 run, ", 45));
	ck_assert_ptr_null(strchr(strstr(text, "\033[0m") + 1, '\033'));
	free(text);
	text = rendered(&board, 0, 0, false);
	ck_assert_ptr_null(strchr(text, '\033'));
	free(text);
}
END_TEST

Suite *
check_board_suite(void)
{
	Suite *suite = suite_create("board");
	TCase *tc = support_case(suite, "board");

	tcase_add_loop_test(tc, it_fits, 0, (int)countof(goldens));
	tcase_add_test(tc, what_is_not_so_is_not_said);
	tcase_add_test(tc, failures_have_a_colour_and_nothing_else);
	return suite;
}
