#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "output/screen.h"
#include "report/junit.h"
#include "report/link.h"
#include "report/markdown.h"
#include "report/report.h"
#include "report/html.h"
#include "report/results.h"
#include "report/story.h"
#include "report/summary.h"
#include "report/telling.h"
#include "report/timeline.h"
#include "report/trace.h"
#include "state/history.h"
#include "state/rundir.h"
#include "state/state.h"

/* The folder in a run folder: there is no record or log that it could be taken for. */
#define REPORTS "reports"

/* What a format is made of. */
struct sources {
	int state;
	const struct story *story;
	const struct remarks *remarks;
	int columns; /* of the screen; 0: it goes into a file */
	const char *links; /* the run's folder as seen from there: see link.h; or NULL */
};

static void
add_text(struct buffer *out, const struct sources *sources)
{
	telling_add(out, sources->story, sources->remarks, sources->columns);
}

static void
add_json(struct buffer *out, const struct sources *sources)
{
	results_add(out, sources->story, sources->remarks->history);
}

/* Whoever reads it counts cases: what has not ended yet is one, too. */
static void
add_junit(struct buffer *out, const struct sources *sources)
{
	const struct story *story = sources->story;
	struct table open = { 0 };
	bool goes_on = story->progress == TABLE_SO_FAR;

	if (goes_on)
		(void)!table_read(&open, story->rundir, story->plan, story->request.goals,
		    TABLE_OPEN);
	junit_add_run(out, story->rundir, goes_on ? &open : &story->table, story->info,
	    story->overlaps);
	table_clear(&open);
}

/* The last line of a summary. The caller frees. */
static char *
total_of(const struct sources *sources)
{
	char *total = summary_total(sources->remarks), *words;

	if (!sources->remarks->goes_on)
		return total;
	words = xasprintf("%s so far; the run goes on, with %zu at work", total,
	    json_array_size(sources->story->ongoing));
	free(total);
	return words;
}

static void
add_markdown(struct buffer *out, const struct sources *sources)
{
	struct markdown markdown = { 0 };
	char *total = total_of(sources);

	summary_fill(&markdown, sources->remarks);
	markdown_add_overlaps(&markdown, sources->story->overlaps);
	markdown_end(&markdown, total);
	buffer_add(out, markdown.text.data, markdown.text.len);
	buffer_free(&markdown.text);
	free(total);
}

static void
add_trace(struct buffer *out, const struct sources *sources)
{
	trace_add(out, sources->story);
}

static void
add_html(struct buffer *out, const struct sources *sources)
{
	html_add(out, &(struct html){ sources->story, sources->remarks, sources->state,
	    sources->links });
}

static void
add_svg(struct buffer *out, const struct sources *sources)
{
	timeline_add(out, sources->story);
}

/* bit, file: of those that are written at the end of a run. */
static const struct {
	const char *name;
	void (*add)(struct buffer *, const struct sources *);
	unsigned bit;
	const char *file;
} formats[] = {
	{ "text", add_text, 0, NULL },
	{ "junit", add_junit, 0, NULL },
	{ "json", add_json, REPORT_JSON, "results.json" },
	{ "md", add_markdown, REPORT_MD, "summary.md" },
	{ "trace", add_trace, REPORT_TRACE, "trace.json" },
	{ "svg", add_svg, REPORT_SVG, "timeline.svg" },
	{ "html", add_html, REPORT_HTML, "report.html" },
};

/* What is there and no plain file, /dev/stderr or a FIFO, is written to and never replaced. */
static int
write_to(const char *path, const struct buffer *text)
{
	struct stat st;
	int fd, result;

	if (stat(path, &st) < 0 || S_ISREG(st.st_mode))
		return file_replace(AT_FDCWD, path, text->data, text->len);
	fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	result = fd < 0 ? -1 : fd_write_all(fd, text->data, text->len);
	fd_close(&fd);
	return result;
}

/* 0, or -1 after a warning. */
static int
put(const char *path, const struct buffer *text)
{
	if (!path)
		fwrite(text->data, 1, text->len, stdout);
	else if (write_to(path, text) < 0)
		return warn("%s", path), -1;
	return 0;
}

