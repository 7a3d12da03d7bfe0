#include <stdlib.h>
#include <string.h>

#include "audit/clash.h"

static const char *const kind_names[CLASH_KINDS] = {
	[CLASH_WRITES] = "write/write", [CLASH_READS] = "write/read",
	[CLASH_MISSES] = "create/missing", [CLASH_PROBES] = "write/probe",
	[CLASH_TREE] = "folder/use", [CLASH_PORT] = "port/port", [CLASH_SERVES] = "serve/connect",
};

/* Of one that changes something, and of several; the same of those that do not. */
static const char *const verbs[CLASH_KINDS][2][2] = {
	[CLASH_WRITES] = { { "writes", "write" }, { "reads", "read" } },
	[CLASH_READS] = { { "writes", "write" }, { "reads", "read" } },
	[CLASH_MISSES] = { { "makes", "make" }, { "did not find", "did not find" } },
	[CLASH_PROBES] = { { "writes", "write" }, { "asks for", "ask for" } },
	[CLASH_TREE] = { { "changes", "change" }, { "uses", "use" } },
	[CLASH_PORT] = { { "listens on", "listen on" }, { "connects to", "connect to" } },
	[CLASH_SERVES] = { { "listens on", "listen on" }, { "connects to", "connect to" } },
};

static const char *const level_names[] = {
	[LEVEL_HARMLESS] = "harmless", [LEVEL_LIKELY] = "likely", [LEVEL_CONFLICT] = "conflict",
};

const char *
clash_name(enum clash_kind kind)
{
	return kind_names[kind];
}

const char *
clash_verb(enum clash_kind kind, bool writers, size_t n)
{
	return verbs[kind][!writers][n != 1];
}

const char *
level_name(enum level level)
{
	return level_names[level];
}

bool
clash_is_below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/* One access of one session, among those of all. */
struct entry {
	const struct access *access;
	size_t actor;
};

static int
compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int by_path = strcmp(x->access->path, y->access->path);

	return by_path ? by_path : (x->actor > y->actor) - (x->actor < y->actor);
}

static void
add(struct clashes *list, struct clash clash)
{
	if (list->n == list->room) {
		list->room = list->room ? list->room * 2 : 64;
		list->v = xreallocarray(list->v, list->room, sizeof(*list->v));
	}
	list->v[list->n++] = clash;
}

/* Two sessions at one path. */
struct meeting {
	const struct clash_scene *scene;
	size_t first, second;
	const struct access *x, *y; /* of the first and the second */
	const char *path; /* the inner one, where one of them is of a folder with all in it */
};

static bool
is_in_project(const struct meeting *m)
{
	return clash_is_below(m->path, m->scene->root);
}

static bool
is_own_state(const struct meeting *m, enum clash_kind kind)
{
	(void)kind;
	for (size_t i = 0; i < m->scene->own.n; i++)
		if (clash_is_below(m->path, m->scene->own.v[i]))
			return true;
	return false;
}

/* What marks a folder of a tool for git and for backups is made with it. */
static bool
is_mark(const struct meeting *m)
{
	const char *name = strrchr(m->path, '/') + 1, *inner = m->path + strlen(m->scene->root);

	if (!strcmp(name, "CACHEDIR.TAG"))
		return true;
	return !strcmp(name, ".gitignore") && is_in_project(m) &&
	       strcmp(inner, "/.gitignore") != 0;
}

static bool
is_folder(const struct meeting *m, enum clash_kind kind)
{
	unsigned made = ACCESS_FOLDER | ACCESS_GONE;
	bool x = (m->x->how & made) == ACCESS_FOLDER, y = (m->y->how & made) == ACCESS_FOLDER;

	if (is_mark(m))
		return true;
	return kind == CLASH_WRITES ? x && y : kind == CLASH_PROBES && (x || y);
}

/* What setuptools notes of a project, NAME.egg-info, or a file in there. */
static bool
is_below_egg_info(const char *path)
{
	const char *at = strstr(path, ".egg-info");

	return at && (at[9] == '/' || at[9] == '\0');
}

/* By a backend, as pip and build start it? One who runs setup.py himself is not kept apart. */
static bool
is_backend(const struct access *access)
{
	return !(access->how & ACCESS_WRITES) || !access->writer ||
	       !strcmp(access->writer, "_in_process.py");
}

static bool
is_own_setup(const struct access *access)
{
	return access->writer && !strcmp(access->writer, "setup.py");
}

