#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <bsd/vis.h>

#include "base/util.h"
#include "output/ci.h"
#include "output/screen.h"
#include "output/utf8.h"

/* Columns; see begin_line for those in front of a target. */
enum { WIDTH_USUAL = 80, LEFT_LEAST = 8, BEFORE_TARGET = 19, BEFORE_LOG = 4, LOG_COLUMNS = 200,
	RULE_LEAST = 3 };

#define RED "\033[31m"
#define GREEN "\033[32m"
#define YELLOW "\033[33m"
#define PLAIN "\033[0m"

/* Of this process. */
static bool is_quiet;

static const char *const colours[VERDICTS] = {
	[PASSED] = GREEN,
	[FAILED] = RED,
	[SKIPPED] = YELLOW,
	[ABORTED] = RED,
	[CANCELLED] = RED,
	[NOT_RUN] = RED,
};

/* Under -O make collects what we write, and copies it to a terminal. */
static bool
is_terminal(void)
{
	const char *termout = getenv("MAKE_TERMOUT");

	return isatty(STDOUT_FILENO) || (termout && *termout);
}

/*
 * NO_COLOR (no-color.org) and TERM=dumb forbid colours; FORCE_COLOR asks for them, and so does
 * MAKE_TERMOUT: under -O make collects what we write, and copies it to a terminal. Without any of
 * these there are colours where standard output is a terminal.
 */
bool
screen_wants_colour(void)
{
	const char *no = getenv("NO_COLOR"), *force = getenv("FORCE_COLOR"), *term = getenv("TERM");

	if ((no && *no) || (term && !strcmp(term, "dumb")))
		return false;
	return (force && *force && strcmp(force, "0") != 0) || is_terminal();
}

const char *
screen_colour(const struct record *record)
{
	if (!screen_wants_colour())
		return "";
	/* A session that was not run because another was skipped is as good as skipped. */
	return colours[record->excused ? SKIPPED : record->verdict];
}

const char *
screen_plain(void)
{
	return screen_wants_colour() ? PLAIN : "";
}

struct screen_duration
screen_duration(double seconds)
{
	struct screen_duration text = { "?" };
	int whole;

	/* A damaged record may say anything, NaN too. */
	if (!(seconds >= 0 && seconds < 1e9))
		return text;
	whole = (int)(seconds + 0.5);
	if (seconds < 99.95)
		snprintf(text.s, sizeof(text.s), "%.1fs", seconds);
	else if (whole < 3600)
		snprintf(text.s, sizeof(text.s), "%dm%02ds", whole / 60, whole % 60);
	else
		snprintf(text.s, sizeof(text.s), "%dh%02dm", whole / 3600, whole % 3600 / 60);
	return text;
}

char *
screen_safe(const char *text)
{
	bool to_ci = ci_reads("none") != CI_NONE;
	struct ci_line line = CI_WITHIN;
	struct buffer safe = { 0 };
	char byte[8];

	buffer_addstr(&safe, "");
	for (size_t n; *text; text += n) {
		n = utf8_next(text);
		if (to_ci && !utf8_is_joiner(text, n))
			buffer_addstr(&safe, ci_guard(&line, *text));
		if (n > 0) {
			buffer_add(&safe, text, n);
			continue;
		}
		/* Tabs and line ends too: the text is a cell of a table. */
		n = 1;
		vis(byte, (unsigned char)*text, VIS_CSTYLE | VIS_TAB | VIS_NL, 0);
		buffer_addstr(&safe, byte);
	}
	return safe.data;
}

static int
width_of(int fd)
{
	struct winsize size;

	return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

bool
screen_size(struct screen_size *size)
{
	struct winsize window;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) < 0)
		return false;
	*size = (struct screen_size){ .columns = window.ws_col, .lines = window.ws_row };
	return true;
}

/*
 * IND (ESC D) goes down a line, scrolls where there is none, and stays in its column, while a line
 * end would not. Then the cursor is brought back up, and remembered.
 */
void
screen_draw(const char *lines, struct buffer *out)
{
	const char *end;
	size_t n = 0;

	buffer_addstr(out, SCREEN_WIPE);
	for (end = lines; (end = strchr(end, '\n')); end++, n++)
		buffer_addstr(out, "\033D");
	buffer_printf(out, "\033[%zuA\0337", n);
	for (; (end = strchr(lines, '\n')); lines = end + 1) {
		buffer_addstr(out, "\r\033D");
		buffer_add(out, lines, (size_t)(end - lines));
	}
	buffer_addstr(out, "\0338");
}

/* COLUMNS is for who knows better. */
static int
screen_width(void)
{
	const char *columns = getenv("COLUMNS");
	int width = columns ? atoi(columns) : 0;

	if (!is_terminal())
		return 0;
	if (width <= 0)
		width = width_of(STDOUT_FILENO);
	if (width <= 0)
		width = width_of(STDERR_FILENO);
	return width > 0 ? width : WIDTH_USUAL;
}

