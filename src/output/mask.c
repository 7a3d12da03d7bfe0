#include <stdlib.h>
#include <string.h>

#include "output/mask.h"
#include "output/trie.h"

#define STARS "***"

/* A text by one of the names that declare it to be secret. */
struct secret {
	size_t name; /* position */
	size_t next; /* position + 1 of the same text by another name; 0: there is none */
	bool seen;   /* only for the first of these: it and all that it ends with have been noted */
};

/* What declares secrets: a variable, or a word of the caller's. */
struct name {
	char *text;
	bool hit; /* one of its secrets was replaced */
};

struct mask {
	struct trie *trie; /* of the texts; its note: position + 1 of a secret */
	struct secret *secrets;
	size_t n;
	struct name *names;
	size_t nnames;
};

/* Bytes of the text that is held, which are to become one ***. */
struct mask_range {
	size_t from, to;
};

/* The position of that name, which is the last one if it is new. */
static size_t
name_at(struct mask *mask, const char *text)
{
	for (size_t i = 0; i < mask->nnames; i++)
		if (!strcmp(mask->names[i].text, text))
			return i;
	mask->names = xreallocarray(mask->names, mask->nnames + 1, sizeof(*mask->names));
	mask->names[mask->nnames] = (struct name){ .text = xstrdup(text) };
	return mask->nnames++;
}

/* One secret may have several names; it is then there for each of them. */
static void
add(struct mask *mask, size_t name, const char *text, size_t len)
{
	size_t *first = trie_note(mask->trie, trie_add(mask->trie, text, len));

	for (size_t at = *first; at > 0; at = mask->secrets[at - 1].next)
		if (mask->secrets[at - 1].name == name)
			return;
	mask->secrets = xreallocarray(mask->secrets, mask->n + 1, sizeof(*mask->secrets));
	mask->secrets[mask->n++] = (struct secret){ .name = name, .next = *first };
	*first = mask->n;
	for (size_t i = 0; i < mask->n; i++)
		mask->secrets[i].seen = false;
}

static void
add_lines(struct mask *mask, size_t name, const char *value)
{
	for (const char *line = value; *line; line += strspn(line, "\r\n")) {
		size_t len = strcspn(line, "\r\n");

		if (len >= SECRET_LEAST)
			add(mask, name, line, len);
		line += len;
	}
}

void
mask_add(struct mask *mask, const char *name, const char *value)
{
	size_t at = name_at(mask, name);

	/* Blanks and line ends alone would be found everywhere. */
	if (value[strspn(value, " \t\r\n")])
		add(mask, at, value, strlen(value));
	add_lines(mask, at, value);
}

struct mask *
mask_open(const struct secrets *secrets, char *const *environ)
{
	struct mask *mask = xcalloc(1, sizeof(*mask));

	mask->trie = trie_open();
	for (; *environ; environ++) {
		size_t len = strcspn(*environ, "=");
		char *name = xasprintf("%.*s", (int)len, *environ);
		const char *value = *environ + len + ((*environ)[len] == '=');

		if (strlen(value) >= SECRET_LEAST && secrets_cover(secrets, name))
			mask_add(mask, name, value);
		free(name);
	}
	return mask;
}

void
mask_close(struct mask *mask)
{
	if (!mask)
		return;
	for (size_t i = 0; i < mask->nnames; i++)
		free(mask->names[i].text);
	trie_close(mask->trie);
	free(mask->secrets);
	free(mask->names);
	free(mask);
}

bool
mask_is_empty(const struct mask *mask)
{
	return mask->n == 0;
}

/* A secret was found, and with it all those that it ends with. */
static void
note(struct mask *mask, size_t word)
{
	for (; word != 0; word = trie_shorter(mask->trie, word)) {
		size_t first = *trie_note(mask->trie, word);

		if (mask->secrets[first - 1].seen)
			return;
		mask->secrets[first - 1].seen = true;
		for (size_t at = first; at > 0; at = mask->secrets[at - 1].next)
			mask->names[mask->secrets[at - 1].name].hit = true;
	}
}

/* Secrets that overlap become one ***, so that no part of either is seen. */
static void
hide(struct mask_stream *stream, size_t from, size_t to)
{
	while (stream->n > 0 && stream->ranges[stream->n - 1].to > from) {
		stream->n--;
		if (stream->ranges[stream->n].from < from)
			from = stream->ranges[stream->n].from;
	}
	if (stream->n == stream->cap) {
		stream->cap = stream->cap ? 2 * stream->cap : 8;
		stream->ranges = xreallocarray(stream->ranges, stream->cap,
		    sizeof(*stream->ranges));
	}
	stream->ranges[stream->n++] = (struct mask_range){ from, to };
}

