#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/median.h"
#include "output/screen.h"
#include "report/summary.h"
#include "shard/merge.h"
#include "shard/piece.h"
#include "state/bounds.h"
#include "state/commit.h"
#include "state/failed.h"
#include "state/history.h"
#include "state/join.h"
#include "state/makekey.h"
#include "state/request.h"
#include "state/rundir.h"

/* Seconds since which a run that is to be merged has begun; what says more is no date. */
#define OLDEST (90 * 24 * 3600.0)

struct merge {
	const struct merge_options *o;
	struct piece *pieces;
	size_t n;
	json_t *owners;   /* target -> which piece was to run it */
	json_t *expected; /* target -> anything: all that were to run */
	unsigned faults;
	bool unwritten;   /* something of the run could not be written */
};

static PRINTF(2, 3) void
fault(struct merge *merge, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vwarnx(fmt, args);
	va_end(args);
	merge->faults++;
}

/* The folders themselves: the same run twice, a shard twice, of divisions that differ. */
static void
compare_pieces(struct merge *merge, const struct piece *a, const struct piece *b)
{
	const struct shard_choice *x = &a->shard, *y = &b->shard;

	if (a->rundir < 0 || b->rundir < 0)
		return;
	if (*json_text(a->info, "run") &&
	    !strcmp(json_text(a->info, "run"), json_text(b->info, "run")))
		fault(merge, "%s and %s are the same run", a->name, b->name);
	else if (x->number == 0 || y->number == 0)
		return;
	else if (x->of != y->of)
		fault(merge, "%s is of %u shards, and %s of %u", a->name, x->of, b->name, y->of);
	else if (*x->hash && *y->hash && strcmp(x->hash, y->hash) != 0)
		fault(merge, "%s and %s are shards of different divisions", a->name, b->name);
	else if (x->number == y->number)
		fault(merge, "shard %u/%u is there twice: %s and %s", x->number, x->of, a->name,
		    b->name);
}

/*
 * Where nobody has said what was to run, all parts of a session were of which some have run: a
 * machine that is not here had the others.
 */
static void
expect_all_parts(struct merge *merge, const struct piece *piece)
{
	json_t *wholes = json_array(), *sessions = json_object(), *line;
	const char *target;

	json_object_foreach(piece->sessions, target, line)
		if (json_object_get(line, "whole"))
			json_array_append(wholes, json_object_get(line, "whole"));
	if (!piece->left && !merge->o->matrix &&
	    planfile_expand(merge->o->plan, wholes, sessions, true) == 0)
		json_object_foreach(sessions, target, line)
			json_object_set_new(merge->expected, target, json_true());
	json_decref(sessions);
	json_decref(wholes);
}

/* Names the sessions that are of both. */
static void
check_twice(struct merge *merge, const struct piece *a, const struct piece *b)
{
	struct strings both = { 0 };
	const char *target;
	json_t *line;
	char *names;

	json_object_foreach(b->sessions, target, line)
		if (json_object_get(a->sessions, target))
			strings_add(&both, target);
	if (both.n > 0) {
		names = strings_join(&both, " ");
		fault(merge, "there twice, in %s and %s: %s", a->name, b->name, names);
		free(names);
	}
	free(both.v);
}

/* Who is to have run what: the first one that says so. */
static void
find_owners(struct merge *merge)
{
	for (size_t i = 0; i < merge->n; i++) {
		const struct piece *piece = &merge->pieces[i];
		const json_t *left;
		const char *target;
		json_t *line;
		size_t k;

		if (piece->rundir < 0)
			continue;
		for (k = 0; k < i; k++)
			check_twice(merge, &merge->pieces[k], piece);
		json_object_foreach(piece->sessions, target, line) {
			if (!json_object_get(merge->owners, target))
				json_object_set_new(merge->owners, target,
				    json_integer((json_int_t)i));
			json_object_set_new(merge->expected, target, json_true());
		}
		expect_all_parts(merge, piece);
		json_array_foreach(piece->left, k, left)
			if (planfile_has_session(merge->o->plan, json_string_value(left)))
				json_object_set_new(merge->expected, json_string_value(left),
				    json_true());
	}
}