static bool
is_kept_apart(const struct meeting *m, enum clash_kind kind)
{
	const char *inner = m->path + strlen(m->scene->root);

	if (!m->scene->builds_apart || !is_in_project(m))
		return false;
	if (is_below_egg_info(inner))
		return !is_own_setup(m->x) && !is_own_setup(m->y);
	return kind == CLASH_WRITES && clash_is_below(inner, "/build") && is_backend(m->x) &&
	       is_backend(m->y);
}

/*
 * Do backends make the same of it, as of a file with the version? Not at the same time, but who
 * reads it may do so while another session's backend is at it.
 */
static bool
is_rebuilt(const struct meeting *m, enum clash_kind kind)
{
	return kind == CLASH_WRITES && (m->scene->rules & NOISE_SET(NOISE_BUILDS)) &&
	       m->scene->builds_apart && is_in_project(m) && m->x->writer && m->y->writer &&
	       is_backend(m->x) && is_backend(m->y) && m->x->hash && m->y->hash &&
	       !strcmp(m->x->hash, m->y->hash);
}

static bool
is_cache(const struct meeting *m, enum clash_kind kind)
{
	(void)kind;
	return noise_is_cache(m->path);
}

static bool
is_appended(const struct meeting *m, enum clash_kind kind)
{
	return kind == CLASH_WRITES && (m->x->how & m->y->how & ACCESS_APPENDS) &&
	       !((m->x->how | m->y->how) & ACCESS_READS);
}

static bool
is_same(const struct meeting *m, enum clash_kind kind)
{
	return kind == CLASH_WRITES && m->x->hash && m->y->hash &&
	       !strcmp(m->x->hash, m->y->hash) && !((m->x->how | m->y->how) & ACCESS_READS);
}

/* Who looks at all names of a folder, and then at each, does not mean this one. */
static bool
is_walked(const struct meeting *m, enum clash_kind kind)
{
	size_t prober = m->x->how & ACCESS_WRITES ? m->second : m->first;
	const char *slash = strrchr(m->path, '/');
	const struct access *folder;
	char *name;

	if (kind != CLASH_PROBES || !slash || slash == m->path)
		return false;
	name = xasprintf("%.*s", (int)(slash - m->path), m->path);
	folder = access_find(&m->scene->actors[prober], name);
	free(name);
	return folder && (folder->how & ACCESS_LISTS);
}

static bool
is_outside(const struct meeting *m, enum clash_kind kind)
{
	return kind == CLASH_PROBES && !is_in_project(m);
}

/* Which of the rules make a meeting harmless; the first that fits is named. */
static const struct {
	bool (*fits)(const struct meeting *, enum clash_kind);
	enum noise rule;
	bool is_told; /* as harmless; else nothing is said of it at all */
} excuses[] = {
	{ is_own_state, NOISE_OWN_STATE, false }, { is_folder, NOISE_FOLDERS, false },
	{ is_outside, NOISE_OUTSIDE, false }, { is_cache, NOISE_CACHES, true },
	{ is_kept_apart, NOISE_BUILDS, true }, { is_appended, NOISE_APPENDED, true },
	{ is_same, NOISE_SAME, true }, { is_walked, NOISE_WALKERS, true },
};

/* CLASH_KINDS: they do not meet. */
static enum clash_kind
kind_of(const struct access *x, const struct access *y)
{
	unsigned both = x->how & y->how, any = x->how | y->how;
	unsigned other = x->how & ACCESS_WRITES ? y->how : x->how;

	/* Two that have made up the same name have not made it up: the later one fails. */
	if (both & ACCESS_BRIEF)
		return CLASH_WRITES;
	if (!(any & ACCESS_WRITES))
		return CLASH_KINDS;
	if (both & ACCESS_WRITES)
		return CLASH_WRITES;
	if (other & ACCESS_READS)
		return CLASH_READS;
	if (other & ACCESS_MISSES)
		return CLASH_MISSES;
	return other & ACCESS_PROBES ? CLASH_PROBES : CLASH_KINDS;
}

static unsigned
role_of(const struct access *access)
{
	const unsigned writes = ACCESS_WRITES | ACCESS_BRIEF;

	return (access->how & writes ? ROLE_WRITES : 0) |
	       (access->how & ~writes ? ROLE_READS : 0);
}

static const char *
program_of(const struct access *access)
{
	return access->how & (ACCESS_WRITES | ACCESS_BRIEF) && access->writer ?
	    access->writer : access->reader;
}

