#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/sig.h"
#include "output/screen.h"
#include "report/ongoing.h"
#include "report/status.h"
#include "report/table.h"
#include "session/progress.h"
#include "state/request.h"
#include "state/rundir.h"
#include "state/runtime.h"

/* Milliseconds between two boards. */
enum { TICK = 500 };

/* So many sessions that have failed are named. */
enum { FAILED_MOST = 20 };

/* A run, with what belongs to it as long as it is alive. */
struct run {
	int rundir, runtime, table;
	bool lives;
};

static bool
is_over(int rundir)
{
	return rundir_has_ended(rundir) ||
	       !rundir_may_live(rundir);
}

/* The newest run that is alive, or else the newest one. rundir -1 after a warning. */
static struct run
find_run(int state)
{
	struct run run = { .rundir = -1, .runtime = -1, .table = -1 };
	json_t *names = rundir_list(state);

	for (size_t i = json_array_size(names); i-- > 0 && !run.lives;) {
		int rundir = rundir_find_named(state, json_string_value(json_array_get(names, i)));

		if (rundir >= 0 && !is_over(rundir)) {
			run.lives = true;
			run.rundir = rundir;
		} else {
			fd_close(&rundir);
		}
	}
	json_decref(names);
	if (!run.lives)
		run.rundir = rundir_open(state, NULL);
	return run;
}

/* The lines of the board; again: no more than the terminal has. */
static void
render(struct progress *progress, struct board *board, struct buffer *text, bool again)
{
	struct screen_size size = { 0 };
	bool is_terminal = screen_size(&size);
	size_t lines = size.lines > 3 ? (size_t)size.lines - 2 : 2;

	if (!is_terminal || !again)
		lines = 0;
	progress_look(progress, lines > 0 ? lines : board->total + 1000, board);
	board_render(board, screen_left(1), lines, screen_wants_colour(), text);
}

/* The first signal that ends us, or 0. While we are stopped there is no board. */
static int
await_tick(int signals, bool draws)
{
	struct pollfd fd = { .fd = signals, .events = POLLIN };
	int signal;

	poll(&fd, 1, TICK);
	while ((signal = sig_next(signals))) {
		if (signal == SIGTSTP) {
			fputs(draws ? SCREEN_WIPE : "", stdout);
			fflush(stdout);
			raise(SIGSTOP);
		} else if (signal != SIGCHLD && signal != SIGUSR1) {
			return signal;
		}
	}
	return 0;
}

/*
 * Where the board is drawn again and again, until the run is over, nobody reads any more, or a
 * signal ends us, which is returned; else 0.
 */
static int
watch(struct progress *progress, struct run *run)
{
	struct screen_size size;
	int signals = sig_open(), signal = 0;
	bool draws = screen_size(&size), first = true, read = true;
	unsigned done = 0;

	while (read && signal == 0 && !is_over(run->rundir)) {
		struct buffer text = { 0 }, drawn = { 0 };
		struct board board = { 0 };

		render(progress, &board, &text, true);
		if (draws)
			screen_draw(text.data, &drawn);
		else if (first || board.done != done)
			buffer_add(&drawn, text.data, text.len);
		fwrite(drawn.data ? drawn.data : "", 1, drawn.len, stdout);
		read = fflush(stdout) == 0;
		first = false;
		done = board.done;
		buffer_free(&text);
		buffer_free(&drawn);
		signal = await_tick(signals, draws);
	}
	if (draws)
		printf(SCREEN_WIPE);
	fflush(stdout);
	run->lives = false;
	fd_close(&run->table);
	sig_close(signals);
	return signal;
}

/* The bad ones of these that have a log, or those that have none. False: there is none. */
static bool
add_bad(const struct table *table, bool logged, const char *head, struct buffer *line)
{
	size_t n = 0;

	for (size_t i = 0; i < table->n; i++) {
		const struct record *r = &table->records[i];
		char *safe;

		if (!record_is_bad(r) || r->logged != logged || ++n > FAILED_MOST)
			continue;
		safe = screen_safe(r->target);
		buffer_printf(line, "%s%s", n > 1 ? ", " : head, safe);
		if (r->verdict != FAILED)
			buffer_printf(line, " (%s)", verdict_name(r->verdict));
		free(safe);
	}
	if (n > FAILED_MOST)
		buffer_printf(line, " and %zu more", n - FAILED_MOST);
	return n > 0;
}

static void
add_failed(const struct table *table, struct buffer *line)
{
	if (add_bad(table, true, "failed: ", line))
		buffer_addstr(line, "; `noxmk log` has their logs\n");
	if (add_bad(table, false, "without a log: ", line))
		buffer_addstr(line, "\n");
}

/* Of a run that has ended; nothing if none has failed. */
static void
print_failed(int rundir)
{
	struct planfile *plan = planfile_open(rundir);
	struct request request = { 0 };
	struct table table = { 0 };
	struct buffer line = { 0 };

	if (plan && request_read(rundir, &request) == 0 &&
	    table_read(&table, rundir, plan, request.goals, TABLE_SO_FAR) == 0)
		add_failed(&table, &line);
	fputs(line.data ? line.data : "", stdout);
	buffer_free(&line);
	table_clear(&table);
	request_clear(&request);
	planfile_close(plan);
}

int
status_print(int state, bool watches)
{
	struct run run = find_run(state);
	struct progress_options options = { .state = state };
	struct progress *progress = NULL;
	struct board board = { 0 };
	struct buffer text = { 0 };
	int signal;

	if (run.rundir < 0)
		return -1;
	if (run.lives)
		ongoing_open(run.rundir, &run.runtime, &run.table);
	options.rundir = run.rundir;
	options.runtime = run.runtime;
	options.table = run.table;
	options.ended = !run.lives;
	progress = progress_open(&options);
	if (progress && watches && run.lives) {
		/* As if we had not waited for it ourselves. */
		if ((signal = watch(progress, &run)) != 0)
			raise(signal);
		progress_close(progress);
		/* The runtime folder is about to be removed. */
		options.runtime = options.table = -1;
		options.ended = true;
		progress = progress_open(&options);
	}
	if (progress) {
		render(progress, &board, &text, false);
		fputs(text.data, stdout);
		if (!run.lives) {
			print_failed(run.rundir);
			puts("This run has ended: there is none now.");
		}
	}
	progress_close(progress);
	buffer_free(&text);
	fd_close(&run.table);
	fd_close(&run.runtime);
	fd_close(&run.rundir);
	return progress ? 0 : -1;
}
