#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cgroup.h"
#include "base/file.h"
#include "base/util.h"

/* A group's folder, and that of every group above it, up to the mount point. */
static void
visit_up(int version, const char *mount, const char *group, cgroup_visit *visit, void *data)
{
	char *dir = xasprintf("%s%s", mount, strcmp(group, "/") ? group : "");
	char *slash;

	visit(data, version, dir);
	while (strlen(dir) > strlen(mount) && (slash = strrchr(dir, '/'))) {
		*slash = '\0';
		visit(data, version, dir);
	}
	free(dir);
}

/* Is the word in a list with commas? "cpu" is not in "cpuset". */
static bool
has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = list; (p = strstr(p, word)); p += len)
		if ((p == list || p[-1] == ',') && (p[len] == ',' || !p[len]))
			return true;
	return false;
}

void
cgroup_each(const char *proc_cgroup, const char *root, const char *const mounts[],
    cgroup_visit *visit, void *data)
{
	struct buffer text = { 0 };
	char *line, *rest = NULL;

	if (file_read(AT_FDCWD, proc_cgroup, &text) == 0)
		rest = text.data;
	/* Each line: number:controllers:path; version 2 has no controllers. */
	while ((line = strsep(&rest, "\n"))) {
		char *controllers = strchr(line, ':');
		char *group = controllers ? strchr(controllers + 1, ':') : NULL;

		if (!group)
			continue;
		*group++ = '\0';
		controllers++;
		if (!*controllers)
			visit_up(2, root, group, visit, data);
		for (size_t i = 0; has_word(controllers, mounts[0]) && mounts[i]; i++) {
			char *mount = xasprintf("%s/%s", root, mounts[i]);

			visit_up(1, mount, group, visit, data);
			free(mount);
		}
	}
	buffer_free(&text);
}

long long
cgroup_number(const char *dir, const char *name)
{
	char *path = xasprintf("%s/%s", dir, name), *end;
	struct buffer text = { 0 };
	long long value = -1;

	if (file_read(AT_FDCWD, path, &text) == 0) {
		value = strtoll(text.data, &end, 10);
		if (end == text.data)
			value = -1;
	}
	buffer_free(&text);
	free(path);
	return value;
}
