#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/util.h"
#include "plan/planfile.h"
#include "state/bounds.h"
#include "state/record.h"
#include "state/samples.h"

/* Bytes: some blocks, which most records are far from. */
enum { ROOM = 16384 };

/*
 * Bytes of a record at most. A longer one is none of ours: all that grows with a session is bounded
 * (bounds.h), but for what it notifies others of, which must fit on their command line.
 */
#define RECORD_MOST (8LL << 20)

static const char *const verdict_names[VERDICTS] = {
	[PASSED] = "passed",   [FAILED] = "failed",       [SKIPPED] = "skipped",
	[ABORTED] = "aborted", [CANCELLED] = "cancelled", [NOT_RUN] = "not run",
};

const char *
verdict_name(enum verdict verdict)
{
	return verdict_names[verdict];
}

int
verdict_badness(enum verdict verdict, bool bad)
{
	static const int of[VERDICTS] = { [SKIPPED] = 0, [PASSED] = 1, [NOT_RUN] = 3,
		[CANCELLED] = 4, [ABORTED] = 5, [FAILED] = 6 };

	return bad || verdict == PASSED ? of[verdict] : verdict == SKIPPED ? 0 : 2;
}

void
record_decide(struct record *record, enum verdict verdict, char *reason)
{
	record->verdict = verdict;
	free(record->reason);
	record->reason = reason;
}

void
record_set_aside(struct record *record, const char *log)
{
	if (!record->attempts)
		record->attempts = json_array();
	json_array_append_new(record->attempts, json_pack("{s:s,s:s?,s:f,s:f,s:s?}", "verdict",
	    verdict_name(record->verdict), "reason", record->reason, "started",
	    record->started, "duration", record->duration, "log", log));
	json_decref(record->notify);
	json_decref(record->wide);
	json_decref(record->steps);
	json_decref(record->more_steps);
	json_decref(record->samples);
	record->notify = record->wide = record->steps = record->samples = NULL;
	record->more_steps = NULL;
	free(record->fork);
	record->fork = NULL;
	record->width = 0;
	record->memory = 0;
	record->crowded = record->crowded < 0 ? -1 : 0;
}

bool
record_is_flaky(const struct record *record)
{
	return record->verdict == PASSED && json_array_size(record->attempts) > 0;
}

bool
record_waits_within(const json_t *wait)
{
	const char *what = json_text(wait, "for");

	return !strcmp(what, "build") || !strcmp(what, "processors");
}

bool
record_same_machine(const struct record *a, const struct record *b)
{
	return !strcmp(a->machine ? a->machine : "", b->machine ? b->machine : "");
}

bool
record_is_bad(const struct record *record)
{
	return record->verdict != PASSED && record->verdict != SKIPPED && !record->excused;
}

static json_t *
int_or_null(int value)
{
	return value < 0 ? json_null() : json_integer(value);
}

static char *
notified_name(const char *target)
{
	return xasprintf(".%s.notified", target);
}

/* To be called before the record appears: a helper that sees the record must see these files. */
static void
mark_notified(int rundir, const struct record *r)
{
	json_t *item;
	size_t i;

	json_array_foreach(r->notify, i, item) {
		char *name = notified_name(json_string_value(json_object_get(item, "target")));
		int fd = file_create(rundir, name, O_WRONLY);

		if (fd < 0)
			warn("%s", name);
		fd_close(&fd);
		free(name);
	}
}

static json_t *
seconds_or_null(double seconds)
{
	json_t *value = seconds >= 0 ? json_real(seconds) : NULL;

	return value ? value : json_null();
}

static json_t *
list_or_empty(json_t *list)
{
	return list ? json_incref(list) : json_array();
}

