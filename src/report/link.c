#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "report/link.h"

/* The folder that the file of that path lies in, or is to. The caller frees. */
static char *
folder_of(const char *page)
{
	const char *slash = page ? strrchr(page, '/') : NULL;
	char *folder = !slash ? xstrdup(".") : slash == page ? xstrdup("/") :
	    xasprintf("%.*s", (int)(slash - page), page);
	char *real = realpath(folder, NULL);

	free(folder);
	return real;
}

static void
add_escaped(struct buffer *url, const char *path)
{
	for (const char *p = path; *p; p++)
		if (isalnum((unsigned char)*p) || strchr("/-._~", *p))
			buffer_add(url, p, 1);
		else
			buffer_printf(url, "%%%02X", (unsigned)(unsigned char)*p);
}

/* Both are absolute, and end with a slash. */
static char *
way(const char *from, const char *to)
{
	struct buffer url = { 0 };
	size_t same = 0;

	for (size_t i = 0; from[i] && from[i] == to[i]; i++)
		if (from[i] == '/')
			same = i + 1;
	buffer_addstr(&url, "./");
	for (const char *p = from + same; (p = strchr(p, '/')); p++)
		buffer_addstr(&url, "../");
	add_escaped(&url, to + same);
	return url.data;
}

char *
link_to(int folder, const char *page)
{
	char *path = xasprintf("/proc/self/fd/%d", folder), *real = realpath(path, NULL);
	char *from = folder_of(page), *here, *there, *url = NULL;

	if (real && from) {
		here = xasprintf("%s%s", from, strcmp(from, "/") ? "/" : "");
		there = xasprintf("%s/", real);
		url = way(here, there);
		free(here);
		free(there);
	}
	free(from);
	free(real);
	free(path);
	return url;
}
