#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/outlet.h"
#include "output/ci.h"
#include "output/screen.h"
#include "session/drawer.h"
#include "session/progress.h"

/*
 * Seconds between two boards; between two tries to become the one who draws; from a session's start
 * to the first one; while we may not; and between the two looks at make before the first board.
 */
#define TICK 0.2
#define TRY_EVERY 0.25
#define TRY_FIRST 0.1
#define TRY_LATER 1.0
#define LOOK_AGAIN 0.05

/* Seconds in which those that ask what runs are asking once. */
#define TOLD_FOR 1.0

/* Seconds after a helper's end in which make may start others, which print. */
#define QUIET 0.15

/*
 * Seconds after which the whole plan is looked at (progress.h): while one helper draws; of a run in
 * which each draws for less.
 */
#define PATIENT 5.0
#define STALE 30.0

/* More sessions than that are nonsense. */
#define TOTAL_MOST 1e6

/* One read of such a file in proc(5) has no more bytes than a page. */
enum { CHILDREN_SEEN = 4000 };

/* The C library hands on no more at once, and a board has to be one piece. */
enum { FRAME_MOST = 8000 };

/* A terminal that is smaller has no room for a board beside what is printed. */
enum { COLUMNS_LEAST = 20, LINES_LEAST = 6 };

struct drawer {
	struct drawer_options o;
	struct progress *progress; /* NULL until we have drawn */
	bool whole;      /* that knows the whole plan */
	double since;    /* when we became the one who draws */
	struct now_head head; /* of the table at the last look */
	bool draws;      /* it is us */
	bool shown;      /* there may be a board of ours on the terminal */
	bool broken;     /* it cannot be known what the run is at */
	unsigned calm;   /* looks in a row at which make had no other children */
	double due;
};

/* A make within a recipe has neighbours that it does not know of. */
static bool
is_outermost(void)
{
	const char *level = getenv("MAKELEVEL");

	return !level || atoi(level) <= 1;
}

bool
drawer_can(void)
{
	const char *term = getenv("TERM");
	struct screen_size size;

	return isatty(STDOUT_FILENO) && term && *term && strcmp(term, "dumb") != 0 &&
	       is_outermost() && ci_reads("none") == CI_NONE && screen_size(&size) &&
	       size.columns >= COLUMNS_LEAST && size.lines >= LINES_LEAST;
}

struct drawer *
drawer_open(const struct drawer_options *options)
{
	struct drawer *drawer = xcalloc(1, sizeof(*drawer));

	*drawer = (struct drawer){ .o = *options };
	if (options->wanted) {
		drawer->due = clock_monotonic() + TRY_FIRST;
		outlet_wipes(SCREEN_WIPE);
	}
	return drawer;
}

static void
wipe(struct drawer *drawer)
{
	if (!drawer->shown)
		return;
	fputs(SCREEN_WIPE, stdout);
	fflush(stdout);
	drawer->shown = false;
}

void
drawer_hide(struct drawer *drawer)
{
	if (!drawer->draws)
		return;
	wipe(drawer);
	drawer->draws = false;
	drawer->calm = 0;
	now_leave(drawer->o.now);
}

void
drawer_close(struct drawer *drawer)
{
	if (!drawer)
		return;
	if (drawer->o.wanted)
		now_note(drawer->o.now, offsetof(struct now_head, quiet),
		    clock_monotonic() + QUIET);
	drawer_hide(drawer);
	progress_close(drawer->progress);
	free(drawer);
}

double
drawer_due(const struct drawer *drawer)
{
	return drawer->due;
}

/* The text of a file of make's in proc(5); "" if it cannot be had. */
static void
read_of_make(const struct drawer *drawer, const char *name, char *text, size_t size)
{
	char path[64];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)drawer->o.parent->pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		n = read(fd, text, size - 1);
	text[n > 0 ? n : 0] = '\0';
	fd_close(&fd);
}

static bool
is_helper(const struct now_view *view, long pid)
{
	for (size_t i = 0; i < view->n; i++)
		if (view->entries[i].helper == pid && view->entries[i].phase != NOW_ENDED)
			return true;
	return false;
}

/* Has make nothing to run but helpers of this run, and waits for them? */
static bool
is_make_calm(const struct drawer *drawer, const struct now_view *view)
{
	char children[16384], stat[512], name[64], *rest = children, *end;
	const char *after;
	bool found_us = false;
	long pid;

	read_of_make(drawer, "stat", stat, sizeof(stat));
	after = strrchr(stat, ')');
	if (!after || strncmp(after, ") S", 3) != 0)
		return false;
	snprintf(name, sizeof(name), "task/%d/children", (int)drawer->o.parent->pid);
	read_of_make(drawer, name, children, sizeof(children));
	while ((pid = strtol(rest, &end, 10)) > 0 && end != rest) {
		if (!is_helper(view, pid))
			return false;
		found_us = found_us || pid == getpid();
		rest = end;
	}
	/* Where make's children cannot be seen, or not all of them, nobody knows. */
	return found_us && strlen(children) < CHILDREN_SEEN;
}

