#ifndef NOXMK_REPORT_GRAMMAR_H
#define NOXMK_REPORT_GRAMMAR_H

/*
 * What one line of a tool's output says of a place in a file: a small grammar for each format, all
 * of them in one table in grammar.c. A new tool is a row there.
 *
 * A grammar is text that has to stand in the line as it is, but for
 *
 *   ~    blanks, or none
 *   %f   a path, up to what follows in the grammar (with %l behind it, up to that and a digit)
 *   %l   the line, %c the column
 *   %s   how bad it is, a word of another table: error, WARNING …
 *   %r   a rule that is a code, as F401; %i: one in any letters, as invalid-syntax
 *   %w   any text or none, up to what follows in the grammar
 *   %m   the message: all the rest, which is not empty and does not begin with a blank
 *
 * Nothing is tried twice, so that a line takes time in proportion to its length and the table's.
 */

#include <stdbool.h>
#include <stddef.h>

enum level { LEVEL_ERROR, LEVEL_WARNING, LEVEL_NONE /* for people only: a note */ };

/* A part of a line. */
struct part {
	const char *s;
	size_t n;
};

/* What has no place in the grammar is zero. */
struct match {
	struct part file, rule, word, message;
	unsigned line, column;
	enum level level;
};

/* Does the whole line, which has no line end, fit the grammar? */
bool grammar_match(const char *grammar, const char *line, struct match *);

/*
 * The first format that the line fits. What ends a message and names the rule, as " [misc]", goes
 * to the rule. False: it is no line of a tool's. may_go_on: the rule, which the tool writes behind
 * each message, is not there: the message goes on in the next line.
 */
bool grammar_format(const char *line, struct match *, bool *may_go_on);

/* What the head of two lines says, of which the second is " --> FILE:LINE:COLUMN". */
bool grammar_head(const char *line, struct match *);

/* Takes " [RULE]" or "(RULE)" from the end of a text: the rule, or an empty part. */
struct part grammar_rule_of(struct part *text);

/* Does the part begin with that text; and is it that? Does the line begin with it? */
bool part_begins(const struct part *, const char *text);
bool part_is(const struct part *, const char *text);
bool line_begins(const char *line, const char *text);

#endif
