#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "output/screen.h"
#include "shard/matrix.h"
#include "shard/remedy.h"

/* Columns of the table before the targets: see print_row. */
enum { BEFORE_TARGETS = 34, LABEL = 12 };

static double
seconds_of(const struct matrix *matrix, const json_t *sessions)
{
	return shards_expect(matrix->history, sessions) + matrix->cost;
}

/* Are the seconds of a shard more than a guess? */
static bool
is_known(const struct matrix *matrix, const json_t *sessions)
{
	return shards_known(matrix->shards, sessions) > 0;
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

/* So many reasons are told. */
enum { REASONS_MOST = 40 };

/* A session as ties tell of it: its parts stay together for the same reasons. */
static const char *
tied_name(const struct shards *shards, size_t session)
{
	const char *whole = json_text(json_array_get(shards->work->sessions, session), "whole");

	return *whole ? whole : workload_target(shards->work, session);
}

/* "docs requires lint (tool.noxmk.session.docs.needs)". The caller frees. */
static char *
words_of(const struct shards *shards, const struct bundle_bond *bond)
{
	return xasprintf("%s %s %s (%s)", tied_name(shards, bond->session), bond->what,
	    tied_name(shards, bond->other), bond->by);
}

/*
 * Why sessions are tied, each reason once. sessions: of a shard, or NULL, of all. The keys of a new
 * object.
 */
static json_t *
reasons_of(const struct shards *shards, const json_t *sessions)
{
	json_t *reasons = json_object();

	for (size_t i = 0; i < shards->bundles.nbonds; i++) {
		const struct bundle_bond *bond = &shards->bundles.bonds[i];
		const char *target = workload_target(shards->work, bond->session);
		char *words = words_of(shards, bond);

		if (!sessions || json_object_get(sessions, target))
			json_object_set_new(reasons, words, json_true());
		free(words);
	}
	return reasons;
}

/*
 * The reasons in one text with "; " between each two, since engines take nothing but texts and
 * numbers there. sessions: of a shard. NULL: there are none. A new reference.
 */
static json_t *
ties_of(const struct shards *shards, const json_t *sessions)
{
	json_t *reasons = reasons_of(shards, sessions), *ties = NULL, *item;
	struct buffer text = { 0 };
	const char *reason;
	size_t n = 0;

	json_object_foreach(reasons, reason, item)
		if (n++ < REASONS_MOST)
			buffer_printf(&text, "%s%s", text.len > 0 ? "; " : "", reason);
	if (n > REASONS_MOST)
		buffer_printf(&text, "; and %zu more", n - REASONS_MOST);
	if (text.len > 0)
		ties = json_string(text.data);
	buffer_free(&text);
	json_decref(reasons);
	return ties;
}

/* Of each session that is cut for nothing a line says by whom, and what to do. */
static void
print_tied_parts(const struct shards *shards)
{
	json_t *told = json_object();

	for (size_t i = 0; i < shards->bundles.nbonds; i++) {
		const struct bundle_bond *bond = &shards->bundles.bonds[i];
		const char *session = tied_name(shards, bond->session);
		const char *other = tied_name(shards, bond->other);
		bool before = strcmp(other, workload_target(shards->work, bond->other)) != 0;
		bool after = strcmp(session, workload_target(shards->work, bond->session)) != 0;
		const char *whole = before ? other : session;

		if ((!before && !after) || !strcmp(session, other) ||
		    json_object_get(told, whole))
			continue;
		json_object_set_new(told, whole, json_true());
		if (before)
			printf("All parts of %s are on one machine, as %s %s them: leave that out "
			       "(default = false), and they need not be: nox.mk(5), parts.\n",
			    whole, session, bond->what);
		else
			printf("All parts of %s are on one machine, as each %s %s: nox.mk(5), "
			       "parts.\n", whole, bond->what, other);
	}
	json_decref(told);
}

/* The same for people, a line each, if there are any. */
static void
print_ties(const struct shards *shards)
{
	json_t *reasons = reasons_of(shards, NULL), *item;
	const char *reason;
	size_t n = 0;

	json_object_foreach(reasons, reason, item) {
		if (n == 0)
			puts("\nOn one machine stay together:");
		if (n++ >= REASONS_MOST)
			continue;
		printf("  ");
		screen_put_cut(reason, screen_left(2));
		putchar('\n');
	}
	if (n > REASONS_MOST)
		printf("  and %zu more\n", n - REASONS_MOST);
	json_decref(reasons);
	print_tied_parts(shards);
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
			json_array_append_new(include, json_pack("{s:s,s:s,s:s,s:i,s:o,s:s,s:o*}",
			    "shard", shard, "name", name, "targets", targets, "sessions",
			    (int)json_object_size(sessions), "seconds",
			    is_known(matrix, sessions) ?
			    json_real(seconds_of(matrix, sessions)) : json_null(),
			    "runs-on", label_of(matrix, i),
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
	printf("  %8s  ", json_object_size(sessions) == 0 ? "-" : is_known(matrix, sessions) ?
	    screen_duration(seconds_of(matrix, sessions)).s : "?");
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

/* That no further machine helps, and whose fault that is. */
static void
print_remedy(const struct shards *shards)
{
	size_t bundle = decisive(shards);
	char *subject, *words;

	if (bundle == NO_JOB || shards->n < 2 || shards_known(shards, NULL) == 0)
		return;
	subject = remedy_subject(&shards->bundles, shards->work, bundle);
	words = remedy_words(&shards->bundles, shards->work, bundle, 2);
	printf("\nNo further machine makes this shorter: %s the longest.\n", subject);
	printf("To be faster, %s.\n", words);
	free(words);
	free(subject);
}

/* Of how many no time is known. */
static void
print_unknown(const struct shards *shards)
{
	size_t n = shards->work->schedule.n, known = shards_known(shards, NULL);

	if (n > 0 && known == 0)
		puts("No session has passed yet, so nobody knows how long they take: they are "
		     "divided by number.");
	else if (known < n)
		printf("How long %zu of them take%s nobody knows yet: as long as the others, by "
		       "the median.\n", n - known, n - known == 1 ? "s" : "");
}

/* How long it takes on so many machines, and on one. */
static void
print_total(const struct matrix *matrix)
{
	const struct shards *shards = matrix->shards;
	size_t n = shards->work->schedule.n;
	json_t *all = json_object();
	double longest = 0;

	for (size_t i = 0; i < shards->n; i++) {
		double seconds = seconds_of(matrix, shards->v[i].sessions);

		json_object_update(all, shards->v[i].sessions);
		if (seconds > longest)
			longest = seconds;
	}
	printf("\n%zu session%s on %zu machine%s", n, n == 1 ? "" : "s", shards->n,
	    shards->n == 1 ? "" : "s");
	if (is_known(matrix, all)) {
		printf(": %s; ", screen_duration(longest).s);
		printf("on one: %s", screen_duration(seconds_of(matrix, all)).s);
	}
	putchar('\n');
	json_decref(all);
}

static void
print_table(const struct matrix *matrix)
{
	const struct shards *shards = matrix->shards;

	printf("%-8s  %-*s  %8s  %s\n", "shard", LABEL, "runs on", "expected", "targets");
	for (size_t i = 0; i < shards->n; i++)
		print_row(matrix, i);
	print_total(matrix);
	print_unknown(shards);
	if (matrix->learned)
		printf("Each machine takes %s besides, as merged runs have shown.\n",
		    screen_duration(matrix->cost).s);
	print_ties(shards);
	print_remedy(shards);
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
