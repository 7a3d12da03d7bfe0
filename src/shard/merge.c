#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/median.h"
#include "report/summary.h"
#include "shard/gather.h"
#include "shard/merge.h"
#include "state/bounds.h"
#include "state/failed.h"
#include "state/history.h"
#include "state/join.h"
#include "state/makekey.h"
#include "state/request.h"
#include "state/rundir.h"

/* Seconds since which a run that is to be merged has begun; what says more is no date. */
#define OLDEST (90 * 24 * 3600.0)

/* What the machine is called in reports; NULL where there is no other. The caller frees. */
static char *
machine_of(const struct gathering *merge, const struct piece *piece)
{
	if (merge->n == 1)
		return NULL;
	if (piece->shard.number > 0)
		return xasprintf("shard %u/%u", piece->shard.number, piece->shard.of);
	return bounds_text(xstrdup(piece->name));
}

/* A record for a session that has none. 0, or -1 after a warning. */
static int
write_lack(int rundir, const char *target, const char *where)
{
	struct record record = { .target = xstrdup(target), .session = xstrdup(target),
		.verdict = NOT_RUN, .exit = -1, .signal = -1, .client = -1, .crowded = -1,
		.own = -1, .reason = where ? xasprintf("no record in %s, which is cut off", where) :
		xstrdup("its machine is missing") };
	int result = record_write(rundir, -1, &record);

	record_clear(&record);
	return result;
}

/* All sessions that were to run, and those that others have notified. A new object. */
static json_t *
names_of(const struct gathering *merge)
{
	json_t *all = json_deep_copy(merge->expected), *names, *name;
	size_t k;

	for (size_t i = 0; i < merge->n; i++) {
		const struct piece *piece = &merge->pieces[i];

		names = piece->rundir < 0 ? json_array() : piece_targets(piece, merge->o->plan);
		json_array_foreach(names, k, name)
			json_object_set_new(all, json_string_value(name), json_true());
		json_decref(names);
	}
	return all;
}

/*
 * The record that counts, and whose it is; NULL: nobody has one. Of a session that several machines
 * have run, by mistake or since several have notified it, that is a bad one, if there is any.
 */
static const struct piece *
find_record(const struct gathering *merge, const char *target, struct record *found)
{
	const struct piece *from = NULL;

	for (size_t i = 0; i < merge->n; i++) {
		const struct piece *piece = &merge->pieces[i];
		struct record record = { 0 };

		if (piece->rundir >= 0 &&
		    piece_record(piece, merge->o->plan, target, &record) == 1 &&
		    (!from || (record_is_bad(&record) && !record_is_bad(found)))) {
			record_clear(found);
			*found = record;
			from = piece;
		} else {
			record_clear(&record);
		}
	}
	return from;
}

/* Each session's record, and its logs. 0, or -1 after a warning. */
static int
write_records(const struct gathering *merge, int rundir)
{
	int result = 0;
	json_t *names = names_of(merge), *unused;
	const char *target;

	json_object_foreach(names, target, unused) {
		const json_t *owner = json_object_get(merge->owners, target);
		struct record record = { 0 };
		const struct piece *from = find_record(merge, target, &record);

		if (from) {
			free(record.machine);
			record.machine = machine_of(merge, from);
			if (piece_copy_logs(from, &record, rundir) < 0 ||
			    record_write(rundir, -1, &record) < 0)
				result = -1;
		} else if (write_lack(rundir, target, owner ?
			       merge->pieces[json_integer_value(owner)].name : NULL) < 0) {
			result = -1;
		}
		record_clear(&record);
	}
	json_decref(names);
	return result;
}

/* All that were to run, in the order of the plan. A new list. */
static json_t *
goals_of(const struct gathering *merge)
{
	json_t *goals = json_array(), *line;

	planfile_rewind(merge->o->plan);
	while ((line = planfile_next(merge->o->plan))) {
		const char *target = json_text(line, "target");

		if (json_object_get(merge->expected, target))
			json_array_append_new(goals, json_string(target));
		json_decref(line);
	}
	return goals;
}

/* It began with the first machine. 0, or -1 after a warning. */
static int
write_info(const struct gathering *merge, int rundir)
{
	json_t *info = rundir_info(rundir);
	double now = clock_now(), started = now;
	char *text;
	int result;

	for (size_t i = 0; i < merge->n; i++) {
		double theirs = json_number(merge->pieces[i].info, "started");

		if (theirs > now - OLDEST && theirs < started)
			started = theirs;
	}
	if (!info)
		return -1;
	json_object_set_new(info, "jobs", json_null());
	json_object_set_new(info, "started", json_real(started));
	text = json_dumps(info, JSON_INDENT(1) | JSON_REAL_PRECISION(15));
	result = text ? file_store(rundir, RUNDIR_INFO, text, strlen(text)) : -1;
	if (result < 0)
		warn(RUNDIR_INFO);
	free(text);
	json_decref(info);
	return result;
}

