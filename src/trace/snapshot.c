#include <fts.h>
#include <stdlib.h>
#include <string.h>

#include "state/state.h"
#include "trace/snapshot.h"
#include "trace/store.h"

/* As many as a trace has room for. */
enum { MOST = 150000 };

struct seen {
	char *path;
	struct trace_state state;
};

/* Sorted by path. */
struct snapshot {
	struct seen *v;
	size_t n;
	bool is_full;
};

static int
by_path(const void *a, const void *b)
{
	return strcmp(((const struct seen *)a)->path, ((const struct seen *)b)->path);
}

static void
add(struct snapshot *snapshot, const FTSENT *found)
{
	if (snapshot->n == MOST) {
		snapshot->is_full = true;
		return;
	}
	/* It doubles when its length is a power of two. */
	if ((snapshot->n & (snapshot->n - 1)) == 0)
		snapshot->v = xreallocarray(snapshot->v, snapshot->n > 0 ? snapshot->n * 2 : 1,
		    sizeof(*snapshot->v));
	snapshot->v[snapshot->n++] = (struct seen){ .path = xstrdup(found->fts_path),
		.state = store_state(found->fts_statp) };
}

/* git's own folder, and ours. */
static bool
is_left_out(const FTSENT *found, const char *root)
{
	const char *state = state_path();
	size_t n = strlen(root);

	if (found->fts_info != FTS_D || found->fts_level == FTS_ROOTLEVEL)
		return false;
	return !strcmp(found->fts_name, ".git") || !strcmp(found->fts_path, state) ||
	       (!strncmp(found->fts_path, root, n) && !strcmp(found->fts_path + n + 1, state));
}

struct snapshot *
snapshot_take(const char *root)
{
	struct snapshot *snapshot = xcalloc(1, sizeof(*snapshot));
	char *copy = xstrdup(root), *roots[] = { copy, NULL };
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *found;

	while (tree && !snapshot->is_full && (found = fts_read(tree))) {
		if (is_left_out(found, root))
			fts_set(tree, found, FTS_SKIP);
		else if (found->fts_info != FTS_DP && found->fts_info != FTS_NS)
			add(snapshot, found);
	}
	if (tree)
		fts_close(tree);
	free(copy);
	if (snapshot->n > 0)
		qsort(snapshot->v, snapshot->n, sizeof(*snapshot->v), by_path);
	return snapshot;
}

void
snapshot_free(struct snapshot *snapshot)
{
	if (!snapshot)
		return;
	for (size_t i = 0; i < snapshot->n; i++)
		free(snapshot->v[i].path);
	free(snapshot->v);
	free(snapshot);
}

/* What makes of the one the other; 0: they are the same. What is in a folder is told by itself. */
static unsigned
difference(const struct trace_state *before, const struct trace_state *after)
{
	bool folder = (after->kind == TRACE_NOTHING ? before : after)->kind == TRACE_FOLDER;

	if (before->kind == TRACE_NOTHING)
		return folder ? TRACE_SET(TRACE_MKDIR) :
		    TRACE_SET(TRACE_CREATE) | TRACE_SET(TRACE_WRITE);
	if (after->kind == TRACE_NOTHING)
		return TRACE_SET(folder ? TRACE_RMDIR : TRACE_DELETE);
	if (before->kind != after->kind || before->ino != after->ino)
		return TRACE_SET(TRACE_RENAME_TO);
	if (!folder && (before->size != after->size || before->mtime != after->mtime))
		return TRACE_SET(TRACE_WRITE);
	return before->mode != after->mode ? TRACE_SET(TRACE_META) : 0;
}

static void
put(const char *name, const struct trace_state *before, const struct trace_state *after,
    double seconds, struct buffer *out, const struct trace_hider *hider)
{
	struct trace_path path = { .path = (char *)name, .ops = difference(before, after),
		.count = 1, .before = *before, .after = *after, .read = { -1, -1 },
		.wrote = { 0, seconds } };

	if (path.ops == 0)
		return;
	path.first = path.ops & TRACE_SET(TRACE_CREATE) ? TRACE_CREATE :
	    (enum trace_op)__builtin_ctz(path.ops);
	trace_put_path(out, &path, hider);
}

bool
snapshot_put(const struct snapshot *before, const struct snapshot *after, double seconds,
    struct buffer *out, const struct trace_hider *hider)
{
	static const struct trace_state nothing = { .kind = TRACE_NOTHING };
	size_t old = 0, new = 0;

	while (old < before->n || new < after->n) {
		const struct seen *was = before->v + old, *is = after->v + new;
		int order = old == before->n ? 1 : new == after->n ? -1 : by_path(was, is);

		if (order < 0)
			put(was->path, &was->state, &nothing, seconds, out, hider);
		else if (order > 0)
			put(is->path, &nothing, &is->state, seconds, out, hider);
		else
			put(is->path, &was->state, &is->state, seconds, out, hider);
		old += order <= 0;
		new += order >= 0;
	}
	return !before->is_full && !after->is_full;
}
