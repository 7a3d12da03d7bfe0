#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static bool
alike(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/*
 * How many edits lead from a to b: a byte added, left out or changed, or two neighbours swapped
 * (the "optimal string alignment" distance). Case is not counted. A row of the table needs only the
 * two before it.
 */
static size_t
distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	size_t *rows = xcalloc(3 * (m + 1), sizeof(*rows));
	size_t *older = rows, *old = rows + m + 1, *row = rows + 2 * (m + 1), *free_row, result;

	for (size_t k = 0; k <= m; k++)
		row[k] = k;
	for (size_t i = 1; i <= n; i++) {
		free_row = older;
		older = old;
		old = row;
		row = free_row;
		row[0] = i;
		for (size_t k = 1; k <= m; k++) {
			row[k] = least(least(old[k], row[k - 1]) + 1,
			    old[k - 1] + !alike(a[i - 1], b[k - 1]));
			if (i > 1 && k > 1 && alike(a[i - 1], b[k - 2]) &&
			    alike(a[i - 2], b[k - 1]))
				row[k] = least(row[k], older[k - 2] + 1);
		}
	}
	result = row[m];
	free(rows);
	return result;
}

const char *
nearest(const char *word, const struct strings *list)
{
	return nearest_within(SIZE_MAX - 1, word, list);
}

const char *
nearest_within(size_t most, const char *word, const struct strings *list)
{
	enum { LONGEST = 200 };
	size_t len = strlen(word);
	/* A short word may have one slip in it, a long one more. */
	size_t best = least(len < 5 ? 2 : (len + 1) / 3 + 1, most + 1);
	const char *found = NULL;

	for (size_t i = 0; i < list->n && len <= LONGEST; i++) {
		size_t other = strlen(list->v[i]);
		size_t apart = other > len ? other - len : len - other;

		if (apart < best && (apart = distance(word, list->v[i])) < best &&
		    2 * apart <= (len > other ? len : other)) {
			best = apart;
			found = list->v[i];
		}
	}
	return found;
}
