#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/stdlib.h>

#include "base/charset.h"
#include "base/cpus.h"
#include "base/file.h"
#include "base/json.h"
#include "base/nearest.h"
#include "base/slug.h"
#include "base/words.h"
#include "plan/planfile.h"
#include "state/makekey.h"
#include "state/machine.h"
#include "state/request.h"
#include "state/word.h"
#include "state/state.h"

#define PREFIX ".request-"

/* So many characters of ARGS are shown in a message; the kernel takes no longer word than that. */
enum { SHOWN_MAX = 60, WORD_MAX = 128 * 1024 - 1 };

/* How many slips a name that is nearly one of ours may have in it. */
enum { SLIPS_FEW = 2, SLIPS_ANY = 100 };

void
request_clear(struct request *request)
{
	/* The list owns what it has. */
	for (size_t i = 0; i < request->posargs.n; i++)
		free((char *)request->posargs.v[i]);
	free(request->posargs.v);
	free(request->alone);
	json_decref(request->goals);
	json_decref(request->left);
	json_decref(request->own);
	json_decref(request->knob_texts);
	*request = (struct request){ 0 };
}

/* "….request-WHAT-KEY" of a make that has ended: it was killed before its helper had started. */
static int
is_left(const struct dirent *entry)
{
	const char *key = entry->d_name;

	if (strncmp(key, PREFIX, strlen(PREFIX)) != 0 ||
	    !(key = strchr(key + strlen(PREFIX), '-')))
		return 0;
	return !makekey_is_sane(key + 1) || !makekey_is_alive(key + 1);
}

/* What was to be renamed: see file_replace. */
static int
is_left_or_beside(const struct dirent *entry)
{
	return is_left(entry) || entry->d_name[strlen(entry->d_name) - 1] == '~';
}

