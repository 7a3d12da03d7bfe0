#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpus.h"
#include "base/file.h"
#include "base/median.h"
#include "state/history.h"
#include "state/record.h"
#include "state/request.h"
#include "state/state.h"

/*
 * So many runs of a session are kept, and so many sessions: a matrix may have new names with each
 * change.
 */
enum { RUNS = 7, SESSIONS = 5000 };

/* A session that takes fewer seconds counts as if it took these. */
#define SHORTEST 0.001

/* More seconds are nonsense, in a record and in the file. */
#define LONGEST 1e9

/* When what is expected of a session changes by this factor, another order may be better. */
#define NOTEWORTHY 1.1

/* What one file says. */
struct table {
	json_t *sessions; /* target -> seconds */
	json_t *clients;  /* target -> anything */
	json_t *worded;   /* target -> anything: see history.h */
	json_t *learned;  /* target -> what learned_read takes */
	json_t *machine;  /* what it is like, or NULL */
	json_t *skipped;  /* target -> seconds, of those that were when they ran last */
	bool newer;       /* somebody else's, of a form that we do not know */
};

/* The file has seconds with so many digits; by so much of it a number may then differ. */
enum { DIGITS_KEPT = 6 };
#define ROUNDED 1e-5


struct history {
	struct table own, seed; /* seed: the file that NOXMK_HISTORY names */
	double unknown;         /* seconds of a session that has never run */
};

/* The median of the last RUNS of a list of seconds; -1 when there are none. */
static double
median_of(const json_t *list)
{
	double values[RUNS];
	size_t n = 0, i, size = json_array_size(list);
	const json_t *item;

	json_array_foreach(list, i, item)
		if (size - i <= RUNS)
			values[n++] = json_number_value(item);
	return n > 0 ? median(values, n) : -1;
}

/* The median of that target's list in the text of a file, or -1. */
static double
look_up(int dirfd, const char *name, const char *target)
{
	char *key = xasprintf("\"%s\":[", target), *at = NULL;
	struct buffer text = { 0 };
	json_t *list = NULL;
	double usual;

	if (file_load(dirfd, name, &text) == 0 && (at = strstr(text.data, "\"sessions\":{")))
		at = strstr(at, key);
	if (at)
		list = json_loads(at + strlen(key) - 1, JSON_DISABLE_EOF_CHECK, NULL);
	usual = json_is_number(json_array_get(list, 0)) ? median_of(list) : -1;
	json_decref(list);
	buffer_free(&text);
	free(key);
	return history_is_time(usual) ? usual : -1;
}

double
history_usual(int state, const char *target)
{
	const char *seed = getenv("NOXMK_HISTORY");
	double usual = look_up(state, HISTORY_NAME, target);

	return usual < 0 && seed && *seed ? look_up(AT_FDCWD, seed, target) : usual;
}

bool
history_is_time(double seconds)
{
	return seconds >= 0 && seconds < LONGEST;
}

static bool
is_history(const json_t *root)
{
	const json_t *sessions = json_object_get(root, "sessions"), *item;
	json_t *list;
	const char *target;
	size_t i;

	if (json_integer_value(json_object_get(root, "schema")) != 1 || !json_is_object(sessions))
		return false;
	json_object_foreach((json_t *)sessions, target, list) {
		if (!json_is_array(list))
			return false;
		json_array_foreach(list, i, item)
			if (!json_is_number(item) || !history_is_time(json_number_value(item)))
				return false;
	}
	return true;
}

/* The strings of a list as the keys of a new object. */
static json_t *
set_of(const json_t *list)
{
	json_t *set = json_object(), *item;
	size_t i;

	json_array_foreach(list, i, item)
		if (json_is_string(item))
			json_object_set_new(set, json_string_value(item), json_true());
	return set;
}

/* root: what is_history accepts, or NULL for an empty table. table_free frees. */
static struct table
table_of(const json_t *root)
{
	json_t *learned = json_object_get(root, "learned"), *item;
	const char *target;
	struct table table = { .sessions = json_incref(json_object_get(root, "sessions")),
		.clients = set_of(json_object_get(root, "clients")),
		.worded = set_of(json_object_get(root, "worded")),
		.machine = json_incref(json_object_get(root, "machine")),
		.learned = json_is_object(learned) ? json_incref(learned) : json_object(),
		.skipped = json_object() };

	if (!table.sessions)
		table.sessions = json_object();
	json_object_foreach(json_object_get(root, "skipped"), target, item)
		if (json_is_number(item) && history_is_time(json_number_value(item)))
			json_object_set(table.skipped, target, item);
	return table;
}