/* Is the terminal ours to write to, and large enough? */
static bool
has_room(struct screen_size *size)
{
	return tcgetpgrp(STDOUT_FILENO) == getpgrp() && screen_size(size) &&
	       size->columns >= COLUMNS_LEAST && size->lines >= LINES_LEAST;
}

/* May the board be on the screen now, in the eyes of make's other children? */
static bool
is_time(struct drawer *drawer)
{
	struct now_view view = now_look(now_table(drawer->o.now));
	bool calm = is_make_calm(drawer, &view) && view.head.quiet < clock_monotonic();

	drawer->head = view.head;
	now_view_clear(&view);
	drawer->calm = calm ? drawer->calm + 1 : 0;
	return drawer->calm > 1;
}

/* How many sessions there are, if others know and it is too early to look ourselves; else 0. */
static unsigned
known_total(const struct drawer *drawer)
{
	double now = clock_monotonic(), total = drawer->head.total;

	if (now > drawer->since + PATIENT || now > drawer->head.expanded + STALE ||
	    total > TOTAL_MOST)
		return 0;
	return (unsigned)total;
}

static void
open_progress(struct drawer *drawer, unsigned total)
{
	progress_close(drawer->progress);
	drawer->progress = progress_open(&(struct progress_options){ .state = drawer->o.state,
	    .rundir = drawer->o.rundir, .runtime = drawer->o.runtime, .total = total,
	    .table = now_table(drawer->o.now), .own = drawer->o.now });
	drawer->whole = total == 0;
	drawer->broken = !drawer->progress;
}

/* The whole of it, if that is due. */
static bool
has_progress(struct drawer *drawer)
{
	unsigned total;

	if (drawer->whole && drawer->progress)
		return true;
	total = known_total(drawer);
	if (!drawer->progress || total == 0)
		open_progress(drawer, total);
	return drawer->progress != NULL;
}

/* The board in at most so many lines. */
static void
frame_of(const struct board *board, int columns, size_t most, struct buffer *frame)
{
	struct buffer text = { 0 };

	board_render(board, columns, most, screen_wants_colour(), &text);
	frame->len = 0;
	screen_draw(text.data, frame);
	buffer_free(&text);
}

static void
draw(struct drawer *drawer, const struct screen_size *size)
{
	struct buffer frame = { 0 };
	size_t most = (size_t)size->lines - 2;
	struct board board;

	progress_look(drawer->progress, most, &board);
	frame_of(&board, size->columns - 1, most, &frame);
	while (frame.len > FRAME_MOST && most > 2) {
		most -= most / 4 + 1;
		frame_of(&board, size->columns - 1, most > 2 ? most : 2, &frame);
	}
	fwrite(frame.data, 1, frame.len, stdout);
	fflush(stdout);
	drawer->shown = true;
	buffer_free(&frame);
}

void
drawer_look(struct drawer *drawer, bool may)
{
	struct screen_size size;
	double now;

	if (drawer->due == 0)
		return;
	now = clock_monotonic();
	if (!may || drawer->broken)
		drawer_hide(drawer);
	if (drawer->broken)
		drawer->due = 0;
	if (drawer->broken || now < drawer->due)
		return;
	if (!may) {
		drawer->due = now + TRY_LATER;
		return;
	}
	if (!drawer->draws && now_draws(drawer->o.now)) {
		drawer->draws = true;
		drawer->since = now;
	}
	drawer->due = now + (drawer->draws ? TICK : TRY_EVERY);
	/* What nobody reads for now would only become more. */
	if (!drawer->draws || outlet_is_behind())
		return;
	if (!has_room(&size) || !is_time(drawer)) {
		wipe(drawer);
		if (drawer->calm > 0)
			drawer->due = now + LOOK_AGAIN;
		return;
	}
	if (has_progress(drawer))
		draw(drawer, &size);
}

void
drawer_tell(struct drawer *drawer)
{
	struct buffer text = { 0 };
	struct board board;

	if (!now_tells(drawer->o.now, TOLD_FOR))
		return;
	if (!drawer->whole || !drawer->progress)
		open_progress(drawer, 0);
	if (!drawer->progress)
		return;
	progress_look(drawer->progress, SIZE_MAX, &board);
	board_render(&board, screen_left(0), 0, screen_wants_colour(), &text);
	fwrite(text.data, 1, text.len, stdout);
	fflush(stdout);
	buffer_free(&text);
}
