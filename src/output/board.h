#ifndef NOXMK_OUTPUT_BOARD_H
#define NOXMK_OUTPUT_BOARD_H

/*
 * What a run is at, as people see it: a line for all of it, a line for each session that runs, and
 * what the others wait for.
 *
 *   noxmk: 4 of 12 done, 1 failed, 2 run, 6 wait; 42s, about 2m20s left
 *     tests-3.12  40s of 2m05s  2 slots  tests/test_a.py::test_b PASSED
 *     lint        2.1s          1 slot   Checking 40 files
 *   waiting: 5 for a job slot, 1 for database
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/util.h"
#include "state/record.h"

/*
 * A session that runs, or a part of one. All texts are borrowed, and may be anything: they are made
 * safe here.
 */
struct board_row {
	const char *target;
	double seconds;    /* that it runs for */
	double usual;      /* that it takes; -1: unknown */
	unsigned slots;    /* that it holds; 0: unknown */
	const char *state; /* what it does in the place of running, or "" */
	const char *last;  /* the last line of its output, or "" */
};

/* What so many sessions wait for. */
struct board_wait {
	const char *what;
	unsigned n;
};

struct board {
	unsigned total, done;         /* sessions; one that was not run is never done */
	unsigned bad[VERDICTS];       /* how many, as far as they have ended, ended badly so */
	unsigned running;             /* of them; a row is a part, where one is cut */
	double elapsed, left;         /* seconds of the run; left: -1: unknown */
	bool ended;                   /* nothing runs any more, nor will */
	const struct board_row *rows;
	size_t nrows;
	const struct board_wait *waits;
	size_t nwaits;
};

/*
 * Appends its lines, each with its end: none is wider than so many columns (0: no limit), and there
 * are at most so many (0: no limit, else at least 2). colours: as screen_wants_colour says.
 */
void board_render(const struct board *, int columns, size_t lines, bool colours,
    struct buffer *out);

#endif
