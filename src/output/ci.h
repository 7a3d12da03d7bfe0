#ifndef NOXMK_OUTPUT_CI_H
#define NOXMK_OUTPUT_CI_H

/*
 * Which CI we run in, and what the readers of a job's output take for commands. A new forge is one
 * row of the first table in ci.c, and one of the second if its commands look different. The rules
 * are those of the sources: GitHub's ActionCommand.cs, which passes over what .NET calls blank, and
 * compares as a language does, so that characters that are not seen do not count; command.go of
 * act, on which Forgejo's and Gitea's runners rest; GitLab's regex.rb.
 *
 * A command is defused by a few characters, its guard, which are put between those that it begins
 * with. Those of all forges are defused in every CI, as runners imitate each other, and CI=true
 * alone names none.
 *
 * Of GitHub's commands, ::NAME KEY=VALUE,…::TEXT, which Forgejo and Gitea have too, some protect
 * or inform and change nothing: add-mask and the annotations error, warning and notice.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/util.h"

/* Who reads our output, and what of it may be a command. */
enum ci {
	CI_NONE,        /* people: nothing is a command */
	CI_DEFUSED,     /* a CI: nothing may be one */
	CI_ANNOTATIONS, /* a CI: annotations may */
};

/*
 * Says the environment, and the key ci-commands: "annotations", "none", or NULL where the user has
 * not said it. Then they pass where the forge knows them.
 */
enum ci ci_reads(const char *wanted);

/*
 * Does the CI show annotations to people beside the code? GitHub does; Forgejo and Gitea know the
 * commands, and do not. wanted: as above.
 */
bool ci_annotates(const char *wanted);

/*
 * Whose page it is that shows what we print, by the same variables; the runners of Forgejo and
 * Gitea set GitHub's, too. FORGE_OTHER: a CI that we know no more of.
 */
enum ci_forge {
	FORGE_NONE,
	FORGE_OTHER,
	FORGE_GITHUB,
	FORGE_FORGEJO,
	FORGE_GITEA,
	FORGE_GITLAB,
};
enum ci_forge ci_forge(void);

/* Does the CI know GitHub's commands? Others would show the value of ::add-mask::VALUE to all. */
bool ci_masks(void);

/* The longest text that a command begins with. */
enum { CI_BEHIND_MAX = 2 };

/* How far a line of output has come: its last characters. All zero at the start of a line. */
struct ci_line {
	char last[CI_BEHIND_MAX];
	int n; /* of those; blanks at the start of the line do not count */
};

/*
 * The line goes on with that byte, which is a character or the first byte of one: what has to go in
 * front of it so that no command begins here, or "".
 */
const char *ci_guard(struct ci_line *, char byte);

/* The same within a line, where none can begin that needs the line's start. */
#define CI_WITHIN { .last = "-", .n = 1 }

/* Is this what is asked for, or may it become that with more text behind it? */
enum ci_match { CI_OTHER, CI_MAYBE, CI_FOUND };

/* Is that one character a blank, as runners see it, which they pass over at a line's start? */
enum ci_match ci_blank(const char *character, size_t n);

/* Is a line that begins so, without its blanks, a command with one of some names? */
enum ci_match ci_annotation(const char *start, size_t n);
enum ci_match ci_add_mask(const char *start, size_t n);

/*
 * Where the text of such a command begins in its line, which has no end (and no blanks in front),
 * or NULL if it has none, and so is no command.
 */
const char *ci_text(const char *line, size_t n);

/* Appends such a text as runners understand it: %0A is a line end, %0D a return, %25 a %. */
void ci_decode(const char *text, size_t n, struct buffer *out);

#endif
