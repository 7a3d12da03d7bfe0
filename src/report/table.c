#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "output/screen.h"
#include "report/table.h"
#include "state/rundir.h"
#include "state/trace.h"

/* Columns of the targets, in a file at most, and on a narrow screen at least. */
enum { NAMES_MOST = 60, NAMES_LEAST = 12 };

/*
 * Why a session that was to run has no record. found: what record_read says. A helper makes the log
 * right before it starts the session.
 */
static const char *
why_no_record(int rundir, const char *target, int found, enum table_of of)
{
	struct stat st;

	if (fstat(rundir, &st) == 0 && st.st_nlink == 0)
		return "no record: the run's folder was deleted";
	if (found < 0)
		return "its record cannot be read";
	if (of == TABLE_OPEN)
		return "it has not ended yet: the run goes on";
	/* Nobody has answered any more when it was about to open a file. */
	if (rundir_has(rundir, target, ".log") &&
	    rundir_has(rundir, target, TRACE_SUFFIX))
		return "no record: its helper died while it ran, and its calls failed since: it "
		       "was traced";
	if (rundir_has(rundir, target, ".log"))
		return "no record: its helper died while it ran";
	if (of == TABLE_STOPPED)
		return "make was stopped before its turn";
	return "no record: its helper died, or failed, before it began";
}

struct record
table_record(int rundir, const char *target, enum table_of of)
{
	struct record record;
	int found = record_read(rundir, target, &record);

	if (found != 1)
		record = (struct record){ .target = xstrdup(target), .session = xstrdup(target),
			.verdict = NOT_RUN,
			.reason = xstrdup(why_no_record(rundir, target, found, of)) };
	return record;
}

static bool
has_record(int rundir, const char *target)
{
	char *name = xasprintf("%s.json", target);
	bool has = faccessat(rundir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;

	free(name);
	return has;
}

/* The plan, and no record, says whether a session is a part. */
static void
note_part(struct record *r, const json_t *line)
{
	const json_t *part = json_object_get(line, "part");
	json_int_t number = json_integer_value(json_array_get(part, 0));
	json_int_t parts = json_integer_value(json_array_get(part, 1));

	if (!*json_text(line, "whole") || number < 1 || number > parts || parts > UINT_MAX)
		return;
	r->whole = xstrdup(json_text(line, "whole"));
	r->part = (unsigned)number;
	r->parts = (unsigned)parts;
}

void
table_add(struct table *table, int rundir, const char *target, const json_t *line,
    enum table_of of)
{
	if (of == TABLE_SO_FAR && !has_record(rundir, target))
		return;
	table->records = xreallocarray(table->records, table->n + 1, sizeof(*table->records));
	table->records[table->n] = table_record(rundir, target, of);
	note_part(&table->records[table->n++], line);
}

/* One that no goal asks for. */
static void
add_other(struct table *table, int rundir, struct planfile *plan, const char *target,
    enum table_of of)
{
	json_t *session;

	if (json_object_get(table->sessions, target))
		return;
	session = planfile_session(plan, target);
	table_add(table, rundir, target, session, of);
	if (session)
		json_object_set_new(table->sessions, target, session);
}

int
table_read(struct table *table, int rundir, struct planfile *plan, const json_t *goals,
    enum table_of of)
{
	json_t *session, *others, *item;
	const char *target;
	size_t i;

	*table = (struct table){ .sessions = json_object() };
	planfile_expand(plan, goals, table->sessions, true);
	json_object_foreach(table->sessions, target, session)
		table_add(table, rundir, target, session, of);
	others = record_list(rundir);
	json_array_foreach(others, i, item)
		add_other(table, rundir, plan, json_string_value(item), of);
	table->wholes = wholes_of(table->records, table->n);
	json_decref(others);
	return others ? 0 : -1;
}

void
table_clear(struct table *table)
{
	wholes_clear(&table->wholes);
	for (size_t i = 0; i < table->n; i++)
		record_clear(&table->records[i]);
	free(table->records);
	json_decref(table->sessions);
}

enum table_of
table_progress(int rundir)
{
	if (rundir_has_ended(rundir))
		return rundir_was_stopped(rundir) ? TABLE_STOPPED : TABLE_ENDED;
	return rundir_may_live(rundir) ? TABLE_SO_FAR : TABLE_STOPPED;
}

int
table_names_width(const struct record *records, size_t n, int fixed, int text)
{
	int width = (int)strlen("session"), most = screen_left(fixed + text);

	for (size_t i = 0; i < n; i++) {
		int len = (int)strlen(records[i].target);

		width = len > width ? len : width;
	}
	if (most == 0)
		return width < NAMES_MOST ? width : NAMES_MOST;
	most = most > NAMES_LEAST ? most : NAMES_LEAST;
	return width < most ? width : most;
}