static void
note(const struct meeting *m, enum clash_kind kind, struct clashes *out)
{
	/* To look into a folder that is not there is to ask whether something is. */
	bool asks = kind == CLASH_PROBES || is_rebuilt(m, kind) ||
	    (kind == CLASH_MISSES && (m->x->how | m->y->how) & ACCESS_FOLDER);
	struct clash clash = { .first = m->first, .second = m->second, .kind = kind,
		.level = asks ? LEVEL_LIKELY : LEVEL_CONFLICT, .rule = NOISES,
		.roles = { role_of(m->x), role_of(m->y) },
		.programs = { program_of(m->x), program_of(m->y) }, .path = m->path,
		.is_path = true };

	clash.hands_on = (m->x->how & ACCESS_WRITES) && !(m->x->how & ACCESS_GONE) &&
	    (m->y->how & ACCESS_TOLD);
	clash.is_found = kind == CLASH_PROBES && (m->x->how & ACCESS_MADE) &&
	    !(m->x->how & ACCESS_GONE);
	for (size_t i = 0; i < countof(excuses); i++)
		if ((m->scene->rules & NOISE_SET(excuses[i].rule)) && excuses[i].fits(m, kind)) {
			if (!excuses[i].is_told)
				return;
			clash.rule = excuses[i].rule;
			clash.level = LEVEL_HARMLESS;
			break;
		}
	add(out, clash);
}

/* All pairs of these entries, which are of one path. */
static void
meet(const struct clash_scene *scene, const struct entry *v, size_t n, struct clashes *out)
{
	bool written = false;

	for (size_t i = 0; i < n; i++)
		written |= (v[i].access->how & (ACCESS_WRITES | ACCESS_BRIEF)) != 0;
	for (size_t i = 0; written && i < n; i++)
		for (size_t k = i + 1; k < n; k++) {
			struct meeting m = { .scene = scene, .first = v[i].actor,
				.second = v[k].actor, .x = v[i].access, .y = v[k].access,
				.path = v[i].access->path };
			enum clash_kind kind = kind_of(m.x, m.y);

			if (kind != CLASH_KINDS)
				note(&m, kind, out);
		}
}

/* A folder that is gone, closed, or has another name, against one thing in it. */
static void
meet_tree(const struct clash_scene *scene, const struct entry *tree, const struct entry *inner,
    struct clashes *out)
{
	bool first = tree->actor < inner->actor;
	struct meeting m = { .scene = scene, .first = first ? tree->actor : inner->actor,
		.second = first ? inner->actor : tree->actor,
		.x = first ? tree->access : inner->access,
		.y = first ? inner->access : tree->access, .path = inner->access->path };
	const char *name = m.path + strlen(tree->access->path) + 1;
	unsigned uses = ACCESS_READS | ACCESS_WRITES | ACCESS_MISSES;

	/* What is in a folder of its own in there can still come and go. */
	if (!(tree->access->how & ACCESS_TREE))
		uses = strchr(name, '/') ? 0 : ACCESS_WRITES;
	if (tree->actor != inner->actor && (inner->access->how & uses))
		note(&m, CLASH_TREE, out);
}

/* The position of the first entry whose path is not before that. */
static size_t
lower_bound(const struct entry *v, size_t n, const char *path)
{
	size_t low = 0;

	while (low < n) {
		size_t middle = low + (n - low) / 2;

		if (strcmp(v[middle].access->path, path) < 0)
			low = middle + 1;
		else
			n = middle;
	}
	return low;
}

/*
 * Has the folder gone piece by piece, so that all that was in it was seen? Not by another name,
 * with what nobody has looked at.
 */
static bool
is_emptied(const struct clash_scene *scene, const struct entry *tree)
{
	const struct trace_path *path = trace_find(scene->actors[tree->actor].trace,
	    tree->access->path);

	return path && (path->ops & TRACE_SET(TRACE_RMDIR)) &&
	       !(path->ops & (TRACE_SET(TRACE_SUBTREE) | TRACE_SET(TRACE_CLOSE)));
}

/* Has any session had the thing that this one asks for? */
static bool
is_ever_there(const struct entry *v, size_t n, size_t at)
{
	const char *path = v[at].access->path;

	while (at > 0 && !strcmp(v[at - 1].access->path, path))
		at--;
	for (; at < n && !strcmp(v[at].access->path, path); at++)
		if (v[at].access->how & (ACCESS_READS | ACCESS_WRITES))
			return true;
	return false;
}

static void
meet_trees(const struct clash_scene *scene, const struct entry *v, size_t n, struct clashes *out)
{
	for (size_t i = 0; i < n; i++) {
		bool emptied;
		char *folder;

		if (!(v[i].access->how & (ACCESS_TREE | ACCESS_CLOSES)))
			continue;
		emptied = is_emptied(scene, &v[i]);
		folder = xasprintf("%s/", v[i].access->path);
		for (size_t k = lower_bound(v, n, folder); k < n &&
		     strncmp(v[k].access->path, folder, strlen(folder)) == 0; k++)
			if (!emptied || is_ever_there(v, n, k))
				meet_tree(scene, &v[i], &v[k], out);
		free(folder);
	}
}

