#include <stdlib.h>
#include <string.h>

#include "audit/access.h"
#include "audit/noise.h"

/* What changes something at a path, whatever it was. */
#define CHANGES                                                                              \
	(TRACE_SET(TRACE_WRITE) | TRACE_SET(TRACE_CREATE) | TRACE_SET(TRACE_TRUNCATE) |      \
	    TRACE_SET(TRACE_APPEND) | MOVES)
#define MOVES                                                                                \
	(TRACE_SET(TRACE_DELETE) | TRACE_SET(TRACE_RENAME_FROM) | TRACE_SET(TRACE_RENAME_TO) | \
	    TRACE_SET(TRACE_RMDIR) | TRACE_SET(TRACE_SUBTREE))
/* Opens a file to write into it. */
#define OPENS                                                                                \
	(TRACE_SET(TRACE_WRITE) | TRACE_SET(TRACE_CREATE) | TRACE_SET(TRACE_TRUNCATE) |      \
	    TRACE_SET(TRACE_APPEND))

#define BYTECODE "/__pycache__/"

struct look {
	unsigned rules;
	struct actor *actor;
	size_t room;
};

static bool
is_on(const struct look *look, enum noise rule)
{
	return look->rules & NOISE_SET(rule);
}

static bool
did(const struct trace_path *path, enum trace_op op)
{
	return path->ops & TRACE_SET(op);
}

static void
add(struct look *look, struct access access)
{
	struct actor *actor = look->actor;

	if (actor->n == look->room) {
		look->room = look->room ? look->room * 2 : 256;
		actor->accesses = xreallocarray(actor->accesses, look->room,
		    sizeof(*actor->accesses));
	}
	actor->accesses[actor->n++] = access;
}

static void
add_own(struct look *look, char *path, unsigned how, const struct trace_path *from)
{
	strings_add(&look->actor->own, path);
	add(look, (struct access){ .path = path, .how = how, .reader = from->reader,
	    .writer = from->writer });
}

/* Is the file after the session what it was before? */
static bool
is_unchanged(const struct trace_path *path)
{
	const struct trace_state *a = &path->before, *b = &path->after;

	return a->kind == TRACE_FILE && b->kind == TRACE_FILE && a->ino == b->ino &&
	       a->dev == b->dev && a->size == b->size && a->mtime == b->mtime &&
	       a->mode == b->mode;
}

/* Is the same thing there as before, whatever was tried? */
static bool
is_there_still(const struct trace_path *path)
{
	const struct trace_state *a = &path->before, *b = &path->after;

	if (a->kind == TRACE_FILE)
		return is_unchanged(path);
	return a->kind > TRACE_FILE && a->kind == b->kind && a->ino == b->ino && a->dev == b->dev;
}

/*
 * What the session has really done there. The tracer sees a call before the kernel does, which may
 * refuse to remove or to rename: over a folder that is not empty, to another file system, where
 * somebody else's is. Then all is as it was, though nothing has been put there again.
 */
static unsigned
done_at(const struct trace_path *path)
{
	const unsigned puts = TRACE_SET(TRACE_CREATE) | TRACE_SET(TRACE_MKDIR);
	const unsigned takes = MOVES & ~(TRACE_SET(TRACE_RENAME_TO) | TRACE_SET(TRACE_SUBTREE));
	bool comes = did(path, TRACE_RENAME_TO), goes = path->ops & takes;

	if (!(path->ops & MOVES) || (path->ops & puts) || comes == goes)
		return path->ops;
	if (path->before.ino != 0 && is_there_still(path))
		return (path->ops & ~MOVES) | TRACE_SET(TRACE_PROBE);
	if (comes && path->before.kind == TRACE_NOTHING && path->after.kind == TRACE_NOTHING)
		return (path->ops & ~MOVES) | TRACE_SET(TRACE_PROBE) | TRACE_SET(TRACE_MISSING);
	return path->ops;
}

/* Does it have no content, neither before nor after? */
static bool
is_empty(const struct trace_path *path)
{
	return (path->before.kind != TRACE_FILE || path->before.size == 0) &&
	       (path->after.kind != TRACE_FILE || path->after.size == 0) &&
	       (path->before.kind == TRACE_FILE || path->after.kind == TRACE_FILE ||
		   did(path, TRACE_DELETE));
}

static bool
is_lock(const struct trace_path *path)
{
	return is_empty(path) && !did(path, TRACE_RENAME_TO) && !did(path, TRACE_RENAME_FROM) &&
	       (did(path, TRACE_LOCK) || noise_is_lock_name(path->path) ||
		   (did(path, TRACE_EXCL) && path->after.kind == TRACE_FILE));
}

/* Made under a name that must not have been there, and gone at the end. */
static bool
is_temporary(const struct trace_path *path)
{
	return path->before.kind == TRACE_NOTHING && path->after.kind == TRACE_NOTHING &&
	       did(path, TRACE_EXCL);
}

