#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/clash.h"
#include "audit/leaving.h"
#include "base/file.h"
#include "base/sig.h"
#include "base/spawn.h"
#include "base/util.h"
#include "state/state.h"
#include "trial/copies.h"

/* So many names go to one cp. */
enum { AT_ONCE = 500 };

struct copies {
	char *scratch; /* the folder of all that is ours */
	char *origin;  /* the project as it was, in there */
	char *work;    /* the copy, in there, called as the project is */
	char *project; /* the project's own path */
	int signals;   /* see sig.h: nothing of ours is left behind for a signal's sake */
};

/* Runs cp on these, which end with the place that they go to. 0, or -1 after a warning. */
static int
run_cp(const struct copies *copies, struct strings *words, int *stop)
{
	int code = -1;
	pid_t pid;

	strings_add(words, NULL);
	pid = spawn_with((char **)words->v, environ,
	    &(struct spawn_files){ -1, STDERR_FILENO, STDERR_FILENO, -1 });
	if (pid < 0)
		warn("cp");
	else
		code = spawn_wait_stopping(pid, copies->signals, stop);
	if (pid >= 0 && code != 0 && *stop == 0)
		warnx("audit: the project could not be copied to %s: cp %s %d; TMPDIR names a "
		    "folder with room for it", copies->scratch, code > 128 ?
		    "was killed by signal" : "exited with", code > 128 ? code - 128 : code);
	return code == 0 ? 0 : -1;
}

static void
add_cp(struct strings *words)
{
	strings_add(words, "cp");
	strings_add(words, "-a");
	strings_add(words, "--");
}

/* names: of the current folder, those from `from` on, of at most AT_ONCE. */
static int
copy_some(const struct copies *copies, const struct strings *names, size_t from, int *stop)
{
	struct strings words = { 0 };
	int result;

	add_cp(&words);
	for (size_t i = from; i < names->n && i < from + AT_ONCE; i++)
		strings_add(&words, names->v[i]);
	strings_add(&words, copies->origin);
	result = run_cp(copies, &words, stop);
	free(words.v);
	return result;
}

