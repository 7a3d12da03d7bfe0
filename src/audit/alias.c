#include <stdlib.h>

#include "audit/alias.h"

/* What changes the file that a name means. */
#define IN_PLACE                                                                             \
	(TRACE_SET(TRACE_WRITE) | TRACE_SET(TRACE_TRUNCATE) | TRACE_SET(TRACE_APPEND) |      \
	    TRACE_SET(TRACE_META))

/* A file that a session has changed in place, and that has several names. */
struct changed {
	unsigned long long ino, dev;
	size_t actor;
	const char *writer;
};

struct list {
	struct changed *v;
	size_t n, room;
};

static int
compare_files(const void *a, const void *b)
{
	const struct changed *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return (x->ino > y->ino) - (x->ino < y->ino);
}

static bool
is_file(const struct trace_state *state, const struct changed *file)
{
	return state->kind == TRACE_FILE && state->ino == file->ino && state->dev == file->dev;
}

/* By which of its names did the session change the file: that one? NULL: by none. */
static const struct trace_path *
changed_by(const struct trace *trace, const struct changed *file, const struct trace_path *name)
{
	if (name->ops & IN_PLACE)
		return name;
	for (size_t i = 0; i < trace->npaths; i++) {
		const struct trace_path *path = &trace->paths[i];

		if (path->ops & IN_PLACE &&
		    (is_file(&path->before, file) || is_file(&path->after, file)))
			return path;
	}
	return NULL;
}

/* Is it the same file after the session, with several names, and another content or mode? */
static bool
is_changed(const struct trace_path *path)
{
	const struct trace_state *a = &path->before, *b = &path->after;

	return a->kind == TRACE_FILE && b->kind == TRACE_FILE && a->ino == b->ino &&
	       a->dev == b->dev && (a->links > 1 || b->links > 1) &&
	       (a->size != b->size || a->mtime != b->mtime || a->mode != b->mode ||
		   path->ops & TRACE_SET(TRACE_META));
}

static void
find_changed(struct list *list, const struct trace *trace, size_t actor)
{
	for (size_t i = 0; i < trace->npaths; i++) {
		struct changed file = { .ino = trace->paths[i].before.ino,
			.dev = trace->paths[i].before.dev, .actor = actor };
		const struct trace_path *path;

		if (!is_changed(&trace->paths[i]))
			continue;
		path = changed_by(trace, &file, &trace->paths[i]);
		if (!path)
			continue;
		file.writer = path->writer;
		if (list->n == list->room) {
			list->room = list->room ? list->room * 2 : 16;
			list->v = xreallocarray(list->v, list->room, sizeof(*list->v));
		}
		list->v[list->n++] = file;
	}
}

/* What a session gets. */
struct more {
	struct access *v;
	size_t n, room;
};

static void
add_name(struct more *more, const char *path, const char *writer)
{
	if (more->n == more->room) {
		more->room = more->room ? more->room * 2 : 16;
		more->v = xreallocarray(more->v, more->room, sizeof(*more->v));
	}
	more->v[more->n++] = (struct access){ .path = path, .how = ACCESS_WRITES,
		.writer = writer };
}

/* All who have changed the file of that state do so under this name, too. */
static void
spread(const struct list *list, const struct trace_state *state, const char *path,
    struct more *mores)
{
	struct changed key = { .ino = state->ino, .dev = state->dev };
	const struct changed *at;

	if (state->kind != TRACE_FILE || state->links < 2)
		return;
	at = bsearch(&key, list->v, list->n, sizeof(key), compare_files);
	while (at && at > list->v && compare_files(at - 1, &key) == 0)
		at--;
	for (; at && at < list->v + list->n && compare_files(at, &key) == 0; at++)
		add_name(&mores[at->actor], path, at->writer);
}

void
alias_spread(struct actor *actors, size_t n)
{
	struct more *mores = xcalloc(n, sizeof(*mores));
	struct list list = { 0 };

	for (size_t i = 0; i < n; i++)
		find_changed(&list, actors[i].trace, i);
	if (list.n > 0)
		qsort(list.v, list.n, sizeof(*list.v), compare_files);
	for (size_t i = 0; list.n > 0 && i < n; i++)
		for (size_t k = 0; k < actors[i].trace->npaths; k++) {
			const struct trace_path *path = &actors[i].trace->paths[k];

			spread(&list, &path->before, path->path, mores);
			spread(&list, &path->after, path->path, mores);
		}
	for (size_t i = 0; i < n; i++) {
		if (mores[i].n > 0)
			access_join(&actors[i], mores[i].v, mores[i].n);
		free(mores[i].v);
	}
	free(mores);
	free(list.v);
}
