#ifndef NOXMK_OUTPUT_CI_H
#define NOXMK_OUTPUT_CI_H

/*
 * Which CI we run in, and what the readers of a job's output take for commands. A new forge is one
 * row of the first table in ci.c, and one of the second if its commands look different.
 *
 * A command is defused by a few characters, its guard, which are put between those that it begins
 * with. Those of all forges are defused in every CI, as runners imitate each other, and CI=true
 * alone names none.
 */

#include <stdbool.h>

/* The longest text that a command begins with. */
enum { CI_BEHIND_MAX = 2 };

/* How far a line of output has come: its last characters. All zero at the start of a line. */
struct ci_line {
	char last[CI_BEHIND_MAX];
	int n; /* of those; blanks at the start of the line do not count */
};

/* Does a CI read our output? Says the environment. */
bool ci_reads(void);

/*
 * The line goes on with that byte, which is a character or the first byte of one: what has to go in
 * front of it so that no command begins here, or "".
 */
const char *ci_guard(struct ci_line *, char byte);

#endif
