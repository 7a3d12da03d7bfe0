#include <err.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/charset.h"
#include "base/nearest.h"
#include "base/quantity.h"
#include "plan/config.h"

/* A log that is longer is no log: 8 GiB. */
#define LOG_LIMIT (8LL << 30)

enum { JOBS_MAX = 65536, RETRIES_MAX = 1000 };

/* Where we are in the table, for messages: the first fault is told. */
struct reader {
	const char *table, *name;
	bool failed;
};

static void
add_key(struct buffer *out, const char *key)
{
	json_t *string;
	char *quoted;

	if (!key)
		return;
	buffer_addstr(out, ".");
	if (charset_covers(LETTERS DIGITS "_-", key)) {
		buffer_addstr(out, key);
		return;
	}
	string = json_string(key);
	quoted = json_dumps(string, JSON_ENCODE_ANY);
	buffer_addstr(out, quoted ? quoted : "?");
	free(quoted);
	json_decref(string);
}

char *
config_place(const char *table, const char *name, const char *key)
{
	struct buffer place = { 0 };

	buffer_addstr(&place, "tool.noxmk");
	add_key(&place, table);
	add_key(&place, name);
	add_key(&place, key);
	return place.data;
}

PRINTF(3, 4) static void
fault(struct reader *r, const char *key, const char *fmt, ...)
{
	char *place, *text;
	va_list ap;

	if (r->failed)
		return;
	r->failed = true;
	place = config_place(r->table, r->name, key);
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		errx(EXIT_HELPER, "memory");
	va_end(ap);
	warnx(CONFIG_FILE ": %s: %s", place, text);
	free(place);
	free(text);
}

/* The value is not what the key takes. */
static void
reject(struct reader *r, const char *key, const json_t *value, const char *takes)
{
	char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));

	if (json_is_object(value))
		fault(r, key, "is a table; it takes %s (a name with dots in it needs quotes)",
		    takes);
	else if (json_is_array(value))
		fault(r, key, "is a list; it takes %s", takes);
	else
		fault(r, key, "is %.*s%s; it takes %s", 60, text ? text : "?",
		    text && strlen(text) > 60 ? "…" : "", takes);
	free(text);
}

static void
unknown_key(struct reader *r, const char *key, const json_t *value, const struct strings *known)
{
	const char *meant = nearest(key, known);
	struct buffer list = { 0 };

	if (meant) {
		fault(r, key, "unknown key; did you mean \"%s\"?", meant);
	} else if (r->name && json_is_object(value)) {
		/* [tool.noxmk.session.tests-3.12] is a table in a table to TOML. */
		char *whole = xasprintf("%s.%s", r->name, key);
		char *place = config_place(r->table, whole, NULL);

		fault(r, key, "unknown key; a name with dots in it needs quotes: %s", place);
		free(place);
		free(whole);
	} else {
		for (size_t i = 0; i < known->n; i++)
			buffer_printf(&list, "%s%s", i ? ", " : "", known->v[i]);
		fault(r, key, "unknown key; there are %s", list.data);
		buffer_free(&list);
	}
}

static bool
is_resource_name(const char *name)
{
	return charset_covers(LETTERS DIGITS "._-", name);
}

static void
read_strings(struct reader *r, const char *key, const json_t *value, struct strings *list)
{
	const json_t *item;
	size_t i;

	if (json_is_string(value))
		fault(r, key, "is a string; write [\"%s\"]", json_string_value(value));
	else if (!json_is_array(value))
		reject(r, key, value, "a list of names");
	json_array_foreach(value, i, item) {
		if (!json_is_string(item) || !json_string_length(item))
			reject(r, key, item, "a list of names");
		else
			strings_add(list, json_string_value(item));
	}
}

/* Is it the name of a resource, and for the first time in this list? */
static bool
check_resource(struct reader *r, const char *key, const char *name, bool again)
{
	if (!is_resource_name(name))
		fault(r, key, "\"%s\" is no name of a resource: only letters, digits and . _ - are "
		    "allowed", name);
	else if (again)
		fault(r, key, "\"%s\" is there twice", name);
	return !r->failed;
}

