#include <stddef.h>
#include <string.h>

#include "base/charset.h"
#include "base/nearest.h"
#include "base/quantity.h"
#include "plan/config.h"
#include "plan/secret.h"
#include "plan/options.h"

/* A session that writes more than 8 GiB is out of control, and would fill the disk. */
#define LOG_LIMIT (8LL << 30)

/* Tells the fault if `name` cannot name a resource, or if its list has it already (again). */
static bool
check_resource(struct setting_reader *r, const char *key, const char *name, bool again)
{
	if (!charset_covers(LETTERS DIGITS "._-", name))
		setting_fault(r, key, "\"%s\" is no name of a resource: only letters, digits and "
		    ". _ - are allowed", name);
	else if (again)
		setting_fault(r, key, "\"%s\" is there twice", name);
	return !r->failed;
}

static void
read_uses(struct setting_reader *r, const char *key, const json_t *value, void *field)
{
	struct config_uses *uses = field;
	struct strings list = { 0 };

	setting_read_strings(r, key, value, &list);
	for (size_t i = 0; i < list.n && !r->failed; i++) {
		const char *colon = strchr(list.v[i], ':');
		size_t len = colon ? (size_t)(colon - list.v[i]) : strlen(list.v[i]);
		struct config_use *use;
		bool again = false;

		uses->v = xreallocarray(uses->v, uses->n + 1, sizeof(*uses->v));
		use = &uses->v[uses->n++];
		*use = (struct config_use){ .name = xasprintf("%.*s", (int)len, list.v[i]) };
		for (size_t k = 0; k < uses->n - 1; k++)
			again = again || !strcmp(uses->v[k].name, use->name);
		if (check_resource(r, key, use->name, again) && colon &&
		    !quantity_read(colon + 1, &use->amount))
			setting_fault(r, key, "\"%s\" is no amount: write \"%s:2\" or \"%s:2G\"",
			    list.v[i], use->name, use->name);
	}
	free(list.v);
}

static void
read_reads(struct setting_reader *r, const char *key, const json_t *value, void *field)
{
	struct strings *reads = field;

	setting_read_strings(r, key, value, reads);
	for (size_t i = 0; i < reads->n && !r->failed; i++) {
		const char *name = reads->v[i];
		bool again = false;

		for (size_t k = 0; k < i; k++)
			again = again || !strcmp(reads->v[k], name);
		if (strchr(name, ':'))
			setting_fault(r, key, "\"%s\": readers share a resource; amounts go into "
			    "uses", name);
		else
			check_resource(r, key, name, again);
	}
}

/* Reads true or false into an int, which was CONFIG_UNSET before. */
static void
read_choice(struct setting_reader *r, const char *key, const json_t *value, void *field)
{
	bool choice = false;

	setting_read_switch(r, key, value, &choice);
	*(int *)field = choice;
}

static void
read_log_limit(struct setting_reader *r, const char *key, const json_t *value, void *field)
{
	long long bytes = json_is_integer(value) ? json_integer_value(value) : -1;

	if (json_is_string(value) && !quantity_read(json_string_value(value), &bytes))
		bytes = -1;
	if (bytes < 0 || bytes > QUANTITY_MAX)
		setting_reject(r, key, value, "bytes, \"100M\", or 0 for no limit");
	*(long long *)field = bytes;
}

/* One of the words, of which there are n. */
static void
read_word(struct setting_reader *r, const char *key, const json_t *value, const char **words,
    size_t n, const char *expected, const char **field)
{
	const struct strings known = { words, n };
	const char *word = json_string_value(value), *meant;

	for (size_t i = 0; word && i < n; i++)
		if (!strcmp(word, words[i])) {
			*field = words[i];
			return;
		}
	if (word && (meant = nearest(word, &known)))
		setting_fault(r, key, "is \"%s\"; did you mean \"%s\"?", word, meant);
	else
		setting_reject(r, key, value, expected);
}

static void
read_ci_commands(struct setting_reader *r, const char *key, const json_t *value, void *field)
{
	static const char *words[] = { "none", "annotations" };

	read_word(r, key, value, words, countof(words), "\"annotations\" or \"none\"", field);
}

static void
read_locks(struct setting_reader *r, const char *key, const json_t *value, void *field)
{
	static const char *words[] = { CONFIG_BEST_EFFORT, "required" };

	read_word(r, key, value, words, countof(words), "\"required\" or \"best-effort\"", field);
}

static void
read_hazards(struct setting_reader *r, const char *key, const json_t *value, void *field)
{
	static const char *words[] = { CONFIG_LEARN, "report" };

	read_word(r, key, value, words, countof(words), "\"learn\" or \"report\"", field);
}

/* The keys that the other sessions must know of; options.c has those of the session alone. */
static const struct setting_key session_keys[] = {
	{ "uses", read_uses, offsetof(struct config_session, uses) },
	{ "reads", read_reads, offsetof(struct config_session, reads) },
	{ "after", setting_read_strings, offsetof(struct config_session, after) },
	{ "needs", setting_read_strings, offsetof(struct config_session, needs) },
	{ "together", setting_read_strings, offsetof(struct config_session, together) },
	{ "alone", read_choice, offsetof(struct config_session, alone) },
	{ "default", read_choice, offsetof(struct config_session, is_default) },
};

