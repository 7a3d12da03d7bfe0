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

/* The noxfile may print while it loads; the listing is the last line (reference: nox -l --json). */
static json_t *
last_line(int fd)
{
	struct buffer text = { 0 };
	char *path = xasprintf("/proc/self/fd/%d", fd), *line;
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

/* all: every session, else what nox selects by default. */
static json_t *
list(const struct strings *nox, const char *noxfile, bool all)
{
	static const char *const nothing[] = { NULL };
	const char *arguments[] = { "-f", noxfile, "--list", "--json", all ? "-k" : NULL, "True",
		NULL };
	int fd = memfd_create("listing", MFD_CLOEXEC), code;
	json_t *sessions = NULL;

	if (fd < 0) {
		warn("memfd_create");
		return NULL;
	}
	code = nox_call(nox, arguments, nothing, fd);
	if (code == 0)
		sessions = last_line(fd);
	if (!json_is_array(sessions)) {
		warnx("%s: `nox --list --json` gave no list (exit %d)", noxfile, code);
		json_decref(sessions);
		sessions = NULL;
	}
	close(fd);
	return sessions;
}

static json_t *
convert(const json_t *entry, size_t index)
{
	json_t *python = json_object_get(entry, "python"), *tags = json_object_get(entry, "tags");

	return json_pack("{s:i,s:O?,s:O?,s:O?,s:o,s:o,s:[],s:[],s:[]}", "index", (int)index,
	    "name", json_object_get(entry, "name"), "session", json_object_get(entry, "session"),
	    "description", json_object_get(entry, "description"),
	    "python", json_is_string(python) ? json_incref(python) : json_null(),
	    "tags", json_is_array(tags) ? json_incref(tags) : json_array(),
	    "signatures", "requires", "notifies");
}

/* Positions in `all` of what is selected; names that occur twice select both, as in nox. */
static json_t *
find_queue(const json_t *all, const json_t *selected)
{
	json_t *queue = json_array(), *a, *b;
	size_t i, k;

	json_array_foreach(selected, i, a) {
		json_array_foreach(all, k, b)
			if (json_equal(json_object_get(a, "session"),
				json_object_get(b, "session")))
				json_array_append_new(queue, json_integer((json_int_t)k));
	}
	return queue;
}

json_t *
listing_facts(const struct strings *nox, const char *noxfile)
{
	json_t *all = list(nox, noxfile, true), *selected = NULL, *sessions, *entry, *facts = NULL;
	char path[PATH_MAX];
	size_t i;

	if (!all || !(selected = list(nox, noxfile, false)))
		goto out;
	sessions = json_array();
	json_array_foreach(all, i, entry)
		json_array_append_new(sessions, convert(entry, i));
	if (!realpath(noxfile, path))
		path[0] = '\0';
	facts = json_pack("{s:i,s:s,s:s,s:[],s:[s],s:o,s:o}", "schema", 1, "nox", "unknown",
	    "noxfile", *path ? path : noxfile, "path", "depends", *path ? path : noxfile,
	    "queue", find_queue(all, selected), "sessions", sessions);
	warnx("%s: planned from `nox --list --json`: requires= is not known", noxfile);
out:
	json_decref(all);
	json_decref(selected);
	return facts;
}
