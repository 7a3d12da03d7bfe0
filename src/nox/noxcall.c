#include <err.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/spawn.h"
#include "nox/env.h"
#include "nox/noxcall.h"

int
nox_call(const struct strings *nox, const char *const *arguments, const char *const *extra,
    int out)
{
	struct strings argv = { 0 };
	char **envp = env_for_plan(extra);
	int code = -1;
	pid_t pid;

	for (size_t i = 0; i < nox->n; i++)
		strings_add(&argv, nox->v[i]);
	for (; *arguments; arguments++)
		strings_add(&argv, *arguments);
	strings_add(&argv, NULL);
	pid = spawn((char **)argv.v, envp, out, STDERR_FILENO, false);
	if (pid < 0)
		warn("cannot run nox (NOX='%s'): install it, or set NOX to its command",
		    argv.v[0]);
	else
		code = spawn_wait(pid);
	free(argv.v);
	free(envp);
	return code;
}