static const struct setting_key top_keys[] = {
	{ "source-build", setting_read_switch, offsetof(struct config, source_build) },
	{ "log-limit", read_log_limit, offsetof(struct config, log_limit) },
	{ "mask", setting_read_strings, offsetof(struct config, mask) },
	{ "unmask", setting_read_strings, offsetof(struct config, unmask) },
	{ "locks", read_locks, offsetof(struct config, locks) },
	{ "ci-commands", read_ci_commands, offsetof(struct config, ci_commands) },
	{ "hazards", read_hazards, offsetof(struct config, hazards) },
};

/* Reads the value of `key` into its field of `into`; false if it is none of the keys. */
static bool
read_key(struct setting_reader *r, const struct setting_key *keys, size_t n, const char *key,
    const json_t *value, void *into)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(keys[i].name, key) != 0)
			continue;
		keys[i].read(r, key, value, (char *)into + keys[i].field);
		return true;
	}
	return false;
}

static void
read_session(struct setting_reader *r, struct config *config, const char *name, json_t *value)
{
	struct options options = { 0 };
	struct strings known = { 0 };
	struct config_session *s;
	const char *key;
	json_t *item;

	config->sessions = xreallocarray(config->sessions, config->nsessions + 1, sizeof(*s));
	s = &config->sessions[config->nsessions++];
	*s = (struct config_session){ .name = name, .table = value, .alone = CONFIG_UNSET,
		.is_default = CONFIG_UNSET };
	r->name = name;
	if (!json_is_object(value))
		setting_reject(r, NULL, value, "a table of settings");
	for (size_t i = 0; i < countof(session_keys); i++)
		strings_add(&known, session_keys[i].name);
	options_add_names(&known);
	/* Options are read here only to tell faults; overlay.c reads them for each session. */
	json_object_foreach(value, key, item)
		if (!read_key(r, session_keys, countof(session_keys), key, item, s) &&
		    !options_read(&options, r, key, item))
			setting_unknown(r, key, item, &known);
	options_clear(&options);
	free(known.v);
	r->name = NULL;
}

static void
read_resource(struct setting_reader *r, struct config *config, const char *name, json_t *value)
{
	struct config_resource *resource;

	config->resources = xreallocarray(config->resources, config->nresources + 1,
	    sizeof(*resource));
	resource = &config->resources[config->nresources++];
	*resource = (struct config_resource){ .name = name };
	if (json_is_integer(value))
		resource->capacity = json_integer_value(value);
	else if (json_is_string(value) &&
		 !quantity_read(json_string_value(value), &resource->capacity))
		resource->capacity = 0;
	if (resource->capacity < 1 || resource->capacity > QUANTITY_MAX)
		setting_reject(r, name, value, "a capacity: 1, 4 or \"8G\"");
	check_resource(r, name, name, false);
}

static void
read_group(struct setting_reader *r, struct config *config, const char *name, json_t *value)
{
	struct config_group *group;

	config->groups = xreallocarray(config->groups, config->ngroups + 1, sizeof(*group));
	group = &config->groups[config->ngroups++];
	*group = (struct config_group){ .name = name };
	setting_read_strings(r, name, value, &group->members);
	if (group->members.n == 0)
		setting_fault(r, name, "has no sessions");
}

/* The tables in [tool.noxmk] whose keys are names, and what reads the value of one name. */
static const struct {
	const char *name;
	void (*read)(struct setting_reader *, struct config *, const char *name, json_t *);
} tables[] = {
	{ "resources", read_resource }, { "session", read_session }, { "group", read_group },
};

static bool
is_table(const char *key)
{
	for (size_t i = 0; i < countof(tables); i++)
		if (!strcmp(tables[i].name, key))
			return true;
	return false;
}

static void
read_tables(struct setting_reader *r, struct config *config, json_t *root)
{
	for (size_t i = 0; i < countof(tables); i++) {
		json_t *table = json_object_get(root, tables[i].name), *item;
		const char *name;

		if (table && !json_is_object(table))
			setting_reject(r, tables[i].name, table, "a table");
		r->table = tables[i].name;
		json_object_foreach(table, name, item)
			tables[i].read(r, config, name, item);
		r->table = NULL;
	}
}

static void
read_top(struct setting_reader *r, struct config *config, json_t *root)
{
	struct strings known = { 0 };
	const char *key;
	json_t *item;

	if (root && !json_is_null(root) && !json_is_object(root))
		setting_reject(r, NULL, root, "a table");
	for (size_t i = 0; i < countof(top_keys); i++)
		strings_add(&known, top_keys[i].name);
	for (size_t i = 0; i < countof(tables); i++)
		strings_add(&known, tables[i].name);
	json_object_foreach(root, key, item)
		if (!read_key(r, top_keys, countof(top_keys), key, item, config) && !is_table(key))
			setting_unknown(r, key, item, &known);
	free(known.v);
}

struct config *
config_parse(json_t *root)
{
	struct config *config = xcalloc(1, sizeof(*config));
	struct setting_reader r = { 0 };

	config->root = json_incref(root);
	config->source_build = true;
	config->log_limit = LOG_LIMIT;
	read_top(&r, config, root);
	if (!json_object_get(root, "mask"))
		secrets_add_usual(&config->mask);
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

		for (size_t k = 0; k < s->uses.n; k++)
			free(s->uses.v[k].name);
		free(s->uses.v);
		free(s->reads.v);
		free(s->after.v);
		free(s->needs.v);
		free(s->together.v);
	}
	for (size_t i = 0; i < config->ngroups; i++)
		free(config->groups[i].members.v);
	free(config->mask.v);
	free(config->unmask.v);
	free(config->resources);
	free(config->sessions);
	free(config->groups);
	json_decref(config->root);
	free(config);
}
