#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "trace/places.h"
#include "trace/store.h"

/* What a trace has room for, and so many links in a row the kernel follows. */
enum { MOST_PATHS = 150000, MOST_SOCKETS = 4000, MOST_LINKS = 40 };

/* Bytes of a result of which there is a hash; and of all of them. */
#define HASH_MOST (16LL << 20)
#define HASH_ALL (256LL << 20)

/* Bytes of memory for paths. */
#define MOST_BYTES ((size_t)96 << 20)

/* What reads, and what changes something. */
#define READS (TRACE_SET(TRACE_READ) | TRACE_SET(TRACE_EXEC) | TRACE_SET(TRACE_LIST))
#define ASKS (TRACE_SET(TRACE_PROBE) | TRACE_SET(TRACE_MISSING))
#define WRITES (~(READS | ASKS | TRACE_SET(TRACE_LOCK)))

/* What a path has become in the store. */
struct entry {
	struct trace_path path;
	bool sure;           /* what was there last is there still */
	unsigned moves;      /* of folders and links, up to that */
	enum trace_kind now;
	bool really_read;    /* its reader has not only asked */
};

struct store {
	struct places *places;
	char *root;
	double began;
	unsigned moves;
	struct entry **entries;
	size_t n;
	struct trace_socket *sockets;
	size_t nsockets;
	struct strings environments; /* folders of Python's environments, with their slash */
	long long hashed; /* bytes */
	bool is_full, lacks_sockets;
	bool is_blind; /* nothing must be looked at */
};

struct store *
store_open(const char *root)
{
	struct store *store = xcalloc(1, sizeof(*store));

	*store = (struct store){ .places = places_open(), .root = xstrdup(root),
		.began = clock_monotonic() };
	return store;
}

void
store_close(struct store *store)
{
	if (!store)
		return;
	for (size_t i = 0; i < store->n; i++) {
		free(store->entries[i]->path.reader);
		free(store->entries[i]->path.writer);
		free(store->entries[i]->path.hash);
		free(store->entries[i]);
	}
	for (size_t i = 0; i < store->nsockets; i++) {
		free(store->sockets[i].path);
		free(store->sockets[i].address);
		free(store->sockets[i].program);
	}
	for (size_t i = 0; i < store->environments.n; i++)
		free((char *)store->environments.v[i]);
	free(store->environments.v);
	free(store->sockets);
	free(store->entries);
	free(store->root);
	places_close(store->places);
	free(store);
}

/* What a call does where something is, and where nothing is. */
static const struct {
	unsigned there, nowhere;
} meanings[] = {
#define ONE(op) TRACE_SET(TRACE_##op)
	[ACT_RENAME_FROM] = { ONE(RENAME_FROM), ONE(MISSING) },
	[ACT_RENAME_TO] = { ONE(RENAME_TO), ONE(RENAME_TO) },
	[ACT_EXCHANGE] = { ONE(RENAME_FROM) | ONE(RENAME_TO), ONE(MISSING) },
	[ACT_UNLINK] = { ONE(DELETE), ONE(MISSING) },
	[ACT_RMDIR] = { ONE(RMDIR), ONE(MISSING) },
	[ACT_MKDIR] = { ONE(PROBE), ONE(MKDIR) },
	[ACT_SYMLINK] = { ONE(PROBE), ONE(CREATE) },
	[ACT_MAKE] = { ONE(PROBE), ONE(CREATE) },
	[ACT_LINK] = { ONE(READ), ONE(MISSING) },
	[ACT_TRUNCATE] = { ONE(WRITE) | ONE(TRUNCATE), ONE(MISSING) },
	[ACT_CHMOD] = { ONE(META), ONE(MISSING) },
	[ACT_CHOWN] = { ONE(META), ONE(MISSING) },
	[ACT_UTIME] = { ONE(META), ONE(MISSING) },
	[ACT_META] = { ONE(META), ONE(MISSING) },
	[ACT_EXEC] = { ONE(EXEC), ONE(MISSING) },
	[ACT_PROBE] = { ONE(PROBE), ONE(PROBE) | ONE(MISSING) },
	[ACT_READLINK] = { ONE(PROBE), ONE(PROBE) | ONE(MISSING) },
	[ACT_LIST] = { ONE(LIST), ONE(MISSING) },
	[ACT_LOCK] = { ONE(LOCK), ONE(MISSING) },
};

