#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "audit/overlap.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "report/company.h"
#include "report/junit.h"
#include "report/xml.h"

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

/* " NAME="TEXT"" */
static void
add_attribute(struct buffer *out, const char *name, const char *text)
{
	buffer_printf(out, " %s=\"", name);
	xml_add_quoted(out, text);
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
		xml_add(out, text, (size_t)n);
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
add_logs(struct buffer *out, int rundir, const struct table *table, const struct record *r)
{
	add_log(out, rundir, r);
	for (size_t i = 0; i < table->n && whole_is_made(r); i++)
		if (whole_has(r->target, &table->records[i]))
			add_log(out, rundir, &table->records[i]);
}

static void
add_case(struct buffer *out, int rundir, const struct table *table, const struct record *r)
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
	add_logs(out, rundir, table, r);
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
span_of(const struct cases *cases)
{
	struct span span = { 0 };

	for (size_t i = 0; i < cases->n; i++) {
		const struct record *r = cases->v[i];

		if (!is_date(r->started) || !is_date(r->ended) || r->ended < r->started)
			continue;
		if (span.started == 0 || r->started < span.started)
			span.started = r->started;
		if (r->ended > span.ended)
			span.ended = r->ended;
	}
	return span;
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
	buffer_printf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" time=\"%.3f\"",
	    cases->n, count(cases, FAILURE), count(cases, ERROR), span->ended - span->started);
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
		char *told, *value;

		if (i == OVERLAPS_MOST)
			break;
		told = overlap_told(overlap);
		value = xasprintf("%s: %s", json_text(overlap, "level"), told);
		add_property(out, "overlap", value);
		free(value);
		free(told);
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
junit_add_run(struct buffer *out, int rundir, const struct table *table, const json_t *info,
    const json_t *overlaps)
{
	struct cases cases = cases_of(&table->wholes, table->records, table->n);
	struct span span = span_of(&cases);

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
		add_case(out, rundir, table, cases.v[i]);
	free(cases.v);
	buffer_addstr(out, "  </testsuite>\n</testsuites>\n");
}

bool
junit_write(int rundir, const struct table *table, const json_t *info, const json_t *overlaps)
{
	struct buffer out = { 0 };
	bool written;

	junit_add_run(&out, rundir, table, info, overlaps);
	written = file_store(rundir, NAME, out.data, out.len) == 0;
	/* A session may have removed the run's folder, which is said elsewhere. */
	if (!written && errno != ENOENT)
		warn(NAME);
	buffer_free(&out);
	return written;
}