/* NULL when it cannot be JSON. */
static json_t *
object_of(const struct record *r)
{
	char *log = r->logged ? xasprintf("%s.log", r->target) : NULL;
	json_t *object = json_pack("{s:i,s:s,s:s,s:s,s:o,s:o,s:o,s:f,s:f,s:f,s:o,s:b,s:b,s:o,"
				   "s:o,s:o,s:o,s:f,s:o,s:I,s:I,s:I,s:o,s:o,s:o,"
				   "s:I,s:[I,I],s:o,s:O?,s:o,s:O?,s:I,s:O?,s:o,s:o,s:o}",
	    "schema", 1, "target", r->target, "session", r->session,
	    "verdict", verdict_name(r->verdict), "reason", json_text_or_null(r->reason),
	    "exit", int_or_null(r->exit), "signal", int_or_null(r->signal),
	    "started", r->started, "ended", r->ended, "duration", r->duration,
	    "log", json_text_or_null(log), "live", r->live, "excused", r->excused,
	    "notify", list_or_empty(r->notify), "waits", list_or_empty(r->waits),
	    "cue", json_text_or_null(r->cue), "left", json_text_or_null(r->left),
	    "cpu", r->cpu, "client", r->client < 0 ? json_null() : json_boolean(r->client),
	    "told", (json_int_t)r->told, "width", (json_int_t)r->width,
	    "memory", (json_int_t)r->memory, "wide", list_or_empty(r->wide),
	    "crowded", seconds_or_null(r->crowded), "own", seconds_or_null(r->own),
	    "shown", (json_int_t)r->shown, "announced", (json_int_t)r->announced[0],
	    (json_int_t)r->announced[1], "steps", list_or_empty(r->steps),
	    "more_steps", r->more_steps, "attempts", list_or_empty(r->attempts),
	    "recheck", r->recheck, "slots", (json_int_t)r->slots, "samples", r->samples,
	    "fork", json_text_or_null(r->fork), "machine", json_text_or_null(r->machine),
	    "few", json_text_or_null(r->few));

	free(log);
	return object;
}

/* NULL when it cannot be JSON. brief: without what grows with the session. The caller frees. */
static char *
text_of(const struct record *r, bool brief)
{
	json_t *object = object_of(r);
	char *text;

	if (object && brief) {
		json_object_set_new(object, "waits", json_array());
		json_object_set_new(object, "wide", json_array());
		json_object_set_new(object, "steps", json_array());
		json_object_set_new(object, "more_steps", json_null());
		json_object_set_new(object, "samples", json_null());
		json_object_set_new(object, "reason", json_null());
	}
	text = object ? json_dumps(object, JSON_INDENT(1) | JSON_REAL_PRECISION(15)) : NULL;
	json_decref(object);
	return text;
}

static char *
room_name(const char *target)
{
	return xasprintf(".%s.room", target);
}

int
record_reserve(int rundir, const char *target)
{
	char *room = room_name(target);
	int result = file_reserve(rundir, room, ROOM), saved = errno;

	free(room);
	errno = saved;
	return result;
}

void
record_release(int rundir, const char *target)
{
	char *room = room_name(target);

	unlinkat(rundir, room, 0);
	free(room);
}

/*
 * Into its room, if it has one. On a disk that is full nothing else may be left, and a record that
 * is too long for it goes without what the verdict does not need.
 */
static int
store(int rundir, const struct record *r, const char *name, const char *text)
{
	char *room = room_name(r->target), *brief;
	int result = file_fill(rundir, room, name, text, strlen(text));

	if (result < 0)
		result = file_store(rundir, name, text, strlen(text));
	if (result < 0 && fd_is_full(errno) && (brief = text_of(r, true))) {
		result = file_fill(rundir, room, name, brief, strlen(brief));
		free(brief);
	}
	free(room);
	return result;
}

int
record_write(int rundir, int runtime, const struct record *r)
{
	char *name = xasprintf("%s.json", r->target);
	char *text = text_of(r, false);
	int result = -1;

	if (text && strlen(text) > RECORD_MOST) {
		free(text);
		text = text_of(r, true);
	}
	if (!text) {
		warnx("%s: cannot be written as JSON", name);
	} else {
		if (runtime >= 0) {
			mark_notified(runtime, r);
			result = file_store(runtime, name, text, strlen(text));
		}
		mark_notified(rundir, r);
		if (store(rundir, r, name, text) == 0)
			result = 0;
		/* A session that cleans the checkout may have taken the folder just now. */
		else if (result < 0 || errno != ENOENT)
			warn("%s: the verdict of this session is lost", name);
	}
	free(text);
	free(name);
	return result;
}

