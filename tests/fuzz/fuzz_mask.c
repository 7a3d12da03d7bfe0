/*
 * Secrets in anything. The input's first byte: in which pieces the text comes. Then up to three
 * secrets, each ended by NUL, then the text.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "output/mask.h"

enum { SECRETS = 3 };

static void
hide(struct mask *mask, const uint8_t *data, size_t size, size_t piece, struct buffer *out)
{
	struct mask_stream stream = { 0 };

	buffer_addstr(out, "");
	for (size_t i = 0; i < size; i += piece)
		mask_feed(mask, &stream, (const char *)data + i,
		    size - i < piece ? size - i : piece, out);
	mask_flush(&stream, out);
}

/* None of the secrets is left, unless the stars have made one. */
static void
check_hidden(char *const *variables, const struct buffer *text)
{
	for (; *variables; variables++) {
		const char *secret = strchr(*variables, '=') + 1;

		REQUIRE(strlen(secret) < 6 || strchr(secret, '*') ||
		    !memmem(text->data, text->len, secret, strlen(secret)));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct strings patterns = { (const char *[]){ "*TOKEN*" }, 1 }, none = { 0 };
	struct buffer whole = { 0 }, pieces = { 0 };
	char *variables[SECRETS + 1] = { NULL };
	size_t piece, length;
	struct mask *mask;

	if (size == 0)
		return 0;
	piece = 1 + *data++;
	size--;
	for (int i = 0; i < SECRETS; i++) {
		const uint8_t *part = fuzz_part(&data, &size, &length);

		if (!part)
			break;
		variables[i] = xasprintf("TOKEN=%.*s", (int)length, (const char *)part);
	}
	mask = mask_open(&(struct secrets){ patterns, none }, variables);
	hide(mask, data, size, size + 1, &whole);
	hide(mask, data, size, piece, &pieces);
	REQUIRE(whole.len == pieces.len && !memcmp(whole.data, pieces.data, whole.len));
	check_hidden(variables, &whole);
	mask_close(mask);
	for (int i = 0; i < SECRETS; i++)
		free(variables[i]);
	buffer_free(&whole);
	buffer_free(&pieces);
	return 0;
}
