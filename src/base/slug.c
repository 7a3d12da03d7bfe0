#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "base/charset.h"
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

/* FNV-1a, 32 bits (Fowler, Noll, Vo), without the addresses: a target outlives the process. */
static uint32_t
hash(const char *s)
{
	uint32_t h = 2166136261u;

	for (size_t skip; *s; s += skip) {
		skip = address_length(s);
		if (skip == 0) {
			h = (h ^ (unsigned char)*s) * 16777619u;
			skip = 1;
		}
	}
	return h;
}

char *
slug_make(const char *name)
{
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
	}
	while (b.len > 0 && strchr("-.", b.data[b.len - 1]))
		b.data[--b.len] = '\0';
	slug = b.data + strspn(b.data, "-.");
	if (!*slug)
		slug = xasprintf("session-%08" PRIx32, hash(name));
	else if (strlen(slug) > SLUG_MAX)
		slug = xasprintf("%.*s-%08" PRIx32, SLUG_MAX, slug, hash(name));
	else
		slug = xstrdup(slug);
	buffer_free(&b);
	return slug;
}
