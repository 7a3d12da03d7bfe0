#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/stdlib.h>

#include "base/file.h"
#include "base/json.h"
#include "state/trace.h"
#include "state/word.h"

/* A session that touches more of them has a trace that is not complete. */
enum { MOST_SOCKETS = 4096 };

static const char *const op_names[TRACE_OPS] = {
	[TRACE_READ] = "read", [TRACE_WRITE] = "write", [TRACE_CREATE] = "create",
	[TRACE_TRUNCATE] = "truncate", [TRACE_APPEND] = "append", [TRACE_EXCL] = "excl",
	[TRACE_DELETE] = "delete", [TRACE_RENAME_FROM] = "rename-from",
	[TRACE_RENAME_TO] = "rename-to", [TRACE_MKDIR] = "mkdir", [TRACE_RMDIR] = "rmdir",
	[TRACE_META] = "meta", [TRACE_EXEC] = "exec", [TRACE_PROBE] = "probe",
	[TRACE_LIST] = "list", [TRACE_MISSING] = "missing", [TRACE_LOCK] = "lock",
	[TRACE_SUBTREE] = "subtree", [TRACE_CLOSE] = "close",
};

static const char *const kind_names[] = {
	[TRACE_UNSEEN] = "", [TRACE_NOTHING] = "", [TRACE_FILE] = "file",
	[TRACE_FOLDER] = "folder", [TRACE_LINK] = "link", [TRACE_OTHER] = "other",
};

const char *
trace_op_name(enum trace_op op)
{
	return op_names[op];
}

char *
trace_name(const char *target)
{
	return xasprintf("%s" TRACE_SUFFIX, target);
}

static void
set_word(json_t *object, const char *key, const char *word)
{
	if (word)
		json_object_set_new(object, key, word_json(word, NULL));
}

/* A word that may have secrets. */
static void
set_hidden(json_t *object, const char *key, const char *word, const struct trace_hider *hider)
{
	char *hidden;

	if (!word || !hider) {
		set_word(object, key, word);
		return;
	}
	hidden = hider->hide(hider->data, xstrdup(word));
	set_word(object, key, hidden);
	free(hidden);
}

void
trace_put_begin(struct buffer *out, const struct trace *trace, const struct trace_hider *hider)
{
	json_t *object = json_pack("{s:i}", "noxmk-trace", 1);

	set_word(object, "target", trace->target);
	set_hidden(object, "session", trace->session, hider);
	set_word(object, "mechanism", trace->mechanism);
	set_word(object, "kernel", trace->kernel);
	set_hidden(object, "root", trace->root, hider);
	set_hidden(object, "cwd", trace->cwd, hider);
	set_word(object, "basis", trace->basis);
	json_object_set_new(object, "began", json_real(trace->began));
	if (trace->runs > 1)
		json_object_set_new(object, "runs", json_integer(trace->runs));
	if (trace->argv)
		json_object_set(object, "argv", trace->argv);
	json_add_line(out, object);
}

static json_t *
ops_json(unsigned ops)
{
	json_t *list = json_array();

	for (unsigned op = 0; op < TRACE_OPS; op++)
		if (ops & TRACE_SET(op))
			json_array_append_new(list, json_string(op_names[op]));
	return list;
}

static void
set_state(json_t *object, const char *key, const struct trace_state *state)
{
	if (state->kind == TRACE_NOTHING)
		json_object_set_new(object, key, json_null());
	else if (state->kind != TRACE_UNSEEN)
		json_object_set_new(object, key, json_pack("{s:s,s:i,s:I,s:f,s:I,s:I,s:o*}",
		    "type", kind_names[state->kind], "mode", (int)state->mode,
		    "size", (json_int_t)state->size, "mtime", state->mtime,
		    "ino", (json_int_t)state->ino, "dev", (json_int_t)state->dev, "links",
		    state->links > 1 ? json_integer((json_int_t)state->links) : NULL));
}

static void
set_times(json_t *object, const char *key, const double times[2])
{
	if (times[0] >= 0)
		json_object_set_new(object, key, json_pack("[f,f]", times[0], times[1]));
}

void
trace_put_path(struct buffer *out, const struct trace_path *path, const struct trace_hider *hider)
{
	json_t *object = json_object();

	set_hidden(object, "path", path->path, hider);
	json_object_set_new(object, "ops", ops_json(path->ops));
	json_object_set_new(object, "first", json_string(op_names[path->first]));
	json_object_set_new(object, "count", json_integer((json_int_t)path->count));
	set_state(object, "before", &path->before);
	set_state(object, "after", &path->after);
	set_word(object, "hash", path->hash);
	set_hidden(object, "reader", path->reader, hider);
	set_hidden(object, "writer", path->writer, hider);
	set_times(object, "read", path->read);
	set_times(object, "wrote", path->wrote);
	json_add_line(out, object);
}