/* That part of the text, from its start on, goes out. What is hidden beyond it stays so. */
static void
put(struct mask_stream *stream, const char *text, size_t n, struct buffer *out)
{
	size_t done = 0, i, left = 0;

	for (i = 0; i < stream->n && stream->ranges[i].from < n; i++) {
		struct mask_range *range = &stream->ranges[i];

		buffer_add(out, text + done, range->from - done);
		if (!stream->begun)
			buffer_addstr(out, STARS);
		stream->begun = range->to > n;
		if (stream->begun)
			break;
		done = range->to;
	}
	if (!stream->begun)
		buffer_add(out, text + done, n - done);
	for (; i < stream->n; i++, left++) {
		size_t from = stream->ranges[i].from, to = stream->ranges[i].to;

		stream->ranges[left] = (struct mask_range){ from > n ? from - n : 0, to - n };
	}
	stream->n = left;
}

/*
 * Of the text, so many bytes have been looked at. All goes out but what may yet be a part of a
 * secret, which is what the trie's node stands for. Returns how many bytes do.
 */
static size_t
copy(struct mask *mask, struct mask_stream *stream, const char *text, size_t seen, size_t n,
    struct buffer *out)
{
	for (size_t i = seen; i < n; i++) {
		size_t word;

		/* Nearly all of a text is part of no secret. */
		if (stream->node == 0)
			i += trie_skip(mask->trie, text + i, n - i);
		if (i == n)
			break;
		stream->node = trie_next(mask->trie, stream->node, text[i]);
		if (stream->node == 0 || !(word = trie_word(mask->trie, stream->node)))
			continue;
		note(mask, word);
		hide(stream, i + 1 - trie_length(mask->trie, word), i + 1);
	}
	n -= trie_length(mask->trie, stream->node);
	put(stream, text, n, out);
	return n;
}

void
mask_feed(struct mask *mask, struct mask_stream *stream, const char *data, size_t n,
    struct buffer *out)
{
	struct buffer *held = &stream->held;
	size_t seen = held->len, gone;

	if (seen == 0) {
		gone = copy(mask, stream, data, 0, n, out);
		buffer_add(held, data + gone, n - gone);
		return;
	}
	buffer_add(held, data, n);
	gone = copy(mask, stream, held->data, seen, held->len, out);
	if (gone > 0)
		memmove(held->data, held->data + gone, held->len - gone);
	held->len -= gone;
}

void
mask_flush(struct mask_stream *stream, struct buffer *out)
{
	put(stream, stream->held.data, stream->held.len, out);
	mask_drop(stream);
}

void
mask_drop(struct mask_stream *stream)
{
	buffer_free(&stream->held);
	free(stream->ranges);
	*stream = (struct mask_stream){ 0 };
}

char *
mask_text(struct mask *mask, char *text)
{
	struct mask_stream stream = { 0 };
	struct buffer out = { 0 };

	if (!text)
		return text;
	buffer_addstr(&out, "");
	mask_feed(mask, &stream, text, strlen(text), &out);
	mask_flush(&stream, &out);
	free(text);
	return out.data;
}

static int
compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char *
mask_names(const struct mask *mask)
{
	struct strings hit = { 0 };
	char *names = NULL;

	for (size_t i = 0; i < mask->nnames; i++)
		if (mask->names[i].hit)
			strings_add(&hit, mask->names[i].text);
	if (hit.n > 0) {
		qsort(hit.v, hit.n, sizeof(*hit.v), compare);
		names = strings_join(&hit, ", ");
	}
	free(hit.v);
	return names;
}

void
mask_forget_names(struct mask *mask)
{
	for (size_t i = 0; i < mask->nnames; i++)
		mask->names[i].hit = false;
	for (size_t i = 0; i < mask->n; i++)
		mask->secrets[i].seen = false;
}

bool
mask_json(struct mask *mask, json_t *json)
{
	bool changed = false;
	json_t *value;
	const char *key;
	size_t i;

	if (json_is_string(json)) {
		const char *now = json_string_value(json);
		char *text = mask_text(mask, xstrdup(now ? now : ""));

		changed = text && now && strcmp(text, now) != 0;
		if (changed)
			json_string_set(json, text);
		free(text);
	}
	json_array_foreach(json, i, value)
		changed = mask_json(mask, value) || changed;
	json_object_foreach(json, key, value)
		changed = mask_json(mask, value) || changed;
	return changed;
}