/* The run folder with all that is known; -1 after a warning. *unwritten: but not all of it. */
static int
write_run(const struct gathering *merge, const json_t *goals, bool *unwritten)
{
	struct request request = { .goals = json_incref((json_t *)goals),
		.alone = xstrdup(""), .knob_texts = json_object() };
	char *key = makekey_own();
	/* UINT_MAX: no old run is removed, since what was merged may be one. */
	int rundir = join_run(merge->o->state, key, UINT_MAX);

	if (rundir >= 0 && (request_write(rundir, &request, NULL) < 0 ||
	    write_info(merge, rundir) < 0))
		fd_close(&rundir);
	if (rundir >= 0) {
		*unwritten = write_records(merge, rundir) < 0;
		rundir_mark_ended(rundir, false);
	}
	request_clear(&request);
	free(key);
	return rundir;
}

/* All that were to run, and what these have notified, and so on: the keys of a new object. */
static json_t *
reached(const struct gathering *merge, int rundir)
{
	json_t *reached = json_deep_copy(merge->expected), *list = json_array(), *notice, *item;
	const char *target;
	size_t i, k;

	json_object_foreach(reached, target, item)
		json_array_append_new(list, json_string(target));
	json_array_foreach(list, i, item) {
		struct record record = { 0 };

		if (record_read(rundir, json_string_value(item), &record) == 1)
			json_array_foreach(record.notify, k, notice) {
				target = json_text(notice, "target");
				if (!*target || json_object_get(reached, target))
					continue;
				json_object_set_new(reached, target, json_true());
				json_array_append_new(list, json_string(target));
			}
		record_clear(&record);
	}
	json_decref(list);
	return reached;
}

/*
 * How many are not well of those that the table has, though no folder says that they were to run:
 * a folder may say less than it has. Each is told.
 */
static unsigned
judge_others(const struct gathering *merge, int rundir)
{
	json_t *names = names_of(merge), *told = reached(merge, rundir), *item;
	const char *target;
	unsigned bad = 0;

	json_object_foreach(names, target, item)
		if (!json_object_get(told, target))
			bad += summary_verdict(rundir, merge->o->plan, target) != 0;
	json_decref(told);
	json_decref(names);
	return bad;
}

/* How many of the goals are not well; each is told, but for what has been told to be missing. */
static unsigned
judge(const struct gathering *merge, int rundir)
{
	const char *target;
	json_t *item;
	unsigned bad = 0;

	json_object_foreach(merge->expected, target, item)
		if (json_object_get(merge->owners, target))
			bad += summary_verdict(rundir, merge->o->plan, target) != 0;
		else
			bad += !summary_is_well(rundir, merge->o->plan, target);
	return bad + judge_others(merge, rundir);
}

/* Is it of another kind than most, as a label says of what it ran? */
static bool
is_special(const struct piece *piece)
{
	const char *target;
	json_t *line;

	json_object_foreach(piece->sessions, target, line)
		if (*json_text(json_object_get(line, "options"), "runs-on"))
			return true;
	return false;
}

/* What the machines are like: how long they are busy by the median, the fewest processors. */
static struct machine
machine_of_all(const struct gathering *merge)
{
	struct machine all = { .seconds = -1 };
	double *seconds = xcalloc(merge->n, sizeof(*seconds));
	size_t n = 0;

	for (size_t i = 0; i < merge->n; i++) {
		const struct piece *piece = &merge->pieces[i];
		unsigned processors = piece->machine.processors;

		if (piece->rundir < 0 || is_special(piece))
			continue;
		if (piece->machine.seconds >= 0)
			seconds[n++] = piece->machine.seconds;
		if (processors > 0 && (all.processors == 0 || processors < all.processors))
			all.processors = processors;
	}
	if (n > 0)
		all.seconds = median(seconds, n);
	free(seconds);
	return all;
}

static int
finish(const struct gathering *merge, int rundir, const json_t *goals, bool unwritten)
{
	const struct summary summary = { .state = merge->o->state, .rundir = rundir,
		.plan = merge->o->plan, .goals = goals, .is_strict = true, .annotated = true,
		.reports = merge->o->reports };
	struct machine machine = machine_of_all(merge);
	int result = summary_print(&summary);

	failed_update(merge->o->state, rundir, merge->o->plan, goals);
	if (history_update_merged(merge->o->state, rundir, &machine) < 0)
		result = -1;
	record_sync(rundir, merge->expected);
	if (judge(merge, rundir) > 0 || merge->faults > 0)
		return 1;
	return unwritten ? -1 : result;
}

int
merge_folders(const struct merge_options *options)
{
	struct gathering merge;
	bool unwritten = false;
	json_t *goals;
	int rundir = -1, result = -1;

	gather(&merge, options);
	goals = goals_of(&merge);
	if (json_array_size(goals) > 0) {
		rundir = write_run(&merge, goals, &unwritten);
		if (rundir >= 0)
			result = finish(&merge, rundir, goals, unwritten);
	} else {
		/* What tells of no session is not to be the latest run. */
		if (merge.faults == 0)
			warnx("no session was to run on any of these machines");
		result = 1;
	}
	fd_close(&rundir);
	json_decref(goals);
	gather_clear(&merge);
	return result;
}
