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

/* The subcommands by number, from 0 on; NULL behind the last one. */
typedef const struct usage *usage_list(size_t);

/* All of them on standard output, those for people first. */
void usage_print(usage_list *);

/* One, with its options and operands. */
void usage_print_one(FILE *, const struct usage *);

/* A word that is no long option, as getopt_long(3) has told: which of those may be meant. */
void usage_suggest(const char *word, const struct option *);

/*
 * Exits after a message: that is no subcommand, but one may be spelled nearly so. NULL: nothing was
 * said.
 */
noreturn void usage_unknown(usage_list *, const char *word);

#endif