void
trace_put_socket(struct buffer *out, const struct trace_socket *socket,
    const struct trace_hider *hider)
{
	json_t *object = json_object();

	if (socket->path) {
		set_hidden(object, "unix", socket->path, hider);
	} else {
		json_object_set_new(object, "port", json_integer(socket->port));
		set_word(object, "proto", socket->udp ? "udp" : "tcp");
		set_word(object, "address", socket->address);
	}
	set_word(object, "op", socket->binds ? "bind" : "connect");
	set_hidden(object, "program", socket->program, hider);
	json_add_line(out, object);
}

void
trace_put_end(struct buffer *out, const struct trace *trace)
{
	json_t *object = json_pack("{s:f,s:I,s:I,s:I,s:b}", "end", trace->ended,
	    "unreadable", (json_int_t)trace->unreadable, "foreign", (json_int_t)trace->foreign,
	    "strays", (json_int_t)trace->strays, "complete", trace->complete);

	if (trace->why)
		set_word(object, "why", trace->why);
	else
		json_object_set_new(object, "why", json_null());
	json_add_line(out, object);
}

void
trace_put(struct buffer *out, const struct trace *trace)
{
	trace_put_begin(out, trace, NULL);
	for (size_t i = 0; i < trace->npaths; i++)
		trace_put_path(out, &trace->paths[i], NULL);
	for (size_t i = 0; i < trace->nsockets; i++)
		trace_put_socket(out, &trace->sockets[i], NULL);
	trace_put_end(out, trace);
}

/*
 * The word of that key, or NULL; the caller frees. No trace has variables in there: who made that
 * wants to see our secrets.
 */
static char *
take_word(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (!value || json_is_null(value) || json_object_get(value, "pieces") ||
	    json_object_get(value, "variable"))
		return NULL;
	return word_text(value);
}

static unsigned long long
take_count(const json_t *object, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(object, key));

	return value > 0 ? (unsigned long long)value : 0;
}

static unsigned
take_ops(const json_t *list)
{
	unsigned ops = 0;

	for (unsigned op = 0; op < TRACE_OPS; op++)
		if (json_list_has(list, op_names[op]))
			ops |= TRACE_SET(op);
	return ops;
}

static struct trace_state
take_state(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	const char *type = json_text(value, "type");
	struct trace_state state = { .mode = (unsigned)take_count(value, "mode"),
		.size = (long long)take_count(value, "size"),
		.mtime = json_number(value, "mtime"), .ino = take_count(value, "ino"),
		.dev = take_count(value, "dev"), .links = take_count(value, "links") };

	if (value)
		state.kind = json_is_null(value) ? TRACE_NOTHING : TRACE_OTHER;
	for (enum trace_kind kind = TRACE_FILE; kind < TRACE_OTHER; kind++)
		if (!strcmp(type, kind_names[kind]))
			state.kind = kind;
	return state;
}

static void
take_times(const json_t *object, const char *key, double times[2])
{
	const json_t *list = json_object_get(object, key);

	times[0] = times[1] = -1;
	for (size_t i = 0; i < 2 && json_array_size(list) == 2; i++)
		times[i] = json_number_value(json_array_get(list, i));
}

/* By folder after folder a session may come to a longer path than any call takes. */
static bool
path_fits(const json_t *object)
{
	char *path = take_word(object, "path");
	bool fits = !path || strlen(path) < PATH_MAX;

	free(path);
	return fits;
}

static bool
take_path(const json_t *object, struct trace *trace, size_t *room)
{
	struct trace_path it = { .path = take_word(object, "path"),
		.ops = take_ops(json_object_get(object, "ops")),
		.count = take_count(object, "count"), .first = TRACE_OPS };
	const char *first = json_text(object, "first");

	for (unsigned op = 0; op < TRACE_OPS; op++)
		if (!strcmp(first, op_names[op]))
			it.first = op;
	if (!it.path || it.path[0] != '/' || !it.ops || it.first == TRACE_OPS) {
		free(it.path);
		return false;
	}
	it.before = take_state(object, "before");
	it.after = take_state(object, "after");
	it.hash = take_word(object, "hash");
	it.reader = take_word(object, "reader");
	it.writer = take_word(object, "writer");
	take_times(object, "read", it.read);
	take_times(object, "wrote", it.wrote);
	if (trace->npaths == *room) {
		*room = *room ? *room * 2 : 256;
		trace->paths = xreallocarray(trace->paths, *room, sizeof(*trace->paths));
	}
	trace->paths[trace->npaths++] = it;
	return true;
}

