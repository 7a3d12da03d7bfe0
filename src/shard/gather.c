#include <err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "output/screen.h"
#include "shard/gather.h"
#include "shard/shards.h"
#include "state/commit.h"

static PRINTF(2, 3) void
fault(struct gathering *all, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vwarnx(fmt, args);
	va_end(args);
	all->faults++;
}

/* The folders themselves: the same run twice, a shard twice, of divisions that differ. */
static void
compare_pieces(struct gathering *all, const struct piece *a, const struct piece *b)
{
	const struct shard_choice *x = &a->shard, *y = &b->shard;

	if (a->rundir < 0 || b->rundir < 0)
		return;
	if (*json_text(a->info, "run") &&
	    !strcmp(json_text(a->info, "run"), json_text(b->info, "run")))
		fault(all, "%s and %s are the same run", a->name, b->name);
	else if (x->number == 0 || y->number == 0)
		return;
	else if (x->of != y->of)
		fault(all, "%s is of %u shards, and %s of %u", a->name, x->of, b->name, y->of);
	else if (*x->hash && *y->hash && strcmp(x->hash, y->hash) != 0)
		fault(all, "%s and %s are shards of different divisions", a->name, b->name);
	else if (x->number == y->number)
		fault(all, "shard %u/%u is there twice: %s and %s", x->number, x->of, a->name,
		    b->name);
}

/*
 * Where nobody has said what was to run, all parts of a session were of which some have run: a
 * machine that is not here had the others.
 */
static void
expect_all_parts(struct gathering *all, const struct piece *piece)
{
	json_t *wholes = json_array(), *sessions = json_object(), *line;
	const char *target;

	json_object_foreach(piece->sessions, target, line)
		if (json_object_get(line, "whole"))
			json_array_append(wholes, json_object_get(line, "whole"));
	if (!piece->left && !all->o->matrix &&
	    planfile_expand(all->o->plan, wholes, sessions, true) == 0)
		json_object_foreach(sessions, target, line)
			json_object_set_new(all->expected, target, json_true());
	json_decref(sessions);
	json_decref(wholes);
}

/* Names the sessions that are of both. */
static void
check_twice(struct gathering *all, const struct piece *a, const struct piece *b)
{
	struct strings both = { 0 };
	const char *target;
	json_t *line;
	char *names;

	json_object_foreach(b->sessions, target, line)
		if (json_object_get(a->sessions, target))
			strings_add(&both, target);
	if (both.n > 0) {
		names = strings_join(&both, " ");
		fault(all, "there twice, in %s and %s: %s", a->name, b->name, names);
		free(names);
	}
	free(both.v);
}

/* Who is to have run what: the first one that says so. */
static void
find_owners(struct gathering *all)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct piece *piece = &all->pieces[i];
		const json_t *left;
		const char *target;
		json_t *line;
		size_t k;

		if (piece->rundir < 0)
			continue;
		for (k = 0; k < i; k++)
			check_twice(all, &all->pieces[k], piece);
		json_object_foreach(piece->sessions, target, line) {
			if (!json_object_get(all->owners, target))
				json_object_set_new(all->owners, target,
				    json_integer((json_int_t)i));
			json_object_set_new(all->expected, target, json_true());
		}
		expect_all_parts(all, piece);
		json_array_foreach(piece->left, k, left)
			if (planfile_has_session(all->o->plan, json_string_value(left)))
				json_object_set_new(all->expected, json_string_value(left),
				    json_true());
	}
}

/* The sessions of a shard of the matrix: target -> line. A new object. */
static json_t *
sessions_of(struct gathering *all, const json_t *entry)
{
	json_t *goals = json_words(json_text(entry, "targets")), *sessions = json_object();
	char *name = screen_safe(json_text(entry, "name"));

	/* A warning of the plan's would have the names as they are, which somebody else wrote. */
	if (planfile_expand(all->o->plan, goals, sessions, false) < 0)
		fault(all, "shard %s: the matrix is of another commit: it names what is no target "
		    "of the plan here", name);
	free(name);
	json_decref(goals);
	return sessions;
}

/* One that has run nothing of what it was to run is missing. */
static void
expect_shard(struct gathering *all, const json_t *entry, const json_t *sessions)
{
	bool missing = json_object_size(sessions) > 0;
	const char *target;
	json_t *line;
	char *name;

	json_object_foreach((json_t *)sessions, target, line) {
		missing = missing && !json_object_get(all->owners, target);
		json_object_set_new(all->expected, target, json_true());
	}
	if (missing) {
		name = screen_safe(json_text(entry, "name"));
		fault(all, "shard %s is missing", name);
		free(name);
	}
}

/* Was the machine to run just these sessions, by that division, as far as it knows? */
static bool
is_shard(const struct piece *piece, const json_t *entry, const json_t *sessions)
{
	struct shard_choice shard;
	const char *target;
	json_t *line;

	if (*piece->shard.hash && shard_choice_read(json_text(entry, "shard"), &shard) &&
	    strcmp(piece->shard.hash, shard.hash) != 0)
		return false;
	json_object_foreach(piece->sessions, target, line)
		if (!json_object_get(sessions, target))
			return false;
	return json_object_size(piece->sessions) == json_object_size(sessions);
}