static int
print_story(int state, const struct story *story, const struct report_options *options)
{
	const char *format = options->format ? options->format : "text";
	struct history *history = history_load(state);
	struct remarks remarks = { .table = &story->table, .history = history,
		.wall = story->wall, .goes_on = story->progress == TABLE_SO_FAR };
	char *links = link_to(story->rundir, options->out);
	struct sources sources = { state, story, &remarks, options->out ? 0 : screen_left(0),
		links };
	struct buffer text = { 0 };
	size_t at = 0;
	int result;

	for (size_t i = 0; i < story->table.n; i++)
		history_forget(history, &story->table.records[i]);
	while (strcmp(formats[at].name, format) != 0)
		at++;
	buffer_addstr(&text, "");
	formats[at].add(&text, &sources);
	result = put(options->out, &text);
	buffer_free(&text);
	history_free(history);
	free(links);
	return result;
}

/* A session may have put something else there. -1 after a warning. */
static int
open_reports(int rundir)
{
	int made = mkdirat(rundir, REPORTS, 0777), folder = file_open_folder(rundir, REPORTS);

	if (folder < 0 && file_remove(rundir, REPORTS) == 0) {
		made = mkdirat(rundir, REPORTS, 0777);
		folder = file_open_folder(rundir, REPORTS);
	}
	if (made == 0)
		file_give(rundir, REPORTS);
	if (folder < 0)
		warnx(REPORTS ": %s", file_why(errno));
	return folder;
}

/* The bits of those that were. */
static unsigned
write_formats(int folder, const struct sources *sources, unsigned wanted)
{
	unsigned written = 0;

	for (size_t i = 0; i < countof(formats); i++) {
		struct buffer text = { 0 };

		if (!(wanted & formats[i].bit))
			continue;
		formats[i].add(&text, sources);
		if (file_store(folder, formats[i].file, text.data, text.len) < 0)
			warn(REPORTS "/%s", formats[i].file);
		else
			written |= formats[i].bit;
		buffer_free(&text);
	}
	return written;
}

unsigned
report_write(int state, int rundir, enum table_of of, unsigned wanted)
{
	struct story story = { 0 };
	struct remarks remarks = { .table = &story.table };
	unsigned written = 0;
	int folder;

	if (!(wanted & ~(unsigned)REPORT_JUNIT) || (folder = open_reports(rundir)) < 0)
		return 0;
	if (story_open_as(&story, rundir, of) == 0) {
		struct history *history = history_load(state);

		remarks.history = history;
		remarks.wall = story.wall;
		written = write_formats(folder,
		    &(struct sources){ state, &story, &remarks, 0, "../" }, wanted);
		history_free(history);
	}
	story_close(&story);
	fd_close(&folder);
	return written;
}

void
report_print_names(unsigned written, const char *run)
{
	struct buffer names = { 0 };
	char *folder = rundir_path(run);

	if (written & REPORT_JUNIT)
		buffer_printf(&names, " %s/junit.xml", folder);
	for (size_t i = 0; i < countof(formats); i++)
		if (written & formats[i].bit)
			buffer_printf(&names, " %s/" REPORTS "/%s", folder, formats[i].file);
	if (names.len > 0)
		printf("noxmk: reports:%s\n", names.data);
	buffer_free(&names);
	free(folder);
}

/* 0, or -1 after a warning. */
static int
print_schema(const struct report_options *options)
{
	char *path = xasprintf("%s/report.schema.json", options->share);
	struct buffer text = { 0 };
	int result = file_read(AT_FDCWD, path, &text);

	if (result < 0)
		warnx("%s: %s", path, file_why(errno));
	else
		result = put(options->out, &text);
	buffer_free(&text);
	free(path);
	return result;
}

int
report_print(const struct report_options *options)
{
	int state, rundir, result = -1;
	struct story story = { 0 };

	if (options->format && !strcmp(options->format, "schema"))
		return print_schema(options);
	state = state_find();
	rundir = story_find(state, options->run);
	if (rundir >= 0) {
		if (story_open(&story, rundir) == 0)
			result = print_story(state, &story, options);
		story_close(&story);
	}
	fd_close(&rundir);
	fd_close(&state);
	return result;
}