/* The sessions of a shard of the matrix: target -> line. A new object. */
static json_t *
sessions_of(struct merge *merge, const json_t *entry)
{
	json_t *goals = json_words(json_text(entry, "targets")), *sessions = json_object();
	char *name = screen_safe(json_text(entry, "name"));

	/* A warning of the plan's would have the names as they are, which somebody else wrote. */
	if (planfile_expand(merge->o->plan, goals, sessions, false) < 0)
		fault(merge, "shard %s: the matrix is of another commit: it names what is no target "
		    "of the plan here", name);
	free(name);
	json_decref(goals);
	return sessions;
}

/* One that has run nothing of what it was to run is missing. */
static void
expect_shard(struct merge *merge, const json_t *entry, const json_t *sessions)
{
	bool missing = json_object_size(sessions) > 0;
	const char *target;
	json_t *line;
	char *name;

	json_object_foreach((json_t *)sessions, target, line) {
		missing = missing && !json_object_get(merge->owners, target);
		json_object_set_new(merge->expected, target, json_true());
	}
	if (missing) {
		name = screen_safe(json_text(entry, "name"));
		fault(merge, "shard %s is missing", name);
		free(name);
	}
}

/* Was the machine to run just these sessions, by that division, as far as it knows? */
static bool
is_shard(const struct piece *piece, const json_t *entry, const json_t *sessions)
{
	struct shard_choice shard;
	const char *target;
	json_t *line;

	if (*piece->shard.hash && shard_choice_read(json_text(entry, "shard"), &shard) &&
	    strcmp(piece->shard.hash, shard.hash) != 0)
		return false;
	json_object_foreach(piece->sessions, target, line)
		if (!json_object_get(sessions, target))
			return false;
	return json_object_size(piece->sessions) == json_object_size(sessions);
}

/* A machine that was to run something else than a shard of the matrix is of another one. */
static void
check_division(struct merge *merge, const struct piece *piece, const json_t *shards)
{
	struct strings targets = { 0 };
	const json_t *sessions;
	const char *target;
	json_t *line;
	size_t i;
	char *names;

	if (piece->rundir < 0 || json_object_size(piece->sessions) == 0)
		return;
	json_array_foreach(shards, i, sessions)
		if (is_shard(piece, json_array_get(json_object_get(merge->o->matrix, "include"), i),
			sessions))
			return;
	json_object_foreach(piece->sessions, target, line)
		strings_add(&targets, target);
	names = strings_join(&targets, " ");
	fault(merge, "%s is no shard of this matrix, but of another: it was to run %s", piece->name,
	    names);
	free(names);
	free(targets.v);
}

static void
check_matrix(struct merge *merge)
{
	const json_t *entry;
	json_t *shards = json_array();
	size_t i;

	json_array_foreach(json_object_get(merge->o->matrix, "include"), i, entry) {
		json_array_append_new(shards, sessions_of(merge, entry));
		expect_shard(merge, entry, json_array_get(shards, i));
	}
	for (i = 0; i < merge->n && merge->o->matrix; i++)
		check_division(merge, &merge->pieces[i], shards);
	json_decref(shards);
}

/* " (shard 2/4, 3/4)", as far as the others say how many there are. The caller frees. */
static char *
missing_shards(const struct merge *merge)
{
	struct buffer names = { 0 };
	unsigned of = 0;

	for (size_t i = 0; i < merge->n; i++)
		if (merge->pieces[i].shard.of > of)
			of = merge->pieces[i].shard.of;
	buffer_addstr(&names, "");
	for (unsigned number = 1; number <= of; number++) {
		bool found = false;

		for (size_t i = 0; i < merge->n; i++)
			found = found || merge->pieces[i].shard.number == number;
		if (!found)
			buffer_printf(&names, "%s%u/%u", names.len > 0 ? ", " : " (shard ", number,
			    of);
	}
	buffer_addstr(&names, names.len > 0 ? ")" : "");
	return names.data;
}