/* A machine that was to run something else than a shard of the matrix is of another one. */
static void
check_division(struct gathering *all, const struct piece *piece, const json_t *shards)
{
	struct strings targets = { 0 };
	const json_t *sessions;
	const char *target;
	json_t *line;
	size_t i;
	char *names;

	if (piece->rundir < 0 || json_object_size(piece->sessions) == 0)
		return;
	json_array_foreach(shards, i, sessions)
		if (is_shard(piece, json_array_get(json_object_get(all->o->matrix, "include"), i),
			sessions))
			return;
	json_object_foreach(piece->sessions, target, line)
		strings_add(&targets, target);
	names = strings_join(&targets, " ");
	fault(all, "%s is no shard of this matrix, but of another: it was to run %s", piece->name,
	    names);
	free(names);
	free(targets.v);
}

static void
check_matrix(struct gathering *all)
{
	const json_t *entry;
	json_t *shards = json_array();
	size_t i;

	json_array_foreach(json_object_get(all->o->matrix, "include"), i, entry) {
		json_array_append_new(shards, sessions_of(all, entry));
		expect_shard(all, entry, json_array_get(shards, i));
	}
	for (i = 0; i < all->n && all->o->matrix; i++)
		check_division(all, &all->pieces[i], shards);
	json_decref(shards);
}

/* The one that is that shard, or NULL. */
static const struct piece *
find_shard(const struct gathering *all, unsigned number)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->pieces[i].shard.number == number)
			return &all->pieces[i];
	return NULL;
}

/* " (shard 2/4, 3/4)", as far as the others say how many there are. The caller frees. */
static char *
missing_shards(const struct gathering *all)
{
	struct buffer names = { 0 };
	unsigned of = 0;

	for (size_t i = 0; i < all->n; i++)
		if (all->pieces[i].shard.of > of)
			of = all->pieces[i].shard.of;
	buffer_addstr(&names, "");
	for (unsigned number = 1; number <= of; number++)
		if (!find_shard(all, number))
			buffer_printf(&names, "%s%u/%u", names.len > 0 ? ", " : " (shard ", number,
			    of);
	buffer_addstr(&names, names.len > 0 ? ")" : "");
	return names.data;
}

/*
 * Have the shards that are not here nothing to run? What machines say that others run may be wrong,
 * but the hash of the division is then not that of what is here.
 */
static void
check_hash(struct gathering *all)
{
	const struct shard_choice *shard = NULL;
	json_t *nothing = json_object();
	char *missing = missing_shards(all), hash[SHARD_HASH + 1];
	uint64_t is = HASH64_BEGIN;

	/* One without it may have what a shard was to run. */
	for (size_t i = 0; i < all->n && (i == 0 || shard); i++)
		shard = *all->pieces[i].shard.hash ? &all->pieces[i].shard : NULL;
	for (unsigned number = 1; shard && number <= shard->of; number++) {
		const struct piece *piece = find_shard(all, number);

		is = shards_hash_add(is, piece ? piece->sessions : nothing);
	}
	snprintf(hash, sizeof(hash), SHARDS_HASH, is);
	if (shard && *missing && strcmp(hash, shard->hash) != 0)
		fault(all, "missing: what is here is not the division %s as a whole%s",
		    shard->hash, missing);
	json_decref(nothing);
	free(missing);
}

/* Names what was to run and is in no folder. */
static void
check_whole(struct gathering *all)
{
	struct strings missing = { 0 };
	const char *target;
	json_t *item;
	char *names, *shards;

	if (all->o->expect > 0 && all->n != all->o->expect)
		fault(all, "%zu folder%s here, and %zu are expected", all->n,
		    all->n == 1 ? " is" : "s are", all->o->expect);
	json_object_foreach(all->expected, target, item)
		if (!json_object_get(all->owners, target))
			strings_add(&missing, target);
	if (missing.n > 0) {
		names = strings_join(&missing, " ");
		shards = missing_shards(all);
		fault(all, "missing: no folder has what was to run: %s%s", names, shards);
		free(shards);
		free(names);
	} else if (all->faults == 0) {
		check_hash(all);
	}
	free(missing.v);
}

static void
open_pieces(struct gathering *all)
{
	char *commit = commit_checked_out();

	while (all->o->folders[all->n])
		all->n++;
	all->pieces = xcalloc(all->n, sizeof(*all->pieces));
	for (size_t i = 0; i < all->n; i++)
		piece_open(&all->pieces[i], all->o->folders[i], all->o->plan, commit,
		    &all->faults);
	for (size_t i = 0; i < all->n; i++)
		for (size_t k = 0; k < i; k++)
			compare_pieces(all, &all->pieces[k], &all->pieces[i]);
	free(commit);
}

void
gather(struct gathering *all, const struct merge_options *options)
{
	*all = (struct gathering){ .o = options, .owners = json_object(),
		.expected = json_object() };
	open_pieces(all);
	find_owners(all);
	check_matrix(all);
	check_whole(all);
}

void
gather_clear(struct gathering *all)
{
	for (size_t i = 0; i < all->n; i++)
		piece_close(&all->pieces[i]);
	free(all->pieces);
	json_decref(all->owners);
	json_decref(all->expected);
	*all = (struct gathering){ 0 };
}
