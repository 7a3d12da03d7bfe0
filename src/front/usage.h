#ifndef NOXMK_FRONT_USAGE_H
#define NOXMK_FRONT_USAGE_H

/* What the program says of its own subcommands, and of words that are none. */

#include <getopt.h>
#include <stdio.h>

#include "base/util.h"

/* What may stand in front of each subcommand. */
#define USAGE_GLOBAL "[-C FOLDER] [-S STATE]"

enum audience { PEOPLE, MAKEFILES };

struct usage {
	const char *name;
	enum audience audience;
	const char *operands;
	const char *help; /* one line */
};

/* An option of a subcommand that reads them itself. The last one of a table has no name. */
struct usage_option {
	const char *name;
	int letter;           /* that getopt_long(3) returns */
	const char *argument; /* what it is called, as "file"; NULL: there is none */
	const char *help;     /* a few words */
};

/* The subcommands by number, from 0 on; NULL behind the last one. */
typedef const struct usage *usage_list(size_t);

/* All of them on standard output, those for people first. */
void usage_print(usage_list *);

/* One, with its options and operands. */
void usage_print_one(FILE *, const struct usage *);

/* The options of that table, behind usage_print_one on standard output. */
void usage_print_options(const struct usage_option *);

/* The same for getopt_long(3), with --help, which is h. The caller frees. */
struct option *usage_letters(const struct usage_option *) UNUSED_RESULT;

/* A word that is no long option, as getopt_long(3) has told: which of those may be meant. */
void usage_suggest(const char *word, const struct option *);

/*
 * Exits after a message: that is no subcommand, but one may be spelled nearly so. NULL: nothing was
 * said.
 */
noreturn void usage_unknown(usage_list *, const char *word);

#endif
