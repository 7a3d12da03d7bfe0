#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/process.h"
#include "base/usermake.h"
#include "base/util.h"

const char *
usermake_program(void)
{
	const char *make = getenv("MAKE");

	return make && *make ? make : "make";
}

/* Is there a line that says so, and is no comment? Cuts the text into lines. */
static bool
has_include(char *text)
{
	char *line;

	while ((line = strsep(&text, "\n")))
		if (line[strspn(line, " \t")] != '#' && strstr(line, "include") &&
		    (strstr(line, "nox.mk") || strstr(line, "noxmk include")))
			return true;
	return false;
}

const char *
usermake_makefile(bool *includes)
{
	/* In make's own order. */
	static const char *const names[] = { "GNUmakefile", "makefile", "Makefile" };

	*includes = false;
	for (size_t i = 0; i < countof(names); i++) {
		struct buffer text = { 0 };

		if (access(names[i], F_OK) < 0)
			continue;
		*includes = file_is_regular(names[i]) &&
			    file_read(AT_FDCWD, names[i], &text) == 0 && has_include(text.data);
		buffer_free(&text);
		return names[i];
	}
	return NULL;
}

bool
usermake_add_command(struct strings *argv, const char *share)
{
	char *helper = process_own_program();
	bool includes;

	strings_add(argv, xstrdup(usermake_program()));
	strings_add(argv, xstrdup("-I"));
	strings_add(argv, xasprintf("%s/../../include", share));
	if (!usermake_makefile(&includes) || !includes) {
		strings_add(argv, xstrdup("-f"));
		strings_add(argv, xasprintf("%s/../../include/nox.mk", share));
		strings_add(argv, xasprintf("NOXMK=%s", helper));
		includes = false;
	}
	free(helper);
	return includes;
}
