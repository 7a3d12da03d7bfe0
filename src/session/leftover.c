#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"
#include "session/leftover.h"

/* Something that starts processes for ever must not keep us here for ever. */
enum { LOOKS = 1000 };

struct leftover {
	struct indices before; /* pids of children that are not the session's */
	struct indices left;   /* children that are */
};

struct leftover *
leftover_open(void)
{
	struct leftover *brood = xcalloc(1, sizeof(*brood));

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	process_children(getpid(), &brood->before);
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

	process_children(getpid(), &children);
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

char *
leftover_names(const struct leftover *brood)
{
	char *names, *first;

	if (brood->left.n == 0)
		return NULL;
	first = process_name((pid_t)brood->left.v[0]);
	names = brood->left.n == 1 ?
	    xasprintf("%.200s (pid %zu)", first, brood->left.v[0]) :
	    xasprintf("%.200s (pid %zu) and %zu more", first, brood->left.v[0],
		brood->left.n - 1);
	free(first);
	return names;
}
