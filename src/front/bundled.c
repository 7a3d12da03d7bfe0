#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/process.h"
#include "base/usermake.h"
#include "base/util.h"
#include "front/bundled.h"

/* The path of nox.mk, which the caller frees; NULL after a warning if make could not read it. */
static char *
find_makefile(void)
{
	char *path = process_installed("include/nox.mk");
	const char *fault = NULL;

	if (access(path, R_OK) < 0)
		fault = "is not there to be read: install noxmk as a whole";
	else if (path[strcspn(path, " \t$#%:;\\")])
		fault = "has a character in its path that make would take for its own: install "
			"noxmk elsewhere";
	if (!fault)
		return path;
	warnx("%s %s", path, fault);
	free(path);
	return NULL;
}

static void
tell_of_makefile(const char *path)
{
	bool includes;
	const char *makefile = usermake_makefile(&includes);

	if (makefile && includes)
		warnx("%s is not read, and includes nox.mk: plain `make` reads it", makefile);
	else if (makefile)
		warnx("%s is not read; with `include %s` in it plain `make` knows the sessions",
		    makefile, path);
}

int
bundled_make(char *const *words)
{
	const char *program = usermake_program();
	char *path = find_makefile();
	struct strings argv = { 0 };

	if (!path)
		return EXIT_USAGE;
	tell_of_makefile(path);
	strings_add(&argv, program);
	strings_add(&argv, "-f");
	strings_add(&argv, path);
	for (; *words; words++)
		strings_add(&argv, *words);
	strings_add(&argv, NULL);
	execvp(program, (char *const *)argv.v);
	warn("%s: install GNU make (Debian: apt-get install make)", program);
	free(argv.v);
	free(path);
	return EXIT_USAGE;
}

int
bundled_print(void)
{
	char *path = find_makefile();
	int result = path ? 0 : EXIT_USAGE;

	if (path)
		puts(path);
	free(path);
	return result;
}