static void
table_free(struct table *table)
{
	json_decref(table->sessions);
	json_decref(table->clients);
	json_decref(table->worded);
	json_decref(table->learned);
	json_decref(table->machine);
	json_decref(table->skipped);
}

/*
 * shown: the file as messages show it, or NULL for none. One that cannot be used is warned of then,
 * and counts as empty.
 */
static struct table
read_table(int dirfd, const char *name, const char *shown)
{
	struct buffer text = { 0 };
	json_t *root = NULL;
	struct table table;
	json_error_t error;
	bool newer = false;

	if ((dirfd == AT_FDCWD ? file_read : file_load)(dirfd, name, &text) < 0) {
		if (shown && (errno != ENOENT || dirfd == AT_FDCWD))
			warnx("%s: nothing is known of how long sessions take: %s", shown,
			    file_why(errno));
	} else if (!(root = json_loadb(text.data, text.len, 0, &error))) {
		if (shown)
			warnx("%s:%d: %s: nothing of it counts", shown, error.line, error.text);
	} else if (!is_history(root)) {
		newer = json_integer_value(json_object_get(root, "schema")) > 1;
		if (shown)
			warnx(newer ? "%s: of a newer noxmk: nothing of it counts" :
			    "%s: no history of sessions: nothing of it counts", shown);
		json_decref(root);
		root = NULL;
	}
	table = table_of(root);
	table.newer = newer;
	json_decref(root);
	buffer_free(&text);
	return table;
}

/* The median of the medians of all sessions; 1 when none has run. */
static double
median_of_all(const struct history *history)
{
	const json_t *own = history->own.sessions, *seed = history->seed.sessions;
	double *values = xcalloc(json_object_size(own) + json_object_size(seed) + 1,
	    sizeof(*values)), result;
	json_t *list;
	const char *target;
	size_t n = 0;

	json_object_foreach((json_t *)own, target, list)
		if (json_array_size(list) > 0)
			values[n++] = median_of(list);
	json_object_foreach((json_t *)seed, target, list)
		if (json_array_size(list) > 0 && !json_object_get(own, target))
			values[n++] = median_of(list);
	result = n > 0 ? median(values, n) : 1;
	free(values);
	return result;
}

static struct history *
load(int state, bool warns)
{
	struct history *history = xcalloc(1, sizeof(*history));
	const char *seed = getenv("NOXMK_HISTORY");
	char *shown = warns ? state_file(HISTORY_NAME) : NULL;

	history->own = state >= 0 ? read_table(state, HISTORY_NAME, shown) : table_of(NULL);
	free(shown);
	history->seed = seed && *seed ? read_table(AT_FDCWD, seed, warns ? seed : NULL) :
					table_of(NULL);
	history->unknown = median_of_all(history);
	return history;
}

struct history *
history_load(int state)
{
	return load(state, true);
}

struct history *
history_look(int state)
{
	return load(state, false);
}

void
history_free(struct history *history)
{
	if (!history)
		return;
	table_free(&history->own);
	table_free(&history->seed);
	free(history);
}

struct expectation
history_expect(const struct history *history, const char *target)
{
	const struct table *table = &history->own;
	double seconds = median_of(json_object_get(table->sessions, target));
	bool known;

	if (seconds < 0) {
		table = &history->seed;
		seconds = median_of(json_object_get(table->sessions, target));
	}
	known = seconds >= 0;
	if (!known)
		seconds = history->unknown;
	return (struct expectation){ .seconds = seconds > SHORTEST ? seconds : SHORTEST,
		.known = known, .client = json_object_get(table->clients, target) != NULL };
}

double
history_skipped(const struct history *history, const char *target)
{
	const json_t *seconds = json_object_get(history->own.skipped, target);

	if (!seconds && !json_object_get(history->own.sessions, target))
		seconds = json_object_get(history->seed.skipped, target);
	return seconds ? json_number_value(seconds) : -1;
}

struct learned
history_learned(const struct history *history, const char *target)
{
	const json_t *own = json_object_get(history->own.learned, target);

	return learned_read(own ? own : json_object_get(history->seed.learned, target));
}

/* What counts of a run: its time, or of a client of make's its processor time. */
static double
seconds_of(const struct record *record, bool is_client)
{
	bool by_cpu = is_client && record->cpu > record->duration && history_is_time(record->cpu);

	return by_cpu ? record->cpu : record->duration;
}

