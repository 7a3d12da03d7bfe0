#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "output/mask.h"

#define STARS "***"

/* Values shorter than this are hardly secret, and occur in many words that are none. */
enum { SHORTEST = 6 };

struct secret {
	char *text;
	size_t len;
};

struct mask {
	struct secret *secrets; /* the longest first */
	size_t n;
	bool starts[256];       /* does a secret begin with that byte? */
	struct buffer held;     /* what may be the start of a secret */
	size_t hidden;          /* so many of the next bytes belong to a secret that was seen */
};

static void
add(struct mask *mask, const char *text, size_t len)
{
	size_t at = mask->n;

	if (len < SHORTEST)
		return;
	for (size_t i = 0; i < mask->n; i++)
		if (mask->secrets[i].len == len && !memcmp(mask->secrets[i].text, text, len))
			return;
	mask->secrets = xreallocarray(mask->secrets, mask->n + 1, sizeof(*mask->secrets));
	for (; at > 0 && mask->secrets[at - 1].len < len; at--)
		mask->secrets[at] = mask->secrets[at - 1];
	mask->secrets[at] = (struct secret){ xasprintf("%.*s", (int)len, text), len };
	mask->starts[(unsigned char)*text] = true;
	mask->n++;
}

static void
add_value(struct mask *mask, const char *value)
{
	add(mask, value, strlen(value));
	for (const char *line = value; *line; line += strspn(line, "\r\n")) {
		size_t len = strcspn(line, "\r\n");

		add(mask, line, len);
		line += len;
	}
}

struct mask *
mask_open(const struct strings *patterns, char *const *environ)
{
	struct mask *mask = xcalloc(1, sizeof(*mask));

	for (; *environ; environ++) {
		size_t len = strcspn(*environ, "=");
		char *name = xasprintf("%.*s", (int)len, *environ);

		for (size_t i = 0; i < patterns->n; i++)
			if ((*environ)[len] &&
			    fnmatch(patterns->v[i], name, FNM_CASEFOLD) == 0)
				add_value(mask, *environ + len + 1);
		free(name);
	}
	if (mask->n > 0)
		return mask;
	mask_close(mask);
	return NULL;
}

void
mask_close(struct mask *mask)
{
	if (!mask)
		return;
	for (size_t i = 0; i < mask->n; i++)
		free(mask->secrets[i].text);
	free(mask->secrets);
	buffer_free(&mask->held);
	free(mask);
}

/* The length of the secret that the text begins with, or 0. *more: with more text it may be one. */
static size_t
match(const struct mask *mask, const char *text, size_t n, bool *more)
{
	*more = false;
	if (!mask->starts[(unsigned char)*text])
		return 0;
	for (size_t i = 0; i < mask->n; i++) {
		const struct secret *secret = &mask->secrets[i];

		if (secret->len <= n && !memcmp(secret->text, text, secret->len))
			return secret->len;
		if (secret->len > n && !memcmp(secret->text, text, n))
			*more = true;
	}
	return 0;
}

/*
 * Appends the text without secrets, and returns how many bytes at its end are left over, since they
 * may be the start of one; none if this text is the last. Secrets that overlap become one ***, so
 * that no part of either is seen.
 */
static size_t
copy(struct mask *mask, const char *text, size_t n, bool last, struct buffer *out)
{
	size_t from = mask->hidden, i;

	for (i = 0; i < n; i++) {
		bool more;
		size_t len = match(mask, text + i, n - i, &more);

		if (more && !last)
			break;
		if (len == 0)
			continue;
		if (i >= from) {
			buffer_add(out, text + from, i - from);
			buffer_addstr(out, STARS);
		}
		if (i + len > from)
			from = i + len;
	}
	if (i > from)
		buffer_add(out, text + from, i - from);
	mask->hidden = from > i ? from - i : 0;
	return n - i;
}

void
mask_feed(struct mask *mask, const char *data, size_t n, struct buffer *out)
{
	size_t left;

	if (mask->held.len == 0) {
		left = copy(mask, data, n, false, out);
		buffer_add(&mask->held, data + n - left, left);
		return;
	}
	buffer_add(&mask->held, data, n);
	left = copy(mask, mask->held.data, mask->held.len, false, out);
	memmove(mask->held.data, mask->held.data + mask->held.len - left, left);
	mask->held.len = left;
}

void
mask_flush(struct mask *mask, struct buffer *out)
{
	copy(mask, mask->held.data, mask->held.len, true, out);
	mask->held.len = mask->hidden = 0;
}

char *
mask_text(struct mask *mask, char *text)
{
	struct buffer out = { 0 };

	if (!mask || !text)
		return text;
	buffer_addstr(&out, "");
	mask_feed(mask, text, strlen(text), &out);
	mask_flush(mask, &out);
	free(text);
	return out.data;
}
