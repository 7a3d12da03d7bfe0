#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "plan/facts.h"

/*
 * The place in the JSON that is being read. Of all faults only the first is told, since the others
 * may follow from it.
 */
struct reader {
	const char *source;
	size_t session;
	bool in_session, failed;
};

static void
fault(struct reader *r, const char *key, const char *expected)
{
	if (r->failed)
		return;
	r->failed = true;
	if (r->in_session)
		warnx("%s: session %zu: \"%s\" is not %s", r->source, r->session, key, expected);
	else
		warnx("%s: \"%s\" is not %s", r->source, key, expected);
}

static const char *
get_string(struct reader *r, const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	if (!s)
		fault(r, key, "a string");
	return s;
}

static const char *
get_optional(struct reader *r, const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (!value || json_is_null(value))
		return NULL;
	return get_string(r, object, key);
}

static int
get_parallel(struct reader *r, const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (!value || json_is_null(value))
		return -1;
	if (!json_is_boolean(value))
		fault(r, key, "true, false or null");
	return json_is_true(value);
}

/* [WHICH, OF HOW MANY], or NULL where there is none. */
static const json_t *
get_twin(struct reader *r, const json_t *object, const char *key)
{
	const json_t *pair = json_object_get(object, key);

	if (pair && (json_array_size(pair) != 2 || !json_is_integer(json_array_get(pair, 0)) ||
			!json_is_integer(json_array_get(pair, 1))))
		fault(r, key, "two numbers");
	return pair;
}

static struct strings
get_strings(struct reader *r, const json_t *object, const char *key)
{
	const json_t *array = json_object_get(object, key), *item;
	struct strings list = { 0 };
	size_t i;

	if (!json_is_array(array))
		fault(r, key, "a list");
	json_array_foreach(array, i, item) {
		if (json_is_string(item))
			strings_add(&list, json_string_value(item));
		else
			fault(r, key, "a list of strings");
	}
	return list;
}

static struct indices
get_indices(struct reader *r, const json_t *object, const char *key, size_t limit)
{
	const json_t *array = json_object_get(object, key), *item;
	struct indices list = { 0 };
	size_t i;

	if (!json_is_array(array))
		fault(r, key, "a list");
	json_array_foreach(array, i, item) {
		json_int_t value = json_integer_value(item);

		if (!json_is_integer(item) || value < 0 || (size_t)value >= limit)
			fault(r, key, "a list of session numbers");
		else if (!indices_has(&list, (size_t)value))
			indices_add(&list, (size_t)value);
	}
	return list;
}

/* A listing does not know them. */
static void
read_ties(struct reader *r, const json_t *object, struct facts_session *s, size_t limit)
{
	const json_t *array = json_object_get(object, "ties"), *item;
	size_t i;

	if (array && !json_is_array(array))
		fault(r, "ties", "a list");
	s->ties = xcalloc(json_array_size(array), sizeof(*s->ties));
	json_array_foreach(array, i, item) {
		struct facts_tie *tie = &s->ties[s->nties++];

		tie->is_global = json_is_true(json_object_get(item, "global"));
		tie->what = get_string(r, item, "what");
		tie->from = get_indices(r, item, "from", limit);
	}
	s->leaves = json_object_get(object, "leaves");
	json_array_foreach(s->leaves, i, item)
		if (!json_is_string(json_array_get(item, 0)) ||
		    !json_is_string(json_array_get(item, 1)))
			fault(r, "leaves", "a list of modules and variables");
}

static void
read_session(struct reader *r, const json_t *object, struct facts_session *s, size_t limit)
{
	s->name = get_string(r, object, "name");
	s->session = get_string(r, object, "session");
	s->description = get_string(r, object, "description");
	s->python = get_optional(r, object, "python");
	s->envdir = get_optional(r, object, "envdir");
	s->complaint = get_optional(r, object, "requires_error");
	s->parallel = get_parallel(r, object, "parallel");
	s->twin = get_twin(r, object, "twin");
	s->signatures = get_strings(r, object, "signatures");
	s->tags = get_strings(r, object, "tags");
	s->requires = get_indices(r, object, "requires", limit);
	s->notifies = get_indices(r, object, "notifies", limit);
	read_ties(r, object, s, limit);
}