int
screen_left(int used)
{
	int width = screen_width();

	if (width == 0)
		return 0;
	return width - used > LEFT_LEAST ? width - used : LEFT_LEAST;
}

void
screen_put_cut(const char *text, int columns)
{
	char *safe = screen_safe(text);
	char *cut = columns > 0 ? utf8_cut(safe, columns) : NULL;

	fputs(cut ? cut : safe, stdout);
	free(cut);
	free(safe);
}

void
screen_put_cell(const char *text, int columns, int width)
{
	int used = utf8_columns(text);

	screen_put_cut(text, columns);
	if (columns > 0 && used > columns)
		used = columns;
	printf("%*s", width > used ? width - used : 0, "");
}

void
screen_put(const char *before, const char *text, const char *after)
{
	char *safe;

	if (!text || !*text)
		return;
	safe = screen_safe(text);
	printf("%s%s%s", before, safe, after);
	free(safe);
}

/* All lines that tell of a run while it goes on have a word, a time or "", and a target. */
static void
begin_line(const char *colour, const char *word, const char *time, const char *target)
{
	printf("%s%-9s%s %7s  %s", colour, word, *colour ? screen_plain() : "", time, target);
}

/* Other processes write to the same screen, so a line goes out whole. */
static void
end_line(void)
{
	putchar('\n');
	fflush(stdout);
}

void
screen_be_quiet(void)
{
	is_quiet = true;
}

bool
screen_is_quiet(void)
{
	return is_quiet;
}

static void
put_ended(const struct record *r)
{
	begin_line(screen_colour(r), verdict_name(r->verdict), screen_duration(r->duration).s,
	    r->target);
	if (r->reason && *r->reason) {
		printf(": ");
		screen_put_cut(r->reason, screen_left(BEFORE_TARGET + utf8_columns(r->target) + 2));
	}
}

void
screen_ended(const struct record *r)
{
	if (is_quiet)
		return;
	put_ended(r);
	end_line();
}

/*
 * Takes so many characters from rows of one and the same, the last row first. A heading that fills
 * the screen, as "____ test_name ____" does, would else lose its middle, which is its name.
 */
static void
shorten_rules(char *line, int excess)
{
	size_t end = strlen(line), at;

	for (; end > 0 && excess > 0; end = at) {
		int less;

		at = end - 1;
		while (at > 0 && line[at - 1] == line[at])
			at--;
		less = (int)(end - at) - RULE_LEAST;
		if (less <= 0 || !strchr("_=-*#~.+", line[at]))
			continue;
		less = less < excess ? less : excess;
		memmove(line + at, line + at + less, strlen(line + at + less) + 1);
		excess -= less;
	}
}

/* A tab would be as wide as it likes. */
static void
put_log_line(const char *text)
{
	char *line = xstrdup(text);
	int left = screen_left(BEFORE_LOG), columns = left > 0 ? left : LOG_COLUMNS;

	for (char *p = line; *p; p++)
		if (*p == '\t')
			*p = ' ';
	shorten_rules(line, utf8_columns(line) - columns);
	printf("\n%*s", BEFORE_LOG, "");
	screen_put_cut(line, columns);
	free(line);
}

void
screen_failed(const struct record *r, const struct tail *tail)
{
	if (is_quiet)
		return;
	put_ended(r);
	if (!tail->whole)
		printf("\n%*s… all of it: noxmk log %s", BEFORE_LOG, "", r->target);
	for (size_t i = 0; i < tail->lines.n; i++)
		put_log_line(tail->lines.v[i]);
	end_line();
}

void
screen_retries(const struct record *r, double seconds)
{
	if (is_quiet)
		return;
	begin_line("", "retry", screen_duration(r->duration).s, r->target);
	printf(": %s", verdict_name(r->verdict));
	screen_put(": ", r->reason, "");
	printf("; again in %.1fs", seconds);
	end_line();
}

void
screen_waits(const char *target, const json_t *blocker)
{
	const char *holder = json_string_value(json_object_get(blocker, "target"));
	const char *resource = json_string_value(json_object_get(blocker, "resource"));

	if (is_quiet)
		return;
	begin_line("", "waits", "", target);
	printf(": for ");
	screen_put("", holder ? holder : "?", "");
	printf(" (pid %lld), which has ",
	    (long long)json_integer_value(json_object_get(blocker, "pid")));
	screen_put("", resource ? resource : "?", "");
	end_line();
}

void
screen_rechecks(const char *target, const char *what)
{
	if (is_quiet)
		return;
	begin_line("", "recheck", "", target);
	printf(": %s", what);
	end_line();
}

void
screen_slow(const char *target, double seconds, int log)
{
	char *line = tail_line(log);

	if (!is_quiet) {
		begin_line("", "slow", screen_duration(seconds).s, target);
		if (*line) {
			printf(": ");
			screen_put_cut(line,
			    screen_left(BEFORE_TARGET + utf8_columns(target) + 2));
		}
		end_line();
	}
	free(line);
}
