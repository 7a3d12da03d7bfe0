#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/stdlib.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "nox/verdict.h"
#include "output/screen.h"
#include "report/lead.h"
#include "shard/piece.h"
#include "state/request.h"
#include "state/rundir.h"

/* More than a log has which noxmk itself has written: log-limit in nox.mk(5). */
#define LOG_MOST (9LL << 30)

/* More attempts than anybody allows a session. */
enum { ATTEMPTS_MOST = 1000 };

static bool
is_run(int dirfd)
{
	return faccessat(dirfd, RUNDIR_INFO, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The run itself, or the newest one of a state folder. -1 after a warning. */
static int
open_run(const struct piece *piece, const char *folder)
{
	int fd = rundir_open_path(folder), rundir = -1;
	json_t *names;

	if (fd < 0) {
		warnx("%s: %s", piece->name, errno == ENOTDIR ? "no folder: unpack an archive, and "
		    "name what a link leads to" : file_why(errno));
		return -1;
	}
	if (is_run(fd))
		return fd;
	names = rundir_list(fd);
	if (json_array_size(names) > 0)
		rundir = rundir_find_named(fd,
		    json_string_value(json_array_get(names, json_array_size(names) - 1)));
	json_decref(names);
	close(fd);
	if (rundir < 0)
		warnx("%s: no run is in there: name the folder of each run; an artifact needs "
		      "hidden files, too, as " RUNDIR_INFO, piece->name);
	return rundir;
}

/* What a request says of its machine; what cannot be is not known. */
static struct machine
machine_of(const json_t *request)
{
	const json_t *busy = json_object_get(request, "busy");
	json_int_t processors = json_integer_value(json_object_get(request, "processors"));
	bool is_time = json_is_number(busy) && machine_is_busy_time(json_number_value(busy));

	return (struct machine){ .seconds = is_time ? json_number_value(busy) : -1,
		.processors = machine_is_processors(processors) ? (unsigned)processors : 0 };
}

/* A new reference to the JSON in that file; NULL after a warning. */
static json_t *
read_json(const struct piece *piece, const char *name)
{
	struct buffer text = { 0 };
	int error = file_load(piece->rundir, name, &text) < 0 ? errno : 0;
	json_t *json = error ? NULL : json_loadb(text.data, text.len, 0, NULL);

	if (!json)
		warnx("%s: %s: %s", piece->name, name, error ? file_why(error) : "damaged");
	buffer_free(&text);
	return json;
}

/* What its make was asked for: of that file (request.h) what tells who was to run what. */
static bool
read_request(struct piece *piece)
{
	json_t *json = read_json(piece, REQUEST_FILE), *left;

	if (json && !request_is_sound(json))
		warnx("%s: " REQUEST_FILE ": damaged, or of another release of noxmk",
		    piece->name);
	if (!json || !request_is_sound(json)) {
		json_decref(json);
		return false;
	}
	piece->goals = json_texts(json_object_get(json, "goals"));
	piece->machine = machine_of(json);
	left = json_object_get(json, "left");
	piece->left = left ? json_texts(left) : NULL;
	piece->own = json_texts(json_object_get(json, "own"));
	if (!left || !shard_choice_read(json_text(json_object_get(json, "knobs"), "NOXMK_SHARD"),
	    &piece->shard))
		piece->shard = (struct shard_choice){ 0 };
	json_decref(json);
	return true;
}

/* What it was to run, by our plan. False after a warning. */
static bool
find_sessions(struct piece *piece, struct planfile *plan)
{
	const json_t *goal;
	size_t i;

	if (planfile_expand(plan, piece->goals, piece->sessions, false) == 0)
		return true;
	json_array_foreach(piece->goals, i, goal) {
		json_t *one = json_pack("[O]", goal), *found = json_object();
		bool known = planfile_expand(plan, one, found, false) == 0;
		char *safe = known ? NULL : screen_safe(json_string_value(goal));

		if (!known)
			warnx("%s: %s is no target of the plan here: is it of another commit?",
			    piece->name, safe);
		free(safe);
		json_decref(found);
		json_decref(one);
	}
	return false;
}

/* Is it ours at all? What is not cannot be held against the others. False after a warning. */
static bool
is_whole(const struct piece *piece)
{
	const json_t *commit = json_object_get(piece->info, "commit");

	if (json_integer_value(json_object_get(piece->info, "schema")) == 1 &&
	    *json_text(piece->info, "run") && (!commit || json_is_string(commit)))
		return true;
	warnx("%s: " RUNDIR_INFO ": damaged, or of another release of noxmk", piece->name);
	return false;
}

/* Is it of the commit that is checked out here, as far as both are known? */
static bool
is_of_commit(const struct piece *piece, const char *commit)
{
	const char *theirs = json_text(piece->info, "commit");
	char *safe;

	if (!commit || !*theirs || !strcmp(theirs, commit))
		return true;
	safe = screen_safe(theirs);
	warnx("%s: of another commit, %.12s, and here is %.12s", piece->name, safe, commit);
	free(safe);
	return false;
}

/* Has its make come to its end? A file says so, and nothing else by its name. */
static bool
has_ended(const struct piece *piece)
{
	int fd = file_open(piece->rundir, RUNDIR_ENDED, O_RDONLY, 0);
	bool ended = fd >= 0;

	fd_close(&fd);
	return ended;
}

/* Names the sessions without a record. */
static unsigned
check_records(struct piece *piece, struct planfile *plan)
{
	bool ended = has_ended(piece);
	struct strings lacking = { 0 };
	const char *target;
	json_t *line;
	char *names;

	json_object_foreach(piece->sessions, target, line) {
		struct record record = { 0 };

		if (piece_record(piece, plan, target, &record) != 1)
			strings_add(&lacking, target);
		record_clear(&record);
	}
	names = strings_join(&lacking, " ");
	if (!ended || lacking.n > 0)
		warnx("%s: cut off: %s%s%s%s", piece->name,
		    ended ? "" : "its make did not come to its end",
		    ended || lacking.n == 0 ? "" : "; ",
		    lacking.n > 0 ? "no record of " : "", names);
	free(names);
	free(lacking.v);
	return !ended || lacking.n > 0;
}

/* Bytes of an exit status, as echo writes it. */
enum { STATUS_MOST = 16 };

/* The exit status of its make, as somebody has noted it; -1: nobody has; -2: that is no status. */
static int
status_of(const struct piece *piece)
{
	int fd = file_open(piece->rundir, RUNDIR_STATUS, O_RDONLY, STATUS_MOST);
	char text[STATUS_MOST + 1] = { 0 };
	const char *bad = NULL;
	long long status;
	ssize_t n;

	if (fd < 0)
		return errno == ENOENT ? -1 : -2;
	n = read(fd, text, STATUS_MOST);
	fd_close(&fd);
	if (n > 0 && text[n - 1] == '\n')
		text[--n] = '\0';
	status = strtonum(text, 0, 255, &bad);
	/* One number, and nothing behind it. */
	return bad || n != (ssize_t)strlen(text) ? -2 : (int)status;
}

/* Is one of its sessions bad, which explains why its make has failed? */
static bool
has_bad(const struct piece *piece, struct planfile *plan)
{
	const char *target;
	json_t *line;
	bool bad = false;

	json_object_foreach(piece->sessions, target, line) {
		struct record record = { 0 };

		bad = bad || piece_record(piece, plan, target, &record) != 1 ||
		    record_is_bad(&record);
		record_clear(&record);
	}
	return bad;
}

/*
 * How goals of the makefile's own went no record tells, but only the exit status of make. 1 after a
 * warning if they have failed, or may have, and no session of the machine has.
 */
static unsigned
check_own_goals(const struct piece *piece, struct planfile *plan)
{
	char *goals = json_list_join(piece->own, " "), *safe = screen_safe(goals);
	int status = status_of(piece);
	unsigned faults = 1;

	if (status == -2)
		warnx("%s: " RUNDIR_STATUS ": no exit status of make", piece->name);
	else if (status > 0 && !has_bad(piece, plan))
		warnx("%s: its make has failed, with status %d, and none of its sessions%s%s",
		    piece->name, status, *safe ? ": see what it said of " : "", safe);
	else if (status == -1 && *safe)
		warnx("%s: nothing tells whether its make has made %s: note its exit status in "
		    RUNDIR_STATUS ", see noxmk(1), merge", piece->name, safe);
	else
		faults = 0;
	free(safe);
	free(goals);
	return faults;
}

void
piece_open(struct piece *piece, const char *folder, struct planfile *plan, const char *commit,
    unsigned *faults)
{
	*piece = (struct piece){ .name = screen_safe(folder), .sessions = json_object(),
		.told = json_object() };
	piece->rundir = open_run(piece, folder);
	piece->info = piece->rundir < 0 ? NULL : read_json(piece, RUNDIR_INFO);
	if (!piece->info || !is_whole(piece) || !read_request(piece) ||
	    !is_of_commit(piece, commit) || !find_sessions(piece, plan)) {
		if (piece->rundir >= 0)
			warnx("%s: nothing of it counts", piece->name);
		fd_close(&piece->rundir);
		json_object_clear(piece->sessions);
		++*faults;
	} else {
		*faults += check_records(piece, plan);
		*faults += check_own_goals(piece, plan);
	}
}

void
piece_close(struct piece *piece)
{
	fd_close(&piece->rundir);
	json_decref(piece->info);
	json_decref(piece->sessions);
	json_decref(piece->goals);
	json_decref(piece->left);
	json_decref(piece->own);
	json_decref(piece->told);
	free(piece->name);
}

/* Those that are for sessions of the plan. A new list. */
static json_t *
known_notices(const json_t *notices, struct planfile *plan)
{
	json_t *known = json_array(), *item;
	size_t i;

	json_array_foreach(notices, i, item) {
		const char *target = json_string_value(json_object_get(item, "target"));

		if (target && planfile_has_session(plan, target))
			json_array_append(known, item);
	}
	return known;
}

/* The names by which we look for logs of attempts; what the record says of them does not count. */
static void
name_logs(struct record *record)
{
	json_t *attempt;
	size_t i;

	json_array_foreach(record->attempts, i, attempt)
		if (json_is_object(attempt) && json_object_get(attempt, "log"))
			json_object_set_new(attempt, "log",
			    json_sprintf("%s.log.%zu", record->target, i + 1));
	if (json_is_string(json_object_get(record->recheck, "log")))
		json_object_set_new(record->recheck, "log",
		    json_sprintf("%s.recheck.log", record->target));
}

int
piece_record(const struct piece *piece, struct planfile *plan, const char *target,
    struct record *record)
{
	const char *why;
	json_t *notices;
	int result = record_load(piece->rundir, target, record, &why);

	if (result == 1 && !verdict_is_sound(record)) {
		why = "its verdict is not that of its exit status";
		record_clear(record);
		result = -1;
	}
	if (result < 0 && !json_object_get(piece->told, target)) {
		warnx("%s: %s.json: %s", piece->name, target, why);
		json_object_set_new(piece->told, target, json_true());
	}
	if (result != 1)
		return result;
	if (!json_is_array(record->attempts) ||
	    json_array_size(record->attempts) > ATTEMPTS_MOST) {
		json_decref(record->attempts);
		record->attempts = json_array();
	}
	notices = known_notices(record->notify, plan);
	json_decref(record->notify);
	record->notify = notices;
	name_logs(record);
	return 1;
}

json_t *
piece_targets(const struct piece *piece, struct planfile *plan)
{
	json_t *targets = json_array(), *line;

	planfile_rewind(plan);
	while ((line = planfile_next(plan))) {
		const char *target = json_text(line, "target");
		char *name = xasprintf("%s.json", target);

		if (*target && faccessat(piece->rundir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			json_array_append_new(targets, json_string(target));
		free(name);
		json_decref(line);
	}
	return targets;
}

/* One that is not there is none that is missing: a session may have written nothing. */
static int
copy_log(const struct piece *piece, char *name, int rundir)
{
	int fd = file_open(piece->rundir, name, O_RDONLY, LOG_MOST), result = 0;

	if (fd < 0 && errno != ENOENT)
		warnx("%s: %s: %s", piece->name, name, file_why(errno));
	if (fd >= 0 && (result = file_copy(fd, rundir, name)) < 0)
		warn("%s: %s", piece->name, name);
	fd_close(&fd);
	free(name);
	return result;
}

int
piece_copy_logs(const struct piece *piece, const struct record *record, int rundir)
{
	int result = 0;

	if (record->logged)
		result |= copy_log(piece, xasprintf("%s.log", record->target), rundir);
	for (size_t i = 1; i <= json_array_size(record->attempts); i++)
		result |= copy_log(piece, xasprintf("%s.log.%zu", record->target, i), rundir);
	if (record->recheck)
		result |= copy_log(piece, xasprintf("%s.recheck.log", record->target), rundir);
	return result;
}
