#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpus.h"
#include "base/makeflags.h"
#include "base/util.h"

struct makeflags
makeflags_read(const char *makeflags, unsigned jobs)
{
	char *copy = xstrdup(makeflags ? makeflags : ""), *rest = copy, *word;
	struct makeflags budget = { .slots = 1 };

	/* Variables follow a lone "--"; the first word may be short flags without a dash. */
	while ((word = strsep(&rest, " ")) && strcmp(word, "--") != 0) {
		if (!strncmp(word, "-j", 2)) {
			budget.slots = (unsigned)strtoul(word + 2, NULL, 10);
			budget.unlimited = word[2] == '\0';
		} else if (!strncmp(word, "--jobserver", 11)) {
			budget.unlimited = false;
		} else if (!strncmp(word, "-l", 2)) {
			budget.load = strtod(word + 2, NULL);
		}
	}
	free(copy);
	if (budget.slots == 0)
		budget.slots = jobs > 0 && budget.unlimited ? jobs : cpus_available();
	return budget;
}

/* As make itself does it, but for its guess of what it has started within the last second. */
bool
makeflags_is_loaded(const struct makeflags *budget)
{
	double load;

	return budget->load > 0 && getloadavg(&load, 1) == 1 && load >= budget->load;
}
