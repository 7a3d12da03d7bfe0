#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "report/table.h"

/*
 * Why a session that was to run has no record. found: what record_read says; stopped: make has not
 * come to all sessions. A helper makes the log right before it starts the session.
 */
static const char *
why_no_record(int rundir, const char *target, int found, bool stopped)
{
	char *log = xasprintf("%s.log", target);
	bool begun = faccessat(rundir, log, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	struct stat st;

	free(log);
	if (fstat(rundir, &st) == 0 && st.st_nlink == 0)
		return "no record: the run's folder was deleted";
	if (found < 0)
		return "its record cannot be read";
	if (begun)
		return "no record: its helper died while it ran";
	if (stopped)
		return "make was stopped before its turn";
	return "no record: its helper died, or failed, before it began";
}

struct record
table_record(int rundir, const char *target, bool stopped)
{
	struct record record;
	int found = record_read(rundir, target, &record);

	if (found != 1)
		record = (struct record){ .target = xstrdup(target), .session = xstrdup(target),
			.verdict = NOT_RUN,
			.reason = xstrdup(why_no_record(rundir, target, found, stopped)) };
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

static void
add_record(struct table *table, int rundir, const char *target, enum table_of of)
{
	if (of == TABLE_SO_FAR && !has_record(rundir, target))
		return;
	table->records = xreallocarray(table->records, table->n + 1, sizeof(*table->records));
	table->records[table->n++] = table_record(rundir, target, of == TABLE_STOPPED);
}

/* One that no goal asks for. */
static void
add_other(struct table *table, int rundir, struct planfile *plan, const char *target,
    enum table_of of)
{
	json_t *session;

	if (json_object_get(table->sessions, target))
		return;
	add_record(table, rundir, target, of);
	session = planfile_session(plan, target);
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
		add_record(table, rundir, target, of);
	others = record_list(rundir);
	json_array_foreach(others, i, item)
		add_other(table, rundir, plan, json_string_value(item), of);
	json_decref(others);
	return others ? 0 : -1;
}

void
table_clear(struct table *table)
{
	for (size_t i = 0; i < table->n; i++)
		record_clear(&table->records[i]);
	free(table->records);
	json_decref(table->sessions);
}