/* NULL where there is none. */
static const json_t *
get_environ(struct reader *r, const json_t *object, const char *key)
{
	json_t *table = json_object_get(object, key), *value;
	const char *name;

	if (table && !json_is_object(table))
		fault(r, key, "an object");
	json_object_foreach(table, name, value)
		if (!json_is_string(value))
			fault(r, key, "variables and their values");
	return table;
}

/* Lists that begin with two texts; NULL where there is none. */
static const json_t *
get_inputs(struct reader *r, const json_t *object, const char *key)
{
	const json_t *array = json_object_get(object, key), *item;
	size_t i;

	if (array && !json_is_array(array))
		fault(r, key, "a list");
	json_array_foreach(array, i, item)
		if (!json_is_string(json_array_get(item, 0)) ||
		    !json_is_string(json_array_get(item, 1)))
			fault(r, key, "a list of inputs");
	return array;
}

struct facts *
facts_parse(json_t *root, const char *source)
{
	struct reader r = { .source = source };
	struct facts *facts = xcalloc(1, sizeof(*facts));
	json_t *array = json_object_get(root, "sessions"), *item;
	size_t i;

	facts->root = json_incref(root);
	if (json_integer_value(json_object_get(root, "schema")) != 1)
		fault(&r, "schema", "1");
	if (!json_is_array(array))
		fault(&r, "sessions", "a list");
	facts->n = json_array_size(array);
	facts->sessions = xcalloc(facts->n, sizeof(*facts->sessions));
	facts->nox = get_string(&r, root, "nox");
	facts->python = get_optional(&r, root, "python");
	facts->noxfile = get_string(&r, root, "noxfile");
	facts->complaint = get_optional(&r, root, "queue_error");
	facts->fail_fast = json_is_true(json_object_get(root, "fail_fast"));
	facts->config = json_object_get(root, "config");
	facts->config_error = get_optional(&r, root, "config_error");
	facts->path = get_strings(&r, root, "path");
	facts->inputs = get_inputs(&r, root, "inputs");
	if (json_object_get(root, "asked"))
		facts->asked = get_strings(&r, root, "asked");
	facts->changing = get_optional(&r, root, "volatile");
	facts->forkable = json_is_true(json_object_get(root, "forkable"));
	if (json_object_get(root, "args"))
		facts->args = get_strings(&r, root, "args");
	if (json_object_get(root, "pythons"))
		facts->pythons = get_strings(&r, root, "pythons");
	facts->environ = get_environ(&r, root, "environ");
	facts->queue = get_indices(&r, root, "queue", facts->n);
	r.in_session = true;
	json_array_foreach(array, i, item) {
		r.session = facts->sessions[i].number = i;
		read_session(&r, item, &facts->sessions[i], facts->n);
	}
	if (r.failed) {
		facts_free(facts);
		return NULL;
	}
	return facts;
}

void
facts_free(struct facts *facts)
{
	if (!facts)
		return;
	for (size_t i = 0; i < facts->n; i++) {
		struct facts_session *s = &facts->sessions[i];

		free(s->signatures.v);
		free(s->tags.v);
		free(s->requires.v);
		free(s->notifies.v);
		for (size_t k = 0; k < s->nties; k++)
			free(s->ties[k].from.v);
		free(s->ties);
	}
	free(facts->sessions);
	free(facts->path.v);
	free(facts->asked.v);
	free(facts->args.v);
	free(facts->pythons.v);
	free(facts->queue.v);
	json_decref(facts->root);
	free(facts);
}
