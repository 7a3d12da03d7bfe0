#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/util.h"
#include "output/filter.h"
#include "output/joblog.h"
#include "output/lines.h"
#include "output/tail.h"

int
joblog_open(int rundir, const char *target, char *const argv[], struct mask *mask)
{
	char *name = xasprintf("%s.log", target);
	struct buffer line = { 0 };
	char *text;
	int log = file_create(rundir, name, O_RDWR);

	buffer_addstr(&line, "$");
	for (; *argv; argv++) {
		buffer_addstr(&line, " ");
		buffer_add_shell(&line, *argv);
	}
	buffer_addstr(&line, "\n");
	mask_forget_names(mask);
	text = mask_text(mask, line.data);
	if (log < 0 || fd_write_all(log, text, strlen(text)) < 0) {
		warn("%s", name);
		if (log >= 0)
			close(log);
		log = -1;
	} else {
		file_give(rundir, name);
	}
	free(text);
	free(name);
	return log;
}

void
joblog_close(int log, const char *target, const char *status, const struct mask *mask)
{
	char *names = mask_names(mask);
	struct buffer line = { 0 };
	bool written;

	buffer_addstr(&line, "\n");
	if (names)
		buffer_printf(&line, "[noxmk: masked: %s]\n", names);
	buffer_printf(&line, "[%s.]\n", status);
	free(names);
	written = fd_write_all(log, line.data, line.len) == 0;
	if (close(log) < 0 || !written)
		warn("%s.log: the end of the log is lost", target);
	buffer_free(&line);
}

char *
joblog_set_aside(int rundir, const char *target, size_t number)
{
	char *old = xasprintf("%s.log", target), *new = xasprintf("%s.%zu", old, number);

	if (renameat(rundir, old, rundir, new) < 0) {
		warn("%s", new);
		free(new);
		new = NULL;
	}
	free(old);
	return new;
}

/* No log has so many bytes. */
#define OFF_MAX INT64_MAX

/* What shows a log's text. */
struct view {
	struct filter *filter;
	struct lines *lines;
};

static struct view
view_open(const char *target, enum ci ci)
{
	return (struct view){ filter_open(ci), lines_open(target, ci) };
}

static void
view_close(struct view *view)
{
	filter_close(view->filter);
	lines_close(view->lines);
}

/* The data, or NULL at their end. */
static void
show(struct view *view, const char *data, size_t n)
{
	struct buffer shown = { 0 };

	if (data)
		filter_feed(view->filter, data, n, &shown);
	else
		filter_flush(view->filter, &shown);
	lines_feed(view->lines, shown.data, shown.len, clock_monotonic());
	if (!data)
		lines_flush(view->lines, false);
	buffer_free(&shown);
}

/*
 * From one place of the log to another one, or its end; view: NULL for byte for byte. How many
 * lines were shown, or -1 with errno set when the log cannot be read.
 */
static long long
show_range(int log, off_t from, off_t to, struct view *view)
{
	long long lines = 0;
	char data[16384];
	ssize_t n = 0;

	for (; from < to; from += n) {
		size_t most = to - from < (off_t)sizeof(data) ? (size_t)(to - from) : sizeof(data);

		n = pread(log, data, most, from);
		if (n <= 0)
			break;
		for (ssize_t i = 0; i < n; i++)
			lines += data[i] == '\n';
		if (view)
			show(view, data, (size_t)n);
		else if (fd_write_all(STDOUT_FILENO, data, (size_t)n) < 0)
			break; /* nobody reads that any more */
	}
	if (view)
		show(view, NULL, 0);
	return n < 0 ? -1 : lines;
}

/* The same through a view of its own; 0 when it cannot be read. */
static long long
show_filtered(int log, off_t from, off_t to)
{
	struct view view = view_open(NULL, ci_reads("none"));
	long long lines = show_range(log, from, to, &view);

	view_close(&view);
	return lines > 0 ? lines : 0;
}

int
joblog_find(int rundir, const char *target)
{
	char *name = xasprintf("%s.log", target);
	int log = strchr(target, '/') ? -1 : file_open(rundir, name, O_RDONLY, 0);

	free(name);
	return log;
}

/* Is a log to be shown byte for byte? asked: somebody says so. */
static bool
is_raw(bool asked)
{
	return asked || (ci_reads("none") == CI_NONE && !isatty(STDOUT_FILENO));
}

int
joblog_print(int rundir, const char *target, bool raw)
{
	int log = joblog_find(rundir, target), result;
	struct view view;

	if (log < 0) {
		warnx("%s: no log in this run (`make nox-list` names the targets)", target);
		return -1;
	}
	view = view_open(NULL, ci_reads("none"));
	result = show_range(log, 0, OFF_MAX, is_raw(raw) ? NULL : &view) < 0 ? -1 : 0;
	if (result < 0)
		warn("%s.log", target);
	view_close(&view);
	close(log);
	return result;
}

