#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/dependence.h"
#include "base/json.h"
#include "output/screen.h"
#include "state/word.h"

/* So many paths, sessions or hazards are named; the others are counted. */
enum { NAMES_MOST = 5 };

/* Looking for them. */
struct search {
	const struct outcome *runs;
	size_t n;
	struct dependences *out;
	json_t *unsteady; /* paths that are not repeatable, as keys */
	json_t *told;     /* paths that are in a dependence, as keys */
};

/* A path as a key of an object, which is UTF-8, whatever the path is. The caller frees. */
static char *
key_of(const char *path)
{
	json_t *word = word_json(path, NULL);
	char *key = json_dumps(word, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);

	json_decref(word);
	return key;
}

static bool
has_path(const json_t *set, const char *path)
{
	char *key = key_of(path);
	bool has = json_object_get(set, key) != NULL;

	free(key);
	return has;
}

static void
add_path(json_t *set, const char *path)
{
	char *key = key_of(path);

	json_object_set_new(set, key, json_true());
	free(key);
}

/* Two that are NULL differ from none. */
static bool
verdicts_differ(const char *a, const char *b)
{
	return a && b && strcmp(a, b) != 0;
}

static void
find_unsteady(struct search *s)
{
	const struct outcome *first = &s->runs[0];

	for (size_t i = 1; i < s->n; i++) {
		struct strings paths;
		json_t *name;
		size_t k;

		if (s->runs[i].way != OUTCOME_IN_ORDER)
			continue;
		json_array_foreach(first->order, k, name) {
			const char *target = json_string_value(name);

			if (verdicts_differ(outcome_verdict(first, target),
				outcome_verdict(&s->runs[i], target)) &&
			    !json_list_has(s->out->sessions, target))
				json_array_append(s->out->sessions, name);
		}
		paths = leaving_differ(&first->leaving, &s->runs[i].leaving);
		for (k = 0; k < paths.n; k++)
			if (!has_path(s->unsteady, paths.v[k])) {
				add_path(s->unsteady, paths.v[k]);
				json_array_append_new(s->out->paths, word_json(paths.v[k], NULL));
			}
		free(paths.v);
	}
}

static const char *
on_what(const struct outcome *run)
{
	return run->way == OUTCOME_AT_ONCE ? "company" : "order";
}

/* The first of the runs in which the session has come to something else. */
static void
find_verdict(struct search *s, const char *target)
{
	const char *usual = outcome_verdict(&s->runs[0], target);

	for (size_t i = 1; i < s->n; i++) {
		const struct outcome *run = &s->runs[i];
		const char *there = outcome_verdict(run, target);
		bool beside = run->way == OUTCOME_AT_ONCE;
		json_t *others;

		if (run->way == OUTCOME_IN_ORDER || !verdicts_differ(usual, there))
			continue;
		others = beside ? outcome_beside(run, target) : outcome_before(run, target);
		json_array_append_new(s->out->found, json_pack(
		    "{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:o,s:o}", "of", "verdict", "session", target,
		    "on", on_what(run), "run", run->name, "usual", usual, "there", there, "how",
		    beside ? "beside" : "breaks", "others", others, "hazards", json_array()));
		return;
	}
}

/* Has one of these come to something else there? Then what it leaves is no news. */
static bool
any_differs(const struct search *s, const struct outcome *run, const json_t *targets)
{
	const json_t *name;
	size_t i;

	json_array_foreach(targets, i, name) {
		const char *usual = outcome_verdict(&s->runs[0], json_string_value(name));
		const char *there = outcome_verdict(run, json_string_value(name));

		if (!usual || !there || strcmp(usual, there) != 0)
			return true;
	}
	return false;
}

/* Adds the path to what these sessions leave in that run. Takes the reference of targets. */
static void
add_file(struct search *s, const struct outcome *run, const char *path, json_t *targets)
{
	json_t *found;
	size_t i;

	json_array_foreach(s->out->found, i, found)
		if (!strcmp(json_text(found, "of"), "files") &&
		    !strcmp(json_text(found, "run"), run->name) &&
		    json_equal(json_object_get(found, "others"), targets)) {
			json_array_append_new(json_object_get(found, "paths"),
			    word_json(path, NULL));
			json_decref(targets);
			return;
		}
	json_array_append_new(s->out->found, json_pack("{s:s,s:n,s:s,s:s,s:[o],s:o}", "of",
	    "files", "session", "on", on_what(run), "run", run->name, "paths",
	    word_json(path, NULL), "others", targets));
}

static void
find_files(struct search *s, const struct outcome *run)
{
	struct strings paths = leaving_differ(&s->runs[0].leaving, &run->leaving);

	for (size_t i = 0; i < paths.n; i++) {
		json_t *targets;

		if (has_path(s->unsteady, paths.v[i]) || has_path(s->told, paths.v[i]))
			continue;
		targets = json_array();
		outcome_add_writers(&s->runs[0], paths.v[i], targets);
		outcome_add_writers(run, paths.v[i], targets);
		if (any_differs(s, run, targets)) {
			json_decref(targets);
			continue;
		}
		add_path(s->told, paths.v[i]);
		add_file(s, run, paths.v[i], targets);
	}
	free(paths.v);
}