static void
find_in_paths(const struct clash_scene *scene, struct clashes *out)
{
	struct entry *v;
	size_t n = 0, at = 0, end;

	for (size_t i = 0; i < scene->n; i++)
		n += scene->actors[i].n;
	v = xcalloc(n, sizeof(*v));
	for (size_t i = 0; i < scene->n; i++)
		for (size_t k = 0; k < scene->actors[i].n; k++)
			v[at++] = (struct entry){ &scene->actors[i].accesses[k], i };
	if (n > 0)
		qsort(v, n, sizeof(*v), compare_entries);
	for (at = 0; at < n; at = end) {
		for (end = at + 1; end < n; end++)
			if (strcmp(v[end].access->path, v[at].access->path) != 0)
				break;
		meet(scene, v + at, end - at, out);
	}
	meet_trees(scene, v, n, out);
	free(v);
}

/* Of IP: does one listen at all addresses, or do both at one? */
static bool
share_address(const struct trace_socket *x, const struct trace_socket *y)
{
	static const char *const everywhere[] = { "0.0.0.0", "::", "" };

	if (!x->address || !y->address || !strcmp(x->address, y->address))
		return true;
	for (size_t i = 0; i < countof(everywhere); i++)
		if (!strcmp(x->address, everywhere[i]) || !strcmp(y->address, everywhere[i]))
			return true;
	return false;
}

static bool
is_local(const struct trace_socket *x)
{
	return x->path || !x->address || !strncmp(x->address, "127.", 4) ||
	       !strcmp(x->address, "::1") || x->binds;
}

static bool
share_socket(const struct trace_socket *x, const struct trace_socket *y)
{
	if (x->path || y->path)
		return x->path && y->path && !strcmp(x->path, y->path);
	return x->port != 0 && x->port == y->port && x->udp == y->udp && is_local(x) &&
	       is_local(y) && share_address(x, y);
}

static void
note_socket(const struct clash_scene *scene, size_t first, size_t second,
    const struct trace_socket *x, const struct trace_socket *y, struct clashes *out)
{
	struct clash clash = { .first = first, .second = second, .rule = NOISES,
		.kind = x->binds && y->binds ? CLASH_PORT : CLASH_SERVES,
		.level = x->binds && y->binds ? LEVEL_CONFLICT : LEVEL_LIKELY,
		.roles = { x->binds ? ROLE_WRITES : ROLE_READS,
		    y->binds ? ROLE_WRITES : ROLE_READS },
		.programs = { x->program, y->program } };

	if ((scene->rules & NOISE_SET(NOISE_SYSTEM)) && x->path && noise_is_system(x->path))
		return;
	clash.path = x->path ? xasprintf("socket %s", x->path) :
	    xasprintf("port %d/%s", x->port, x->udp ? "udp" : "tcp");
	add(out, clash);
}

/* serving: both listen; else only one does. */
static void
pair_sockets(const struct clash_scene *scene, size_t first, size_t second, bool serving,
    struct clashes *out)
{
	const struct trace *a = scene->actors[first].trace, *b = scene->actors[second].trace;

	for (size_t i = 0; i < a->nsockets; i++)
		for (size_t k = 0; k < b->nsockets; k++) {
			const struct trace_socket *x = &a->sockets[i], *y = &b->sockets[k];

			if ((serving ? x->binds && y->binds : x->binds != y->binds) &&
			    share_socket(x, y))
				note_socket(scene, first, second, x, y, out);
		}
}

/* Where both listen, they also connect to what they serve themselves. */
static void
find_in_sockets(const struct clash_scene *scene, size_t first, size_t second, struct clashes *out)
{
	size_t before = out->n;

	pair_sockets(scene, first, second, true, out);
	if (out->n == before)
		pair_sockets(scene, first, second, false, out);
}

struct clashes
clash_find(const struct clash_scene *scene)
{
	struct clashes out = { 0 };

	find_in_paths(scene, &out);
	for (size_t i = 0; i < scene->n; i++)
		for (size_t k = i + 1; k < scene->n; k++)
			find_in_sockets(scene, i, k, &out);
	return out;
}

void
clash_clear(struct clashes *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (!list->v[i].is_path)
			free((char *)list->v[i].path);
	free(list->v);
	*list = (struct clashes){ 0 };
}
