#include <err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

void *
xreallocarray(void *old, size_t n, size_t size)
{
	void *p = reallocarray(old, n ? n : 1, size ? size : 1);

	if (!p)
		err(EXIT_HELPER, "memory");
	return p;
}

void *
xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p)
		err(EXIT_HELPER, "memory");
	return p;
}

char *
xstrdup(const char *s)
{
	char *p = strdup(s);

	if (!p)
		err(EXIT_HELPER, "memory");
	return p;
}

char *
xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		err(EXIT_HELPER, "memory");
	va_end(ap);
	return s;
}

void
buffer_reserve(struct buffer *b, size_t more)
{
	size_t need = b->len + more + 1;

	if (need <= b->cap)
		return;
	b->cap = need < 2 * b->cap ? 2 * b->cap : need;
	b->data = xreallocarray(b->data, b->cap, 1);
}

void
buffer_add(struct buffer *b, const void *data, size_t len)
{
	buffer_reserve(b, len);
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void
buffer_addstr(struct buffer *b, const char *s)
{
	buffer_add(b, s, strlen(s));
}

void
buffer_printf(struct buffer *b, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		err(EXIT_HELPER, "memory");
	va_end(ap);
	buffer_addstr(b, s);
	free(s);
}

void
buffer_free(struct buffer *b)
{
	free(b->data);
	*b = (struct buffer){ 0 };
}

void
strings_add(struct strings *list, const char *s)
{
	list->v = xreallocarray(list->v, list->n + 1, sizeof(*list->v));
	list->v[list->n++] = s;
}

char *
strings_join(const struct strings *list, const char *between)
{
	struct buffer joined = { 0 };

	buffer_addstr(&joined, "");
	for (size_t i = 0; i < list->n; i++)
		buffer_printf(&joined, "%s%s", i ? between : "", list->v[i]);
	return joined.data;
}

void
indices_add(struct indices *list, size_t i)
{
	list->v = xreallocarray(list->v, list->n + 1, sizeof(*list->v));
	list->v[list->n++] = i;
}

bool
indices_has(const struct indices *list, size_t i)
{
	for (size_t k = 0; k < list->n; k++)
		if (list->v[k] == i)
			return true;
	return false;
}

void
buffer_add_shell(struct buffer *b, const char *word)
{
	static const char harmless[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "0123456789_-+=./:,@%";

	if (*word && strspn(word, harmless) == strlen(word)) {
		buffer_addstr(b, word);
		return;
	}
	buffer_addstr(b, "'");
	for (; *word; word++) {
		if (*word == '\'')
			buffer_addstr(b, "'\\''");
		else
			buffer_add(b, word, 1);
	}
	buffer_addstr(b, "'");
}
