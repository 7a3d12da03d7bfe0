/*
 * Runs a fuzzer over the inputs in the given folders, or in its own corpus, without libFuzzer. TAP:
 * one line a file, the plan last, so that a crash leaves none.
 */

#include <dirent.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

static unsigned count;
static FILE *tap; /* our standard output, whatever the fuzzer does with its own */

static void
replay_file(const char *folder, const char *name)
{
	static uint8_t data[1 << 20];
	char path[4096];
	uint8_t *exact;
	size_t size;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (!(file = fopen(path, "rb")))
		err(1, "%s", path);
	size = fread(data, 1, sizeof(data), file);
	fclose(file);
	/* In memory of just that size, so that a sanitizer sees each byte too many. */
	if (!(exact = malloc(size ? size : 1)))
		err(1, "memory");
	memcpy(exact, data, size);
	fprintf(stderr, "# %s\n", path);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	fprintf(tap, "ok %u %s\n", ++count, path);
}

static int
is_input(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void
replay_folder(const char *folder)
{
	struct dirent **entries;
	int n = scandir(folder, &entries, is_input, alphasort);

	if (n < 0)
		err(1, "%s", folder);
	for (int i = 0; i < n; i++) {
		replay_file(folder, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
}

int
main(int argc, char *argv[])
{
	const char *name = strrchr(argv[0], '_');
	char own[256];

	if (!(tap = fdopen(dup(STDOUT_FILENO), "w")))
		err(1, "standard output");
	setvbuf(tap, NULL, _IOLBF, 0);
	for (int i = 1; i < argc; i++)
		replay_folder(argv[i]);
	if (argc == 1) {
		snprintf(own, sizeof(own), "tests/fuzz/corpus/%s", name ? name + 1 : argv[0]);
		replay_folder(own);
	}
	fprintf(tap, "1..%u\n", count);
	return fclose(tap) != 0;
}
