#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "output/mask.h"

#define STARS "***"

/* Values shorter than this are hardly secret, and occur in many words that are none. */
enum { SHORTEST = 6 };

struct secret {
	char *text;
	size_t len, name;
};

/* What declares secrets: a variable, or a word of the caller's. */
struct name {
	char *text;
	bool hit; /* one of its secrets was replaced */
};

struct mask {
	struct secret *secrets; /* the longest first */
	size_t n;
	struct name *names;
	size_t nnames;
	bool starts[256];       /* does a secret begin with that byte? */
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

static bool
same(const struct secret *secret, const char *text, size_t len)
{
	return secret->len == len && !memcmp(secret->text, text, len);
}

/* One secret may have several names; it is then there for each of them. */
static void
add(struct mask *mask, size_t name, const char *text, size_t len)
{
	size_t at = mask->n;

	for (size_t i = 0; i < mask->n; i++)
		if (mask->secrets[i].name == name && same(&mask->secrets[i], text, len))
			return;
	mask->secrets = xreallocarray(mask->secrets, mask->n + 1, sizeof(*mask->secrets));
	for (; at > 0 && mask->secrets[at - 1].len < len; at--)
		mask->secrets[at] = mask->secrets[at - 1];
	mask->secrets[at] = (struct secret){ xasprintf("%.*s", (int)len, text), len,
		name };
	mask->starts[(unsigned char)*text] = true;
	mask->n++;
}

static void
add_lines(struct mask *mask, size_t name, const char *value)
{
	for (const char *line = value; *line; line += strspn(line, "\r\n")) {
		size_t len = strcspn(line, "\r\n");

		if (len >= SHORTEST)
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

static bool
matches(const struct strings *patterns, const char *name)
{
	for (size_t i = 0; i < patterns->n; i++)
		if (fnmatch(patterns->v[i], name, FNM_CASEFOLD) == 0)
			return true;
	return false;
}

struct mask *
mask_open(const struct strings *patterns, const struct strings *exceptions, char *const *environ)
{
	struct mask *mask = xcalloc(1, sizeof(*mask));

	for (; *environ; environ++) {
		size_t len = strcspn(*environ, "=");
		char *name = xasprintf("%.*s", (int)len, *environ);
		const char *value = *environ + len + ((*environ)[len] == '=');

		if (strlen(value) >= SHORTEST && matches(patterns, name) &&
		    !matches(exceptions, name))
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
	for (size_t i = 0; i < mask->n; i++)
		free(mask->secrets[i].text);
	for (size_t i = 0; i < mask->nnames; i++)
		free(mask->names[i].text);
	free(mask->secrets);
	free(mask->names);
	free(mask);
}

bool
mask_is_empty(const struct mask *mask)
{
	return mask->n == 0;
}

/* The secret that the text begins with, or NULL. *more: with more text it may be one. */
static const struct secret *
match(const struct mask *mask, const char *text, size_t n, bool *more)
{
	*more = false;
	if (!mask->starts[(unsigned char)*text])
		return NULL;
	for (size_t i = 0; i < mask->n; i++) {
		const struct secret *secret = &mask->secrets[i];

		if (secret->len <= n && !memcmp(secret->text, text, secret->len))
			return secret;
		if (secret->len > n && !memcmp(secret->text, text, n))
			*more = true;
	}
	return NULL;
}

static void
mark(struct mask *mask, const struct secret *secret)
{
	for (size_t i = 0; i < mask->n; i++)
		if (same(&mask->secrets[i], secret->text, secret->len))
			mask->names[mask->secrets[i].name].hit = true;
}

/*
 * Appends the text without secrets, and returns how many bytes at its end are left over, since they
 * may be the start of one; none if this text is the last. Secrets that overlap become one ***, so
 * that no part of either is seen.
 */
static size_t
copy(struct mask *mask, struct mask_stream *stream, const char *text, size_t n, bool last,
    struct buffer *out)
{
	size_t from = stream->hidden, i;

	for (i = 0; i < n; i++) {
		bool more;
		const struct secret *secret = match(mask, text + i, n - i, &more);

		if (more && !last)
			break;
		if (!secret)
			continue;
		mark(mask, secret);
		if (i >= from) {
			buffer_add(out, text + from, i - from);
			buffer_addstr(out, STARS);
		}
		if (i + secret->len > from)
			from = i + secret->len;
	}
	if (i > from)
		buffer_add(out, text + from, i - from);
	stream->hidden = from > i ? from - i : 0;
	return n - i;
}

void
mask_feed(struct mask *mask, struct mask_stream *stream, const char *data, size_t n,
    struct buffer *out)
{
	struct buffer *held = &stream->held;
	size_t left;

	if (held->len == 0) {
		left = mask_is_empty(mask) ? 0 : copy(mask, stream, data, n, false, out);
		if (mask_is_empty(mask))
			buffer_add(out, data, n);
		buffer_add(held, data + n - left, left);
		return;
	}
	buffer_add(held, data, n);
	left = copy(mask, stream, held->data, held->len, false, out);
	memmove(held->data, held->data + held->len - left, left);
	held->len = left;
}

void
mask_flush(struct mask *mask, struct mask_stream *stream, struct buffer *out)
{
	copy(mask, stream, stream->held.data, stream->held.len, true, out);
	buffer_free(&stream->held);
	stream->hidden = 0;
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
	mask_flush(mask, &stream, &out);
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
}
