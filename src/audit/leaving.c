#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <sha2.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/leaving.h"
#include "audit/noise.h"
#include "base/fd.h"

enum { CHUNK = 65536 };

bool
leaving_is_environment(const char *path)
{
	static const char *const marks[] = { "pyvenv.cfg", "conda-meta" };
	bool is = false;

	for (size_t i = 0; i < countof(marks) && !is; i++) {
		char *mark = xasprintf("%s/%s", path, marks[i]);

		is = access(mark, F_OK) == 0;
		free(mark);
	}
	return is;
}

/* Of what the file holds, or what has kept us from reading it. The caller frees. */
static char *
hash_of(const char *path)
{
	/* A session's process may still be there, and make it something else. */
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char digits[SHA256_DIGEST_STRING_LENGTH];
	uint8_t *bytes = xcalloc(CHUNK, 1);
	SHA2_CTX context;
	ssize_t got = -1;

	SHA256Init(&context);
	while (fd >= 0 && (got = read(fd, bytes, CHUNK)) > 0)
		SHA256Update(&context, bytes, (size_t)got);
	free(bytes);
	if (got < 0) {
		char *why = xstrdup(strerror(errno));

		fd_close(&fd);
		return why;
	}
	fd_close(&fd);
	SHA256End(&context, digits);
	return xstrdup(digits);
}

static char *
target_of(const char *path)
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	target[n > 0 ? n : 0] = '\0';
	return xasprintf("-> %s", target);
}

static void
add(struct leaving *leaving, const FTSENT *found, const char *inner)
{
	bool is_file = found->fts_info == FTS_F;
	char *content = is_file ? hash_of(found->fts_path) : target_of(found->fts_path);
	struct leaving_file file = { .path = xstrdup(inner) };

	file.what = is_file ? xasprintf("%o %s", found->fts_statp->st_mode & 07777U, content) :
			      xstrdup(content);
	free(content);
	if (leaving->n == leaving->room) {
		leaving->room = leaving->room ? leaving->room * 2 : 256;
		leaving->v = xreallocarray(leaving->v, leaving->room, sizeof(*leaving->v));
	}
	leaving->v[leaving->n++] = file;
}

/* inner: its path below the root, with a slash before. */
static bool
is_left_out(const FTSENT *found, const char *inner)
{
	static const char *const folders[] = { ".git", ".nox", "__pycache__" };

	if (found->fts_level == 0)
		return false;
	for (size_t i = 0; i < countof(folders) && found->fts_info == FTS_D; i++)
		if (!strcmp(found->fts_name, folders[i]))
			return true;
	return noise_is_cache(inner) || noise_is_pytest_tmp(inner) ||
	       (found->fts_info == FTS_D && leaving_is_environment(found->fts_path));
}

static int
by_path(const void *a, const void *b)
{
	return strcmp(((const struct leaving_file *)a)->path,
	    ((const struct leaving_file *)b)->path);
}

struct leaving
leaving_of(const char *root)
{
	char *copy = xstrdup(root), *roots[] = { copy, NULL };
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	struct leaving leaving = { 0 };
	FTSENT *found;

	while (tree && (found = fts_read(tree))) {
		const char *inner = found->fts_path + strlen(root);

		if (is_left_out(found, inner))
			fts_set(tree, found, FTS_SKIP);
		else if (found->fts_info == FTS_F || found->fts_info == FTS_SL ||
			 found->fts_info == FTS_SLNONE)
			add(&leaving, found, inner + 1);
	}
	if (tree)
		fts_close(tree);
	free(copy);
	if (leaving.n > 0)
		qsort(leaving.v, leaving.n, sizeof(*leaving.v), by_path);
	return leaving;
}

void
leaving_clear(struct leaving *leaving)
{
	for (size_t i = 0; i < leaving->n; i++) {
		free(leaving->v[i].path);
		free(leaving->v[i].what);
	}
	free(leaving->v);
	*leaving = (struct leaving){ 0 };
}

struct strings
leaving_differ(const struct leaving *a, const struct leaving *b)
{
	struct strings paths = { 0 };
	size_t i = 0, k = 0;

	while (i < a->n || k < b->n) {
		int order = i == a->n ? 1 : k == b->n ? -1 : strcmp(a->v[i].path, b->v[k].path);

		if (order != 0)
			strings_add(&paths, order < 0 ? a->v[i].path : b->v[k].path);
		else if (strcmp(a->v[i].what, b->v[k].what) != 0)
			strings_add(&paths, a->v[i].path);
		i += order <= 0;
		k += order >= 0;
	}
	return paths;
}
