#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/stdlib.h>

#include "base/fd.h"
#include "base/sig.h"
#include "base/spawn.h"
#include "base/usermake.h"
#include "plan/planfile.h"
#include "state/rundir.h"
#include "state/state.h"
#include "trace/tracer.h"
#include "trial/traced.h"

/* One that the makefile looks at: in which order to start sessions. */
#define ORDER "NOXMK_ORDER"

/* Whatever the makefile, the noxfile or the environment says: each session is to be seen. */
static const char *const all_of_them[] = { "NOXMK_SHARD=", "FAIL_FAST=0", "MAX_FAIL=" };

static void
set_environment(const struct traced *traced, const char *word)
{
	static const char *const of_make[] = { "MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES",
		"MAKE_TERMOUT", "MAKE_TERMERR", "NOXMK_RUN" };

	for (size_t i = 0; i < countof(of_make); i++)
		unsetenv(of_make[i]);
	tracer_want();
	/* Another make may begin a run at the same time. */
	setenv(RUNDIR_AUDIT, word, 1);
	if (traced->order)
		setenv(ORDER, traced->order, 1);
	else
		unsetenv(ORDER);
}

bool
traced_is_setting(const char *word)
{
	return strchr(word, '=') != NULL;
}

/* Its words are the caller's to free. */
static void
add_words(const struct traced *traced, struct strings *argv)
{
	bool has_target = false;

	usermake_add_command(argv, traced->share);
	strings_add(argv, xasprintf("-j%u", traced->jobs > 0 ? traced->jobs : 1));
	if (traced->is_dry)
		strings_add(argv, xstrdup("-n"));
	for (size_t i = 0; i < countof(all_of_them); i++)
		strings_add(argv, xstrdup(all_of_them[i]));
	for (const char *const *set = traced->settings; set && *set; set++)
		strings_add(argv, xstrdup(*set));
	for (char *const *target = traced->targets; *target; target++) {
		strings_add(argv, xstrdup(*target));
		has_target |= !traced_is_setting(*target);
	}
	if (!has_target)
		strings_add(argv, xstrdup("ci"));
	strings_add(argv, NULL);
}

static void
run_make(struct traced *traced)
{
	int null = traced->is_silent ? open("/dev/null", O_WRONLY | O_CLOEXEC) : -1, signals;
	int out = traced->to_errors ? STDERR_FILENO : STDOUT_FILENO;
	struct strings argv = { 0 };
	pid_t pid;

	add_words(traced, &argv);
	fflush(stdout);
	signals = sig_open();
	pid = spawn_with((char **)argv.v, environ,
	    &(struct spawn_files){ -1, null >= 0 ? null : out, null >= 0 ? null : STDERR_FILENO,
		-1 });
	if (pid < 0)
		warn("%s", argv.v[0]);
	else
		traced->code = spawn_wait_stopping(pid, signals, &traced->stop);
	sig_close(signals);
	fd_close(&null);
	for (size_t i = 0; i < argv.n; i++)
		free((char *)argv.v[i]);
	free(argv.v);
}

/* Is one of the targets none of the plan's? */
static bool
lacks_target(const struct traced *traced, int state)
{
	struct planfile *plan = planfile_find(state);
	json_t *goals = json_array(), *sessions = json_object();
	bool lacks;

	for (char *const *target = traced->targets; *target; target++)
		if (!traced_is_setting(*target))
			json_array_append_new(goals, json_string(*target));
	lacks = plan && planfile_expand(plan, goals, sessions, false) < 0;
	json_decref(sessions);
	json_decref(goals);
	planfile_close(plan);
	return lacks;
}

int
traced_run(struct traced *traced, int state)
{
	char *word = xasprintf("%08x%08x", (unsigned)arc4random(), (unsigned)arc4random());
	int made, rundir;

	traced->code = -1;
	traced->stop = 0;
	set_environment(traced, word);
	run_make(traced);
	made = state < 0 ? state_find() : -1;
	rundir = rundir_of_audit(state < 0 ? made : state, word);
	traced->no_target = rundir < 0 && traced->code > 0 &&
		lacks_target(traced, state < 0 ? made : state);
	fd_close(&made);
	free(word);
	return rundir;
}
