#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "nox/names.h"
#include "output/mask.h"
#include "plan/config.h"
#include "plan/secret.h"

/* What of it is secret; the caller frees, unless it is NULL. */
static char *
found_in(struct mask *mask, const char *text)
{
	mask_forget_names(mask);
	free(mask_text(mask, xstrdup(text)));
	return mask_names(mask);
}

/* Adds the variables whose values the file has to those that are none. The caller frees. */
static char *
except_file(struct secrets *secrets, struct mask *mask, const char *path)
{
	struct buffer text = { 0 };
	char *names = NULL, *rest, *name;

	if (file_read(AT_FDCWD, path, &text) == 0)
		names = found_in(mask, text.data);
	buffer_free(&text);
	rest = names;
	while ((name = strsep(&rest, ", ")))
		if (*name)
			strings_add(&secrets->unmask, name);
	return names;
}

static bool
is_public(struct mask *mask, const char *noxfile, const char *kind, const char *name)
{
	char *variables = found_in(mask, name), *masked;

	if (!variables)
		return true;
	masked = mask_text(mask, xstrdup(name));
	warnx("%s: the name of the %s %s has the value of %s in it, and would stand in files: "
	      "name it otherwise, as by nox.param(…, id=\"…\"); or say " CONFIG_FILE
	      ": tool.noxmk.unmask = [\"%s\"]", noxfile, kind, masked, variables, variables);
	free(variables);
	free(masked);
	return false;
}

bool
names_are_public(const struct plan *plan, const char *noxfile)
{
	struct secrets secrets = { .mask = plan->mask };
	struct mask *mask;
	char *texts[2];
	bool all = true;

	for (size_t i = 0; i < plan->unmask.n; i++)
		strings_add(&secrets.unmask, plan->unmask.v[i]);
	mask = mask_open(&secrets, environ);
	texts[0] = except_file(&secrets, mask, noxfile);
	texts[1] = except_file(&secrets, mask, CONFIG_FILE);
	mask_close(mask);
	mask = mask_open(&secrets, environ);
	for (size_t i = 0; i < plan->n; i++)
		all = is_public(mask, noxfile, "session", plan->sessions[i].facts->session) && all;
	for (size_t i = 0; i < plan->ngroups; i++)
		all = is_public(mask, noxfile, "group", plan->groups[i].what) && all;
	mask_close(mask);
	free(secrets.unmask.v);
	free(texts[0]);
	free(texts[1]);
	return all;
}
