#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/charset.h"
#include "base/quantity.h"
#include "plan/options.h"

enum { JOBS_MAX = 65536, RETRIES_MAX = 1000 };

/* "4", "1..4" or "1..all". */
static bool
read_range(const char *text, struct options_jobs *jobs)
{
	size_t len = strspn(text, DIGITS);
	const char *end = text + len + 2;

	if (len == 0 || len > 5)
		return false;
	jobs->least = jobs->most = (unsigned)strtoul(text, NULL, 10);
	if (text[len]) {
		if (strncmp(text + len, "..", 2) != 0)
			return false;
		if (strcmp(end, "all") != 0 && (!charset_covers(DIGITS, end) || strlen(end) > 5 ||
						strtoul(end, NULL, 10) < jobs->least))
			return false;
		jobs->most = (unsigned)strtoul(end, NULL, 10);
	}
	return jobs->least >= 1 && jobs->least <= JOBS_MAX && jobs->most <= JOBS_MAX;
}

/* [least, most], as the plan has it. */
static bool
read_pair(const json_t *pair, struct options_jobs *jobs)
{
	json_int_t least = json_integer_value(json_array_get(pair, 0));
	json_int_t most = json_integer_value(json_array_get(pair, 1));

	*jobs = (struct options_jobs){ (unsigned)least, (unsigned)most };
	return least >= 1 && least <= JOBS_MAX && most >= 0 && most <= JOBS_MAX;
}

static void
read_jobs(struct setting_reader *r, const char *key, const json_t *value, void *field)
{
	char *number = json_is_integer(value) ?
	    xasprintf("%lld", (long long)json_integer_value(value)) : NULL;
	const char *text = number ? number : json_string_value(value);
	struct options_jobs jobs;

	if (text && !strcmp(text, "auto"))
		*(struct options_jobs *)field = (struct options_jobs){ 0, 0 };
	else if ((text && read_range(text, &jobs)) || (r->checked && read_pair(value, &jobs)))
		*(struct options_jobs *)field = jobs;
	else
		setting_reject(r, key, value,
		    "\"auto\", a number from 1 on, \"1..4\" or \"1..all\"");
	free(number);
}

static json_t *
write_jobs(const void *field)
{
	const struct options_jobs *jobs = field;

	return jobs->least ? json_pack("[i,i]", (int)jobs->least, (int)jobs->most) : NULL;
}

static void
read_seconds(struct setting_reader *r, const char *key, const json_t *value, void *field)
{
	double seconds = json_number_value(value);

	if (json_is_string(value) ? quantity_read_duration(json_string_value(value), &seconds) :
				    json_is_number(value) && seconds >= 0 && seconds <= SECONDS_MAX)
		*(double *)field = seconds;
	else
		setting_reject(r, key, value, "seconds, \"90s\", \"10m\" or \"1h30m\"");
}

static json_t *
write_seconds(const void *field)
{
	double seconds = *(const double *)field;

	return seconds > 0 ? json_real(seconds) : NULL;
}

static void
read_retries(struct setting_reader *r, const char *key, const json_t *value, void *field)
{
	json_int_t retries = json_integer_value(value);

	if (!json_is_integer(value) || retries < 0 || retries > RETRIES_MAX)
		setting_reject(r, key, value, "a number from 0 to 1000");
	else
		*(unsigned *)field = (unsigned)retries;
}

static json_t *
write_retries(const void *field)
{
	unsigned retries = *(const unsigned *)field;

	return retries ? json_integer(retries) : NULL;
}

static void
read_env(struct setting_reader *r, const char *key, const json_t *value, void *field)
{
	json_t **env = field, *item;
	const char *name;

	if (!json_is_object(value))
		setting_reject(r, key, value, "a table: {NAME = \"value\"}");
	else if (!*env)
		*env = json_object();
	json_object_foreach((json_t *)value, name, item) {
		if (!charset_covers(LETTERS DIGITS "_", name) || strchr(DIGITS, *name))
			setting_fault(r, key, "\"%s\" is no name of a variable", name);
		else if (!json_is_string(item))
			setting_reject(r, key, item, "strings: {NAME = \"value\"}");
		else
			json_object_set(*env, name, item);
	}
}

static json_t *
write_env(const void *field)
{
	json_t *const *env = field;

	return json_object_size(*env) > 0 ? json_incref(*env) : NULL;
}

static void
read_budget(struct setting_reader *r, const char *key, const json_t *value, void *field)
{
	enum options_budget *budget = field;
	const char *text = json_string_value(value);

	if (json_is_boolean(value))
		*budget = json_is_true(value) ? BUDGET_SHARED : BUDGET_NONE;
	else if (text && !strcmp(text, "strict"))
		*budget = BUDGET_STRICT;
	else
		setting_reject(r, key, value, "true, false or \"strict\"");
}

