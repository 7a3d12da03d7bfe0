#include <err.h>
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "base/spawn.h"
#include "base/util.h"
#include "notified.h"
#include "state/record.h"

static void
add_notified(void *data, const struct record *caller)
{
	json_t *pending = data, *item;
	size_t i;

	json_array_foreach(caller->notify, i, item)
		if (json_is_string(json_object_get(item, "target")))
			json_object_set_new(pending, json_text(item, "target"), json_true());
}

json_t *
notified_pending(int rundir)
{
	json_t *names = record_list(rundir), *pending = json_object(), *name;
	size_t i;

	record_each(rundir, add_notified, pending);
	json_array_foreach(names, i, name)
		json_object_del(pending, json_string_value(name));
	json_decref(names);
	return pending;
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
	sigaddset(&defaults, SIGPIPE); /* main ignores it */
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
notified_run(int rundir, const char *key, char *const *make, json_t *tried)
{
	json_t *pending = NULL, *unused;
	const char *target;
	void *next;
	int result = 0;

	if (key)
		setenv("NOXMK_RUN", key, 1);
	while (result >= 0) {
		pending = notified_pending(rundir);
		/* One whose record could not be written is not run again. */
		json_object_foreach_safe(pending, next, target, unused)
			if (json_object_get(tried, target))
				json_object_del(pending, target);
		if (json_object_size(pending) == 0)
			break;
		json_object_update(tried, pending);
		result = run_make(make, pending) == 0 ? 1 : -1;
		json_decref(pending);
		pending = NULL;
	}
	json_decref(pending);
	return result;
}
