#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "state/commit.h"

/* So many folders a project may lie below its repository's. */
enum { DEEPEST = 16 };

/* The variables in which CIs have it. */
static const char *const variables[] = { "GITHUB_SHA", "CI_COMMIT_SHA" };

/* The commit that the text begins with, or NULL. The caller frees. */
static char *
commit_of(const char *text)
{
	size_t len = strspn(text, "0123456789abcdef");

	return len == 40 || len == 64 ? xasprintf("%.*s", (int)len, text) : NULL;
}

/* The first line of a file below a folder, "/.git", or NULL. The caller frees. */
static char *
line_of(const char *folder, const char *below)
{
	char *path = xasprintf("%s%s", folder, below), *line = NULL;
	struct buffer text = { 0 };

	if (file_read(AT_FDCWD, path, &text) == 0 && text.len > 0) {
		text.data[strcspn(text.data, "\n")] = '\0';
		line = xstrdup(text.data);
	}
	buffer_free(&text);
	free(path);
	return line;
}

/* What packed-refs has of a name: "COMMIT NAME" is a line of it. */
static char *
packed(const char *folder, const char *name)
{
	char *path = xasprintf("%s/packed-refs", folder), *found = NULL;
	struct buffer text = { 0 };
	char *rest, *line;

	if (file_read(AT_FDCWD, path, &text) == 0 && text.len > 0)
		for (rest = text.data; !found && (line = strsep(&rest, "\n"));) {
			const char *blank = strchr(line, ' ');

			if (blank && !strcmp(blank + 1, name))
				found = commit_of(line);
		}
	buffer_free(&text);
	free(path);
	return found;
}

/* What a line that begins so says behind that, or NULL; borrowed. */
static const char *
behind(const char *line, const char *start)
{
	return line && !strncmp(line, start, strlen(start)) ? line + strlen(start) : NULL;
}

/* The name seen from that folder. The caller frees. */
static char *
seen_from(const char *folder, const char *name)
{
	return *name == '/' ? xstrdup(name) : xasprintf("%s/%s", folder, name);
}

/* git: the folder of a checkout's own files. Of a worktree the branches are elsewhere. */
static char *
commit_in(const char *git)
{
	char *head = line_of(git, "/HEAD"), *common = line_of(git, "/commondir");
	char *all = common ? seen_from(git, common) : xstrdup(git), *line = NULL;
	char *commit = head ? commit_of(head) : NULL;
	const char *name = behind(head, "ref: ");
	char *below = xasprintf("/%s", name ? name : "");

	/* git allows no .. in such a name. */
	if (!commit && name && !strstr(name, "..") && (line = line_of(all, below)))
		commit = commit_of(line);
	if (!commit && name)
		commit = packed(all, name);
	free(line);
	free(below);
	free(all);
	free(common);
	free(head);
	return commit;
}

/* What git keeps of the repository whose folder that is, if it is one. The caller frees. */
static char *
git_of(const char *folder)
{
	char *line = line_of(folder, "/.git");
	const char *path = behind(line, "gitdir: ");
	char *git = path ? seen_from(folder, path) : xasprintf("%s/.git", folder);

	free(line);
	return git;
}

/* The commit of the repository whose folder that is, or NULL. */
static char *
commit_at(const char *folder)
{
	char *git = git_of(folder), *commit = commit_in(git);

	free(git);
	return commit;
}

char *
commit_checked_out(void)
{
	struct buffer folder = { 0 };
	char *commit = NULL;

	buffer_addstr(&folder, ".");
	for (int i = 0; !commit && i < DEEPEST; i++) {
		commit = commit_at(folder.data);
		buffer_addstr(&folder, "/..");
	}
	buffer_free(&folder);
	for (size_t i = 0; !commit && i < countof(variables); i++)
		if (getenv(variables[i]))
			commit = commit_of(getenv(variables[i]));
	return commit;
}

/* When the file below that folder was written; -1: there is none. */
static double
written(const char *git, const char *name)
{
	char *path = xasprintf("%s%s", git, name);
	struct stat st;
	bool is = stat(path, &st) == 0;

	free(path);
	return is ? (double)st.st_mtim.tv_sec + (double)st.st_mtim.tv_nsec / 1e9 : -1;
}

double
commit_fetched(void)
{
	struct buffer folder = { 0 };
	double when = -1;

	buffer_addstr(&folder, ".");
	for (int i = 0; when < 0 && i < DEEPEST; i++) {
		char *git = git_of(folder.data);

		when = written(git, "/FETCH_HEAD");
		if (when < 0)
			when = written(git, "/HEAD");
		free(git);
		buffer_addstr(&folder, "/..");
	}
	buffer_free(&folder);
	return when;
}
