#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"
#include "output/screen.h"
#include "session/leftover.h"

/* A session that starts processes for ever does not keep us here for ever. */
enum { SCANS_MAX = 1000 };

struct leftover {
	struct indices before; /* pids of our children from before the session */
	struct indices alive;  /* pids of those that the last scan has found alive */
};

/* Most sessions leave nobody, and to ask the kernel costs less than a look at /proc. */
static bool
has_children(void)
{
	siginfo_t info;

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

struct leftover *
leftover_open(void)
{
	struct leftover *leftover = xcalloc(1, sizeof(*leftover));

	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		warn("what sessions leave running is not found, nor ended: prctl");
	if (has_children())
		process_children(getpid(), &leftover->before);
	return leftover;
}

void
leftover_close(struct leftover *leftover)
{
	if (!leftover)
		return;
	free(leftover->before.v);
	free(leftover->alive.v);
	free(leftover);
}

void
leftover_ignore(struct leftover *leftover, pid_t pid)
{
	indices_add(&leftover->before, (size_t)pid);
}

/* Finds those below the keeper that are alive, or all. It reaps the others itself, if it can. */
static void
look_below(struct leftover *leftover, pid_t keeper, bool all)
{
	struct indices children = { 0 };

	process_children(keeper, &children);
	leftover->alive.n = 0;
	for (size_t i = 0; i < children.n; i++)
		if (all || process_runs((pid_t)children.v[i]))
			indices_add(&leftover->alive, children.v[i]);
	free(children.v);
}

/*
 * Finds those of ours that are alive. False when one was reaped in passing: its children, which
 * this scan has not seen, may have become ours.
 */
static bool
scan(struct leftover *leftover)
{
	struct indices children = { 0 };
	bool complete = true;

	if (has_children())
		process_children(getpid(), &children);
	leftover->alive.n = 0;
	for (size_t i = 0; i < children.n; i++) {
		if (indices_has(&leftover->before, children.v[i]))
			continue;
		if (waitpid((pid_t)children.v[i], NULL, WNOHANG) == 0)
			indices_add(&leftover->alive, children.v[i]);
		else
			complete = false;
	}
	free(children.v);
	return complete;
}

bool
leftover_remains(struct leftover *leftover, pid_t keeper)
{
	if (keeper > 0)
		look_below(leftover, keeper, false);
	for (int i = 0; keeper == 0 && i < SCANS_MAX && !scan(leftover); i++)
		;
	return leftover->alive.n > 0;
}

bool
leftover_is_unending(struct leftover *leftover, pid_t keeper)
{
	if (keeper == 0)
		return leftover_remains(leftover, 0);
	look_below(leftover, keeper, true);
	return leftover->alive.n > 0;
}

void
leftover_signal(struct leftover *leftover, int signal)
{
	struct indices all = { 0 };

	for (size_t i = 0; i < leftover->alive.n; i++) {
		indices_add(&all, leftover->alive.v[i]);
		process_descendants((pid_t)leftover->alive.v[i], &all);
	}
	for (size_t i = 0; i < all.n; i++) {
		kill((pid_t)all.v[i], signal);
		kill((pid_t)all.v[i], SIGCONT);
	}
	free(all.v);
}

char *
leftover_names(const struct leftover *leftover)
{
	const struct indices *alive = &leftover->alive;
	char *first, *names;

	if (alive->n == 0)
		return NULL;
	first = process_name((pid_t)alive->v[0]);
	if (alive->n == 1)
		names = xasprintf("%.200s (pid %zu)", first, alive->v[0]);
	else
		names = xasprintf("%.200s (pid %zu) and %zu more", first, alive->v[0],
		    alive->n - 1);
	free(first);
	return names;
}

char *
leftover_tell(const struct leftover *leftover, const char *target, struct mask *mask, bool unending)
{
	char *names = mask_text(mask, leftover_names(leftover)), *safe = screen_safe(names), *text;

	warnx("%s left a process %s: %s", target,
	    unending ? "that could not be ended" : "running", safe);
	text = xasprintf("%s%s", names, unending ? ": left, could not be ended" : "");
	free(safe);
	free(names);
	return text;
}