static bool
take_socket(const json_t *object, struct trace *trace)
{
	json_int_t port = json_integer_value(json_object_get(object, "port"));
	const char *op = json_text(object, "op");
	struct trace_socket it = { .path = take_word(object, "unix"), .port = (int)port,
		.udp = !strcmp(json_text(object, "proto"), "udp"), .binds = !strcmp(op, "bind") };

	if ((!it.path && (port < 0 || port > 65535)) ||
	    (!it.binds && strcmp(op, "connect") != 0) || trace->nsockets == MOST_SOCKETS) {
		free(it.path);
		return false;
	}
	it.address = take_word(object, "address");
	it.program = take_word(object, "program");
	trace->sockets = xreallocarray(trace->sockets, trace->nsockets + 1,
	    sizeof(*trace->sockets));
	trace->sockets[trace->nsockets++] = it;
	return true;
}

static bool
take_begin(const json_t *object, struct trace *trace)
{
	unsigned long long runs = take_count(object, "runs");

	if (json_integer_value(json_object_get(object, "noxmk-trace")) != 1)
		return false;
	trace->target = take_word(object, "target");
	trace->session = take_word(object, "session");
	trace->mechanism = take_word(object, "mechanism");
	trace->kernel = take_word(object, "kernel");
	trace->root = take_word(object, "root");
	trace->cwd = take_word(object, "cwd");
	trace->basis = take_word(object, "basis");
	trace->began = json_number(object, "began");
	trace->runs = runs > 0 && runs <= INT_MAX ? (unsigned)runs : 1;
	trace->argv = json_incref(json_object_get(object, "argv"));
	return true;
}

static void
take_end(const json_t *object, struct trace *trace)
{
	trace->ended = json_number(object, "end");
	trace->unreadable = take_count(object, "unreadable");
	trace->foreign = take_count(object, "foreign");
	trace->strays = take_count(object, "strays");
	trace->complete = json_is_true(json_object_get(object, "complete"));
	free(trace->why);
	trace->why = take_word(object, "why");
}

static void
clear_path(struct trace_path *path)
{
	free(path->path);
	free(path->hash);
	free(path->reader);
	free(path->writer);
}

static void
clear_socket(struct trace_socket *socket)
{
	free(socket->path);
	free(socket->address);
	free(socket->program);
}

void
trace_clear(struct trace *trace)
{
	for (size_t i = 0; i < trace->npaths; i++)
		clear_path(&trace->paths[i]);
	for (size_t i = 0; i < trace->nsockets; i++)
		clear_socket(&trace->sockets[i]);
	free(trace->paths);
	free(trace->sockets);
	free(trace->target);
	free(trace->session);
	free(trace->mechanism);
	free(trace->kernel);
	free(trace->root);
	free(trace->cwd);
	free(trace->basis);
	free(trace->why);
	json_decref(trace->argv);
	*trace = (struct trace){ 0 };
}

static int
compare_paths(const void *a, const void *b)
{
	const struct trace_path *x = a, *y = b;

	return strcmp(x->path, y->path);
}

const struct trace_path *
trace_find(const struct trace *trace, const char *path)
{
	struct trace_path key = { .path = (char *)path };

	return trace->npaths == 0 ? NULL : bsearch(&key, trace->paths, trace->npaths,
					       sizeof(key), compare_paths);
}

static void
unite_times(double times[2], const double more[2])
{
	if (more[0] < 0)
		return;
	if (times[0] < 0 || more[0] < times[0])
		times[0] = more[0];
	if (more[1] > times[1])
		times[1] = more[1];
}

/* Replaces the word by the other one, which is taken, unless that is NULL. */
static void
replace_word(char **word, char **other)
{
	if (!*other)
		return;
	free(*word);
	*word = *other;
	*other = NULL;
}

/* The states are the newer one's, which is cleared; but what was missing once may be again. */
static void
unite_path(struct trace_path *path, struct trace_path *newer)
{
	bool made = path->before.kind == TRACE_NOTHING;

	path->ops |= newer->ops;
	path->count += newer->count;
	if (!made) {
		path->first = newer->first;
		if (newer->before.kind != TRACE_UNSEEN)
			path->before = newer->before;
	}
	if (newer->after.kind != TRACE_UNSEEN)
		path->after = newer->after;
	replace_word(&path->hash, &newer->hash);
	replace_word(&path->reader, &newer->reader);
	replace_word(&path->writer, &newer->writer);
	unite_times(path->read, newer->read);
	unite_times(path->wrote, newer->wrote);
	clear_path(newer);
}

/* Sorts them, and of those with one path makes one: the sort leaves the older one first. */
static void
tidy(struct trace *trace)
{
	size_t kept = 0;

	if (trace->npaths > 0 && mergesort(trace->paths, trace->npaths, sizeof(*trace->paths),
	    compare_paths) < 0)
		err(EXIT_HELPER, "memory");
	for (size_t i = 0; i < trace->npaths; i++)
		if (kept > 0 && !strcmp(trace->paths[kept - 1].path, trace->paths[i].path))
			unite_path(&trace->paths[kept - 1], &trace->paths[i]);
		else
			trace->paths[kept++] = trace->paths[i];
	trace->npaths = kept;
}