/* All of the current folder but nox's own. The caller frees them. */
static struct strings
names_here(void)
{
	struct strings names = { 0 };
	DIR *folder = opendir(".");
	struct dirent *entry;

	while (folder && (entry = readdir(folder)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    strcmp(entry->d_name, ".nox") != 0)
			strings_add(&names, xstrdup(entry->d_name));
	if (!folder)
		warn("audit: the project's folder");
	else
		closedir(folder);
	return names;
}

static int
copy_project(const struct copies *copies, int *stop)
{
	struct strings names = names_here();
	int result = names.n > 0 ? 0 : -1;

	for (size_t i = 0; i < names.n && result == 0; i += AT_ONCE)
		result = copy_some(copies, &names, i, stop);
	for (size_t i = 0; i < names.n; i++)
		free((char *)names.v[i]);
	free(names.v);
	return result;
}

/* What follows the folder in the path, "" for the folder itself; NULL: it is not in there. */
static const char *
rest_of(const char *path, const char *folder)
{
	return path && clash_is_below(path, folder) ? path + strlen(folder) : NULL;
}

/* Where the project's own link leads to, or would if it were there. The caller frees it. */
static char *
end_of_link(const struct copies *copies, const char *path)
{
	char *original = xasprintf("%s%s", copies->project, rest_of(path, copies->origin));
	char *end = realpath(original, NULL), text[PATH_MAX];
	ssize_t n = end ? -1 : readlink(path, text, sizeof(text) - 1);

	free(original);
	return n > 0 ? xasprintf("%.*s", (int)n, text) : end;
}

/* A link that leads into the project from elsewhere, whatever it says, leads into the copy. */
static int
turn_link(const struct copies *copies, const char *path)
{
	char *end = end_of_link(copies, path), *here = realpath(path, NULL), *turned;
	const char *rest = rest_of(end, copies->project), *same = rest_of(here, copies->origin);
	int result = 0;

	if (rest && (!same || strcmp(same, rest) != 0)) {
		turned = xasprintf("%s%s", copies->work, rest);
		result = unlink(path) < 0 || symlink(turned, path) < 0 ? -1 : 0;
		if (result < 0)
			warn("audit: %s", path);
		free(turned);
	}
	free(end);
	free(here);
	return result;
}

/*
 * The copy of the state folder is where no link leads out of the copy, or not there: it is removed
 * by its real place only, since by any other it may be that of the project, or anybody's.
 */
static int
remove_state(const struct copies *copies)
{
	char *state = realpath(state_path(), NULL);
	const char *rest = rest_of(state, copies->project);
	char *copy = rest && *rest ? xasprintf("%s%s", copies->origin, rest) : NULL;
	char *real = copy ? realpath(copy, NULL) : NULL;
	int result = real && !strcmp(real, copy) ? file_remove(AT_FDCWD, copy) : 0;

	if (result < 0)
		warn("audit: %s", copy);
	free(state);
	free(copy);
	free(real);
	return result;
}

static int
prune_one(const struct copies *copies, const FTSENT *found, bool *skips)
{
	*skips = found->fts_info == FTS_D && found->fts_level > 0 &&
		 leaving_is_environment(found->fts_path);
	if (*skips && file_remove(AT_FDCWD, found->fts_path) < 0) {
		warn("audit: %s", found->fts_path);
		return -1;
	}
	if (found->fts_info == FTS_SL || found->fts_info == FTS_SLNONE)
		return turn_link(copies, found->fts_path);
	return 0;
}

/* Removes from the first copy what no copy is to have, and turns its links. */
static int
prune(const struct copies *copies)
{
	char *roots[] = { copies->origin, NULL };
	int result = remove_state(copies);
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *found;
	bool skips;

	while (tree && result == 0 && (found = fts_read(tree))) {
		result = prune_one(copies, found, &skips);
		if (skips)
			fts_set(tree, found, FTS_SKIP);
	}
	if (tree)
		fts_close(tree);
	return tree ? result : -1;
}

/* Makes the folder that all is in. 0, or -1 after a warning. */
static int
make_scratch(struct copies *copies)
{
	const char *base = getenv("TMPDIR"), *name;
	char folder[PATH_MAX], *wanted, *made;

	wanted = xasprintf("%s/noxmk-XXXXXX", base && *base == '/' ? base : "/tmp");
	if (!getcwd(folder, sizeof(folder)) || !mkdtemp(wanted)) {
		warn("audit: no copy of the project can be made in %.*s; TMPDIR names a folder for "
		     "it", (int)(strrchr(wanted, '/') - wanted), wanted);
		free(wanted);
		return -1;
	}
	/* What sessions write there is seen by its canonical path. */
	made = realpath(wanted, NULL);
	copies->scratch = made ? made : xstrdup(wanted);
	name = strrchr(folder, '/') + 1;
	copies->project = xstrdup(folder);
	copies->origin = xasprintf("%s/.origin", copies->scratch);
	copies->work = xasprintf("%s/%s", copies->scratch,
	    *name && strcmp(name, ".origin") != 0 ? name : "project");
	free(wanted);
	if (mkdir(copies->origin, 0700) < 0) {
		warn("audit: %s", copies->origin);
		return -1;
	}
	return 0;
}

struct copies *
copies_open(int *stop)
{
	struct copies *copies = xcalloc(1, sizeof(*copies));

	*stop = 0;
	copies->signals = sig_open();
	if (make_scratch(copies) < 0 || copy_project(copies, stop) < 0 || prune(copies) < 0) {
		copies_close(copies);
		return NULL;
	}
	return copies;
}

void
copies_close(struct copies *copies)
{
	if (!copies)
		return;
	if (copies->scratch && file_remove(AT_FDCWD, copies->scratch) < 0)
		warn("audit: %s", copies->scratch);
	sig_close(copies->signals);
	free(copies->scratch);
	free(copies->origin);
	free(copies->work);
	free(copies->project);
	free(copies);
}

const char *
copies_path(const struct copies *copies)
{
	return copies->work;
}

int
copies_renew(struct copies *copies, int *stop)
{
	struct strings words = { 0 };
	int result;

	*stop = 0;
	if (file_remove(AT_FDCWD, copies->work) < 0) {
		warn("audit: %s", copies->work);
		return -1;
	}
	add_cp(&words);
	strings_add(&words, copies->origin);
	strings_add(&words, copies->work);
	result = run_cp(copies, &words, stop);
	free(words.v);
	return result;
}

bool
copies_share_git(const struct copies *copies)
{
	char *git = xasprintf("%s/.git", copies->origin);
	struct stat st;
	bool shares = lstat(git, &st) == 0 && !S_ISDIR(st.st_mode);

	free(git);
	return shares;
}
