#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "output/screen.h"
#include "plan/setting.h"
#include "shard/matrix.h"

/* Columns of the table before the targets: see print_row. */
enum { BEFORE_TARGETS = 34, LABEL = 12 };

static double
seconds_of(const struct matrix *matrix, const json_t *sessions)
{
	return shards_expect(matrix->history, sessions) + matrix->cost;
}

/* The targets with a blank between each two. The caller frees. */
static char *
targets_of(const json_t *sessions)
{
	struct strings targets = { 0 };
	const char *target;
	json_t *line;
	char *text;

	json_object_foreach((json_t *)sessions, target, line)
		strings_add(&targets, target);
	text = strings_join(&targets, " ");
	free(targets.v);
	return text;
}

/* So many bonds are told. */
enum { BONDS_MOST = 40 };

/* "docs requires lint (tool.noxmk.session.docs.needs)". The caller frees. */
static char *
words_of(const struct shards *shards, const struct bundle_bond *bond)
{
	return xasprintf("%s %s %s (%s)", workload_target(shards->work, bond->session), bond->what,
	    workload_target(shards->work, bond->other), bond->by);
}

/*
 * Why sessions are tied, in one text with "; " between each two, since engines take nothing but
 * texts and numbers there. sessions: of a shard. NULL: they are not. A new reference.
 */
static json_t *
ties_of(const struct shards *shards, const json_t *sessions)
{
	struct buffer text = { 0 };
	json_t *ties = NULL;
	size_t n = 0;

	for (size_t i = 0; i < shards->bundles.nbonds; i++) {
		const struct bundle_bond *bond = &shards->bundles.bonds[i];
		char *words;

		if (!json_object_get(sessions, workload_target(shards->work, bond->session)) ||
		    n++ >= BONDS_MOST)
			continue;
		words = words_of(shards, bond);
		buffer_printf(&text, "%s%s", text.len > 0 ? "; " : "", words);
		free(words);
	}
	if (n > BONDS_MOST)
		buffer_printf(&text, "; and %zu more", n - BONDS_MOST);
	if (text.len > 0)
		ties = json_string(text.data);
	buffer_free(&text);
	return ties;
}

/* The same for people, a line each, if there are any. */
static void
print_ties(const struct shards *shards)
{
	const struct bundles *bundles = &shards->bundles;

	if (bundles->nbonds > 0)
		puts("\nOn one machine stay together:");
	for (size_t i = 0; i < bundles->nbonds && i < BONDS_MOST; i++) {
		char *words = words_of(shards, &bundles->bonds[i]);

		printf("  ");
		screen_put_cut(words, screen_left(2));
		putchar('\n');
		free(words);
	}
	if (bundles->nbonds > BONDS_MOST)
		printf("  and %zu more\n", bundles->nbonds - BONDS_MOST);
}

static const char *
label_of(const struct matrix *matrix, size_t at)
{
	const char *label = matrix->shards->v[at].label;

	return *label ? label : matrix->runs_on;
}

/* A shard as it is called for people, without the hash. The caller frees. */
static char *
short_name(const struct shards *shards, size_t at)
{
	return xasprintf("%zu/%zu", at + 1, shards->n);
}

static void
print_json(const struct matrix *matrix)
{
	json_t *include = json_array(), *root = json_pack("{s:o}", "include", include);
	char *text;

	for (size_t i = 0; i < matrix->shards->n; i++) {
		const json_t *sessions = matrix->shards->v[i].sessions;
		char *shard = shards_name(matrix->shards, i);
		char *name = short_name(matrix->shards, i), *targets = targets_of(sessions);

		/* A machine that has nothing to do is none. */
		if (json_object_size(sessions) > 0)
			json_array_append_new(include, json_pack("{s:s,s:s,s:s,s:i,s:f,s:s,s:o*}",
			    "shard", shard, "name", name, "targets", targets, "sessions",
			    (int)json_object_size(sessions), "seconds",
			    seconds_of(matrix, sessions), "runs-on", label_of(matrix, i),
			    "tied", ties_of(matrix->shards, sessions)));
		free(targets);
		free(name);
		free(shard);
	}
	text = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(6));
	puts(text ? text : "");
	free(text);
	json_decref(root);
}