/* The first line is that of the head. All others may be damaged, and are left out then. */
static bool
parse(struct buffer *text, struct trace *trace)
{
	char *rest = text->data, *line;
	bool begun = false, ended = false, sound = true, fits = true;
	size_t room = 0;

	while ((line = strsep(&rest, "\n"))) {
		json_t *object = *line ? json_loads(line, 0, NULL) : NULL;

		if (!begun && !(begun = take_begin(object, trace))) {
			json_decref(object);
			return false;
		} else if (json_object_get(object, "path")) {
			if (!path_fits(object))
				fits = false;
			else
				sound &= take_path(object, trace, &room);
		} else if (json_object_get(object, "port") || json_object_get(object, "unix")) {
			sound &= take_socket(object, trace);
		} else if (json_object_get(object, "end")) {
			take_end(object, trace);
			ended = true;
		} else if (*line && !json_object_get(object, "noxmk-trace")) {
			sound = false;
		}
		json_decref(object);
	}
	if (!ended || !sound || !fits)
		trace->complete = false;
	if (!trace->complete && !trace->why)
		trace->why = xstrdup(!ended ? "it has no end" : !sound ? "a line of it is damaged" :
		    "paths that it touched were too long");
	return true;
}

int
trace_read(int dirfd, const char *target, struct trace *trace)
{
	char *name = trace_name(target);
	struct buffer text = { 0 };
	int result = -1;

	*trace = (struct trace){ 0 };
	if (file_load(dirfd, name, &text) < 0) {
		result = errno == ENOENT ? 0 : -1;
		if (result < 0)
			warnx("%s: %s", name, file_why(errno));
	} else if (text.data && parse(&text, trace) && trace->target &&
	    !strcmp(trace->target, target)) {
		tidy(trace);
		result = 1;
	} else {
		warnx("%s: not a trace of that session", name);
		trace_clear(trace);
	}
	buffer_free(&text);
	free(name);
	return result;
}

/* The path, if it is in that folder, or is that, becomes one in the other. */
static void
move_path(char **path, const char *from, const char *to)
{
	size_t len = strlen(from);
	char *moved;

	if (!*path || strncmp(*path, from, len) != 0 || ((*path)[len] && (*path)[len] != '/'))
		return;
	moved = xasprintf("%s%s", to, *path + len);
	free(*path);
	*path = moved;
}

void
trace_move(struct trace *trace, const char *root)
{
	char *from = trace->root;

	for (size_t i = 0; i < trace->npaths; i++)
		move_path(&trace->paths[i].path, from, root);
	for (size_t i = 0; i < trace->nsockets; i++)
		move_path(&trace->sockets[i].path, from, root);
	trace->root = xstrdup(root);
	free(from);
	tidy(trace); /* the order of paths is another one */
}

static bool
is_same_word(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : !a && !b;
}

static bool
has_socket(const struct trace *trace, const struct trace_socket *socket)
{
	for (size_t i = 0; i < trace->nsockets; i++) {
		const struct trace_socket *it = &trace->sockets[i];

		if (is_same_word(it->path, socket->path) && it->port == socket->port &&
		    it->udp == socket->udp && it->binds == socket->binds)
			return true;
	}
	return false;
}

static void
unite_sockets(struct trace *trace, struct trace *newer)
{
	size_t most = trace->nsockets + newer->nsockets;

	trace->sockets = xreallocarray(trace->sockets, most, sizeof(*trace->sockets));
	for (size_t i = 0; i < newer->nsockets; i++)
		if (has_socket(trace, &newer->sockets[i]))
			clear_socket(&newer->sockets[i]);
		else
			trace->sockets[trace->nsockets++] = newer->sockets[i];
	newer->nsockets = 0;
}

void
trace_unite(struct trace *trace, struct trace *newer)
{
	struct trace head = *newer;
	size_t most = trace->npaths + newer->npaths;

	unite_sockets(trace, newer);
	trace->paths = xreallocarray(trace->paths, most, sizeof(*trace->paths));
	for (size_t i = 0; i < newer->npaths; i++)
		trace->paths[trace->npaths++] = newer->paths[i];
	tidy(trace);
	/* The rest is as in the newer one. */
	head.paths = trace->paths;
	head.npaths = trace->npaths;
	head.sockets = trace->sockets;
	head.nsockets = trace->nsockets;
	head.runs = trace->runs + newer->runs;
	trace->paths = newer->paths;
	trace->npaths = 0;
	trace->sockets = newer->sockets;
	trace->nsockets = 0;
	trace_clear(trace);
	*trace = head;
	*newer = (struct trace){ 0 };
}
