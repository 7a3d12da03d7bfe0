#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/charset.h"
#include "base/hash.h"
#include "base/slug.h"
#include "base/util.h"

/* Files are named after targets (TARGET.log.2), and NAME_MAX is 255. */
enum { SLUG_MAX = 160 };

static bool
is_kept(char c)
{
	return c && strchr(LETTERS DIGITS "._-", c);
}

/* An object's repr carries its address, which differs in every process: " at 0x7f…". */
static size_t
address_length(const char *s)
{
	static const char lead[] = " at 0x";

	if (strncmp(s, lead, sizeof(lead) - 1) != 0)
		return 0;
	return sizeof(lead) - 1 + strspn(s + sizeof(lead) - 1, "0123456789abcdefABCDEF");
}

/* Without the addresses: a target outlives the process. */
uint32_t
slug_hash(const char *s)
{
	uint32_t hash = HASH_BEGIN;

	for (size_t skip; *s; s += skip) {
		skip = address_length(s);
		if (skip == 0) {
			hash = hash_add(hash, *s);
			skip = 1;
		}
	}
	return hash;
}

/*
 * Behind a `(` or `=` at `mark`, a value of which no character is kept would vanish, and
 * tests(deps=[]) would look like the group of all values, tests-deps. So `empty` stands for a
 * value without contents, and a hash for another.
 */
static void
add_hint(struct buffer *b, const char *mark)
{
	static const char *const empties[] = { "[]", "()", "{}", "''", "\"\"" };
	size_t length = strcspn(mark + 1, LETTERS DIGITS "._,");
	const char *value = mark + 1, *end = value + length;
	bool is_empty = false;
	char *text;

	if (*end && *end != ',')
		return;
	while (length > 0 && value[length - 1] == ' ')
		length--;
	if (!*end && length > 0 && value[length - 1] == ')')
		length--;
	if (length == 0)
		return;
	text = xasprintf("%.*s", (int)length, value);
	for (size_t i = 0; i < countof(empties); i++)
		is_empty = is_empty || !strcmp(text, empties[i]);
	if (is_empty)
		buffer_addstr(b, "empty-");
	else
		buffer_printf(b, "%08" PRIx32 "-", slug_hash(text));
	free(text);
}

char *
slug_make(const char *name)
{
	const char *parameters = strchr(name, '(');
	struct buffer b = { 0 };
	char *slug;

	buffer_addstr(&b, "");
	for (const char *p = name; *p; p++) {
		for (size_t skip; (skip = address_length(p)); )
			p += skip;
		if (!*p)
			break;
		if (is_kept(*p) && *p != '-')
			buffer_add(&b, p, 1);
		else if (b.len > 0 && b.data[b.len - 1] != '-')
			buffer_add(&b, "-", 1);
		if (b.len > 0 && (*p == '=' || p == parameters))
			add_hint(&b, p);
	}
	while (b.len > 0 && strchr("-.", b.data[b.len - 1]))
		b.data[--b.len] = '\0';
	slug = b.data + strspn(b.data, "-.");
	if (!*slug)
		slug = xasprintf("session-%08" PRIx32, slug_hash(name));
	else if (strlen(slug) > SLUG_MAX)
		slug = xasprintf("%.*s-%08" PRIx32, SLUG_MAX, slug, slug_hash(name));
	else
		slug = xstrdup(slug);
	buffer_free(&b);
	return slug;
}