static json_t *
write_budget(const void *field)
{
	switch (*(const enum options_budget *)field) {
	case BUDGET_STRICT:
		return json_string("strict");
	case BUDGET_NONE:
		return json_false();
	case BUDGET_SHARED:
		break;
	}
	return NULL;
}

static void
read_leaks(struct setting_reader *r, const char *key, const json_t *value, void *field)
{
	const char *text = json_string_value(value);

	if (text && !strcmp(text, "allow"))
		*(bool *)field = true;
	else
		setting_reject(r, key, value, "\"allow\"");
}

static json_t *
write_leaks(const void *field)
{
	return *(const bool *)field ? json_string("allow") : NULL;
}

/* As forges take them: `runs-on`, or a tag. */
static void
read_label(struct setting_reader *r, const char *key, const json_t *value, void *field)
{
	const char *text = json_string_value(value);

	if (text && *text && charset_covers(LETTERS DIGITS "._-", text)) {
		free(*(char **)field);
		*(char **)field = xstrdup(text);
	} else {
		setting_reject(r, key, value, "a label of machines: letters, digits and . _ -");
	}
}

static json_t *
write_label(const void *field)
{
	const char *label = *(char *const *)field;

	return label ? json_string(label) : NULL;
}

static void
read_parts(struct setting_reader *r, const char *key, const json_t *value, void *field)
{
	json_int_t parts = json_integer_value(value);

	if (!json_is_integer(value) || parts < 1 || parts > PARTS_MAX)
		setting_reject(r, key, value, "a number from 1 to 100");
	else
		*(unsigned *)field = (unsigned)parts;
}

static json_t *
write_parts(const void *field)
{
	unsigned parts = *(const unsigned *)field;

	return parts ? json_integer(parts) : NULL;
}

static void
read_words(struct setting_reader *r, const char *key, const json_t *value, void *field)
{
	json_t **words = field;
	struct strings list = { 0 };

	setting_read_strings(r, key, value, &list);
	json_decref(*words);
	*words = json_array();
	for (size_t i = 0; i < list.n; i++)
		json_array_append_new(*words, json_string(list.v[i]));
	free(list.v);
}

static json_t *
write_words(const void *field)
{
	json_t *const *words = field;

	return json_array_size(*words) > 0 ? json_incref(*words) : NULL;
}

/* All options. write gives NULL for a field that says no more than {0} does. */
static const struct {
	struct setting_key key;
	json_t *(*write)(const void *field);
} table[] = {
	{ { "jobs", read_jobs, offsetof(struct options, jobs) }, write_jobs },
	{ { "timeout", read_seconds, offsetof(struct options, timeout) }, write_seconds },
	{ { "slow", read_seconds, offsetof(struct options, slow) }, write_seconds },
	{ { "retries", read_retries, offsetof(struct options, retries) }, write_retries },
	{ { "env", read_env, offsetof(struct options, env) }, write_env },
	{ { "budget", read_budget, offsetof(struct options, budget) }, write_budget },
	{ { "leaks", read_leaks, offsetof(struct options, may_leak) }, write_leaks },
	{ { "runs-on", read_label, offsetof(struct options, runs_on) }, write_label },
	{ { "parts", read_parts, offsetof(struct options, parts) }, write_parts },
	{ { "part-args", read_words, offsetof(struct options, part_args) }, write_words },
};

void
options_add_names(struct strings *names)
{
	for (size_t i = 0; i < countof(table); i++)
		strings_add(names, table[i].key.name);
}

bool
options_read(struct options *options, struct setting_reader *r, const char *key,
    const json_t *value)
{
	for (size_t i = 0; i < countof(table); i++) {
		if (strcmp(table[i].key.name, key) != 0)
			continue;
		table[i].key.read(r, key, value, (char *)options + table[i].key.field);
		return true;
	}
	return false;
}

void
options_add(struct options *options, const json_t *values)
{
	for (size_t i = 0; i < countof(table); i++) {
		struct setting_reader r = { .checked = true };
		const struct setting_key *key = &table[i].key;
		const json_t *value = json_object_get(values, key->name);

		if (value)
			key->read(&r, key->name, value, (char *)options + key->field);
	}
}

struct options
options_of(const json_t *line)
{
	struct options options = { 0 };

	options_add(&options, json_object_get(line, "options"));
	return options;
}

void
options_clear(struct options *options)
{
	json_decref(options->env);
	json_decref(options->part_args);
	free(options->runs_on);
	*options = (struct options){ 0 };
}

json_t *
options_json(const struct options *options)
{
	json_t *object = json_object(), *value;

	for (size_t i = 0; i < countof(table); i++)
		if ((value = table[i].write((const char *)options + table[i].key.field)))
			json_object_set_new(object, table[i].key.name, value);
	return object;
}
