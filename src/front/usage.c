#include <ctype.h>
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "front/usage.h"

/* In front of each subcommand. */
#define GLOBAL "noxmk " USAGE_GLOBAL

static void
print_for(usage_list *list, enum audience audience)
{
	const struct usage *usage;

	for (size_t i = 0; (usage = list(i)); i++)
		if (usage->audience == audience)
			printf("  %s%s%s\n        %s\n", usage->name, *usage->operands ? " " : "",
			    usage->operands, usage->help);
}

void
usage_print(usage_list *list)
{
	printf("noxmk " NOXMK_VERSION ": nox sessions as make targets. "
	       "See noxmk(1), nox.mk(5).\n\nusage: " GLOBAL " COMMAND …\n\n");
	print_for(list, PEOPLE);
	puts("\nFor makefiles and shells:");
	print_for(list, MAKEFILES);
}

void
usage_print_one(FILE *to, const struct usage *usage)
{
	fprintf(to, "usage: " GLOBAL " %s%s%s\n", usage->name, *usage->operands ? " " : "",
	    usage->operands);
	if (to == stdout)
		printf("        %s\n", usage->help);
}

void
usage_print_options(const struct usage_option *option)
{
	for (; option->name; option++) {
		char *words = xasprintf("--%s %s", option->name,
		    option->argument ? option->argument : "");

		/* Usages have arguments in capitals. */
		for (char *c = words + strlen("--") + strlen(option->name); *c; c++)
			*c = (char)toupper((unsigned char)*c);
		printf("  %-22s%s\n", words, option->help);
		free(words);
	}
}

struct option *
usage_letters(const struct usage_option *options)
{
	struct option *letters;
	size_t n = 0;

	while (options[n].name)
		n++;
	letters = xcalloc(n + 2, sizeof(*letters));
	letters[n] = (struct option){ "help", no_argument, NULL, 'h' };
	while (n-- > 0)
		letters[n] = (struct option){ options[n].name,
			options[n].argument ? required_argument : no_argument, NULL,
			options[n].letter };
	return letters;
}

void
usage_suggest(const char *word, const struct option *options)
{
	char *name = xasprintf("%.*s", (int)strcspn(word, "="), word);
	struct strings names = { 0 };
	const char *meant;

	for (; options->name; options++)
		strings_add(&names, options->name);
	meant = strncmp(name, "--", 2) ? NULL : nearest(name + 2, &names);
	/* Of one that is there, something else was wrong: its argument. */
	if (meant && strcmp(name + 2, meant) != 0)
		warnx("did you mean --%s?", meant);
	free(names.v);
	free(name);
}

noreturn void
usage_unknown(usage_list *list, const char *word)
{
	const struct usage *usage;
	struct strings names = { 0 };
	const char *meant;

	if (!word)
		errx(EXIT_USAGE, "which command? `noxmk help` lists them");
	for (size_t i = 0; (usage = list(i)); i++)
		strings_add(&names, usage->name);
	meant = nearest(word, &names);
	if (meant)
		errx(EXIT_USAGE, "there is no command %s: did you mean %s?", word, meant);
	errx(EXIT_USAGE, "there is no command %s: `noxmk help` lists them", word);
}