/*
 * Is it read as it was found: not only after the session has written it itself? Of a file that was
 * there, the first use tells.
 */
static bool
is_told(const struct trace_path *path)
{
	if (path->before.kind == TRACE_NOTHING)
		return false;
	if (path->first == TRACE_PROBE)
		return !did(path, TRACE_DELETE) && !did(path, TRACE_TRUNCATE);
	return path->first == TRACE_READ || path->first == TRACE_EXEC || path->first == TRACE_LOCK;
}

static unsigned
how_of_folder(const struct trace_path *path)
{
	if (path->before.kind == TRACE_FOLDER && path->after.kind == TRACE_FOLDER &&
	    !(path->ops & MOVES))
		return ACCESS_PROBES;
	return ACCESS_WRITES | ACCESS_FOLDER;
}

static unsigned
how_of_write(const struct look *look, const struct trace_path *path)
{
	bool moves = path->ops & MOVES, opens = path->ops & OPENS;

	if (did(path, TRACE_MKDIR) && !opens && !did(path, TRACE_SUBTREE))
		return how_of_folder(path);
	if (!moves && !did(path, TRACE_META) && is_unchanged(path) && is_on(look, NOISE_UNCHANGED))
		return opens ? ACCESS_READS | ACCESS_TOLD : ACCESS_PROBES;
	if (!opens && !moves && !did(path, TRACE_MKDIR) && !did(path, TRACE_META))
		return 0;
	/* It was to be made, and could not be. */
	if (!moves && path->before.kind == TRACE_NOTHING && path->after.kind == TRACE_NOTHING)
		return ACCESS_MISSES;
	return ACCESS_WRITES;
}

/* More of a write. */
static unsigned
manner_of(const struct trace_path *path)
{
	unsigned how = 0;

	/* Who lists a folder and removes it has removed all that was in it. */
	if (did(path, TRACE_SUBTREE) || (did(path, TRACE_RMDIR) && did(path, TRACE_LIST)))
		how |= ACCESS_TREE;
	if (did(path, TRACE_CLOSE))
		how |= ACCESS_CLOSES;
	if (path->before.kind == TRACE_NOTHING)
		how |= ACCESS_MADE;
	if (path->after.kind == TRACE_NOTHING)
		how |= ACCESS_GONE;
	if (did(path, TRACE_APPEND) && !(path->ops & MOVES) && !did(path, TRACE_TRUNCATE))
		how |= ACCESS_APPENDS;
	if (did(path, TRACE_RENAME_TO) && !(path->ops & OPENS))
		how |= ACCESS_RENAMED;
	return how;
}

static unsigned
how_of(const struct look *look, const struct trace_path *path)
{
	unsigned how = how_of_write(look, path);
	bool missing = did(path, TRACE_MISSING);

	if (how & ACCESS_WRITES)
		how |= manner_of(path);
	if ((did(path, TRACE_READ) || did(path, TRACE_EXEC)) &&
	    path->before.kind != TRACE_FOLDER) {
		if (path->before.kind != TRACE_NOTHING || (how & ACCESS_WRITES))
			how |= ACCESS_READS | (is_told(path) ? ACCESS_TOLD : 0);
		else
			how |= ACCESS_MISSES;
	} else if (missing && !did(path, TRACE_PROBE) && !(how & ACCESS_WRITES)) {
		how |= ACCESS_MISSES;
	}
	if (did(path, TRACE_PROBE))
		how |= ACCESS_PROBES;
	if (did(path, TRACE_LIST))
		how |= ACCESS_LISTS;
	return how;
}

/* D/__pycache__/N.TAG.pyc is written for whoever needs D/N.py: to read it is to read that. */
static void
add_source(struct look *look, const struct trace_path *path, const char *cache)
{
	const char *name = cache + strlen(BYTECODE);
	size_t length = strcspn(name, ".");

	if (did(path, TRACE_READ) && path->before.kind == TRACE_FILE && length > 0)
		add_own(look, xasprintf("%.*s/%.*s.py", (int)(cache - path->path), path->path,
		    (int)length, name), ACCESS_READS | ACCESS_TOLD, path);
}

/*
 * SQLite's own files next to a database stand for that. The caller frees; NULL: it is none, or
 * there is no such database.
 */
static char *
database_of(const struct trace *trace, const char *path)
{
	static const char *const suffixes[] = { "-journal", "-wal", "-shm" };
	size_t len = strlen(path);

	for (size_t i = 0; i < countof(suffixes); i++) {
		size_t tail = strlen(suffixes[i]);
		char *base;

		if (len <= tail || strcmp(path + len - tail, suffixes[i]) != 0)
			continue;
		base = xasprintf("%.*s", (int)(len - tail), path);
		if (trace_find(trace, base))
			return base;
		free(base);
	}
	return NULL;
}

