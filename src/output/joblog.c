#include <err.h>
#include <fcntl.h>
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

/* Bytes at the end of a log in which its last line is looked for. */
enum { TAIL = 1024 };

/* One of these ends ESC [ … (ECMA-48). */
#define ESCAPE_ENDS "@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"

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
 * From the descriptor's place on; view: NULL for byte for byte. -1 with errno set when the log
 * cannot be read.
 */
static int
show_rest(int log, struct view *view)
{
	char data[16384];
	ssize_t n;

	while ((n = read(log, data, sizeof(data))) > 0) {
		if (view)
			show(view, data, (size_t)n);
		else if (fd_write_all(STDOUT_FILENO, data, (size_t)n) < 0)
			break; /* nobody reads that any more */
	}
	if (view)
		show(view, NULL, 0);
	return n < 0 ? -1 : 0;
}

int
joblog_print(int rundir, const char *target, bool raw)
{
	char *name = xasprintf("%s.log", target);
	int log = strchr(target, '/') ? -1 : file_open(rundir, name, O_RDONLY, 0);
	enum ci ci = ci_reads("none");
	struct view view;
	int result;

	free(name);
	if (log < 0) {
		warnx("%s: no log in this run (`make nox-list` names the targets)", target);
		return -1;
	}
	view = view_open(NULL, ci);
	raw = raw || (ci == CI_NONE && !isatty(STDOUT_FILENO));
	result = show_rest(log, raw ? NULL : &view);
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
	off_t most = (off_t)kib * 1024;
	struct view view;
	struct stat st;

	if (log < 0 || fstat(log, &st) < 0) {
		warn("%s", name);
	} else {
		if (st.st_size > most) {
			printf("… its last %d KiB of %lld KiB\n", kib,
			    (long long)st.st_size / 1024);
			lseek(log, -most, SEEK_END);
		}
		fflush(stdout);
		view = view_open(NULL, ci_reads("none"));
		(void)show_rest(log, &view);
		view_close(&view);
	}
	fd_close(&log);
	free(name);
}

/* Removes escape sequences: ESC [ … letter, and ESC with what follows it. */
static void
strip(char *text)
{
	char *to = text;

	for (const char *from = text; *from;) {
		if (*from != '\033') {
			*to++ = *from++;
			continue;
		}
		from++;
		if (*from == '[')
			from += 1 + strcspn(from + 1, ESCAPE_ENDS);
		from += *from != '\0';
	}
	*to = '\0';
}

/* The last piece between line ends of any kind that has something to see. May write to the text. */
static const char *
last_piece(char *text)
{
	size_t len = strlen(text);

	while (len > 0) {
		char *piece;

		text[len] = '\0';
		piece = text + len;
		while (piece > text && piece[-1] != '\n' && piece[-1] != '\r')
			piece--;
		strip(piece);
		piece += strspn(piece, " \t");
		if (*piece)
			return piece;
		len = (size_t)(piece - text);
		while (len > 0 && text[len - 1] != '\n' && text[len - 1] != '\r')
			len--;
		len -= len > 0;
	}
	return "";
}

char *
joblog_last_line(int rundir, const char *target)
{
	char *name = xasprintf("%s.log", target), tail[TAIL + 1];
	int log = file_open(rundir, name, O_RDONLY, 0);
	off_t size = log < 0 ? 0 : lseek(log, 0, SEEK_END);
	off_t from = size > TAIL ? size - TAIL : 0;
	ssize_t n = log < 0 ? 0 : pread(log, tail, TAIL, from);
	char *text = tail, *end;

	fd_close(&log);
	free(name);
	n = n < 0 ? 0 : n;
	/* A NUL would end the text; and the first line is ours. */
	for (ssize_t i = 0; i < n; i++)
		if (tail[i] == '\0')
			tail[i] = ' ';
	tail[n] = '\0';
	if (from == 0 && (end = strchr(text, '\n')))
		text = end + 1;
	else if (from == 0)
		text = tail + n;
	return xstrdup(last_piece(text));
}

struct joblog_follower {
	int log;
	off_t offset;
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

int
joblog_follower_timeout(const struct joblog_follower *f)
{
	return clock_until(lines_due(f->view.lines), -1);
}

void
joblog_follower_copy(struct joblog_follower *f)
{
	char data[16384];
	ssize_t n;

	while ((n = pread(f->log, data, sizeof(data), f->offset)) > 0) {
		f->offset += n;
		show(&f->view, data, (size_t)n);
	}
	lines_look(f->view.lines, clock_monotonic());
}

void
joblog_follower_close(struct joblog_follower *f)
{
	if (!f)
		return;
	joblog_follower_copy(f);
	show(&f->view, NULL, 0);
	view_close(&f->view);
	free(f);
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