/* Of open(2), where something is. */
static unsigned
open_there(unsigned flags, enum trace_kind kind)
{
	unsigned access = flags & O_ACCMODE, ops = 0;

	/* An old file in the place of a new one, a folder: that says only that it is there. */
	if (flags & O_PATH || kind == TRACE_FOLDER ||
	    (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		return ONE(PROBE);
	if (access != O_WRONLY && !(flags & O_TRUNC))
		ops |= ONE(READ);
	if (access != O_RDONLY)
		ops |= ONE(WRITE) | (flags & O_APPEND ? ONE(APPEND) : 0);
	if (flags & O_TRUNC)
		ops |= ONE(WRITE) | ONE(TRUNCATE);
	return ops;
}

/* And where nothing is. */
static unsigned
open_nowhere(unsigned flags)
{
	unsigned ops = ONE(CREATE);

	if (!(flags & O_CREAT))
		return ONE(MISSING);
	if ((flags & O_ACCMODE) != O_RDONLY)
		ops |= ONE(WRITE) | (flags & O_APPEND ? ONE(APPEND) : 0);
	return ops | (flags & O_EXCL ? ONE(EXCL) : 0);
}

static unsigned
ops_of(const struct touch *touch, enum trace_kind kind, enum trace_kind source, bool lacks_parent)
{
	bool there = kind != TRACE_NOTHING;
	unsigned ops;

	if (!there && lacks_parent)
		return ONE(MISSING);
	if (touch->act == ACT_OPEN)
		return there ? open_there(touch->flags, kind) : open_nowhere(touch->flags);
	ops = there ? meanings[touch->act].there : meanings[touch->act].nowhere;
	if (touch->act == ACT_READLINK && kind == TRACE_LINK)
		ops = ONE(READ);
	if ((ops & ONE(RENAME_FROM) && kind == TRACE_FOLDER) ||
	    (ops & ONE(RENAME_TO) && source == TRACE_FOLDER))
		ops |= ONE(SUBTREE);
	return ops;
}

/* Has the folder any names in it? Where we may not look it is taken to be empty. */
static bool
is_full_folder(const char *path)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;
	bool full = false;

	while (folder && !full && (entry = readdir(folder)))
		full = strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	if (folder)
		closedir(folder);
	return full;
}

/* May we write there? Whoever is traced may not do more than we. */
static bool
may_write(const char *path)
{
	return faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0 ||
	       (errno != EACCES && errno != EROFS && errno != EPERM);
}

static bool
may_write_beside(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash > path ? xasprintf("%.*s", (int)(slash - path), path) : xstrdup("/");
	bool may = may_write(folder);

	free(folder);
	return may;
}

/* Will the kernel refuse to change that? Other reasons than these there may be. */
static bool
is_refused(const struct touch *touch, const char *path, enum trace_kind kind, unsigned ops)
{
	if (touch->act == ACT_RMDIR)
		return kind != TRACE_FOLDER || is_full_folder(path) || !may_write_beside(path);
	if (touch->act == ACT_UNLINK && kind == TRACE_FOLDER)
		return true;
	if (ops & (ONE(CREATE) | ONE(DELETE) | ONE(MKDIR) | ONE(RENAME_FROM) | ONE(RENAME_TO)))
		return !may_write_beside(path);
	return ops & (ONE(WRITE) | ONE(TRUNCATE)) && kind == TRACE_FILE && !may_write(path);
}

/* Is it so already what is to be set, or may we not set it? */
static bool
sets_nothing(const struct touch *touch, const struct stat *st)
{
	const uint64_t *to = touch->sets;

	if (touch->act == ACT_UTIME && to[0] == CALL_TIME_NOW)
		return false;
	if (geteuid() != 0 && geteuid() != st->st_uid)
		return true;
	if (touch->act == ACT_CHMOD)
		return (st->st_mode & 07777) == (to[0] & 07777);
	if (touch->act == ACT_CHOWN)
		return ((uid_t)to[0] == (uid_t)-1 || (uid_t)to[0] == st->st_uid) &&
		       ((gid_t)to[1] == (gid_t)-1 || (gid_t)to[1] == st->st_gid);
	return touch->act == ACT_UTIME && (to[0] == CALL_TIME_STAYS ||
	    to[0] == clock_nanoseconds(&st->st_mtim));
}

/*
 * What it comes to that attributes are set. Rights that are taken from a folder, others miss
 * meanwhile, even if it gets them back.
 */
static unsigned
meta_ops(const struct touch *touch, const char *path)
{
	struct stat st;
	unsigned taken = 0;

	if (lstat(path, &st) < 0 || sets_nothing(touch, &st))
		return ONE(PROBE);
	if (touch->act == ACT_CHMOD && S_ISDIR(st.st_mode))
		taken = st.st_mode & ~(unsigned)touch->sets[0] & S_IRWXU;
	if (taken & (S_IRUSR | S_IXUSR))
		return ONE(META) | ONE(SUBTREE);
	return ONE(META) | (taken ? ONE(CLOSE) : 0);
}

struct trace_state
store_state(const struct stat *st)
{
	return (struct trace_state){
		.kind = S_ISREG(st->st_mode) ? TRACE_FILE : S_ISDIR(st->st_mode) ? TRACE_FOLDER :
		    S_ISLNK(st->st_mode) ? TRACE_LINK : TRACE_OTHER,
		.mode = st->st_mode & 07777, .size = st->st_size,
		.mtime = (double)st->st_mtim.tv_sec + (double)st->st_mtim.tv_nsec / 1e9,
		.ino = st->st_ino, .dev = st->st_dev,
		.links = S_ISREG(st->st_mode) ? st->st_nlink : 0 };
}

static struct trace_state
look_at(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return (struct trace_state){ .kind = TRACE_NOTHING };
	return store_state(&st);
}

/* NULL when the store is full. */
static struct entry *
entry_of(struct store *store, struct place *place)
{
	struct entry *entry = place->data;

	if (places_size(store->places) + store->n * sizeof(*entry) > MOST_BYTES ||
	    (!entry && store->n == MOST_PATHS)) {
		store->is_full = true;
		return NULL;
	}
	if (entry)
		return entry;
	entry = place->data = xcalloc(1, sizeof(*entry));
	entry->path = (struct trace_path){ .path = (char *)place->path, .read = { -1, -1 },
		.wrote = { -1, -1 } };
	/* The list doubles when its length is a power of two. */
	if ((store->n & (store->n - 1)) == 0)
		store->entries = xreallocarray(store->entries, store->n > 0 ? store->n * 2 : 1,
		    sizeof(struct entry *));
	store->entries[store->n++] = entry;
	return entry;
}

/* What is there now. What was there once, and only read since, is so still. */
static void
look(struct store *store, struct entry *entry)
{
	struct trace_state now;

	if (entry->sure && entry->moves == store->moves)
		return;
	now = look_at(entry->path.path);
	if (entry->path.before.kind == TRACE_UNSEEN)
		entry->path.before = now;
	entry->now = now.kind;
	entry->moves = store->moves;
	entry->sure = now.kind != TRACE_NOTHING;
}

/* Of all that is done at once, what comes first. */
static enum trace_op
first_of(unsigned ops)
{
	if (ops & ONE(CREATE))
		return TRACE_CREATE;
	if (ops & ONE(TRUNCATE))
		return TRACE_TRUNCATE;
	return (enum trace_op)__builtin_ctz(ops);
}

static void
note_time(double times[2], double now)
{
	if (times[0] < 0)
		times[0] = now;
	times[1] = now;
}

static char *
name_of(const struct toucher *who)
{
	const char *name = who->name(who->data);

	return name ? xstrdup(name) : NULL;
}

static void
note(struct store *store, struct entry *entry, unsigned ops, const struct toucher *who)
{
	struct trace_path *path = &entry->path;
	double now = clock_monotonic() - store->began;

	if (path->ops == 0)
		path->first = first_of(ops);
	path->ops |= ops;
	path->count++;
	if (ops & (READS | ASKS))
		note_time(path->read, now);
	if (ops & WRITES)
		note_time(path->wrote, now);
	if ((ops & READS && !entry->really_read) || (ops & ASKS && !path->reader)) {
		free(path->reader);
		path->reader = name_of(who);
		entry->really_read = ops & READS;
	}
	if (ops & WRITES && !path->writer)
		path->writer = name_of(who);
}

/*
 * Links that come or go make other paths mean something else. When a folder does, what is below it
 * does too.
 */
static void
note_moves(struct store *store, unsigned ops, enum act act, enum trace_kind kind,
    enum trace_kind source)
{
	bool is_folder = kind == TRACE_FOLDER || source == TRACE_FOLDER;
	bool moves = ops & (ONE(RENAME_FROM) | ONE(RENAME_TO) | ONE(DELETE) | ONE(CREATE));
	bool links = act == ACT_SYMLINK ||
		     (moves && (kind == TRACE_LINK || source == TRACE_LINK));

	if (links)
		places_forget(store->places);
	else if (is_folder && (moves || ops & ONE(RMDIR)))
		places_forget_folders(store->places);
	if (links || (moves && is_folder))
		store->moves++;
}

/*
 * Whoever goes through a link in the middle of a path reads it, whatever is to be done at the end:
 * where it leads, another session may change.
 */
static void
note_detour(struct store *store, const struct toucher *who)
{
	const struct touch touch = { .act = ACT_READLINK, .stays = true };
	char *folder = places_detour(store->places);

	for (size_t at = 0; folder && folder[at];) {
		struct stat st;
		char after;

		at += 1 + strcspn(folder + at + 1, "/");
		after = folder[at];
		folder[at] = '\0';
		if (lstat(folder, &st) == 0 && S_ISLNK(st.st_mode))
			store_touch(store, folder, &touch, TRACE_UNSEEN, who);
		folder[at] = after;
	}
	free(folder);
}

enum trace_kind
store_touch(struct store *store, const char *path, const struct touch *touch,
    enum trace_kind source, const struct toucher *who)
{
	struct place *place;
	struct entry *entry = NULL;
	bool only_reads;
	unsigned ops;

	if (store->is_full)
		return TRACE_UNSEEN;
	place = places_find(store->places, path);
	note_detour(store, who);
	for (int links = 0; place && links < MOST_LINKS; links++) {
		entry = entry_of(store, place);
		if (!entry)
			return TRACE_UNSEEN;
		look(store, entry);
		if (entry->now != TRACE_LINK || touch->stays)
			break;
		note(store, entry, ONE(READ), who);
		place = places_target(store->places, place);
	}
	if (!place || (entry->now == TRACE_LINK && !touch->stays))
		return TRACE_NOTHING;
	ops = ops_of(touch, entry->now, source, place->lacks_parent);
	if (ops == ONE(META))
		ops = meta_ops(touch, entry->path.path);
	if (ops & WRITES && is_refused(touch, entry->path.path, entry->now, ops))
		ops = entry->now == TRACE_NOTHING ? ONE(MISSING) : ONE(PROBE);
	note(store, entry, ops, who);
	only_reads = !(ops & WRITES);
	entry->sure = entry->sure && only_reads;
	if (!only_reads)
		note_moves(store, ops, touch->act, entry->now, source);
	return entry->now;
}

void
store_note(struct store *store, const char *path, const struct toucher *who)
{
	struct entry *entry = store->is_full ? NULL :
		entry_of(store, places_verbatim(store->places, path));

	if (entry)
		note(store, entry, ONE(READ), who);
}

static bool
is_same(const char *a, const char *b)
{
	return !a || !b ? a == b : !strcmp(a, b);
}

void
store_socket(struct store *store, const struct trace_socket *socket, const struct toucher *who)
{
	struct trace_socket *new;

	for (size_t i = 0; i < store->nsockets; i++) {
		const struct trace_socket *old = &store->sockets[i];

		if (old->port == socket->port && old->udp == socket->udp &&
		    old->binds == socket->binds && is_same(old->path, socket->path) &&
		    is_same(old->address, socket->address))
			return;
	}
	if (store->nsockets == MOST_SOCKETS) {
		store->lacks_sockets = true;
		return;
	}
	store->sockets = xreallocarray(store->sockets, store->nsockets + 1, sizeof(*new));
	new = &store->sockets[store->nsockets++];
	*new = *socket;
	new->path = socket->path ? xstrdup(socket->path) : NULL;
	new->address = socket->address ? xstrdup(socket->address) : NULL;
	new->program = name_of(who);
}

/* An environment of Python is a folder with that file, which whoever runs in there looks for. */
static void
find_environments(struct store *store)
{
	static const char mark[] = "/pyvenv.cfg";

	for (size_t i = 0; i < store->n; i++) {
		const struct trace_path *path = &store->entries[i]->path;
		size_t len = strlen(path->path);

		if (len > strlen(mark) && !strcmp(path->path + len - strlen(mark), mark) &&
		    path->ops & (TRACE_SET(TRACE_READ) | TRACE_SET(TRACE_WRITE)))
			strings_add(&store->environments, xasprintf("%.*s",
			    (int)(len - strlen(mark) + 1), path->path));
	}
}

static bool
is_in_environment(const struct store *store, const char *path)
{
	for (size_t i = 0; i < store->environments.n; i++)
		if (!strncmp(path, store->environments.v[i], strlen(store->environments.v[i])))
			return true;
	return false;
}

static bool
is_in_project(const struct store *store, const char *path)
{
	size_t n = strlen(store->root);

	return !strncmp(path, store->root, n) && path[n] == '/';
}

/* Of what a session has made in the project, what is in it: others may have made the same. */
static void
hash(struct store *store, struct trace_path *path)
{
	char digits[SHA256_DIGEST_STRING_LENGTH];
	struct buffer content = { 0 };

	if (!(path->ops & WRITES) || path->after.kind != TRACE_FILE ||
	    path->after.size > HASH_MOST || store->hashed + path->after.size > HASH_ALL ||
	    !is_in_project(store, path->path) || is_in_environment(store, path->path))
		return;
	if (file_read(AT_FDCWD, path->path, &content) == 0) {
		SHA256Data((const uint8_t *)(content.data ? content.data : ""), content.len,
		    digits);
		path->hash = xstrdup(digits);
		store->hashed += (long long)content.len;
	}
	buffer_free(&content);
}

bool
store_is_full(const struct store *store)
{
	return store->is_full;
}

void
store_close_eyes(struct store *store)
{
	store->is_blind = true;
}

bool
store_put(struct store *store, struct buffer *out, const struct trace_hider *hider)
{
	find_environments(store);
	for (size_t i = 0; i < store->n; i++) {
		struct trace_path *path = &store->entries[i]->path;

		if (path->before.kind != TRACE_UNSEEN && !store->is_blind)
			path->after = look_at(path->path);
		hash(store, path);
		trace_put_path(out, path, hider);
	}
	for (size_t i = 0; i < store->nsockets; i++)
		trace_put_socket(out, &store->sockets[i], hider);
	return !store->is_full && !store->lacks_sockets;
}
