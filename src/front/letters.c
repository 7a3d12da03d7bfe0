#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/stdlib.h>

#include "front/letters.h"

static noreturn void
refuse(const struct usage *usage)
{
	usage_print_one(stderr, usage);
	exit(EXIT_USAGE);
}

static bool
has_argument(const struct option_entry *entry)
{
	return !entry->flag && !entry->word;
}

static void
set(const struct letters *letters, int letter, const struct usage *usage, const char *taken)
{
	const struct option_entry *entry = letters->entries;
	const char *known = strchr(taken, letter), *bad = NULL;

	if (letter == 'h') {
		usage_print_one(stdout, usage);
		exit(0);
	}
	/* A long option is known to all subcommands. */
	if (!known || (known[1] == ':') != (optarg != NULL))
		refuse(usage);
	while (entry->letter != letter || has_argument(entry) != (optarg != NULL))
		if (++entry == letters->entries + letters->n)
			refuse(usage);
	if (entry->word && *entry->text && strcmp(*entry->text, entry->word) != 0)
		errx(EXIT_USAGE, "%s: --%s or --%s? One of them at a time", usage->name,
		    *entry->text, entry->word);
	if (entry->text)
		*entry->text = entry->word ? entry->word : optarg;
	if (entry->flag)
		*entry->flag = true;
	if (entry->number)
		*entry->number = (unsigned)strtonum(optarg, 1, entry->most, &bad);
	if (bad)
		errx(EXIT_USAGE, "-%c %s: the number is %s", letter, optarg, bad);
}

/* Is that an operand, though it begins with a dash? */
static bool
is_number(const char *word)
{
	return word && word[0] == '-' && word[1] &&
	       word[1 + strspn(word + 1, "0123456789")] == '\0';
}

/* Reads one option, or one operand into *word. Is that all of both? */
static bool
read_one(const struct letters *letters, const struct usage *usage, const char *spec, int argc,
    char *argv[], char **word)
{
	int option;

	*word = NULL;
	if (is_number(argv[optind])) {
		*word = argv[optind];
		optind += *spec == '-';
		return *spec == '+';
	}
	option = getopt_long(argc, argv, spec, letters->names, NULL);
	if (option == '?')
		usage_suggest(argv[optind - 1], letters->names);
	if (option == 1)
		*word = optarg;
	else if (option != -1)
		set(letters, option, usage, spec + 1);
	return option == -1;
}

char **
letters_read(const struct letters *letters, const struct usage *usage,
    const struct operands *operands, int argc, char *argv[])
{
	const char *taken = operands->options;
	bool anywhere = taken && *taken != '+';
	char spec[24], *word, **words;
	int n = 0;

	argv[0] = program_invocation_short_name; /* for getopt's messages */
	/* By the dash getopt returns an operand as the option 1; by the plus it stops there. */
	snprintf(spec, sizeof(spec), "%s%sh", anywhere ? "-" : "", taken ? taken : "+");
	/* 0 is glibc's way to start afresh. It learns the spec, and is to read nothing yet. */
	optind = 0;
	(void)getopt_long(1, argv, spec, letters->names, NULL);
	while (taken && !read_one(letters, usage, spec, argc, argv, &word))
		if (word)
			argv[++n] = word; /* the place of a word that has been read */
	words = argv + optind;
	if (anywhere) {
		words = argv + 1;
		memmove(words + n, argv + optind, (size_t)(argc - optind + 1) * sizeof(*argv));
	}
	n += argc - optind;
	if (n < operands->least)
		refuse(usage);
	if (n > operands->most)
		errx(EXIT_USAGE, "%s: %s is one word too many: `noxmk help %s` has the usage",
		    usage->name, words[operands->most], usage->name);
	return words;
}
