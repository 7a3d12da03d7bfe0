#include <stdint.h>
#include <stdlib.h>

#include "base/util.h"
#include "output/trie.h"

enum { BYTES = 256 };

struct node {
	uint32_t parent;
	uint32_t first, next; /* child; next child of the same parent; 0: there is none */
	uint32_t fail;        /* the longest other node that the text ends with */
	uint32_t shorter;     /* the longest word, other than itself, that it ends with */
	uint32_t length;
	size_t note;
	unsigned char byte;   /* the last one of its text */
	bool is_word;
};

struct trie {
	struct node *nodes;
	size_t n, cap;
	uint32_t roots[BYTES]; /* the children of node 0, where most of a text is */
	uint32_t *children;    /* all others, by hash_of; 0: a free place */
	size_t places;         /* of those, a power of two, at least twice as many as nodes */
	bool linked;           /* fail and shorter are as they should be */
};

/* The place of that child, or the free one where it would be. */
static uint32_t *
place_of(const struct trie *trie, size_t parent, unsigned char byte)
{
	size_t at = (parent * BYTES + byte) * 0x9e3779b97f4a7c15u >> 32;

	for (;; at++) {
		uint32_t *place = &trie->children[at & (trie->places - 1)];

		if (!*place || (trie->nodes[*place].parent == parent &&
				   trie->nodes[*place].byte == byte))
			return place;
	}
}

static void
grow(struct trie *trie)
{
	trie->cap = trie->cap ? 2 * trie->cap : BYTES;
	trie->nodes = xreallocarray(trie->nodes, trie->cap, sizeof(*trie->nodes));
	trie->places = 2 * trie->cap;
	free(trie->children);
	trie->children = xcalloc(trie->places, sizeof(*trie->children));
	for (uint32_t i = 1; i < trie->n; i++)
		*place_of(trie, trie->nodes[i].parent, trie->nodes[i].byte) = i;
}

struct trie *
trie_open(void)
{
	struct trie *trie = xcalloc(1, sizeof(*trie));

	grow(trie);
	trie->nodes[trie->n++] = (struct node){ 0 };
	return trie;
}

void
trie_close(struct trie *trie)
{
	if (!trie)
		return;
	free(trie->nodes);
	free(trie->children);
	free(trie);
}

static uint32_t
child_of(const struct trie *trie, size_t node, unsigned char byte)
{
	return node == 0 ? trie->roots[byte] : *place_of(trie, node, byte);
}

static uint32_t
add_child(struct trie *trie, size_t parent, unsigned char byte)
{
	uint32_t child = (uint32_t)trie->n;

	if (trie->n == trie->cap)
		grow(trie);
	trie->nodes[trie->n++] = (struct node){ .parent = (uint32_t)parent, .byte = byte,
		.next = trie->nodes[parent].first, .length = trie->nodes[parent].length + 1 };
	trie->nodes[parent].first = child;
	*place_of(trie, parent, byte) = child;
	if (parent == 0)
		trie->roots[byte] = child;
	trie->linked = false;
	return child;
}

size_t
trie_add(struct trie *trie, const char *word, size_t len)
{
	size_t node = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)word[i];
		uint32_t child = child_of(trie, node, byte);

		node = child ? child : add_child(trie, node, byte);
	}
	if (!trie->nodes[node].is_word)
		trie->linked = false;
	trie->nodes[node].is_word = true;
	return node;
}

static uint32_t
step(const struct trie *trie, size_t node, unsigned char byte)
{
	uint32_t child;

	while (!(child = child_of(trie, node, byte)) && node != 0)
		node = trie->nodes[node].fail;
	return child;
}

/* Shorter texts come first, as a node needs those that its text ends with. */
static void
link_nodes(struct trie *trie)
{
	uint32_t *queue = xcalloc(trie->n, sizeof(*queue));
	size_t head = 0, tail = 1;

	while (head < tail) {
		uint32_t parent = queue[head++], child = trie->nodes[parent].first;

		for (; child; child = trie->nodes[child].next) {
			struct node *node = &trie->nodes[child];
			uint32_t fail = parent == 0 ? 0 :
			    step(trie, trie->nodes[parent].fail, node->byte);

			node->fail = fail;
			node->shorter = trie->nodes[fail].is_word ? fail :
								    trie->nodes[fail].shorter;
			queue[tail++] = child;
		}
	}
	free(queue);
	trie->linked = true;
}

size_t
trie_next(struct trie *trie, size_t node, char byte)
{
	if (!trie->linked)
		link_nodes(trie);
	return step(trie, node, (unsigned char)byte);
}

size_t
trie_skip(const struct trie *trie, const char *text, size_t n)
{
	size_t i = 0;

	while (i < n && !trie->roots[(unsigned char)text[i]])
		i++;
	return i;
}

size_t
trie_length(const struct trie *trie, size_t node)
{
	return trie->nodes[node].length;
}

size_t
trie_shorter(struct trie *trie, size_t word)
{
	if (!trie->linked)
		link_nodes(trie);
	return trie->nodes[word].shorter;
}

size_t
trie_word(struct trie *trie, size_t node)
{
	return trie->nodes[node].is_word ? node : trie_shorter(trie, node);
}

size_t *
trie_note(struct trie *trie, size_t node)
{
	return &trie->nodes[node].note;
}
