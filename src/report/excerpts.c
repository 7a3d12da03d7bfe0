#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "output/joblog.h"
#include "output/utf8.h"
#include "report/excerpts.h"
#include "report/findings.h"
#include "report/sources.h"

/*
 * Bytes that all excerpts have together, that one of a session has that is not well, or is, and
 * without which there is none. They are counted as they stand in the page.
 */
enum { ALL_MOST = 512 * 1024, BAD_MOST = 64 * 1024, WELL_MOST = 16 * 1024, LEAST = 256 };

/* One part in so many is for the start of a log, which says what was run: its end says why. */
enum { HEAD_PART = 4 };

/* Findings of a session that are told; columns of a message; lines that may be behind a place. */
enum { FINDINGS_MOST = 50, MESSAGE_MOST = 300, BEHIND_MOST = 60 };

struct excerpt {
	json_t *parts, *findings;
	const struct finder *finder; /* or NULL: nothing is looked for */
	const char *text;    /* of the part that is read */
	size_t part, at, line; /* of that: its place; how far it is read, in bytes and lines */
};

/* The bytes that a byte of a log takes in the page's JSON. */
static size_t
cost(unsigned char byte)
{
	return byte == '\n' || byte == '\t' || byte == '"' || byte == '\\' ? 2 :
	    byte < 0x20 || byte == '<' || byte == '>' || byte == '&' ? 6 : 1;
}

/* How many bytes of the start have room, to a line's end if there is one in the last half. */
static size_t
head_length(const char *text, size_t n, size_t room)
{
	size_t end = 0, line = 0;

	for (size_t used = 0; end < n && (used += cost((unsigned char)text[end])) <= room; end++)
		if (text[end] == '\n')
			line = end + 1;
	return end == n || line < end / 2 ? end : line;
}

/* The same of the end. */
static size_t
tail_length(const char *text, size_t n, size_t room)
{
	size_t length = 0, line = 0;

	for (size_t used = 0; length < n &&
	     (used += cost((unsigned char)text[n - length - 1])) <= room; length++)
		if (text[n - length - 1] == '\n')
			line = length;
	return length == n || line < length / 2 ? length : line;
}

/* As JSON: what is no character that may be shown, and no control of ASCII, is replaced. */
static json_t *
text_of(const char *bytes, size_t n)
{
	char *copy = xcalloc(n + 1, 1);
	struct buffer text = { 0 };
	json_t *string;

	memcpy(copy, bytes, n);
	buffer_addstr(&text, "");
	for (size_t i = 0, length; i < n; i += length > 0 ? length : 1) {
		length = (unsigned char)copy[i] < 0x80 ? 1 : utf8_next(copy + i);
		if (length == 0)
			buffer_addstr(&text, "\xef\xbf\xbd");
		else
			buffer_add(&text, copy + i, length);
	}
	string = json_stringn(text.data, text.len);
	if (!string)
		string = json_string("");
	buffer_free(&text);
	free(copy);
	return string;
}

/*
 * The line that a finding is told in. Some are told of only when the lines behind them have been
 * read: it is the nearest one before that which names the file, or else the last one.
 */
static size_t
line_of(const struct excerpt *excerpt, const char *file)
{
	const char *slash = strrchr(file, '/'), *name = slash ? slash + 1 : file;
	size_t line = excerpt->line, end = excerpt->at, most = line > BEHIND_MOST ?
	    line - BEHIND_MOST : 0;

	while (line > most) {
		size_t start = end > 0 ? end - 1 : 0;

		while (start > 0 && excerpt->text[start - 1] != '\n')
			start--;
		line--;
		if (memmem(excerpt->text + start, end - start, name, strlen(name)))
			return line;
		end = start;
	}
	return excerpt->line > 0 ? excerpt->line - 1 : 0;
}

/* A struct finder's found. */
static void
add_finding(void *to, const struct finding *finding)
{
	struct excerpt *excerpt = to;
	struct buffer where = { 0 };
	char *message;

	if (json_array_size(excerpt->findings) >= FINDINGS_MOST || !*finding->file)
		return;
	buffer_addstr(&where, finding->file);
	if (finding->line > 0)
		buffer_printf(&where, ":%u", finding->line);
	if (finding->line > 0 && finding->column > 0)
		buffer_printf(&where, ":%u", finding->column);
	message = xasprintf("%s%s%.*s", finding->rule, *finding->rule ? " " : "",
	    (int)strnlen(finding->message, MESSAGE_MOST), finding->message);
	json_array_append_new(excerpt->findings, json_pack("{s:I,s:I,s:o,s:o}", "part",
	    (json_int_t)excerpt->part, "line", (json_int_t)line_of(excerpt, finding->file), "where",
	    text_of(where.data, where.len), "message", text_of(message, strlen(message))));
	free(message);
	buffer_free(&where);
}

