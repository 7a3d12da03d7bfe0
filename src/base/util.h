#ifndef NOXMK_BASE_UTIL_H
#define NOXMK_BASE_UTIL_H

/*
 * What every module needs: memory without error handling, text that grows (struct buffer), lists
 * that grow (struct strings, struct indices), a word for the shell, attributes, exit codes.
 *
 * When memory is short, the process ends with EXIT_HELPER: nothing here returns an error.
 * Messages come from err(3): warn("…") adds errno's text, warnx("…") does not.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdnoreturn.h>

#define PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define UNUSED_RESULT __attribute__((warn_unused_result))
#define UNUSED __attribute__((unused))
#define countof(array) (sizeof(array) / sizeof((array)[0]))

/* Exit codes of the helper, besides a verdict's own; see noxmk(1), EXIT STATUS. */
enum { EXIT_USAGE = 2, EXIT_HELPER = 125 };

/*
 * Text or other bytes. { 0 } is an empty one; buffer_free frees it and makes it one again. Whenever
 * data is not NULL, a NUL follows the bytes, which len does not count.
 */
struct buffer {
	char *data;
	size_t len, cap;
};

/* Lists: of strings that somebody else owns, of positions. { 0 } is an empty one; free(v) frees. */
/* n, or the limit if that is less. */
static inline unsigned
at_most(unsigned n, unsigned limit)
{
	return n < limit ? n : limit;
}

struct strings {
	const char **v;
	size_t n;
};
struct indices {
	size_t *v;
	size_t n;
};

/* As calloc(3) and so on, also for a size of 0. The caller frees. */
void *xcalloc(size_t n, size_t size) UNUSED_RESULT;
void *xreallocarray(void *old, size_t n, size_t size) UNUSED_RESULT;
char *xstrdup(const char *) UNUSED_RESULT;
char *xasprintf(const char *fmt, ...) PRINTF(1, 2) UNUSED_RESULT;

/* Makes room for so many more bytes and a NUL. */
void buffer_reserve(struct buffer *, size_t more);
void buffer_add(struct buffer *, const void *data, size_t len);
void buffer_addstr(struct buffer *, const char *);
void buffer_printf(struct buffer *, const char *fmt, ...) PRINTF(2, 3);
void buffer_free(struct buffer *);

void strings_add(struct strings *, const char *);
/* All of them, in their order, with that between each two; "" for none. The caller frees. */
char *strings_join(const struct strings *, const char *between) UNUSED_RESULT;
void indices_add(struct indices *, size_t);
bool indices_has(const struct indices *, size_t);

/* Adds a word so that a POSIX shell reads just that: bare when harmless, else in single quotes. */
void buffer_add_shell(struct buffer *, const char *word);

#endif
