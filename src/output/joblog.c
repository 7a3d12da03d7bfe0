#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/util.h"
#include "output/ci.h"
#include "output/filter.h"
#include "output/joblog.h"

int
joblog_open(int rundir, const char *target, char *const argv[], struct mask *mask)
{
	char *name = xasprintf("%s.log", target);
	struct buffer line = { 0 };
	char *text;
	int log = openat(rundir, name,
	    O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);

	buffer_addstr(&line, "$");
	for (; *argv; argv++) {
		buffer_addstr(&line, " ");
		buffer_add_shell(&line, *argv);
	}
	buffer_addstr(&line, "\n");
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
joblog_close(int log, const char *target, const char *status)
{
	struct buffer line = { 0 };

	buffer_printf(&line, "\n[%s.]\n", status);
	if (fd_write_all(log, line.data, line.len) < 0 || fdatasync(log) < 0)
		warn("%s.log: the end of the log is lost", target);
	close(log);
	buffer_free(&line);
}

/* The data, or NULL at their end, on standard output. False when nobody reads that any more. */
static bool
show(struct filter *filter, const char *data, size_t n)
{
	struct buffer shown = { 0 };
	bool done;

	if (!filter)
		return fd_write_all(STDOUT_FILENO, data, n) == 0;
	if (data)
		filter_feed(filter, data, n, &shown);
	else
		filter_flush(filter, &shown);
	done = fd_write_all(STDOUT_FILENO, shown.data, shown.len) == 0;
	buffer_free(&shown);
	return done;
}

/* From the descriptor's place on. -1 with errno set when the log cannot be read. */
static int
show_rest(int log, struct filter *filter)
{
	char data[16384];
	ssize_t n;

	while ((n = read(log, data, sizeof(data))) > 0)
		if (!show(filter, data, (size_t)n))
			break;
	if (filter)
		show(filter, NULL, 0);
	return n < 0 ? -1 : 0;
}

int
joblog_print(int rundir, const char *target)
{
	char *name = xasprintf("%s.log", target);
	int log = strchr(target, '/') ? -1 : openat(rundir, name, O_RDONLY | O_CLOEXEC);
	struct filter *filter = NULL;
	int result;

	free(name);
	if (log < 0) {
		warnx("%s: no log in this run (`make nox-list` names the targets)", target);
		return -1;
	}
	if (isatty(STDOUT_FILENO))
		filter = filter_open(ci_reads());
	result = show_rest(log, filter);
	if (result < 0)
		warn("%s.log", target);
	filter_close(filter);
	close(log);
	return result;
}

void
joblog_print_end(int rundir, const char *target, int kib)
{
	char *name = xasprintf("%s.log", target);
	int log = openat(rundir, name, O_RDONLY | O_CLOEXEC);
	off_t most = (off_t)kib * 1024;
	struct filter *filter;
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
		filter = filter_open(ci_reads());
		(void)show_rest(log, filter);
		filter_close(filter);
	}
	fd_close(&log);
	free(name);
}

struct joblog_follower {
	int log, inotify;
	off_t offset;
	struct filter *filter;
};

struct joblog_follower *
joblog_follower_open(int log)
{
	struct joblog_follower *f = xcalloc(1, sizeof(*f));

	*f = (struct joblog_follower){ .log = log, .offset = lseek(log, 0, SEEK_END),
		.filter = filter_open(ci_reads()), .inotify = fd_watch(log, IN_MODIFY) };
	return f;
}

int
joblog_follower_timeout(const struct joblog_follower *f)
{
	/* The kernel has few inotify instances for each user; without one we look now and then. */
	return f->inotify < 0 ? 100 : -1;
}

int
joblog_follower_fd(const struct joblog_follower *f)
{
	return f->inotify;
}

void
joblog_follower_copy(struct joblog_follower *f)
{
	char data[16384];
	ssize_t n;

	fd_drain(f->inotify);
	while ((n = pread(f->log, data, sizeof(data), f->offset)) > 0) {
		f->offset += n;
		/* A reader that went away costs the display only: the log is the record. */
		if (!show(f->filter, data, (size_t)n))
			break;
	}
}

void
joblog_follower_close(struct joblog_follower *f)
{
	if (!f)
		return;
	joblog_follower_copy(f);
	show(f->filter, NULL, 0);
	filter_close(f->filter);
	fd_close(&f->inotify);
	free(f);
}