void
history_forget(struct history *history, const struct record *record)
{
	json_t *list = json_object_get(history->own.sessions, record->target);
	bool is_client = json_object_get(history->own.clients, record->target) != NULL;
	size_t n = json_array_size(list);
	double last = n > 0 ? json_number_value(json_array_get(list, n - 1)) : -1;

	if (n > 0 && fabs(last - seconds_of(record, is_client)) <= last * ROUNDED)
		json_array_remove(list, n - 1);
}

static bool
is_wide(const struct table *table, const char *target)
{
	const json_t *learned = json_object_get(table->learned, target);

	return json_integer_value(json_object_get(learned, "width")) > 1;
}

/*
 * Adds a run of a session, which goes to the end of the table: the sessions there are in the order
 * of their last runs. True when another order may be better now: the session is expected to take
 * another time, or has become a client or none, or wide or narrow.
 */
static bool
add(struct table *table, const struct record *record, unsigned processors)
{
	const json_t *old = json_object_get(table->sessions, record->target);
	bool was_client = json_object_get(table->clients, record->target) != NULL;
	bool was_wide = is_wide(table, record->target);
	bool is_client = record->client < 0 ? was_client : record->client;
	size_t size = json_array_size(old);
	double before = median_of(old), after;
	json_t *list = json_array(), *learned;

	/* The list may be long, from elsewhere, and removing its first items is slow. */
	for (size_t i = size < RUNS ? 0 : size - RUNS + 1; i < size; i++)
		json_array_append(list, json_array_get(old, i));
	json_array_append_new(list, json_real(seconds_of(record, is_client)));
	json_object_del(table->sessions, record->target);
	json_object_set_new(table->sessions, record->target, list);
	if (is_client)
		json_object_set_new(table->clients, record->target, json_true());
	else
		json_object_del(table->clients, record->target);
	learned = learned_add(json_object_get(table->learned, record->target), record, processors);
	if (learned)
		json_object_set_new(table->learned, record->target, learned);
	else
		json_object_del(table->learned, record->target);
	after = median_of(list);
	return before < 0 || after > before * NOTEWORTHY || before > after * NOTEWORTHY ||
	       was_client != is_client || was_wide != is_wide(table, record->target);
}

/* What record_each needs to add the records of a run. */
struct addition {
	struct table *table;
	unsigned processors;
	bool worded;     /* the run had words of ARGS */
	bool changed;
};

/* True when it was not skipped before and is now, or the other way round. */
static bool
note_skipped(json_t *skipped, const struct record *record)
{
	bool was = json_object_del(skipped, record->target) == 0;

	if (record->verdict == SKIPPED)
		json_object_set_new(skipped, record->target, json_real(record->duration));
	return was != (record->verdict == SKIPPED);
}

/*
 * Does a run like this one count beside what is there of the session? One without words ends what
 * is only known of runs with some.
 */
static bool
makes_room(struct table *table, const char *target, bool worded)
{
	bool was_worded = json_object_get(table->worded, target) != NULL;

	if (worded && json_object_get(table->sessions, target))
		return was_worded;
	if (worded) {
		json_object_set_new(table->worded, target, json_true());
	} else if (was_worded) {
		json_object_del(table->worded, target);
		json_object_del(table->sessions, target);
		json_object_del(table->learned, target);
	}
	return true;
}

/* A record with a nonsensical time is left out: it would make the whole file unusable. */
static void
add_record(void *data, const struct record *record)
{
	struct addition *addition = data;

	if (!history_is_time(record->duration))
		return;
	if (record->verdict == PASSED &&
	    makes_room(addition->table, record->target, addition->worded) &&
	    add(addition->table, record, addition->processors))
		addition->changed = true;
	if ((record->verdict == PASSED || record->verdict == SKIPPED) &&
	    note_skipped(addition->table->skipped, record))
		addition->changed = true;
}

/*
 * Forgets the sessions that have not run for longest, and what is learned of no session or makes no
 * sense: learned_of would stumble over a target in there.
 */
