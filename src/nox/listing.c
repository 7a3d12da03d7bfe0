#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "nox/listing.h"
#include "nox/noxcall.h"

/* The noxfile may print while it loads: nox's list is the last line of the output. */
static json_t *
read_list(int output)
{
	struct buffer text = { 0 };
	char *path = xasprintf("/proc/self/fd/%d", output), *line;
	json_t *list = NULL;

	if (file_read(AT_FDCWD, path, &text) == 0 && text.len > 0) {
		while (text.len > 0 && text.data[text.len - 1] == '\n')
			text.data[--text.len] = '\0';
		line = strrchr(text.data, '\n');
		list = json_loads(line ? line + 1 : text.data, 0, NULL);
	}
	buffer_free(&text);
	free(path);
	return list;
}

/* Every session, or only what nox runs by default. NULL after a warning. */
static json_t *
list_sessions(const struct strings *nox, const char *noxfile, bool all)
{
	static const char *const no_extra[] = { NULL };
	const char *arguments[] = { "-f", noxfile, "--list", "--json", all ? "-k" : NULL, "True",
		NULL };
	int output = memfd_create("listing", MFD_CLOEXEC), code;
	json_t *sessions = NULL;

	if (output < 0) {
		warn("memfd_create");
		return NULL;
	}
	code = nox_call(nox, arguments, no_extra, output);
	if (code == 0)
		sessions = read_list(output);
	if (!json_is_array(sessions) && code != NOXCALL_STOPPED) {
		warnx("%s: `nox --list --json` gave no list (exit %d)", noxfile, code);
		json_decref(sessions);
		sessions = NULL;
	}
	close(output);
	return sessions;
}

/* The facts of one session; what a list does not tell is empty. */
static json_t *
session_facts(const json_t *entry, size_t index)
{
	json_t *python = json_object_get(entry, "python"), *tags = json_object_get(entry, "tags");

	return json_pack("{s:i,s:O?,s:O?,s:O?,s:o,s:o,s:[],s:[],s:[]}", "index", (int)index,
	    "name", json_object_get(entry, "name"), "session", json_object_get(entry, "session"),
	    "description", json_object_get(entry, "description"),
	    "python", json_is_string(python) ? json_incref(python) : json_null(),
	    "tags", json_is_array(tags) ? json_incref(tags) : json_array(),
	    "signatures", "requires", "notifies");
}

/* The positions of the default sessions. A name that two sessions bear selects both, as in nox. */
static json_t *
find_queue(const json_t *all, const json_t *defaults)
{
	json_t *queue = json_array(), *one, *other;
	size_t i, position;

	json_array_foreach(defaults, i, one) {
		json_array_foreach(all, position, other)
			if (json_equal(json_object_get(one, "session"),
				json_object_get(other, "session")))
				json_array_append_new(queue, json_integer((json_int_t)position));
	}
	return queue;
}

json_t *
listing_facts(const struct strings *nox, const char *noxfile)
{
	json_t *all = list_sessions(nox, noxfile, true), *defaults = NULL, *facts = NULL;
	json_t *sessions, *entry;
	char path[PATH_MAX];
	size_t i;

	if (!all || !(defaults = list_sessions(nox, noxfile, false)))
		goto out;
	sessions = json_array();
	json_array_foreach(all, i, entry)
		json_array_append_new(sessions, session_facts(entry, i));
	if (!realpath(noxfile, path))
		path[0] = '\0';
	facts = json_pack("{s:i,s:s,s:s,s:[],s:o,s:o,s:s}", "schema", 1, "nox", "unknown",
	    "noxfile", *path ? path : noxfile, "path", "queue", find_queue(all, defaults),
	    "sessions", sessions, "volatile", "what this nox does not tell");
	warnx("%s: planned from `nox --list --json`: requires= is not known", noxfile);
out:
	json_decref(all);
	json_decref(defaults);
	return facts;
}
