#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/process.h"

#define OWN_PROGRAM "/proc/self/exe"

/* Adds the numbers in that file. */
static void
add_words(const char *path, struct indices *list)
{
	struct buffer text = { 0 };
	char *rest, *word;

	if (file_read(AT_FDCWD, path, &text) == 0)
		for (rest = text.data; (word = strsep(&rest, " \n"));)
			if (*word)
				indices_add(list, strtoul(word, NULL, 10));
	buffer_free(&text);
}

void
process_children(pid_t pid, struct indices *list)
{
	char *path = xasprintf("/proc/%d/task", (int)pid);
	DIR *tasks = opendir(path);
	struct dirent *task;

	while (tasks && (task = readdir(tasks))) {
		char *name = xasprintf("%s/%s/children", path, task->d_name);

		if (task->d_name[0] != '.')
			add_words(name, list);
		free(name);
	}
	if (tasks)
		closedir(tasks);
	free(path);
}

void
process_descendants(pid_t pid, struct indices *list)
{
	size_t i = list->n;

	process_children(pid, list);
	for (; i < list->n; i++)
		process_children((pid_t)list->v[i], list);
}

char *
process_name(pid_t pid)
{
	char *path = xasprintf("/proc/%d/cmdline", (int)pid), *end;
	struct buffer words = { 0 }, name = { 0 };

	if (file_read(AT_FDCWD, path, &words) < 0 || words.len == 0) {
		free(path);
		path = xasprintf("/proc/%d/comm", (int)pid);
		if (file_read(AT_FDCWD, path, &name) == 0 && (end = strchr(name.data, '\n')))
			*end = '\0';
		buffer_printf(&words, "[%s]", name.data ? name.data : "?");
		buffer_free(&name);
	}
	free(path);
	for (size_t i = 0; i + 1 < words.len; i++)
		if (words.data[i] == '\0')
			words.data[i] = ' ';
	return words.data;
}

char *
process_own_program(void)
{
	char path[PATH_MAX];
	ssize_t n = readlink(OWN_PROGRAM, path, sizeof(path) - 1);

	path[n < 0 ? 0 : n] = '\0';
	return xstrdup(path);
}

bool
process_is_own_program(const char *path)
{
	struct stat it, us;

	return stat(path, &it) == 0 && stat(OWN_PROGRAM, &us) == 0 && it.st_ino == us.st_ino &&
	       it.st_dev == us.st_dev;
}