static void
read_uses(struct reader *r, struct config_session *s, const json_t *value)
{
	struct strings list = { 0 };

	read_strings(r, "uses", value, &list);
	for (size_t i = 0; i < list.n && !r->failed; i++) {
		const char *colon = strchr(list.v[i], ':');
		size_t len = colon ? (size_t)(colon - list.v[i]) : strlen(list.v[i]);
		struct config_use *use;
		bool again = false;

		s->uses = xreallocarray(s->uses, s->nuses + 1, sizeof(*s->uses));
		use = &s->uses[s->nuses++];
		*use = (struct config_use){ .name = xasprintf("%.*s", (int)len, list.v[i]) };
		for (size_t k = 0; k < s->nuses - 1; k++)
			again = again || !strcmp(s->uses[k].name, use->name);
		if (check_resource(r, "uses", use->name, again) && colon &&
		    !quantity_read(colon + 1, &use->amount))
			fault(r, "uses", "\"%s\" is no amount: write \"%s:2\" or \"%s:2G\"",
			    list.v[i], use->name, use->name);
	}
	free(list.v);
}

static void
read_reads(struct reader *r, struct config_session *s, const json_t *value)
{
	read_strings(r, "reads", value, &s->reads);
	for (size_t i = 0; i < s->reads.n && !r->failed; i++) {
		const char *name = s->reads.v[i];
		bool again = false;

		for (size_t k = 0; k < i; k++)
			again = again || !strcmp(s->reads.v[k], name);
		if (strchr(name, ':'))
			fault(r, "reads", "\"%s\": readers share a resource; amounts go into uses",
			    name);
		else
			check_resource(r, "reads", name, again);
	}
}

static void
read_after(struct reader *r, struct config_session *s, const json_t *value)
{
	read_strings(r, "after", value, &s->after);
}

static void
read_needs(struct reader *r, struct config_session *s, const json_t *value)
{
	read_strings(r, "needs", value, &s->needs);
}

static int
read_switch(struct reader *r, const char *key, const json_t *value)
{
	if (!json_is_boolean(value))
		reject(r, key, value, "true or false");
	return json_is_true(value);
}

static void
read_alone(struct reader *r, struct config_session *s, const json_t *value)
{
	s->alone = read_switch(r, "alone", value);
}

static void
read_default(struct reader *r, struct config_session *s, const json_t *value)
{
	s->is_default = read_switch(r, "default", value);
}

static void
read_budget(struct reader *r, struct config_session *s, const json_t *value)
{
	s->budget = read_switch(r, "budget", value);
}

static void
read_leaks(struct reader *r, struct config_session *s, const json_t *value)
{
	const char *text = json_string_value(value);

	s->may_leak = text && !strcmp(text, "allow");
	if (!s->may_leak)
		reject(r, "leaks", value, "\"allow\"");
}

/* "4", "1..4" or "1..all"; where *most is 0 for all. */
static bool
read_range(const char *text, unsigned *fewest, unsigned *most)
{
	size_t len = strspn(text, DIGITS);
	const char *end = text + len + 2;

	if (len == 0 || len > 5)
		return false;
	*fewest = *most = (unsigned)strtoul(text, NULL, 10);
	if (text[len]) {
		if (strncmp(text + len, "..", 2) != 0)
			return false;
		if (strcmp(end, "all") != 0 && (!charset_covers(DIGITS, end) || strlen(end) > 5 ||
						strtoul(end, NULL, 10) < *fewest))
			return false;
		*most = (unsigned)strtoul(end, NULL, 10);
	}
	return *fewest >= 1 && *fewest <= JOBS_MAX && *most <= JOBS_MAX;
}

