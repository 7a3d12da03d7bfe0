/*
 * A folder runs/ with folders of any name and any .run.json, and a make that joins: what
 * is no run of ours stays, and a run that is joined is a whole one. Parts of the input: the key
 * (empty: a sound one), two names of folders, what their .run.json say.
 */

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "fuzz.h"
#include "state/join.h"
#include "state/rundir.h"
#include "state/state.h"

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *place)
{
	(void)st;
	(void)type;
	(void)place;
	return remove(path);
}

static char *
take(const uint8_t **data, size_t *size)
{
	size_t length = 0;
	const uint8_t *part = fuzz_part(data, size, &length);

	return part ? strndup((const char *)part, length) : strdup("");
}

/* A name of one folder: what makes none is left out. */
static bool
make_folder(int runs, const char *name, const char *text)
{
	int folder;

	if (!*name || strchr(name, '/') || mkdirat(runs, name, 0777) < 0)
		return false;
	folder = openat(runs, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	REQUIRE(folder >= 0);
	fuzz_file(folder, ".run.json", text, strlen(text));
	fuzz_file(folder, "a.log", "", 0);
	close(folder);
	return true;
}

/* As is_run has it: a date, a time, a number. */
static bool
is_run(const char *name)
{
	static const char pattern[] = "00000000-000000-";

	for (size_t i = 0; i < sizeof(pattern) - 1; i++, name++)
		if (pattern[i] == '0' ? *name < '0' || *name > '9' : *name != pattern[i])
			return false;
	return *name && strspn(name, "0123456789") == strlen(name);
}

static bool
has_info(void *data, int run)
{
	(void)data;
	return faccessat(run, ".run.json", F_OK, 0) == 0;
}

/* A folder that was in the place of the make's link is the run, as it is. */
static void
check_join(int state, const char *key)
{
	char *link = xasprintf("runs/.make-%s", key);
	bool was_there = faccessat(state, link, F_OK, 0) == 0;
	int run = join_run(state, key, 1), again, newest;
	json_t *facts;

	free(link);
	if (run < 0)
		return;
	if (was_there) {
		close(run);
		return;
	}
	facts = rundir_info(run);
	REQUIRE(facts && !strcmp(json_string_value(json_object_get(facts, "make")), key));
	json_decref(facts);
	again = join_run(state, key, 1);
	REQUIRE(again >= 0);
	close(again);
	again = rundir_open(state, NULL);
	REQUIRE(again >= 0);
	close(again);
	newest = rundir_newest_that(state, has_info, NULL);
	REQUIRE(newest >= 0);
	close(newest);
	close(run);
}

static void
check_state(const uint8_t *data, size_t size)
{
	char *key = take(&data, &size), *names[2], *texts[2];
	int state = state_make(), runs, inside;
	bool made[2];

	REQUIRE(state >= 0);
	fuzz_file(state, "plan.jsonl", "{}\n", 3);
	REQUIRE(mkdirat(state, "runs", 0777) == 0);
	runs = openat(state, "runs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < countof(names); i++)
		names[i] = take(&data, &size);
	for (size_t i = 0; i < countof(names); i++) {
		texts[i] = take(&data, &size);
		made[i] = make_folder(runs, names[i], texts[i]);
		inside = made[i] ? openat(runs, names[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
		if (inside >= 0) {
			json_decref(rundir_info(inside));
			close(inside);
		}
	}
	check_join(state, *key ? key : "1-2-3");
	for (size_t i = 0; i < countof(names); i++) {
		if (made[i] && !is_run(names[i]) && strncmp(names[i], ".make-", 6) != 0)
			REQUIRE(faccessat(runs, names[i], F_OK, 0) == 0);
		free(names[i]);
		free(texts[i]);
	}
	free(key);
	close(runs);
	close(state);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int before = -1;
	int folder = fuzz_folder();

	/* rundir.h works in the current folder; whoever runs us has paths that start at his. */
	if (before < 0)
		before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	REQUIRE(before >= 0 && fchdir(folder) == 0);
	nftw(".nox/.noxmk", remove_one, 8, FTW_DEPTH | FTW_PHYS);
	check_state(data, size);
	REQUIRE(fchdir(before) == 0);
	return 0;
}
