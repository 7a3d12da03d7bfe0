#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "output/utf8.h"
#include "report/company.h"
#include "report/junit.h"
#include "report/whole.h"

#define NAME "junit.xml"

/* So much of the end of a log is in there; the file has all of it. */
enum { LOG_MOST = 64 * 1024 };

/* And so many overlaps. */
enum { OVERLAPS_MOST = 100 };

static const enum { SUCCESS, FAILURE, ERROR, SKIP } kinds[VERDICTS] = { [FAILED] = FAILURE,
	[ABORTED] = FAILURE, [CANCELLED] = ERROR, [NOT_RUN] = ERROR, [SKIPPED] = SKIP };
static const char *const elements[] = { [FAILURE] = "failure", [ERROR] = "error",
	[SKIP] = "skipped" };

static int
kind_of(const struct record *r)
{
	return kinds[r->verdict] == ERROR && r->excused ? SKIP : (int)kinds[r->verdict];
}

/* The bytes of the sequence that the text begins with, the introducer ESC [ included; or 0. */
static size_t
sequence_length(const char *text, size_t n)
{
	size_t i = 2;

	if (n < 2 || text[0] != '\033' || text[1] != '[')
		return 0;
	while (i < n && text[i] >= 0x20 && text[i] < 0x40)
		i++;
	return i < n && text[i] >= 0x40 && text[i] < 0x7f ? i + 1 : i;
}

/* The characters U+FFFE and U+FFFF are none for XML. */
static size_t
character_length(const char *text, size_t n)
{
	bool is_none = n >= 3 && !memcmp(text, "\xef\xbf", 2) && (unsigned char)text[2] >= 0xbe;

	return utf8_length((unsigned char)*text) > n || is_none ? 0 : utf8_next(text);
}

void
junit_add(struct buffer *out, const char *text, size_t n)
{
	static const struct {
		char byte;
		const char *entity;
	} entities[] = { { '<', "&lt;" }, { '>', "&gt;" }, { '&', "&amp;" }, { '"', "&quot;" },
		{ '\n', "\n" }, { '\t', "\t" }, { '\r', "\n" } };

	for (size_t i = 0, length; i < n; i += length) {
		const char *entity = NULL;

		length = sequence_length(text + i, n - i);
		if (length > 0)
			continue;
		for (size_t k = 0; k < countof(entities); k++)
			if (text[i] == entities[k].byte)
				entity = entities[k].entity;
		length = character_length(text + i, n - i);
		if (entity || length == 0) {
			length = 1 + (text[i] == '\r' && i + 1 < n && text[i + 1] == '\n');
			buffer_addstr(out, entity ? entity : "\xef\xbf\xbd");
		} else {
			buffer_add(out, text + i, length);
		}
	}
}

/* " NAME="TEXT"" */
static void
add_attribute(struct buffer *out, const char *name, const char *text)
{
	buffer_printf(out, " %s=\"", name);
	junit_add(out, text, strlen(text));
	buffer_addstr(out, "\"");
}

/* Of a session that is well it is not in there. */
static void
add_log(struct buffer *out, int rundir, const struct record *r)
{
	char *name = xasprintf("%s.log", r->target), *text = xcalloc(1, LOG_MOST + 1);
	int log = record_is_bad(r) && r->logged ? file_open(rundir, name, O_RDONLY, 0) : -1;
	struct stat st;
	ssize_t n = 0;

	if (log >= 0 && fstat(log, &st) == 0)
		n = pread(log, text, LOG_MOST, st.st_size > LOG_MOST ? st.st_size - LOG_MOST : 0);
	if (n > 0) {
		buffer_addstr(out, "      <system-out>");
		junit_add(out, text, (size_t)n);
		buffer_addstr(out, "</system-out>\n");
	}
	fd_close(&log);
	free(text);
	free(name);
}

static void
add_attempts(struct buffer *out, const json_t *attempts, const char *element)
{
	const json_t *attempt;
	size_t i;

	json_array_foreach(attempts, i, attempt) {
		buffer_printf(out, "      <%s", element);
		add_attribute(out, "type", json_text(attempt, "verdict"));
		add_attribute(out, "message", json_text(attempt, "reason"));
		buffer_addstr(out, "/>\n");
	}
}

/* Its own, or, if it was cut, those of its parts. */
static void
add_logs(struct buffer *out, int rundir, const struct record *records, size_t n,
    const struct record *r)
{
	add_log(out, rundir, r);
	for (size_t i = 0; i < n && whole_is_made(r); i++)
		if (whole_has(r->target, &records[i]))
			add_log(out, rundir, &records[i]);
}

static void
add_case(struct buffer *out, int rundir, const struct record *records, size_t n,
    const struct record *r)
{
	int kind = kind_of(r);
	char *reason = company_reason(r);

	buffer_addstr(out, "    <testcase classname=\"nox\"");
	add_attribute(out, "name", r->target);
	buffer_printf(out, " time=\"%.3f\">\n", r->duration);
	if (kind == SUCCESS)
		add_attempts(out, r->attempts, "flakyFailure");
	if (kind != SUCCESS) {
		buffer_printf(out, "      <%s", elements[kind]);
		add_attribute(out, "message", reason ? reason : verdict_name(r->verdict));
		buffer_addstr(out, "/>\n");
		add_attempts(out, r->attempts, "rerunFailure");
	}
	add_logs(out, rundir, records, n, r);
	buffer_addstr(out, "    </testcase>\n");
	free(reason);
}

