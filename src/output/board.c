#include <stdlib.h>
#include <string.h>

#include "output/board.h"
#include "output/screen.h"
#include "output/utf8.h"

/* Columns: in front of a target, between two columns, and of a target where a row is cut. */
enum { MARGIN = 2, GAP = 2, NAMES_LEAST = 8, SHOWN_LEAST = 4 };

#define RED "\033[31m"
#define PLAIN "\033[0m"

/* Widths of the columns of the rows that are shown. */
struct layout {
	int columns; /* of the terminal; 0: no limit */
	int names, times, slots;
	bool colours;
};

static int
wider(int width, int other)
{
	return width > other ? width : other;
}

/* The text as it may be shown, cut to so many columns (0: no limit). The caller frees. */
static char *
fit(const char *text, int columns)
{
	char *safe = screen_safe(text), *cut;

	if (columns <= 0)
		return safe;
	cut = utf8_cut(safe, columns);
	free(safe);
	return cut;
}

/* "40.2s of 1m05s". */
static char *
times_of(const struct board_row *row)
{
	struct screen_duration now = screen_duration(row->seconds);

	if (row->usual < 0)
		return xstrdup(now.s);
	return xasprintf("%s of %s", now.s, screen_duration(row->usual).s);
}

static char *
slots_of(const struct board_row *row)
{
	return row->slots > 0 ? xasprintf("%u slot%s", row->slots, row->slots == 1 ? "" : "s") :
				xstrdup("");
}

static struct layout
lay_out(const struct board *board, size_t shown, int columns, bool colours)
{
	struct layout layout = { .columns = columns, .colours = colours };
	bool several = false;

	for (size_t i = 0; i < shown; i++) {
		char *times = times_of(&board->rows[i]), *slots = slots_of(&board->rows[i]);

		layout.names = wider(layout.names, utf8_columns(board->rows[i].target));
		layout.times = wider(layout.times, utf8_columns(times));
		layout.slots = wider(layout.slots, utf8_columns(slots));
		several = several || board->rows[i].slots > 1;
		free(times);
		free(slots);
	}
	/* That each has one goes without saying. */
	if (!several)
		layout.slots = 0;
	if (columns > 0 && layout.names > columns / 3)
		layout.names = wider(columns / 3, NAMES_LEAST);
	return layout;
}

/* Appends the text and blanks up to that width. */
static void
add_cell(struct buffer *line, const char *text, int width)
{
	char *cell = fit(text, width);
	int used = utf8_columns(cell);

	buffer_printf(line, "%s%*s", cell, width > used ? width - used : 0, "");
	free(cell);
}

/* Appends it as a line that is no wider than the terminal. */
static void
end_line(struct buffer *line, const struct layout *layout, struct buffer *out)
{
	char *cut = layout->columns > 0 ? utf8_cut(line->data, layout->columns) : NULL;
	char *text = cut ? cut : line->data;
	size_t len = strlen(text);

	while (len > 0 && text[len - 1] == ' ')
		len--;
	buffer_add(out, text, len);
	buffer_addstr(out, "\n");
	free(cut);
	buffer_free(line);
}

static void
add_row(const struct board_row *row, const struct layout *layout, struct buffer *out)
{
	const char *said = *row->state ? row->state : row->last;
	char *times = times_of(row), *slots = slots_of(row), *last;
	struct buffer line = { 0 };
	int left;

	buffer_printf(&line, "%*s", MARGIN, "");
	add_cell(&line, row->target, layout->names);
	buffer_printf(&line, "%*s%-*s", GAP, "", layout->times, times);
	if (layout->slots > 0)
		buffer_printf(&line, "%*s%-*s", GAP, "", layout->slots, slots);
	left = layout->columns - utf8_columns(line.data) - GAP;
	if (*said && (layout->columns == 0 || left >= SHOWN_LEAST)) {
		last = fit(said, layout->columns > 0 ? left : 0);
		buffer_printf(&line, "%*s%s", GAP, "", last);
		free(last);
	}
	end_line(&line, layout, out);
	free(times);
	free(slots);
}

/* Adds a part to the first line if all of it still fits; false: from here on nothing does. */
static bool
add_part(struct buffer *line, const struct layout *layout, int *used, const char *colour,
    char *part)
{
	int columns = utf8_columns(part);
	bool fits = layout->columns == 0 || *used + columns <= layout->columns;

	if (fits)
		buffer_printf(line, "%s%s%s", colour, part, *colour ? PLAIN : "");
	*used += columns;
	free(part);
	return fits;
}

/* As a summary counts them: one that never ran is not the one that has failed. Likewise. */
static bool
add_bad(struct buffer *line, const struct layout *layout, int *used, unsigned n, enum verdict v)
{
	const char *colour = layout->colours && v != NOT_RUN ? RED : "";

	return n == 0 || (add_part(line, layout, used, "", xstrdup(", ")) &&
	    add_part(line, layout, used, colour, xasprintf("%u %s", n, verdict_name(v))));
}

/* What matters least comes last, and is left out where the terminal is narrow. */
static void
add_head(const struct board *board, const struct layout *layout, struct buffer *out)
{
	unsigned begun = board->done + board->running + board->bad[NOT_RUN];
	unsigned waiting = board->total > begun ? board->total - begun : 0;
	struct buffer line = { 0 };
	int used = 0;
	bool fits;

	fits = add_part(&line, layout, &used, "", xasprintf("noxmk: %u of %u done", board->done,
	    board->total));
	for (enum verdict v = 0; v < VERDICTS; v++)
		fits = fits && add_bad(&line, layout, &used, board->bad[v], v);
	if (board->running > 0)
		fits = fits && add_part(&line, layout, &used, "", xasprintf(", %u run",
		    board->running));
	if (waiting > 0)
		fits = fits && add_part(&line, layout, &used, "", xasprintf(", %u wait", waiting));
	fits = fits && add_part(&line, layout, &used, "", xasprintf("; %s",
	    screen_duration(board->elapsed).s));
	if (fits && board->left >= 0 && !board->ended)
		(void)add_part(&line, layout, &used, "", xasprintf(", about %s left",
		    screen_duration(board->left).s));
	buffer_printf(out, "%s\n", line.data ? line.data : "");
	buffer_free(&line);
}

static void
add_waits(const struct board *board, const struct layout *layout, struct buffer *out)
{
	struct buffer line = { 0 };

	buffer_addstr(&line, "waiting: ");
	for (size_t i = 0; i < board->nwaits; i++) {
		char *what = screen_safe(board->waits[i].what);

		buffer_printf(&line, "%s%u for %s", i > 0 ? ", " : "", board->waits[i].n, what);
		free(what);
	}
	end_line(&line, layout, out);
}

void
board_render(const struct board *board, int columns, size_t lines, bool colours,
    struct buffer *out)
{
	size_t others = 1 + (board->nwaits > 0), shown = board->nrows;
	struct layout layout;
	struct buffer more = { 0 };

	/* One of the lines says how many are not shown. */
	if (lines > 0 && shown + others > lines)
		shown = lines > others + 1 ? lines - others - 1 : 0;
	layout = lay_out(board, shown, columns, colours);
	add_head(board, &layout, out);
	for (size_t i = 0; i < shown; i++)
		add_row(&board->rows[i], &layout, out);
	if (shown < board->nrows && lines > others) {
		buffer_printf(&more, "%*s… %zu more", MARGIN, "", board->nrows - shown);
		end_line(&more, &layout, out);
	}
	if (board->nwaits > 0)
		add_waits(board, &layout, out);
}
