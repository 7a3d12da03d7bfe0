#ifndef NOXMK_FRONT_LETTERS_H
#define NOXMK_FRONT_LETTERS_H

/* The options of a subcommand, read into the places that a table names. */

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>

#include "front/usage.h"

/*
 * Where an option's argument goes, or, for one without an argument, what it sets. A letter may
 * stand for two, one with an argument and one without.
 */
struct option_entry {
	char letter;
	const char **text;
	unsigned *number; /* from 1 to most */
	long long most;
	bool *flag;       /* it has no argument */
	const char *word; /* nor has this one: it is what text becomes */
};

struct letters {
	const struct option_entry *entries;
	size_t n;
	const struct option *names; /* for getopt_long(3): the letters by longer names */
};

/* More operands than anybody gives. */
enum { MANY = 1000000 };

/* What may stand behind a subcommand. */
struct operands {
	/*
	 * For getopt(3). They may stand anywhere in front of a --, or, where that begins with a
	 * plus, in front of all operands. NULL: no word is an option.
	 */
	const char *options;
	int least, most; /* operands */
};

/*
 * Reads the options of the subcommand whose name is argv[0], and returns its operands, NULL-ended;
 * it moves words in argv to do so. A number with a dash, as -2 for a run, is an operand. Ends us
 * after a message, with EXIT_USAGE, where an option is wrong, where another word for the same was
 * given before, and where there are too few operands or too many; and after what --help asks for.
 */
char **letters_read(const struct letters *, const struct usage *, const struct operands *,
    int argc, char *argv[]);

#endif