struct dependences
dependence_find(const struct outcome *runs, size_t n)
{
	struct dependences out = { json_array(), json_array(), json_array() };
	struct search s = { runs, n, &out, json_object(), json_object() };
	const json_t *name;
	size_t i;

	find_unsteady(&s);
	json_array_foreach(runs[0].order, i, name)
		if (!json_list_has(out.sessions, json_string_value(name)))
			find_verdict(&s, json_string_value(name));
	for (i = 1; i < n; i++)
		if (runs[i].way != OUTCOME_IN_ORDER)
			find_files(&s, &runs[i]);
	json_decref(s.unsteady);
	json_decref(s.told);
	return out;
}

void
dependence_clear(struct dependences *it)
{
	json_decref(it->found);
	json_decref(it->sessions);
	json_decref(it->paths);
	*it = (struct dependences){ 0 };
}

/* "lint, docs and 3 more". */
static void
print_list(const json_t *words)
{
	size_t n = json_array_size(words);

	for (size_t i = 0; i < n && i < NAMES_MOST; i++) {
		char *word = word_text(json_array_get(words, i));

		screen_put(i > 0 ? ", " : "", word, "");
		free(word);
	}
	if (n > NAMES_MOST)
		printf(" and %zu more", n - NAMES_MOST);
}

static void
print_hazards(const json_t *hazards)
{
	const json_t *hazard;
	size_t i;

	json_array_foreach(hazards, i, hazard)
		if (i < NAMES_MOST)
			screen_put("  ", json_text(hazard, "words"), "\n");
}

static void
print_others(const json_t *found)
{
	static const struct {
		const char *how, *before, *after;
	} texts[] = {
		{ "needs", "it needs ", " before it" },
		{ "breaks", "so it is after ", "" },
		{ "beside", "beside it there: ", "" },
	};
	const char *how = json_text(found, "how");

	for (size_t i = 0; i < countof(texts); i++)
		if (!strcmp(texts[i].how, how)) {
			printf("  %s", texts[i].before);
			print_list(json_object_get(found, "others"));
			puts(texts[i].after);
		}
	print_hazards(json_object_get(found, "hazards"));
}

static void
print_one(const json_t *found)
{
	bool is_verdict = !strcmp(json_text(found, "of"), "verdict");

	printf("%-9s ", json_text(found, "on"));
	if (is_verdict) {
		printf("%s\n  %s in the noxfile's order; %s %s\n", json_text(found, "session"),
		    json_text(found, "usual"), json_text(found, "there"), json_text(found, "run"));
		print_others(found);
		screen_put("  its log: ", json_text(found, "log"), "\n");
	} else {
		print_list(json_object_get(found, "paths"));
		printf("\n  left otherwise %s", json_text(found, "run"));
		if (json_array_size(json_object_get(found, "others")) > 0) {
			fputs("; written by ", stdout);
			print_list(json_object_get(found, "others"));
		}
		putchar('\n');
	}
	putchar('\n');
}

static void
print_unsteady(const json_t *words)
{
	if (json_array_size(words) == 0)
		return;
	fputs("note: not repeatable, also in the noxfile's order: ", stdout);
	print_list(words);
	putchar('\n');
}

/* Whoever fails in any case may have something that depends on others behind that. */
static void
print_failing(const struct outcome *usual)
{
	json_t *failing = json_array(), *name;
	size_t i;

	json_array_foreach(usual->order, i, name) {
		const char *verdict = outcome_verdict(usual, json_string_value(name));

		if (verdict && (!strcmp(verdict, "failed") || !strcmp(verdict, "aborted")))
			json_array_append(failing, name);
	}
	if (json_array_size(failing) > 0) {
		fputs("note: what comes after a failure was not seen: ", stdout);
		print_list(failing);
		putchar('\n');
	}
	json_decref(failing);
}

void
dependence_print(const struct dependences *it, const struct outcome *runs, size_t n)
{
	size_t order = 0, all = json_array_size(it->found), i;
	size_t sessions = json_array_size(runs[0].order);
	json_t *found;

	json_array_foreach(it->found, i, found) {
		order += !strcmp(json_text(found, "on"), "order");
		print_one(found);
	}
	print_unsteady(it->sessions);
	print_unsteady(it->paths);
	print_failing(&runs[0]);
	if (all > 0)
		printf("noxmk audit: %zu depend%s on the order, %zu on company", order,
		    order == 1 ? "s" : "", all - order);
	else
		printf("noxmk audit: nothing was seen to depend on order or company");
	printf(", in %zu runs of %zu session%s\n", n, sessions, sessions == 1 ? "" : "s");
}

static json_t *
runs_json(const struct outcome *runs, size_t n)
{
	json_t *list = json_array(), *verdicts, *name;
	size_t k;

	for (size_t i = 0; i < n; i++) {
		verdicts = json_object();
		json_array_foreach(runs[i].order, k, name)
			json_object_set_new(verdicts, json_string_value(name), json_string(
			    outcome_verdict(&runs[i], json_string_value(name))));
		json_array_append_new(list, json_pack("{s:s,s:O,s:o}", "run", runs[i].name,
		    "order", runs[i].order, "verdicts", verdicts));
	}
	return list;
}

void
dependence_print_json(const struct dependences *it, const struct outcome *runs, size_t n)
{
	json_t *all = json_pack("{s:i,s:o,s:O,s:{s:O,s:O}}", "schema", 1, "runs",
	    runs_json(runs, n), "dependences", it->found, "unrepeatable", "sessions",
	    it->sessions, "paths", it->paths);

	json_dumpf(all, stdout, JSON_INDENT(1) | JSON_ENSURE_ASCII);
	putchar('\n');
	json_decref(all);
}