static void
forget(struct table *table)
{
	json_t *learned = json_object(), *item, *tidy;
	const char *target;
	void *next;

	json_object_foreach_safe(table->sessions, next, target, item)
		if (json_object_size(table->sessions) > SESSIONS) {
			json_object_del(table->clients, target);
			json_object_del(table->worded, target);
			json_object_del(table->sessions, target);
		}
	json_object_foreach_safe(table->skipped, next, target, item)
		if (json_object_size(table->skipped) > SESSIONS)
			json_object_del(table->skipped, target);
	json_object_foreach(table->learned, target, item)
		if (json_object_get(table->sessions, target) && (tidy = learned_tidy(item)))
			json_object_set_new(learned, target, tidy);
	json_decref(table->learned);
	table->learned = learned;
}

/* True: see add(). */
static bool
add_run(struct table *table, int rundir)
{
	struct addition addition = { .table = table, .processors = cpus_available(),
		.worded = request_has_words(rundir) };

	record_each(rundir, add_record, &addition);
	forget(table);
	return addition.changed;
}

/* The keys as a new list, or NULL if there are none. */
static json_t *
keys_of(json_t *object)
{
	json_t *keys = json_object_size(object) > 0 ? json_array() : NULL, *value;
	const char *key;

	json_object_foreach(object, key, value)
		json_array_append_new(keys, json_string(key));
	return keys;
}

/* 0, or -1 with errno set. */
static int
write_table(int state, const struct table *table)
{
	json_t *learned = json_object_size(table->learned) > 0 ? table->learned : NULL;
	json_t *skipped = json_object_size(table->skipped) > 0 ? table->skipped : NULL;
	json_t *root = json_pack("{s:i,s:O,s:o*,s:o*,s:O*,s:O*,s:O*}", "schema", 1, "sessions",
	    table->sessions, "clients", keys_of(table->clients), "worded",
	    keys_of(table->worded), "learned", learned,
	    "machine", table->machine, "skipped", skipped);
	char *text = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(DIGITS_KEPT));
	int result = text ? file_replace(state, HISTORY_NAME, text, strlen(text)) : -1;

	free(text);
	json_decref(root);
	return result;
}

/* Those of a list that can be; the newest last, and no more than RUNS. A new list. */
static json_t *
busy_times(const json_t *machine)
{
	json_t *times = json_array(), *item;
	size_t i;

	json_array_foreach(json_object_get(machine, "seconds"), i, item)
		if (json_is_number(item) && machine_is_busy_time(json_number_value(item)))
			json_array_append(times, item);
	while (json_array_size(times) > RUNS)
		json_array_remove(times, 0);
	return times;
}

struct machine
history_machine(const struct history *history)
{
	const json_t *known = history->own.machine ? history->own.machine : history->seed.machine;
	json_int_t processors = json_integer_value(json_object_get(known, "processors"));
	json_t *times = busy_times(known);
	struct machine machine = { .seconds = median_of(times),
		.processors = machine_is_processors(processors) ? (unsigned)processors : 0 };

	json_decref(times);
	return machine;
}

static void
add_machine(struct table *table, const struct machine *machine)
{
	json_t *times = busy_times(table->machine), *last, *processors;

	if (machine->seconds >= 0)
		json_array_append_new(times, json_real(machine->seconds));
	if (json_array_size(times) > RUNS)
		json_array_remove(times, 0);
	processors = machine->processors > 0 ? json_integer(machine->processors) :
	    json_incref(json_object_get(table->machine, "processors"));
	if (json_array_size(times) == 0) {
		json_decref(times);
		times = NULL;
	}
	last = json_pack("{s:o*,s:o*}", "seconds", times, "processors", processors);
	json_decref(table->machine);
	table->machine = last;
}

/* machine: of a run of several, or NULL. *changed: see history_update. 0, or -1 after a warning. */
static int
update(int state, int rundir, const struct machine *machine, bool *changed)
{
	char *shown = state_file(HISTORY_NAME);
	struct table table;
	int lock, result = 0;

	/* Two makes may end at once. */
	lock = state_lock(state, STATE_PATIENCE);
	table = read_table(state, HISTORY_NAME, shown);
	if (!table.newer) {
		*changed = add_run(&table, rundir);
		if (machine)
			add_machine(&table, machine);
		if ((result = write_table(state, &table)) < 0) {
			warn("%s", shown);
			*changed = false;
		}
	}
	state_unlock(lock);
	free(shown);
	table_free(&table);
	return result;
}

bool
history_update(int state, int rundir)
{
	bool changed = false;

	(void)update(state, rundir, NULL, &changed);
	return changed;
}

int
history_update_merged(int state, int rundir, const struct machine *machine)
{
	bool changed = false;

	return update(state, rundir, machine, &changed);
}