static void
read_jobs(struct reader *r, struct config_session *s, const json_t *value)
{
	char *number = json_is_integer(value) ?
	    xasprintf("%lld", (long long)json_integer_value(value)) : NULL;
	const char *text = number ? number : json_string_value(value);

	if (!text || !read_range(text, &s->jobs_min, &s->jobs_max))
		reject(r, "jobs", value, "a number from 1 on, \"1..4\" or \"1..all\"");
	free(number);
}

static double
read_seconds(struct reader *r, const char *key, const json_t *value)
{
	double seconds = json_number_value(value);

	if (json_is_string(value) ? !quantity_read_duration(json_string_value(value), &seconds) :
				    !json_is_number(value) || seconds < 0 || seconds > SECONDS_MAX)
		reject(r, key, value, "seconds, \"90s\", \"10m\" or \"1h30m\"");
	return seconds;
}

static void
read_timeout(struct reader *r, struct config_session *s, const json_t *value)
{
	s->timeout = read_seconds(r, "timeout", value);
}

static void
read_slow(struct reader *r, struct config_session *s, const json_t *value)
{
	s->slow = read_seconds(r, "slow", value);
}

static void
read_retries(struct reader *r, struct config_session *s, const json_t *value)
{
	json_int_t retries = json_integer_value(value);

	if (!json_is_integer(value) || retries < 0 || retries > RETRIES_MAX)
		reject(r, "retries", value, "a number from 0 to 1000");
	else
		s->retries = (int)retries;
}

static void
read_env(struct reader *r, struct config_session *s, const json_t *value)
{
	const char *name;
	json_t *item;

	if (!json_is_object(value))
		reject(r, "env", value, "a table: {NAME = \"value\"}");
	json_object_foreach((json_t *)value, name, item) {
		if (!charset_covers(LETTERS DIGITS "_", name) || strchr(DIGITS, *name))
			fault(r, "env", "\"%s\" is no name of a variable", name);
		else if (!json_is_string(item))
			reject(r, "env", item, "strings: {NAME = \"value\"}");
	}
	s->env = value;
}

static const struct {
	const char *name;
	void (*read)(struct reader *, struct config_session *, const json_t *);
} session_keys[] = {
	{ "uses", read_uses }, { "reads", read_reads }, { "after", read_after },
	{ "needs", read_needs }, { "alone", read_alone }, { "jobs", read_jobs },
	{ "timeout", read_timeout }, { "slow", read_slow }, { "retries", read_retries },
	{ "env", read_env }, { "default", read_default }, { "budget", read_budget },
	{ "leaks", read_leaks },
};

static void
read_session(struct reader *r, struct config *config, const char *name, json_t *value)
{
	struct config_session *s = &config->sessions[config->nsessions++];
	struct strings known = { 0 };
	const char *key;
	json_t *item;

	*s = (struct config_session){ .name = name, .alone = CONFIG_UNSET,
		.is_default = CONFIG_UNSET, .budget = CONFIG_UNSET, .retries = CONFIG_UNSET,
		.timeout = CONFIG_UNSET,
		.slow = CONFIG_UNSET };
	r->name = name;
	if (!json_is_object(value))
		reject(r, NULL, value, "a table of settings");
	for (size_t i = 0; i < countof(session_keys); i++)
		strings_add(&known, session_keys[i].name);
	json_object_foreach(value, key, item) {
		size_t i = 0;

		while (i < known.n && strcmp(known.v[i], key) != 0)
			i++;
		if (i == known.n)
			unknown_key(r, key, item, &known);
		else
			session_keys[i].read(r, s, item);
	}
	free(known.v);
	r->name = NULL;
}

static void
read_resource(struct reader *r, struct config *config, const char *name, json_t *value)
{
	struct config_resource *resource = &config->resources[config->nresources++];

	*resource = (struct config_resource){ .name = name };
	if (json_is_integer(value))
		resource->capacity = json_integer_value(value);
	else if (json_is_string(value) &&
		 !quantity_read(json_string_value(value), &resource->capacity))
		resource->capacity = 0;
	if (resource->capacity < 1 || resource->capacity > QUANTITY_MAX)
		reject(r, name, value, "a capacity: 1, 4 or \"8G\"");
	check_resource(r, name, name, false);
}