void
joblog_print_end(int rundir, const char *target, int kib)
{
	char *name = xasprintf("%s.log", target);
	int log = file_open(rundir, name, O_RDONLY, 0);
	off_t most = (off_t)kib * 1024, from = 0;
	struct stat st;

	if (log < 0 || fstat(log, &st) < 0) {
		warn("%s", name);
	} else {
		if (st.st_size > most) {
			printf("… its last %d KiB of %lld KiB\n", kib,
			    (long long)st.st_size / 1024);
			from = st.st_size - most;
		}
		fflush(stdout);
		(void)show_filtered(log, from, OFF_MAX);
	}
	fd_close(&log);
	free(name);
}

/* The last line end in front of that place, or behind it the first one, if there is one nearby. */
static off_t
line_end_near(int log, off_t place, bool before)
{
	char data[4096];
	off_t before_it = place < (off_t)sizeof(data) ? place : (off_t)sizeof(data);
	off_t from = before ? place - before_it : place;
	ssize_t n = pread(log, data, before ? (size_t)before_it : sizeof(data), from);
	const char *end = n <= 0 ? NULL :
	    before ? memrchr(data, '\n', (size_t)n) : memchr(data, '\n', (size_t)n);

	return end ? from + (end - data) + 1 : place;
}

long long
joblog_print_cut(int rundir, const char *file, const char *path, long long head, long long tail)
{
	int log = file_open(rundir, file, O_RDONLY, 0);
	long long lines = 0;
	off_t end, from;
	struct stat st;

	if (log < 0 || fstat(log, &st) < 0) {
		warn("%s", file);
	} else if (st.st_size <= head + tail) {
		lines = show_filtered(log, 0, st.st_size);
	} else {
		end = line_end_near(log, head, true);
		from = line_end_near(log, st.st_size - tail, false);
		lines = show_filtered(log, 0, end) + 1;
		printf("… %lld KiB are left out here; all of it: %s\n",
		    (long long)(from - end) / 1024, path);
		lines += show_filtered(log, from, st.st_size);
	}
	fd_close(&log);
	return lines;
}

char *
joblog_last_line(int rundir, const char *target)
{
	int log = joblog_find(rundir, target);
	char *line = tail_line(log);

	fd_close(&log);
	return line;
}

struct joblog_follower {
	int log;
	off_t offset;
	bool raw; /* byte for byte, and not by the view */
	struct view view;
};

struct joblog_follower *
joblog_follower_open(int log, const char *target, enum ci ci)
{
	struct joblog_follower *f = xcalloc(1, sizeof(*f));

	*f = (struct joblog_follower){ .log = log, .offset = lseek(log, 0, SEEK_END),
		.view = view_open(target, ci) };
	return f;
}

struct joblog_follower *
joblog_follower_open_all(int log, bool raw)
{
	struct joblog_follower *f = xcalloc(1, sizeof(*f));

	*f = (struct joblog_follower){ .log = log, .raw = is_raw(raw),
		.view = view_open(NULL, ci_reads("none")) };
	return f;
}

int
joblog_follower_timeout(const struct joblog_follower *f)
{
	return clock_until(lines_due(f->view.lines), -1);
}

/* At most so many bytes. 1, 0 when there are no more by now, -1 with errno set. */
static int
copy_some(struct joblog_follower *f, size_t most)
{
	char data[16384];
	ssize_t n = pread(f->log, data, most < sizeof(data) ? most : sizeof(data), f->offset);

	if (n <= 0)
		return (int)n;
	f->offset += n;
	if (f->raw)
		return fd_write_all(STDOUT_FILENO, data, (size_t)n) < 0 ? -1 : 1;
	show(&f->view, data, (size_t)n);
	return 1;
}

void
joblog_follower_copy(struct joblog_follower *f)
{
	while (copy_some(f, SIZE_MAX) > 0)
		;
	lines_look(f->view.lines, clock_monotonic());
}

int
joblog_follower_step(struct joblog_follower *f)
{
	int more = copy_some(f, PIPE_BUF);

	if (more == 0)
		lines_look(f->view.lines, clock_monotonic());
	return more;
}

void
joblog_follower_leave(struct joblog_follower *f)
{
	show(&f->view, NULL, 0);
	view_close(&f->view);
	free(f);
}

void
joblog_follower_close(struct joblog_follower *f)
{
	if (!f)
		return;
	joblog_follower_copy(f);
	joblog_follower_leave(f);
}

void
joblog_tell_ci(struct joblog_follower *f, bool raw, const char *line, size_t n)
{
	struct filter *filter = filter_open(CI_ANNOTATIONS);
	struct buffer text = { 0 };

	if (f) {
		joblog_follower_copy(f);
		lines_flush(f->view.lines, true);
	}
	if (raw) {
		buffer_add(&text, line, n);
	} else {
		filter_feed(filter, line, n, &text);
		filter_flush(filter, &text);
	}
	buffer_addstr(&text, "\n");
	fwrite(text.data, 1, text.len, stdout);
	fflush(stdout);
	buffer_free(&text);
	filter_close(filter);
}
