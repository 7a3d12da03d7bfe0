#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json.h"
#include "base/process.h"
#include "plan/use.h"
#include "slots/around.h"

struct note {
	dev_t device; /* of its file */
	ino_t inode;
	json_t *claim;
};

struct around {
	struct note *notes;
	size_t n;
	struct indices ancestors; /* their pids, once they are known */
	bool looked;
	char *refusal;
};

struct around *
around_open(void)
{
	return xcalloc(1, sizeof(struct around));
}

void
around_clear(struct around *around)
{
	for (size_t i = 0; i < around->n; i++)
		json_decref(around->notes[i].claim);
	around->n = 0;
}

void
around_close(struct around *around)
{
	if (!around)
		return;
	around_clear(around);
	free(around->notes);
	free(around->ancestors.v);
	free(around->refusal);
	free(around);
}

void
around_note(struct around *around, int file, json_t *claim)
{
	struct stat st;

	if (!claim || fstat(file, &st) < 0)
		return;
	around->notes = xreallocarray(around->notes, around->n + 1, sizeof(*around->notes));
	around->notes[around->n++] = (struct note){ .device = st.st_dev, .inode = st.st_ino,
		.claim = json_incref(claim) };
}

static bool
has_ancestor(struct around *around, pid_t pid)
{
	if (!around->looked)
		process_ancestors(&around->ancestors);
	around->looked = true;
	return indices_has(&around->ancestors, (size_t)pid);
}

/* The number may be one of another container: the owner has the file open. */
static bool
is_around(struct around *around, const struct note *note)
{
	pid_t pid = (pid_t)json_integer_value(json_object_get(note->claim, "pid"));

	return has_ancestor(around, pid) && process_has_open(pid, note->device, note->inode);
}

/* Does what that one holds keep ours from being granted? Amounts that it takes are added. */
static bool
is_in_way(const json_t *mine, const json_t *its, long long *taken)
{
	enum meeting meeting = use_meet(mine, its, taken);

	return meeting == IN_WAY || (meeting == AMOUNTS && !use_fits(mine, *taken));
}

/* The first claim around us that is in the way of these, and the resource; or NULL. */
static const json_t *
holder_of(struct around *around, const json_t *claims, const char **resource)
{
	const json_t *mine, *its;
	size_t i, k;

	json_array_foreach(claims, i, mine) {
		long long taken = 0;

		*resource = json_text(mine, "resource");
		for (size_t note = 0; note < around->n; note++) {
			if (!is_around(around, &around->notes[note]))
				continue;
			json_array_foreach(json_object_get(around->notes[note].claim, "claims"), k,
			    its)
				if (is_in_way(mine, its, &taken))
					return around->notes[note].claim;
		}
	}
	return NULL;
}

bool
around_holds(struct around *around, const json_t *waiting)
{
	const char *unused;

	return holder_of(around, json_object_get(waiting, "claims"), &unused) != NULL;
}

void
around_refuse(struct around *around, const json_t *claims)
{
	const char *resource;
	const json_t *holder = around->refusal ? NULL : holder_of(around, claims, &resource);

	if (holder)
		around->refusal = xasprintf("it runs within %s, which %s%s until it ends: both "
		    "would wait for ever", json_text(holder, "target"),
		    *resource == '*' ? "runs alone" : "has ", *resource == '*' ? "" : resource);
}

void
around_refuse_by(struct around *around, pid_t pid)
{
	if (!around->refusal && has_ancestor(around, pid))
		around->refusal = xasprintf("it runs within a session that claims something (pid "
		    "%d), and here these run one at a time: both would wait for ever",
		    (int)pid);
}

const char *
around_refusal(const struct around *around)
{
	return around->refusal;
}
