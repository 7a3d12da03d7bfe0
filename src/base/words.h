#ifndef NOXMK_BASE_WORDS_H
#define NOXMK_BASE_WORDS_H

/*
 * Text as words, by the shell's rules for quotes and by no other of its rules: blanks and line ends
 * separate words, '…' is as it stands, "…" too but for a backslash before one of $ ` " \ and a
 * line's end, a backslash elsewhere takes the next byte as it stands. Nothing is expanded, and no
 * byte ends a command or begins a comment.
 */

#include "base/util.h"

/*
 * Splits the text in place and adds the words, which lie in it, to the list. NULL, or what is wrong
 * with the text, as the end of a sentence: "has a ' without its second"; then the list has some.
 */
const char *words_split(char *text, struct strings *words) UNUSED_RESULT;

#endif
