#ifndef NOXMK_BASE_SLUG_H
#define NOXMK_BASE_SLUG_H

/*
 * The name of a make target for any session name. A slug holds only A-Z a-z 0-9 . _ - and starts
 * and ends with neither '-' nor '.', so neither make nor the shell nor a file name needs quoting.
 */

#include <stdint.h>

/*
 * tests-3.12(django='4.2') -> tests-3.12-django-4.2, tests(deps=[]) -> tests-deps-empty. Not
 * unique. The caller frees.
 */
char *slug_make(const char *name);

/* A number for a name, where that would be too long. Not unique, and the same in every process. */
uint32_t slug_hash(const char *name);

#endif
