#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "session/leftover.h"

/* Something that starts processes for ever must not keep us here for ever. */
enum { LOOKS = 1000 };

struct leftover {
	struct indices before; /* pids of children that are not the session's */
	struct indices left;   /* children that are */
};

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

/* Each of its threads may have some. */
static void
add_children(size_t pid, struct indices *list)
{
	char *path = xasprintf("/proc/%zu/task", pid);
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

struct leftover *
leftover_open(void)
{
	struct leftover *brood = xcalloc(1, sizeof(*brood));

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	add_children((size_t)getpid(), &brood->before);
	return brood;
}

void
leftover_close(struct leftover *brood)
{
	if (!brood)
		return;
	free(brood->before.v);
	free(brood->left.v);
	free(brood);
}

/* Fills in the living. False when one was reaped meanwhile: its children may be ours by now. */
static bool
look(struct leftover *brood, pid_t but)
{
	struct indices children = { 0 };
	bool steady = true;

	add_children((size_t)getpid(), &children);
	brood->left.n = 0;
	for (size_t i = 0; i < children.n; i++) {
		pid_t pid = (pid_t)children.v[i];

		if (pid == but || indices_has(&brood->before, children.v[i]))
			continue;
		if (waitpid(pid, NULL, WNOHANG) == 0)
			indices_add(&brood->left, children.v[i]);
		else
			steady = false;
	}
	free(children.v);
	return steady;
}

bool
leftover_is_left(struct leftover *brood, pid_t but)
{
	for (int i = 0; i < LOOKS && !look(brood, but); i++)
		;
	return brood->left.n > 0;
}

void
process_descendants(pid_t pid, struct indices *list)
{
	size_t i = list->n;

	add_children((size_t)pid, list);
	for (; i < list->n; i++)
		add_children(list->v[i], list);
}

void
leftover_signal(struct leftover *brood, int signal)
{
	struct indices all = { 0 };

	for (size_t i = 0; i < brood->left.n; i++) {
		indices_add(&all, brood->left.v[i]);
		process_descendants((pid_t)brood->left.v[i], &all);
	}
	for (size_t i = 0; i < all.n; i++) {
		kill((pid_t)all.v[i], signal);
		kill((pid_t)all.v[i], SIGCONT);
	}
	free(all.v);
}

/* One that is about to end has no command line any more: its name in brackets, as ps(1) has it. */
static void
add_name(size_t pid, struct buffer *text)
{
	char *path = xasprintf("/proc/%zu/cmdline", pid), *end;
	struct buffer name = { 0 };

	if (file_read(AT_FDCWD, path, text) < 0 || text->len == 0) {
		free(path);
		path = xasprintf("/proc/%zu/comm", pid);
		if (file_read(AT_FDCWD, path, &name) == 0 && (end = strchr(name.data, '\n')))
			*end = '\0';
		buffer_addstr(text, "[");
		buffer_addstr(text, name.data ? name.data : "?");
		buffer_addstr(text, "]");
		buffer_free(&name);
	}
	free(path);
	for (size_t i = 0; i + 1 < text->len; i++)
		if (text->data[i] == '\0')
			text->data[i] = ' ';
}

char *
leftover_names(const struct leftover *brood)
{
	struct buffer text = { 0 };
	char *names;

	if (brood->left.n == 0)
		return NULL;
	add_name(brood->left.v[0], &text);
	names = brood->left.n == 1 ?
	    xasprintf("%.200s (pid %zu)", text.data, brood->left.v[0]) :
	    xasprintf("%.200s (pid %zu) and %zu more", text.data, brood->left.v[0],
		brood->left.n - 1);
	buffer_free(&text);
	return names;
}