static void
add_database(struct look *look, char *base, const struct trace_path *path)
{
	bool logs = path->path[strlen(path->path) - 1] != 'm';

	if (logs && (path->ops & CHANGES) && !is_unchanged(path))
		add_own(look, base, ACCESS_WRITES, path);
	else
		free(base);
}

/*
 * Has git only noted the times of files in its index, as `git status` does where it may? Then that
 * has as many bytes as before, and nothing else in its folder is written.
 */
static bool
is_refreshed(const struct trace *trace, const struct trace_path *path)
{
	static const char name[] = "/.git/index";
	size_t len = strlen(path->path), folder = len - strlen("index");

	if (len < strlen(name) || strcmp(path->path + len - strlen(name), name) != 0 ||
	    path->before.kind != TRACE_FILE || path->after.kind != TRACE_FILE ||
	    path->before.size != path->after.size || !did(path, TRACE_RENAME_TO))
		return false;
	for (size_t i = 0; i < trace->npaths; i++) {
		const struct trace_path *other = &trace->paths[i];

		/* The index, and the lock that becomes it. */
		if (strncmp(other->path, path->path, folder) == 0 &&
		    strncmp(other->path + folder, "index", strlen("index")) != 0 &&
		    (other->ops & CHANGES) && !is_unchanged(other))
			return false;
	}
	return true;
}

static void
look_at(struct look *look, const struct trace *trace, const struct trace_path *traced)
{
	struct trace_path seen = *traced;
	const struct trace_path *path = &seen;
	const char *cache = strstr(path->path, BYTECODE);
	char *base = NULL;
	unsigned how;

	seen.ops = done_at(traced);
	if ((is_on(look, NOISE_SYSTEM) && noise_is_system(path->path)) ||
	    (is_on(look, NOISE_PYTEST_TMP) && noise_is_pytest_tmp(path->path)) ||
	    (is_on(look, NOISE_LOCKS) && is_lock(path)))
		return;
	if (is_on(look, NOISE_TEMPORARY) && is_temporary(path)) {
		/* Who makes up a name makes up another one each time. A lock is waited for. */
		if (!noise_is_lock_name(path->path))
			add(look, (struct access){ .path = path->path, .how = ACCESS_BRIEF,
			    .reader = path->reader, .writer = path->writer });
		return;
	}
	if (is_on(look, NOISE_BYTECODE) && cache) {
		add_source(look, path, cache);
		return;
	}
	if (is_on(look, NOISE_DATABASES) && (base = database_of(trace, path->path))) {
		add_database(look, base, path);
		return;
	}
	how = is_on(look, NOISE_GIT_INDEX) && is_refreshed(trace, path) ?
		ACCESS_READS | ACCESS_TOLD : how_of(look, path);
	if (how)
		add(look, (struct access){ .path = path->path, .how = how,
		    .reader = path->reader, .writer = path->writer, .hash = path->hash });
}

static int
compare(const void *a, const void *b)
{
	const struct access *x = a, *y = b;

	return strcmp(x->path, y->path);
}

/* Sorts them, and of those with one path makes one. */
static void
settle(struct actor *actor)
{
	size_t kept = 0;

	if (actor->n > 0)
		qsort(actor->accesses, actor->n, sizeof(*actor->accesses), compare);
	for (size_t i = 0; i < actor->n; i++) {
		struct access *it = &actor->accesses[i];
		struct access *last = actor->accesses + kept - (kept > 0);

		if (kept == 0 || strcmp(last->path, it->path) != 0) {
			actor->accesses[kept++] = *it;
			continue;
		}
		last->how |= it->how;
		last->reader = last->reader ? last->reader : it->reader;
		last->writer = last->writer ? last->writer : it->writer;
		last->hash = last->hash ? last->hash : it->hash;
	}
	actor->n = kept;
}

struct actor
access_of(const struct trace *trace, unsigned rules)
{
	struct actor actor = { .target = trace->target, .trace = trace };
	struct look look = { .rules = rules, .actor = &actor };

	for (size_t i = 0; i < trace->npaths; i++)
		look_at(&look, trace, &trace->paths[i]);
	settle(&actor);
	return actor;
}

void
access_join(struct actor *actor, const struct access *more, size_t n)
{
	actor->accesses = xreallocarray(actor->accesses, actor->n + n, sizeof(*more));
	memcpy(actor->accesses + actor->n, more, n * sizeof(*more));
	actor->n += n;
	settle(actor);
}

void
access_clear(struct actor *actor)
{
	for (size_t i = 0; i < actor->own.n; i++)
		free((char *)actor->own.v[i]);
	free(actor->own.v);
	free(actor->accesses);
	*actor = (struct actor){ 0 };
}

const char *
access_session(const struct actor *actor)
{
	return actor->whole ? actor->whole : actor->target;
}

const struct access *
access_find(const struct actor *actor, const char *path)
{
	struct access key = { .path = path };

	return actor->n == 0 ? NULL : bsearch(&key, actor->accesses, actor->n,
					  sizeof(key), compare);
}
