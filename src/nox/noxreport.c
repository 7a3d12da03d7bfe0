#include <err.h>
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "nox/noxreport.h"

/* Bytes. A longer one, of a session that notifies hundreds, has to find room for itself. */
enum { ROOM = 16384 };

static char *
name_of(const char *target)
{
	return xasprintf(".%s.report", target);
}

int
noxreport_reserve(int folder, const char *target)
{
	char *name = name_of(target);
	int result, saved;

	/* A helper that was killed may have left a report, which would be believed. */
	file_remove(folder, name);
	result = file_reserve(folder, name, ROOM);
	saved = errno;
	free(name);
	errno = saved;
	return result;
}

char *
noxreport_path(int folder, const char *target)
{
	char link[64], path[PATH_MAX], *name = name_of(target), *result;
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", folder);
	n = readlink(link, path, sizeof(path) - 1);
	path[n < 0 ? 0 : n] = '\0';
	result = xasprintf("%s/%s", path, name);
	free(name);
	return result;
}

void
noxreport_read(int folder, const char *target, struct buffer *text)
{
	char *name = name_of(target);

	if (file_load(folder, name, text) < 0 && errno != ENOENT)
		warnx("%s: %s", name, file_why(errno));
	/* The rest of the room, in which nobody has written. */
	if (text->len > 0)
		text->len = strnlen(text->data, text->len);
	free(name);
}

void
noxreport_remove(int folder, const char *target)
{
	char *name = name_of(target);

	file_remove(folder, name);
	free(name);
}

void
noxreport_stand_in(const char *result, struct buffer *text)
{
	json_t *report = json_pack("{s:[{s:s,s:s}]}", "sessions", "result", result, "reason",
	    "nox could not write its report");
	char *dump = json_dumps(report, JSON_COMPACT);

	text->len = 0;
	buffer_addstr(text, dump ? dump : "");
	free(dump);
	json_decref(report);
}

void
noxreport_keep(int folder, const char *target, const struct buffer *text)
{
	char *name = name_of(target);

	if (text->len > 0)
		(void)!file_store(folder, name, text->data, text->len);
	free(name);
}