static void
remove_left(int state)
{
	struct dirent **entries = NULL;
	int n = scandirat(state, ".", &entries, is_left_or_beside, alphasort);

	for (int i = 0; i < n; i++) {
		/* We may not see its make: that of another container. */
		file_remove_stale(state, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
}

/* The settings of make's text, which is cut into pieces. */
static json_t *
parse(char *text)
{
	json_t *settings = json_object();
	char *line;

	while (text && *text) {
		bool last = !strncmp(text, "args=", strlen("args="));
		char *value = strchr(text, '=');

		line = last ? text : strsep(&text, "\n");
		if (last || !value)
			text = NULL;
		if (!value)
			break;
		*value++ = '\0';
		json_object_set_new(settings, line, word_json(value, NULL));
	}
	return settings;
}

json_t *
request_take(int state, const char *what, const char *key)
{
	char *name = xasprintf(PREFIX "%s-%s", what, key);
	struct buffer text = { 0 };
	json_t *settings = NULL;

	if (!makekey_is_sane(key)) {
		warnx("'%s' does not name a make: is /proc mounted?", key);
	} else if (file_load(state, name, &text) < 0) {
		warn("%s/%s", state_path(), name);
	} else {
		/* $(file) has ended it so. */
		if (text.len > 0 && text.data[text.len - 1] == '\n')
			text.data[--text.len] = '\0';
		settings = parse(text.data);
	}
	if (makekey_is_sane(key))
		unlinkat(state, name, 0);
	remove_left(state);
	buffer_free(&text);
	free(name);
	return settings;
}

/* The words of that setting; a new reference. */
static json_t *
words_of(const json_t *settings, const char *name)
{
	return json_words(json_text(settings, name));
}

json_t *
request_goals(const json_t *settings)
{
	return words_of(settings, "goals");
}

unsigned
request_jobs(const json_t *settings)
{
	const char *bad = NULL;
	long long jobs = strtonum(json_text(settings, "NOXMK_JOBS"), 1, UINT_MAX, &bad);

	return bad ? 0 : (unsigned)jobs;
}

/* One message for the first thing that is wrong with ARGS. */
static bool
check_args(const char *args, struct request *request)
{
	char *copy = xstrdup(args);
	struct strings words = { 0 };
	const char *fault = words_split(copy, &words);

	if (fault)
		warnx("ARGS %s: %.*s%s", fault, SHOWN_MAX, args,
		    strlen(args) > SHOWN_MAX ? "…" : "");
	for (size_t i = 0; i < words.n && !fault; i++) {
		if (strlen(words.v[i]) > WORD_MAX) {
			fault = "long";
			warnx("ARGS has a word of %zu bytes; the system takes %d at most: %.*s…",
			    strlen(words.v[i]), WORD_MAX, SHOWN_MAX, words.v[i]);
		}
		strings_add(&request->posargs, xstrdup(words.v[i]));
	}
	free(words.v);
	free(copy);
	return !fault;
}

/* What follows the prefix that nearly all knobs have; compared with it, all would be alike. */
static const char *
own_part(const char *name)
{
	static const char prefix[] = "NOXMK_";

	return strncmp(name, prefix, sizeof(prefix) - 1) == 0 ? name + sizeof(prefix) - 1 : name;
}

/*
 * One message for each variable of the one setting that is most likely, by so many slips, one of
 * the other's spelled wrong.
 */
static bool
check_names(const json_t *settings, const char *of, const char *among, size_t slips)
{
	json_t *known = words_of(settings, among), *unknown = words_of(settings, of);
	struct strings parts = { 0 };
	const json_t *word;
	bool good = true;
	size_t i, at;

	json_array_foreach(known, i, word)
		strings_add(&parts, own_part(json_string_value(word)));
	json_array_foreach(unknown, i, word) {
		const char *text = json_string_value(word), *meant;
		char *name = xasprintf("%.*s", (int)strcspn(text, "="), text);

		meant = nearest_within(slips, own_part(name), &parts);
		for (at = 0; at < parts.n && parts.v[at] != meant; at++)
			;
		if (meant)
			warnx("%s: there is no such knob; did you mean %s?", name,
			    json_string_value(json_array_get(known, at)));
		good = good && !meant;
		free(name);
	}
	free(parts.v);
	json_decref(known);
	json_decref(unknown);
	return good;
}

/* One message for each session that make has taken for a variable, since its name has a `=`. */
static bool
check_calls(const json_t *settings)
{
	json_t *typed = words_of(settings, "typed");
	const json_t *word;
	bool good = true;
	size_t i;

	json_array_foreach(typed, i, word) {
		const char *text = json_string_value(word);
		char *slug;

		if (text[strcspn(text, "(=")] != '(')
			continue;
		slug = slug_make(text);
		warnx("%.*s%s: make takes that for a variable; the target of such a session is %s",
		    SHOWN_MAX, text, strlen(text) > SHOWN_MAX ? "…" : "", slug);
		free(slug);
		good = false;
	}
	json_decref(typed);
	return good;
}

bool
request_check(const json_t *settings, struct request *request)
{
	char *args = word_text(json_object_get(settings, "args"));
	bool good = check_args(args, request);

	good = check_names(settings, "unknown", "known", SLIPS_ANY) && good;
	/* A name without our beginning may be somebody else's. */
	good = check_names(settings, "typed", "plain", SLIPS_FEW) && good;
	good = check_calls(settings) && good;
	request->knobs = knobs_default();
	request->goals = request_goals(settings);
	if (json_object_get(settings, "left"))
		request->left = words_of(settings, "left");
	request->own = words_of(settings, "own");
	request->selects_nothing = json_array_size(request->goals) > 0 &&
				   !strcmp(json_text(settings, "sessions"), "0");
	request->sessions = (unsigned)strtoul(json_text(settings, "sessions"), NULL, 10);
	request->alone = xstrdup(json_text(settings, "alone"));
	request->knob_texts = json_object();
	for (size_t i = 0; knob_name(i); i++) {
		const char *name = knob_name(i);
		char *value = word_text(json_object_get(settings, name));

		if (!knob_set(&request->knobs, name, value))
			good = false;
		else if (*value)
			json_object_set_new(request->knob_texts, name, word_json(value, NULL));
		free(value);
	}
	free(args);
	return good;
}

int
request_write(int rundir, const struct request *request, const struct secrets *secrets)
{
	json_t *posargs = json_array(), *json;
	double busy = machine_busy();
	char *text;
	int result;

	for (size_t i = 0; i < request->posargs.n; i++)
		json_array_append_new(posargs, word_json(request->posargs.v[i], secrets));
	json = json_pack("{s:i,s:O,s:O,s:s,s:o,s:i,s:i,s:O*,s:O*,s:o*}", "schema", 1, "knobs",
	    request->knob_texts, "goals", request->goals,
	    "alone", request->alone, "posargs", posargs,
	    "processors", (int)cpus_available(),
	    "sessions", (int)request->sessions, "left", request->left,
	    "own", json_array_size(request->own) > 0 ? request->own : NULL,
	    "busy", busy >= 0 ? json_real(busy) : NULL);
	text = json_dumps(json, JSON_COMPACT);
	result = text ? file_store(rundir, REQUEST_FILE, text, strlen(text)) : -1;
	if (result < 0)
		warn(REQUEST_FILE);
	free(text);
	json_decref(json);
	return result;
}

bool
request_is_sound(const json_t *json)
{
	static const char *const lists[] = { "left", "own" };
	const json_t *goals = json_object_get(json, "goals"), *goal;
	bool sound = json_integer_value(json_object_get(json, "schema")) == 1 &&
		     json_is_texts(goals);
	size_t i;

	json_array_foreach(goals, i, goal)
		sound = sound && charset_covers(LETTERS DIGITS "._-", json_string_value(goal));
	for (i = 0; i < countof(lists); i++)
		sound = sound && (!json_object_get(json, lists[i]) ||
		    json_is_texts(json_object_get(json, lists[i])));
	return sound;
}

/* What is in the file, a new reference; NULL if it is no JSON, or cannot be read: then *error. */
static json_t *
load(int rundir, int *error)
{
	struct buffer text = { 0 };
	json_t *json = NULL;

	*error = file_load(rundir, REQUEST_FILE, &text) < 0 ? errno : 0;
	if (!*error)
		json = json_loadb(text.data, text.len, 0, NULL);
	buffer_free(&text);
	return json;
}

int
request_read(int rundir, struct request *request)
{
	const char *name;
	int error;
	json_t *json = load(rundir, &error), *item;
	size_t i;

	if (!request_is_sound(json)) {
		warnx(REQUEST_FILE ": %s", error ? file_why(error) : "damaged");
		json_decref(json);
		return -1;
	}
	*request = (struct request){ .knobs = knobs_default(), .alone = json_text_copy(json,
	    "alone"), .goals = json_texts(json_object_get(json, "goals")),
		.knob_texts = json_incref(json_object_get(json, "knobs")),
		.processors = (unsigned)json_integer_value(json_object_get(json, "processors")),
		.sessions = (unsigned)json_integer_value(json_object_get(json, "sessions")) };
	if (json_object_get(json, "left"))
		request->left = json_texts(json_object_get(json, "left"));
	json_array_foreach(json_object_get(json, "posargs"), i, item)
		strings_add(&request->posargs, word_text(item));
	json_object_foreach(request->knob_texts, name, item)
		(void)knob_recall(&request->knobs, name, json_text(request->knob_texts, name));
	json_decref(json);
	return 0;
}

bool
request_has_words(int rundir)
{
	int error;
	json_t *json = load(rundir, &error);
	bool has = json_array_size(json_object_get(json, "posargs")) > 0;

	json_decref(json);
	return has;
}

json_t *
request_active(int rundir)
{
	struct request request = { 0 };
	struct planfile *plan = request_read(rundir, &request) == 0 ? planfile_open(rundir) : NULL;
	json_t *active = plan ? json_object() : NULL;

	if (plan)
		planfile_expand(plan, request.goals, active, false);
	planfile_close(plan);
	request_clear(&request);
	return active;
}
