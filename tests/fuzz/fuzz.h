#ifndef NOXMK_TESTS_FUZZ_FUZZ_H
#define NOXMK_TESTS_FUZZ_FUZZ_H

/*
 * What the fuzzers share. Each fuzz_NAME.c defines libFuzzer's LLVMFuzzerTestOneInput; linked with
 * replay.c instead of libFuzzer it replays tests/fuzz/corpus/NAME. A broken promise ends in abort.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>

#include "plan/planfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Says what was promised and dies. */
#define REQUIRE(condition) ((condition) ? (void)0 : fuzz_broken(__FILE__, __LINE__, #condition))
noreturn void fuzz_broken(const char *file, int line, const char *promise);

/* A scratch folder, in memory if the machine has one there: removed at exit. A descriptor. */
int fuzz_folder(void);
const char *fuzz_folder_path(void);

/* The whole file; removed when data is NULL. */
void fuzz_file(int dirfd, const char *name, const void *data, size_t size);

/* The input's next part, up to a NUL byte. NULL when there is none any more. */
const uint8_t *fuzz_part(const uint8_t **data, size_t *size, size_t *length);

/* The sessions of one goal, added to `sessions`. 0, or -1 for an unknown one. */
int fuzz_expand(struct planfile *, const char *goal, json_t *sessions);

/* May this stand in a makefile, a shell and a file name as it is? (slug.h) */
bool fuzz_is_slug(const char *text, size_t length);

#endif
