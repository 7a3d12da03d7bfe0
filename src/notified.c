#include <err.h>
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/spawn.h"
#include "base/util.h"
#include "notified.h"
#include "state/record.h"
#include "state/runtime.h"

/* The targets that were notified, as keys. */
struct pending {
	struct planfile *plan;
	json_t *targets;
};

static void
add_notified(void *data, const struct record *caller)
{
	struct pending *pending = data;
	json_t *item;
	size_t i;

	json_array_foreach(caller->notify, i, item)
		if (planfile_has_session(pending->plan, json_text(item, "target")))
			json_object_set_new(pending->targets, json_text(item, "target"),
			    json_true());
}

json_t *
notified_pending(int rundir, struct planfile *plan, const json_t *tried)
{
	struct pending pending = { .plan = plan, .targets = json_object() };
	const char *target;
	const json_t *unused;

	record_each(rundir, add_notified, &pending);
	json_object_foreach((json_t *)tried, target, unused)
		json_object_del(pending.targets, target);
	return pending.targets;
}

/* These sessions have not run yet, nor what they require, whatever a session has written. */
static void
begin(int rundir, const char *key, struct planfile *plan, const json_t *pending, json_t *tried)
{
	int runtime = key ? runtime_find(key) : -1;
	json_t *goals = json_array(), *sessions = json_object();
	const char *target;
	const json_t *unused;

	json_object_foreach((json_t *)pending, target, unused)
		json_array_append_new(goals, json_string(target));
	planfile_expand(plan, goals, sessions, false);
	json_object_foreach(sessions, target, unused) {
		if (json_object_get(tried, target))
			continue;
		record_forget(rundir, target);
		if (runtime >= 0)
			record_forget(runtime, target);
	}
	json_object_update(tried, sessions);
	json_decref(sessions);
	json_decref(goals);
	fd_close(&runtime);
}

/* What spawn_wait says of the make, or -1 after a warning. */
static int
run_make(char *const *make, const json_t *targets)
{
	struct strings argv = { 0 };
	const char *target;
	const json_t *unused;
	int error, code = -1;
	posix_spawnattr_t attributes;
	sigset_t defaults;
	size_t words = 0;
	pid_t pid;

	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE); /* main ignores these */
	sigaddset(&defaults, SIGUSR1);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigdefault(&attributes, &defaults);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
	while (make[words])
		strings_add(&argv, make[words++]);
	json_object_foreach((json_t *)targets, target, unused)
		strings_add(&argv, xasprintf(".noxmk/run/%s", target));
	strings_add(&argv, NULL);
	/* Unlike by spawn(), this make keeps our jobserver's descriptors and the process group. */
	error = posix_spawnp(&pid, argv.v[0], NULL, &attributes, (char **)argv.v, environ);
	posix_spawnattr_destroy(&attributes);
	if (error) {
		errno = error;
		warn("cannot run %s for the notified sessions", argv.v[0]);
	} else {
		code = spawn_wait(pid);
	}
	for (size_t i = words; argv.v[i]; i++)
		free((char *)argv.v[i]);
	free(argv.v);
	return code;
}

int
notified_run(int rundir, const char *key, char *const *make, struct planfile *plan, json_t *tried)
{
	json_t *pending = NULL;
	int result = 0;

	if (key)
		setenv("NOXMK_RUN", key, 1);
	while (result >= 0) {
		/* One whose record could not be written is not run again. */
		pending = notified_pending(rundir, plan, tried);
		if (json_object_size(pending) == 0)
			break;
		begin(rundir, key, plan, pending, tried);
		result = run_make(make, pending) == 0 ? 1 : -1;
		json_decref(pending);
		pending = NULL;
	}
	json_decref(pending);
	return result;
}
