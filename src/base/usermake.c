#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/usermake.h"
#include "base/util.h"

const char *
usermake_program(void)
{
	const char *make = getenv("MAKE");

	return make && *make ? make : "make";
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
		*includes = file_read(AT_FDCWD, names[i], &text) == 0 &&
			    strstr(text.data, "nox.mk");
		buffer_free(&text);
		return names[i];
	}
	return NULL;
}
