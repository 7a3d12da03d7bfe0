#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sha2.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/kept.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "state/state.h"

#define FOLDER "traces"

/*
 * Of more paths than that no traces are united: the newest one counts. A line of a trace is taken
 * to have 256 bytes; then a trace fills half of what is read of a file.
 */
#define PATHS_MOST (FILE_MOST / 2 / 256)

/* Its content, as a fresh checkout has it too; or else its date. The caller frees. */
static char *
noxfile_of(const struct planfile *plan)
{
	const json_t *header = planfile_header(plan);
	const char *name = json_text(header, "noxfile");
	char digits[SHA256_DIGEST_STRING_LENGTH];
	struct buffer text = { 0 };
	char *words;

	if (*name && file_read(AT_FDCWD, name, &text) == 0) {
		SHA256Data((const uint8_t *)(text.data ? text.data : ""), text.len, digits);
		words = xstrdup(digits);
	} else {
		words = xasprintf("%lld", (long long)json_integer_value(
		    json_object_get(header, "noxfile_date")));
	}
	buffer_free(&text);
	return words;
}

/* A trace from another checkout has the paths of there: from here on they are those of here. */
static void
move_here(struct trace *trace)
{
	char folder[PATH_MAX];

	if (trace->root && getcwd(folder, sizeof(folder)) && strcmp(trace->root, folder) != 0)
		trace_move(trace, folder);
}

static char *
basis_of(const struct planfile *plan, const json_t *session)
{
	const json_t *env = json_object_get(json_object_get(session, "options"), "env");
	char *text = env ? json_dumps(env, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	char *noxfile = noxfile_of(plan);
	char *basis = xasprintf("%s %s", noxfile, text ? text : "");

	free(noxfile);
	free(text);
	return basis;
}

/* Reads what is kept; what rests on something else is none. */
static int
read_old(int folder, const char *target, const char *basis, struct trace *trace)
{
	int found = trace_read(folder, target, trace);

	if (found == 1 && (!trace->basis || strcmp(trace->basis, basis) != 0)) {
		trace_clear(trace);
		found = 0;
	}
	if (found == 1)
		move_here(trace);
	/* What is kept can be made again. */
	return found == 1;
}

static void
keep(int folder, const struct trace *trace)
{
	char *name = trace_name(trace->target);
	struct buffer text = { 0 };

	trace_put(&text, trace);
	if (file_store(folder, name, text.data, text.len) < 0)
		warn("%s/" FOLDER "/%s", state_path(), name);
	buffer_free(&text);
	free(name);
}

int
kept_read(int state, int rundir, const struct planfile *plan, const json_t *session, bool stores,
    struct trace *trace)
{
	const char *target = json_text(session, "target");
	char *basis = basis_of(plan, session);
	int folder = state_folder(state, FOLDER);
	struct trace new = { 0 };
	int found = rundir < 0 ? 0 : trace_read(rundir, target, &new);
	bool known = folder >= 0 && read_old(folder, target, basis, trace);
	bool fits = known && trace->npaths + new.npaths < PATHS_MOST;

	if (found == 1) {
		if (fits)
			trace_unite(trace, &new);
		else if (known)
			trace_clear(trace);
		if (!fits)
			*trace = new;
		free(trace->basis);
		trace->basis = xstrdup(basis);
		if (stores && folder >= 0)
			keep(folder, trace);
	}
	fd_close(&folder);
	free(basis);
	return known || found == 1 ? 1 : found;
}

bool
kept_has(int state, const char *target)
{
	char *name = trace_name(target), *path = xasprintf(FOLDER "/%s", name);
	bool has = faccessat(state, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;

	free(path);
	free(name);
	return has;
}

void
kept_forget(int state)
{
	if (file_remove(state, FOLDER) < 0)
		warn("%s/" FOLDER, state_path());
}