/* When the first of them started and the last one ended; 0 and 0: none has. */
struct span {
	double started, ended;
};

/* A record may say anything. */
static bool
is_date(double seconds)
{
	return seconds > 0 && seconds < 1e10;
}

static struct span
span_of(const struct record *records, size_t n)
{
	struct span span = { 0 };

	for (size_t i = 0; i < n; i++) {
		const struct record *r = &records[i];

		if (!is_date(r->started) || !is_date(r->ended) || r->ended < r->started)
			continue;
		if (span.started == 0 || r->started < span.started)
			span.started = r->started;
		if (r->ended > span.ended)
			span.ended = r->ended;
	}
	return span;
}

/* What is a case: a session, or a part of one. Borrowed. */
struct cases {
	const struct record **v;
	size_t n;
};

/* Of a session that is not all there its parts, so that it does not look whole. */
static struct cases
cases_of(const struct wholes *wholes, const struct record *records, size_t n)
{
	/* Pointers are what it holds. NOLINTNEXTLINE(bugprone-sizeof-expression) */
	struct cases cases = { .v = xcalloc(n, sizeof(*cases.v)) };

	for (size_t i = 0; i < wholes->n; i++) {
		const struct record *whole = &wholes->v[i];
		bool is_in_part = whole_is_in_part(whole, records, n);

		if (!is_in_part)
			cases.v[cases.n++] = whole;
		for (size_t k = 0; k < n && is_in_part; k++)
			if (whole_has(whole->target, &records[k]))
				cases.v[cases.n++] = &records[k];
	}
	return cases;
}

static size_t
count(const struct cases *cases, int kind)
{
	size_t found = 0;

	for (size_t i = 0; i < cases->n; i++)
		found += kind_of(cases->v[i]) == kind;
	return found;
}

/* " tests="3" failures="1" …" of them all, as both elements around the cases have it. */
static void
add_counts(struct buffer *out, const struct cases *cases, const struct span *span)
{
	buffer_printf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" time=\"%.3f\"", cases->n,
	    count(cases, FAILURE), count(cases, ERROR), span->ended - span->started);
}

static void
add_timestamp(struct buffer *out, double started)
{
	time_t seconds = (time_t)started;
	char text[32];
	struct tm tm;

	if (seconds == 0 || !gmtime_r(&seconds, &tm))
		return;
	if (strftime(text, sizeof(text), "%FT%T", &tm) > 0)
		buffer_printf(out, " timestamp=\"%s\"", text);
}

static void
add_property(struct buffer *out, const char *name, const char *value)
{
	if (!*value)
		return;
	buffer_addstr(out, "      <property");
	add_attribute(out, "name", name);
	add_attribute(out, "value", value);
	buffer_addstr(out, "/>\n");
}

static void
add_overlaps(struct buffer *out, const json_t *overlaps)
{
	const json_t *overlap;
	size_t i;

	json_array_foreach(overlaps, i, overlap) {
		char *names, *value;

		if (i == OVERLAPS_MOST)
			break;
		names = json_list_join(json_object_get(overlap, "sessions"), ", ");
		value = xasprintf("%s: %s (%s)", json_text(overlap, "level"),
		    json_text(overlap, "words"), names);
		add_property(out, "overlap", value);
		free(value);
		free(names);
	}
}

static void
add_properties(struct buffer *out, const json_t *info, const json_t *overlaps)
{
	json_int_t jobs = json_integer_value(json_object_get(info, "jobs"));
	char *number = jobs > 0 ? xasprintf("%lld", (long long)jobs) : xstrdup("");

	buffer_addstr(out, "    <properties>\n");
	add_property(out, "noxmk", NOXMK_VERSION);
	add_property(out, "run", json_text(info, "run"));
	add_property(out, "jobs", number);
	add_overlaps(out, overlaps);
	buffer_addstr(out, "    </properties>\n");
	free(number);
}

void
junit_add_run(struct buffer *out, int rundir, const struct record *records, size_t n,
    const json_t *info, const json_t *overlaps)
{
	struct wholes wholes = wholes_of(records, n);
	struct cases cases = cases_of(&wholes, records, n);
	struct span span = span_of(records, n);

	buffer_addstr(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	buffer_addstr(out, "<testsuites name=\"noxmk\"");
	add_counts(out, &cases, &span);
	buffer_printf(out, ">\n  <testsuite name=\"nox\"");
	add_counts(out, &cases, &span);
	buffer_printf(out, " skipped=\"%zu\"", count(&cases, SKIP));
	add_timestamp(out, span.started);
	buffer_addstr(out, ">\n");
	add_properties(out, info, overlaps);
	for (size_t i = 0; i < cases.n; i++)
		add_case(out, rundir, records, n, cases.v[i]);
	free(cases.v);
	wholes_clear(&wholes);
	buffer_addstr(out, "  </testsuite>\n</testsuites>\n");
}

bool
junit_write(int rundir, const struct record *records, size_t n, const json_t *info,
    const json_t *overlaps)
{
	struct buffer out = { 0 };
	bool written;

	junit_add_run(&out, rundir, records, n, info, overlaps);
	written = file_store(rundir, NAME, out.data, out.len) == 0;
	/* A session may have removed the run's folder, which is said elsewhere. */
	if (!written && errno != ENOENT)
		warn(NAME);
	buffer_free(&out);
	return written;
}
