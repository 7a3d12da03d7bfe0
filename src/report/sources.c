#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report/sources.h"

/* So many paths are looked for: a log may name millions of files that are not there. */
enum { LOOKED_FOR_MOST = 20000 };

struct sources {
	char *project, *root;    /* absolute */
	char *folders[FOLDERS];  /* absolute, or NULL */
	struct buffer last;      /* the last path, since a tool has much to say of one file */
	char *last_file;         /* what came of that */
	unsigned looked_for;     /* paths so far */
};

/* What lies in these is nobody's source. */
static const char *const installed[] = { ".git", ".nox", ".tox", ".venv", "venv", "site-packages",
	"dist-packages", "node_modules" };

/* Where what follows the folder begins in the path; NULL: it is not in there. */
static const char *
below(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	if (!strcmp(folder, "/"))
		return path + 1;
	return !strncmp(path, folder, n) && path[n] == '/' ? path + n + 1 : NULL;
}

/* An absolute path without ".", ".." and //, by its words alone. */
static char *
tidy(const char *path)
{
	struct buffer out = { 0 };

	buffer_addstr(&out, "");
	while (*path) {
		size_t n = strcspn(path, "/");

		if (n == 2 && !strncmp(path, "..", 2)) {
			while (out.len > 0 && out.data[--out.len] != '/')
				;
			out.data[out.len] = '\0';
		} else if (n > 0 && !(n == 1 && *path == '.')) {
			buffer_addstr(&out, "/");
			buffer_add(&out, path, n);
		}
		path += n + (path[n] == '/');
	}
	return out.data;
}

static char *
absolute(const char *folder, const char *path, size_t n)
{
	char *joined = *path == '/' ? xasprintf("%.*s", (int)n, path) :
	    xasprintf("%s/%.*s", folder, (int)n, path);
	char *tidied = tidy(joined);

	free(joined);
	return tidied;
}

/* The nearest folder, from that upwards, that has one of that name; or NULL. */
static char *
nearest_with(const char *folder, const char *name)
{
	char *above = xstrdup(folder);

	for (;;) {
		char *path = xasprintf("%s/%s", above, name), *end;
		bool there = access(path, F_OK) == 0;

		free(path);
		if (there)
			return above;
		end = strrchr(above, '/');
		if (!end || end == above)
			break;
		*end = '\0';
	}
	free(above);
	return NULL;
}

struct sources *
sources_open(void)
{
	struct sources *sources = xcalloc(1, sizeof(*sources));
	const char *workspace = getenv("GITHUB_WORKSPACE");

	sources->project = getcwd(NULL, 0);
	if (!sources->project)
		sources->project = xstrdup("/");
	sources->root = nearest_with(sources->project, ".git");
	if (!sources->root && workspace && below(sources->project, workspace))
		sources->root = xstrdup(workspace);
	if (!sources->root)
		sources->root = xstrdup(sources->project);
	return sources;
}

void
sources_begin(struct sources *sources)
{
	for (size_t i = 0; i < FOLDERS; i++) {
		free(sources->folders[i]);
		sources->folders[i] = NULL;
	}
	buffer_free(&sources->last);
	free(sources->last_file);
	sources->last_file = NULL;
}

void
sources_close(struct sources *sources)
{
	sources_begin(sources);
	free(sources->project);
	free(sources->root);
	free(sources);
}

static bool
is_source(const char *file)
{
	const char *end;

	for (const char *p = file; *p; p = *end ? end + 1 : end) {
		end = p + strcspn(p, "/");
		for (size_t i = 0; i < countof(installed); i++)
			if (strlen(installed[i]) == (size_t)(end - p) &&
			    !strncmp(installed[i], p, (size_t)(end - p)))
				return false;
	}
	return *file != '\0';
}

/* The path as seen from that folder, if it is a file of the project's; or NULL. */
static char *
look(const struct sources *sources, const char *folder, const char *path, size_t n)
{
	char *whole = absolute(folder, path, n), *file = NULL;
	const char *inside = below(whole, sources->root);
	struct stat st;

	if (inside && is_source(inside) && stat(whole, &st) == 0 && S_ISREG(st.st_mode))
		file = xstrdup(inside);
	free(whole);
	return file;
}

static char *
find(const struct sources *sources, const char *path, size_t n)
{
	char *file = NULL;

	for (size_t i = 0; i < FOLDERS && !file && *path != '/'; i++)
		if (sources->folders[i])
			file = look(sources, sources->folders[i], path, n);
	return file ? file : look(sources, sources->project, path, n);
}

char *
sources_file(void *data, const char *path, size_t n)
{
	struct sources *sources = data;

	if (sources->last.len != n || n == 0 || memcmp(sources->last.data, path, n) != 0) {
		sources->last.len = 0;
		buffer_add(&sources->last, path, n);
		free(sources->last_file);
		sources->last_file = NULL;
		if (n > 0 && sources->looked_for++ < LOOKED_FOR_MOST)
			sources->last_file = find(sources, path, n);
	}
	return sources->last_file ? xstrdup(sources->last_file) : NULL;
}

void
sources_folder(void *data, enum folder kind, const char *path, size_t n)
{
	struct sources *sources = data;
	char *folder = absolute(sources->project, path, n);

	/* The same path may name another file now. */
	sources->last.len = 0;
	free(sources->folders[kind]);
	sources->folders[kind] = folder;
}