static void
read_group(struct reader *r, struct config *config, const char *name, json_t *value)
{
	struct config_group *group = &config->groups[config->ngroups++];

	*group = (struct config_group){ .name = name };
	read_strings(r, name, value, &group->members);
	if (group->members.n == 0)
		fault(r, name, "has no sessions");
}

static void
read_log_limit(struct reader *r, struct config *config, const json_t *value)
{
	config->log_limit = json_is_integer(value) ? json_integer_value(value) : -1;
	if (json_is_string(value) &&
	    !quantity_read(json_string_value(value), &config->log_limit))
		config->log_limit = -1;
	if (config->log_limit < 0 || config->log_limit > QUANTITY_MAX)
		reject(r, "log-limit", value, "bytes, \"100M\", or 0 for no limit");
}

/* The tables in [tool.noxmk] whose keys are names. */
static void
read_tables(struct reader *r, struct config *config, json_t *root)
{
	static const struct {
		const char *name;
		void (*read)(struct reader *, struct config *, const char *, json_t *);
	} tables[] = {
		{ "resources", read_resource }, { "session", read_session },
		{ "group", read_group },
	};

	for (size_t i = 0; i < countof(tables); i++) {
		json_t *table = json_object_get(root, tables[i].name), *item;
		const char *name;

		if (table && !json_is_object(table))
			reject(r, tables[i].name, table, "a table");
		r->table = tables[i].name;
		json_object_foreach(table, name, item)
			tables[i].read(r, config, name, item);
		r->table = NULL;
	}
}

/* Variables whose values nobody wants to read in a log. */
static const char *const secrets[] = { "*TOKEN*", "*PASSWORD*", "*SECRET*", "*API_KEY*" };

struct config *
config_parse(json_t *root)
{
	static const char *keys[] = { "source-build", "log-limit", "mask", "resources", "session",
		"group" };
	static const struct strings known = { keys, countof(keys) };
	struct config *config = xcalloc(1, sizeof(*config));
	struct reader r = { 0 };
	const char *key;
	json_t *item;

	config->root = json_incref(root);
	config->source_build = true;
	config->log_limit = LOG_LIMIT;
	if (root && !json_is_null(root) && !json_is_object(root))
		reject(&r, NULL, root, "a table");
	json_object_foreach(root, key, item) {
		size_t i = 0;

		while (i < known.n && strcmp(known.v[i], key) != 0)
			i++;
		if (i == known.n)
			unknown_key(&r, key, item, &known);
		else if (i == 0)
			config->source_build = read_switch(&r, key, item);
		else if (i == 1)
			read_log_limit(&r, config, item);
		else if (i == 2)
			read_strings(&r, key, item, &config->mask);
	}
	if (!json_object_get(root, "mask"))
		for (size_t i = 0; i < countof(secrets); i++)
			strings_add(&config->mask, secrets[i]);
	config->resources = xcalloc(json_object_size(json_object_get(root, "resources")),
	    sizeof(*config->resources));
	config->sessions = xcalloc(json_object_size(json_object_get(root, "session")),
	    sizeof(*config->sessions));
	config->groups = xcalloc(json_object_size(json_object_get(root, "group")),
	    sizeof(*config->groups));
	read_tables(&r, config, root);
	if (r.failed) {
		config_free(config);
		return NULL;
	}
	return config;
}

void
config_free(struct config *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < config->nsessions; i++) {
		struct config_session *s = &config->sessions[i];

		for (size_t k = 0; k < s->nuses; k++)
			free(s->uses[k].name);
		free(s->uses);
		free(s->reads.v);
		free(s->after.v);
		free(s->needs.v);
	}
	for (size_t i = 0; i < config->ngroups; i++)
		free(config->groups[i].members.v);
	free(config->mask.v);
	free(config->resources);
	free(config->sessions);
	free(config->groups);
	json_decref(config->root);
	free(config);
}
