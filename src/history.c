#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "history.h"
#include "record.h"

#define NAME "history.json"

/* Runs to keep of a session, and sessions to keep at all: a matrix's names may change for ever. */
enum { RUNS = 7, SESSIONS = 5000 };

/* Nobody can tell shorter ones apart. */
#define SHORTEST 0.001

/* Longer is nonsense, here and in what was written. */
#define LONGEST 1e9

/* A change of what is expected by this factor is worth another order. */
#define NOTEWORTHY 1.1

struct history {
	json_t *own, *seed; /* target -> seconds */
	double unknown;
};

static int
compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
median(double *values, size_t n)
{
	qsort(values, n, sizeof(*values), compare_doubles);
	return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/* Of a list of seconds; -1 when there are none. */
static double
median_of(const json_t *list)
{
	double values[RUNS], result;
	size_t n = 0, i, size = json_array_size(list);
	const json_t *item;

	json_array_foreach(list, i, item)
		if (size - i <= RUNS)
			values[n++] = json_number_value(item);
	result = n > 0 ? median(values, n) : -1;
	return result;
}

static bool
is_time(double seconds)
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
			if (!json_is_number(item) || !is_time(json_number_value(item)))
				return false;
	}
	return true;
}

/* Never NULL. */
static json_t *
read_sessions(int dirfd, const char *name, const char *shown)
{
	struct buffer text = { 0 };
	json_t *root = NULL, *sessions;
	json_error_t error;

	if (file_read(dirfd, name, &text) < 0) {
		if (errno != ENOENT || dirfd == AT_FDCWD)
			warn("%s: nothing is known of how long sessions take", shown);
	} else if (!(root = json_loadb(text.data, text.len, 0, &error))) {
		warnx("%s:%d: %s: nothing of it counts", shown, error.line, error.text);
	} else if (!is_history(root)) {
		warnx("%s: no history of sessions: nothing of it counts", shown);
		json_decref(root);
		root = NULL;
	}
	sessions = root ? json_incref(json_object_get(root, "sessions")) : json_object();
	json_decref(root);
	buffer_free(&text);
	return sessions;
}

static double
median_of_all(const struct history *history)
{
	double *values = xcalloc(json_object_size(history->own) +
	    json_object_size(history->seed) + 1, sizeof(*values)), result;
	json_t *list;
	const char *target;
	size_t n = 0;

	json_object_foreach(history->own, target, list)
		if (json_array_size(list) > 0)
			values[n++] = median_of(list);
	json_object_foreach(history->seed, target, list)
		if (json_array_size(list) > 0 && !json_object_get(history->own, target))
			values[n++] = median_of(list);
	result = n > 0 ? median(values, n) : 1;
	free(values);
	return result;
}

struct history *
history_load(int state)
{
	struct history *history = xcalloc(1, sizeof(*history));
	const char *seed = getenv("NOXMK_HISTORY");

	history->own = read_sessions(state, NAME, ".noxmk/" NAME);
	history->seed = seed && *seed ? read_sessions(AT_FDCWD, seed, seed) : json_object();
	history->unknown = median_of_all(history);
	return history;
}

void
history_free(struct history *history)
{
	if (!history)
		return;
	json_decref(history->own);
	json_decref(history->seed);
	free(history);
}

double
history_expect(const struct history *history, const char *target, bool *known)
{
	double seconds = median_of(json_object_get(history->own, target));

	if (seconds < 0)
		seconds = median_of(json_object_get(history->seed, target));
	*known = seconds >= 0;
	if (!*known)
		seconds = history->unknown;
	return seconds > SHORTEST ? seconds : SHORTEST;
}

/* True when the session is expected to take another time now. The newest go to the end of all. */
static bool
add(json_t *sessions, const struct record *record)
{
	const json_t *old = json_object_get(sessions, record->target);
	size_t size = json_array_size(old);
	double before = median_of(old), after;
	json_t *list = json_array();

	/* Somebody may have made it long, and to take off the first is slow. */
	for (size_t i = size < RUNS ? 0 : size - RUNS + 1; i < size; i++)
		json_array_append(list, json_array_get(old, i));
	json_array_append_new(list, json_real(record->duration));
	json_object_del(sessions, record->target);
	json_object_set_new(sessions, record->target, list);
	after = median_of(list);
	return before < 0 || after > before * NOTEWORTHY || before > after * NOTEWORTHY;
}

static bool
add_run(json_t *sessions, int run)
{
	json_t *names = record_list(run), *name, *list;
	const char *target;
	bool changed = false;
	void *next;
	size_t i;

	json_array_foreach(names, i, name) {
		struct record record;

		if (record_read(run, json_string_value(name), &record) != 1)
			continue;
		/* One bad number would make all of the history one that cannot be used. */
		if (record.verdict == PASSED && is_time(record.duration) && add(sessions, &record))
			changed = true;
		record_clear(&record);
	}
	json_decref(names);
	json_object_foreach_safe(sessions, next, target, list)
		if (json_object_size(sessions) > SESSIONS)
			json_object_del(sessions, target);
	return changed;
}

bool
history_update(int state, int run)
{
	json_t *root, *sessions;
	bool changed = false;
	char *text;

	/* The lock goes with the descriptor, which may be shared with nobody. */
	if (flock(state, LOCK_EX) < 0)
		warn(".noxmk");
	sessions = read_sessions(state, NAME, ".noxmk/" NAME);
	changed = add_run(sessions, run);
	root = json_pack("{s:i,s:o}", "schema", 1, "sessions", sessions);
	text = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(6));
	if (!text || file_replace(state, NAME, text, strlen(text)) < 0) {
		warn(".noxmk/" NAME);
		changed = false;
	}
	flock(state, LOCK_UN);
	free(text);
	json_decref(root);
	return changed;
}