/* Adds a part of the log, and reads it line by line for what it tells. */
static void
add_part(struct excerpt *excerpt, const char *text, size_t n, long long left_out)
{
	struct findings *findings = excerpt->finder ? findings_open(excerpt->finder) : NULL;

	excerpt->part = json_array_size(excerpt->parts);
	excerpt->text = text;
	excerpt->at = excerpt->line = 0;
	json_array_append_new(excerpt->parts, json_pack("{s:I,s:o}", "left_out",
	    (json_int_t)left_out, "text", text_of(text, n)));
	for (size_t from = 0, to; findings && from < n; from = to) {
		const char *end = memchr(text + from, '\n', n - from);

		to = end ? (size_t)(end - text) + 1 : n;
		excerpt->at = to;
		excerpt->line++;
		findings_feed(findings, text + from, to - from);
	}
	if (findings)
		findings_close(findings);
}

/* The log's bytes from an offset on, at most so many. How many there are. */
static size_t
read_at(int log, char *data, size_t most, off_t offset)
{
	size_t n = 0;
	ssize_t more;

	while (n < most && (more = pread(log, data + n, most - n, offset + (off_t)n)) > 0)
		n += (size_t)more;
	return n;
}

static void
add_parts(struct excerpt *excerpt, int log, long long size, size_t room)
{
	char *start = xcalloc(room + 1, 1), *end = xcalloc(room + 1, 1);
	size_t n = read_at(log, start, room, 0), head = head_length(start, n, room), tail;
	off_t from = size > (long long)room ? size - (long long)room : 0;

	if ((long long)head < size) {
		head = head_length(start, n, room / HEAD_PART);
		n = read_at(log, end, room, from);
		tail = tail_length(end, n, room - room / HEAD_PART);
		if (from + (off_t)(n - tail) < (off_t)head)
			tail = n - (head - (size_t)from);
		add_part(excerpt, start, head, 0);
		add_part(excerpt, end + n - tail, tail, size - (long long)(head + tail));
	} else {
		add_part(excerpt, start, head, 0);
	}
	free(start);
	free(end);
}

static json_t *
excerpt_of(const struct story *story, size_t at, const char *links, size_t room,
    struct sources *sources)
{
	const struct record *r = &story->table.records[at];
	struct excerpt excerpt = { .parts = json_array(), .findings = json_array() };
	struct finder finder = { .file = sources_file, .folder = sources_folder,
		.data = sources, .found = add_finding, .to = &excerpt };
	char *href = links ? xasprintf("%s%s.log", links, r->target) : NULL;
	int log = joblog_find(story->rundir, r->target);
	struct stat st;
	json_t *object;

	sources_begin(sources);
	if (record_is_bad(r))
		excerpt.finder = &finder;
	if (log >= 0 && fstat(log, &st) == 0 && room >= LEAST)
		add_parts(&excerpt, log, st.st_size, room);
	object = json_pack("{s:o,s:o,s:o}", "href", href && log >= 0 ?
	    text_of(href, strlen(href)) : json_null(), "parts", excerpt.parts, "findings",
	    excerpt.findings);
	fd_close(&log);
	free(href);
	return object;
}

/* What each of so many logs may have of that. */
static size_t
share(size_t room, size_t n, size_t most)
{
	size_t each = n > 0 ? room / n : 0;

	return each < most ? each : most;
}

json_t *
excerpts_of(const struct story *story, const char *links)
{
	struct sources *sources = sources_open();
	size_t bad = 0, logged = 0, bad_room, well_room;
	json_t *list = json_array();

	for (size_t i = 0; i < story->table.n; i++) {
		logged += story->table.records[i].logged;
		bad += story->table.records[i].logged && record_is_bad(&story->table.records[i]);
	}
	bad_room = share(ALL_MOST, bad, BAD_MOST);
	well_room = share(ALL_MOST - bad * bad_room, logged - bad, WELL_MOST);
	for (size_t i = 0; i < story->table.n; i++) {
		const struct record *r = &story->table.records[i];

		json_array_append_new(list, r->logged ? excerpt_of(story, i, links,
		    record_is_bad(r) ? bad_room : well_room, sources) : json_null());
	}
	sources_close(sources);
	return list;
}
