#ifndef NOXMK_OUTPUT_TRIE_H
#define NOXMK_OUTPUT_TRIE_H

/*
 * Finds all of many words in a text that comes byte by byte, in a few steps a byte, however many
 * and long they are (Aho and Corasick, 1975). libc and libbsd have no such search.
 *
 * A node stands for a text that some word begins with; node 0 is the empty one. While a text goes
 * by, the node is the longest such text that it ends with at that moment.
 */

#include <stddef.h>

#include "base/util.h"

struct trie;

struct trie *trie_open(void) UNUSED_RESULT;
void trie_close(struct trie *);

/* Adds a word, which is not empty: its node, which it keeps, and which the same word has again. */
size_t trie_add(struct trie *, const char *word, size_t len);

/* The text goes on with that byte. */
size_t trie_next(struct trie *, size_t node, char byte);

/* At node 0: with how many of the first bytes the text could go on and still be at node 0. */
size_t trie_skip(const struct trie *, const char *text, size_t n);

/* How long the text of a node is. */
size_t trie_length(const struct trie *, size_t node);

/* The longest word that the text of a node ends with, or is: its node, or 0. */
size_t trie_word(struct trie *, size_t node);

/* The next shorter word that a word ends with: its node, or 0. */
size_t trie_shorter(struct trie *, size_t word);

/* A number for the caller to keep with a node: 0 at first. Until the next word is added. */
size_t *trie_note(struct trie *, size_t node);

#endif