/* Names what was to run and is in no folder. */
static void
check_whole(struct merge *merge)
{
	struct strings missing = { 0 };
	const char *target;
	json_t *item;
	char *names, *shards;

	if (merge->o->expect > 0 && merge->n != merge->o->expect)
		fault(merge, "%zu folder%s here, and %zu are expected", merge->n,
		    merge->n == 1 ? " is" : "s are", merge->o->expect);
	json_object_foreach(merge->expected, target, item)
		if (!json_object_get(merge->owners, target))
			strings_add(&missing, target);
	if (missing.n > 0) {
		names = strings_join(&missing, " ");
		shards = missing_shards(merge);
		fault(merge, "missing: no folder has what was to run: %s%s", names, shards);
		free(shards);
		free(names);
	}
	free(missing.v);
}

static void
open_pieces(struct merge *merge)
{
	char *commit = commit_checked_out();

	while (merge->o->folders[merge->n])
		merge->n++;
	merge->pieces = xcalloc(merge->n, sizeof(*merge->pieces));
	for (size_t i = 0; i < merge->n; i++)
		piece_open(&merge->pieces[i], merge->o->folders[i], merge->o->plan, commit,
		    &merge->faults);
	for (size_t i = 0; i < merge->n; i++)
		for (size_t k = 0; k < i; k++)
			compare_pieces(merge, &merge->pieces[k], &merge->pieces[i]);
	free(commit);
}

/* What the machine is called in reports; NULL where there is no other. The caller frees. */
static char *
machine_of(const struct merge *merge, const struct piece *piece)
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
names_of(const struct merge *merge)
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
find_record(const struct merge *merge, const char *target, struct record *found)
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
write_records(const struct merge *merge, int rundir)
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
goals_of(const struct merge *merge)
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
write_info(const struct merge *merge, int rundir)
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

/* The run folder with all that is known; -1 after a warning. */
static int
write_run(struct merge *merge, const json_t *goals)
{
	struct request request = { .goals = json_incref((json_t *)goals),
		.alone = xstrdup(""), .knob_texts = json_object() };
	char *key = makekey_own();
	/* UINT_MAX: no old run is removed, since what was merged may be one. */
	int rundir = join_run(merge->o->state, key, UINT_MAX), fd;

	if (rundir >= 0 && (request_write(rundir, &request, NULL) < 0 ||
	    write_info(merge, rundir) < 0))
		fd_close(&rundir);
	if (rundir >= 0) {
		merge->unwritten = write_records(merge, rundir) < 0;
		fd = file_create(rundir, RUNDIR_ENDED, O_WRONLY);
		fd_close(&fd);
	}
	request_clear(&request);
	free(key);
	return rundir;
}

/* How many of the goals are not well; each is told, but for what has been told to be missing. */
static unsigned
judge(const struct merge *merge, int rundir)
{
	const char *target;
	json_t *item;
	unsigned bad = 0;

	json_object_foreach(merge->expected, target, item)
		if (json_object_get(merge->owners, target))
			bad += summary_verdict(rundir, merge->o->plan, target) != 0;
		else
			bad += !summary_is_well(rundir, merge->o->plan, target);
	return bad;
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
machine_of_all(const struct merge *merge)
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
finish(const struct merge *merge, int rundir, const json_t *goals)
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
	return merge->unwritten ? -1 : result;
}

int
merge_folders(const struct merge_options *options)
{
	struct merge merge = { .o = options, .owners = json_object(),
		.expected = json_object() };
	json_t *goals;
	int rundir = -1, result = -1;

	open_pieces(&merge);
	find_owners(&merge);
	check_matrix(&merge);
	check_whole(&merge);
	goals = goals_of(&merge);
	if (json_array_size(goals) > 0) {
		rundir = write_run(&merge, goals);
		if (rundir >= 0)
			result = finish(&merge, rundir, goals);
	} else {
		/* What tells of no session is not to be the latest run. */
		if (merge.faults == 0)
			warnx("no session was to run on any of these machines");
		result = 1;
	}
	fd_close(&rundir);
	for (size_t i = 0; i < merge.n; i++)
		piece_close(&merge.pieces[i]);
	free(merge.pieces);
	json_decref(goals);
	json_decref(merge.owners);
	json_decref(merge.expected);
	return result;
}