static int
start_writing(int fd)
{
	return sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

static void
sync_files(int rundir, const json_t *targets, int (*sync)(int fd), bool told)
{
	static const char *const suffixes[] = { ".json", ".log" };
	const char *target;
	json_t *unused;

	json_object_foreach((json_t *)targets, target, unused) {
		for (size_t i = 0; i < countof(suffixes); i++) {
			char *name = xasprintf("%s%s", target, suffixes[i]);
			int fd = file_open(rundir, name, O_RDONLY, 0);

			if (fd >= 0 && sync(fd) < 0 && told)
				warn("%s", name);
			fd_close(&fd);
			free(name);
		}
	}
}

void
record_sync(int rundir, const json_t *targets)
{
	/*
	 * fdatasync waits for one file's blocks at a time. Once all of them are on their way, it
	 * finds most of them written: hundreds of files take a third of the time.
	 */
	sync_files(rundir, targets, start_writing, false);
	sync_files(rundir, targets, fdatasync, true);
	/* Some network file systems cannot sync a folder; the files are there all the same. */
	(void)fsync(rundir);
}

static int
copy_int(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_integer(value) ? (int)json_integer_value(value) : -1;
}

/* 0 for what is no number from 0 to most. */
static unsigned long long
copy_count(const json_t *object, const char *key, unsigned long long most)
{
	json_int_t value = json_integer_value(json_object_get(object, key));

	return value > 0 && (unsigned long long)value <= most ? (unsigned long long)value : 0;
}

/* -1 for what is no time. */
static double
copy_seconds(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_number(value) && json_number_value(value) >= 0 ?
		   json_number_value(value) : -1;
}

/* The strings of that list, or NULL when it has none. */
static json_t *
copy_words(const json_t *object, const char *key)
{
	json_t *words = NULL, *item;
	size_t i;

	json_array_foreach(json_object_get(object, key), i, item)
		if (json_is_string(item)) {
			words = words ? words : json_array();
			json_array_append(words, item);
		}
	return words;
}

static void
copy_announced(const json_t *object, struct record *r)
{
	const json_t *counts = json_object_get(object, "announced");

	for (size_t i = 0; i < countof(r->announced); i++) {
		json_int_t n = json_integer_value(json_array_get(counts, i));

		r->announced[i] = n > 0 && n <= UINT_MAX ? (unsigned)n : 0;
	}
}

static bool
fill(struct record *r, const json_t *object)
{
	const char *verdict = json_string_value(json_object_get(object, "verdict"));
	const json_t *client;

	if (json_integer_value(json_object_get(object, "schema")) != 1 || !verdict)
		return false;
	for (r->verdict = 0; r->verdict < VERDICTS; r->verdict++)
		if (!strcmp(verdict, verdict_names[r->verdict]))
			break;
	r->target = json_text_copy(object, "target");
	r->session = json_text_copy(object, "session");
	r->reason = json_text_copy(object, "reason");
	r->exit = copy_int(object, "exit");
	r->signal = copy_int(object, "signal");
	r->started = json_number(object, "started");
	r->ended = json_number(object, "ended");
	r->duration = json_number(object, "duration");
	r->cpu = json_number(object, "cpu");
	client = json_object_get(object, "client");
	r->client = json_is_boolean(client) ? json_is_true(client) : -1;
	r->told = (unsigned)copy_count(object, "told", UINT_MAX);
	r->width = (unsigned)copy_count(object, "width", UINT_MAX);
	r->memory = copy_count(object, "memory", LLONG_MAX);
	r->wide = copy_words(object, "wide");
	r->crowded = copy_seconds(object, "crowded");
	r->own = copy_seconds(object, "own");
	r->shown = (long long)copy_count(object, "shown", LLONG_MAX);
	copy_announced(object, r);
	r->slots = (unsigned)copy_count(object, "slots", UINT_MAX);
	if (samples_are_sound(json_object_get(object, "samples")))
		r->samples = json_incref(json_object_get(object, "samples"));
	r->logged = json_is_string(json_object_get(object, "log"));
	r->live = json_is_true(json_object_get(object, "live"));
	r->excused = json_is_true(json_object_get(object, "excused"));
	r->notify = json_incref(json_object_get(object, "notify"));
	r->waits = bounds_waits(json_object_get(object, "waits"));
	r->attempts = json_incref(json_object_get(object, "attempts"));
	if (json_is_object(json_object_get(object, "recheck")))
		r->recheck = json_incref(json_object_get(object, "recheck"));
	r->steps = bounds_first(json_object_get(object, "steps"), BOUNDS_STEPS);
	r->more_steps = bounds_more_steps(json_object_get(object, "steps"),
	    json_object_get(object, "more_steps"));
	r->cue = json_text_copy(object, "cue");
	r->left = json_text_copy(object, "left");
	r->fork = json_text_copy(object, "fork");
	r->few = json_text_copy(object, "few");
	r->machine = json_text_copy(object, "machine");
	return r->verdict < VERDICTS && r->target && r->session && json_is_array(r->notify) &&
	       json_is_array(r->waits);
}

int
record_load(int rundir, const char *target, struct record *r, const char **why)
{
	char *name = xasprintf("%s.json", target);
	struct buffer text = { 0 };
	json_t *object = NULL;
	int result = -1;

	*r = (struct record){ 0 };
	*why = "not a record of a session";
	if (file_load_most(rundir, name, RECORD_MOST, &text) < 0) {
		*why = errno == EFBIG ? "larger than a record is" : file_why(errno);
		if (errno == ENOENT)
			result = 0;
		goto out;
	}
	object = json_loadb(text.data, text.len, 0, NULL);
	if (fill(r, object) && !strcmp(r->target, target))
		result = 1;
	else
		record_clear(r);
out:
	json_decref(object);
	buffer_free(&text);
	free(name);
	return result;
}

int
record_read(int rundir, const char *target, struct record *r)
{
	const char *why;
	int result = record_load(rundir, target, r, &why);

	if (result < 0)
		warnx("%s.json: %s", target, why);
	return result;
}

void
record_forget(int rundir, const char *target)
{
	char *name = xasprintf("%s.json", target);

	if (faccessat(rundir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		warnx("%s: a record of a session that has not run, which does not count", name);
		file_remove(rundir, name);
	}
	free(name);
}

void
record_clear(struct record *r)
{
	free(r->target);
	free(r->session);
	free(r->reason);
	free(r->cue);
	free(r->left);
	free(r->whole);
	free(r->few);
	free(r->fork);
	free(r->machine);
	json_decref(r->notify);
	json_decref(r->waits);
	json_decref(r->attempts);
	json_decref(r->wide);
	json_decref(r->recheck);
	json_decref(r->steps);
	json_decref(r->more_steps);
	json_decref(r->samples);
	*r = (struct record){ 0 };
}

static int
is_record(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 5 && !strcmp(entry->d_name + len - 5, ".json") &&
	       entry->d_name[0] != '.';
}

/* Only what is there needs the plan, which may be long. */
static void
add_known(json_t *list, struct dirent **entries, int n, int rundir)
{
	bool planned = n > 0 && faccessat(rundir, "plan.jsonl", F_OK, 0) == 0;
	struct planfile *plan = planned ? planfile_open(rundir) : NULL;

	for (int i = 0; i < n; i++) {
		entries[i]->d_name[strlen(entries[i]->d_name) - 5] = '\0';
		if (!planned || planfile_has_session(plan, entries[i]->d_name))
			json_array_append_new(list, json_string(entries[i]->d_name));
		free(entries[i]);
	}
	planfile_close(plan);
}

json_t *
record_list(int rundir)
{
	struct dirent **entries;
	json_t *list = json_array();
	int n = scandirat(rundir, ".", &entries, is_record, alphasort);

	if (n < 0) {
		warn("the run's folder");
		json_decref(list);
		return NULL;
	}
	add_known(list, entries, n, rundir);
	free(entries);
	return list;
}

void
record_each(int rundir, void (*visit)(void *, const struct record *), void *data)
{
	json_t *names = record_list(rundir), *name;
	size_t i;

	json_array_foreach(names, i, name) {
		struct record record;

		if (record_read(rundir, json_string_value(name), &record) == 1)
			visit(data, &record);
		record_clear(&record);
	}
	json_decref(names);
}

/* A search for the posargs that somebody gave to that target. */
struct posargs_search {
	const char *target;
	json_t *found;
};

static void
find_posargs(void *data, const struct record *caller)
{
	struct posargs_search *search = data;
	json_t *item;
	size_t i;

	json_array_foreach(caller->notify, i, item) {
		json_t *posargs = json_object_get(item, "posargs");

		if (!search->found && !strcmp(json_text(item, "target"), search->target) &&
		    json_is_array(posargs))
			search->found = json_incref(posargs);
	}
}

json_t *
record_notified_posargs(int rundir, const char *target)
{
	struct posargs_search search = { .target = target };
	char *mark = notified_name(target);

	if (faccessat(rundir, mark, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		record_each(rundir, find_posargs, &search);
	free(mark);
	return search.found;
}

bool
record_recall(int rundir, struct record *record)
{
	struct record known;
	bool found = record_read(rundir, record->target, &known) == 1 &&
	    json_array_size(known.attempts) >= json_array_size(record->attempts);

	if (found) {
		record_clear(record);
		*record = known;
	} else {
		record_clear(&known);
	}
	return found;
}
