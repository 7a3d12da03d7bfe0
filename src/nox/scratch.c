#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "nox/scratch.h"
#include "state/state.h"

#define PREFIX "planning."

static int
is_scratch(const struct dirent *entry)
{
	return !strncmp(entry->d_name, PREFIX, strlen(PREFIX));
}

static void
remove_left(int state)
{
	struct dirent **entries = NULL;
	int n = scandirat(state, ".", &entries, is_scratch, NULL);

	for (int i = 0; i < n; i++) {
		scratch_remove(state_file(entries[i]->d_name));
		free(entries[i]);
	}
	free(entries);
}

char *
scratch_make(int state, bool alone)
{
	char *path = state_file("planning.XXXXXX");

	if (alone)
		remove_left(state);
	if (mkdtemp(path))
		return path;
	warn("%s", path);
	free(path);
	return NULL;
}

void
scratch_remove(char *scratch)
{
	if (file_remove(AT_FDCWD, scratch) < 0)
		warn("%s", scratch);
	free(scratch);
}