/* All text in here is ours, or of characters that mean nothing to YAML between quotes. */
static void
print_gitlab(const struct matrix *matrix)
{
	printf("include:\n  - local: \"%s\"\n", matrix->include);
	for (size_t i = 0; i < matrix->shards->n; i++) {
		const struct shard *shard = &matrix->shards->v[i];
		char *name = shards_name(matrix->shards, i);

		if (json_object_size(shard->sessions) > 0) {
			printf("\n\"shard %zu of %zu\":\n  extends: .shard\n", i + 1,
			    matrix->shards->n);
			if (*shard->label)
				printf("  tags: [\"%s\"]\n", shard->label);
			printf("  variables:\n    NOXMK_SHARD: \"%s\"\n", name);
		}
		free(name);
	}
}

static void
print_row(const struct matrix *matrix, size_t at)
{
	const json_t *sessions = matrix->shards->v[at].sessions;
	char *name = short_name(matrix->shards, at), *targets = targets_of(sessions);

	printf("%-8s  ", name);
	screen_put_cell(matrix->shards->v[at].label, 0, LABEL);
	printf("  %8s  ", json_object_size(sessions) > 0 ?
	    screen_duration(seconds_of(matrix, sessions)).s : "-");
	screen_put_cut(*targets ? targets : "(nothing)", screen_left(BEFORE_TARGETS));
	putchar('\n');
	free(targets);
	free(name);
}

/* The bundle without which the longest shard could be shorter; NO_JOB: no single one. */
static size_t
decisive(const struct shards *shards)
{
	const struct bundles *bundles = &shards->bundles;
	size_t longest = NO_JOB;
	long long ms = 0, most = 0;

	for (size_t i = 0; i < bundles->n; i++) {
		const struct divide_bundle *b = &bundles->v[i];
		long long own = b->work > b->least ? b->work : b->least;

		if (own > ms) {
			ms = own;
			longest = i;
		}
	}
	for (size_t i = 0; i < shards->n; i++)
		if (shards->v[i].ms > most)
			most = shards->v[i].ms;
	return ms >= most ? longest : NO_JOB;
}

/* How a session is cut in parts, or in more of them. */
static void
print_cut(const struct shards *shards, const char *target)
{
	size_t at = workload_find(shards->work, target);
	const json_t *line = json_array_get(shards->work->sessions, at);
	json_int_t parts = json_integer_value(json_array_get(json_object_get(line, "part"), 1));
	char *place = setting_place("session", parts > 0 ? json_text(line, "whole") : target,
	    NULL);

	printf("To be faster, cut it: parts = %lld in [%s], see nox.mk(5).\n",
	    parts > 0 ? 2 * (long long)parts : 2, place);
	free(place);
}

/* That no further machine helps, and whose fault that is. */
static void
print_remedy(const struct shards *shards)
{
	size_t bundle = decisive(shards), n = 0;
	struct strings names = { 0 };
	char *text;

	if (bundle == NO_JOB || shards->n < 2)
		return;
	for (size_t i = 0; i < shards->work->schedule.n; i++)
		if (shards->bundles.of[i] == bundle && n++ < 8)
			strings_add(&names, workload_target(shards->work, i));
	text = strings_join(&names, " ");
	printf("\nNo further machine makes this shorter: %s: %s%s.\n", n == 1 ?
	    "one session is the longest" : "these stay together", text,
	    n > names.n ? " …" : "");
	if (n == 1)
		print_cut(shards, names.v[0]);
	else
		printf("To be faster, see what ties them: requires=, needs, after, together.\n");
	free(text);
	free(names.v);
}

static void
print_table(const struct matrix *matrix)
{
	const struct shards *shards = matrix->shards;
	json_t *all = json_object();
	double longest = 0;

	for (size_t i = 0; i < shards->n; i++) {
		double seconds = seconds_of(matrix, shards->v[i].sessions);

		json_object_update(all, shards->v[i].sessions);
		if (seconds > longest)
			longest = seconds;
	}
	printf("%-8s  %-*s  %8s  %s\n", "shard", LABEL, "runs on", "expected", "targets");
	for (size_t i = 0; i < shards->n; i++)
		print_row(matrix, i);
	printf("\n%zu session%s on %zu machine%s: %s; ", json_object_size(all),
	    json_object_size(all) == 1 ? "" : "s", shards->n, shards->n == 1 ? "" : "s",
	    screen_duration(longest).s);
	printf("on one: %s\n", screen_duration(seconds_of(matrix, all)).s);
	if (matrix->learned)
		printf("Each machine takes %s besides, as merged runs have shown.\n",
		    screen_duration(matrix->cost).s);
	print_ties(shards);
	print_remedy(shards);
	json_decref(all);
}

void
matrix_print(const struct matrix *matrix, enum matrix_format format)
{
	if (format == MATRIX_JSON)
		print_json(matrix);
	else if (format == MATRIX_GITLAB)
		print_gitlab(matrix);
	else
		print_table(matrix);
}
