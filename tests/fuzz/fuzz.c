#include <err.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

static char folder[4096];
static int folder_fd = -1;

/* In place of err.h's: messages are made, since their formats are under test too, but not shown. */
void
warnx(const char *fmt, ...)
{
	char message[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
}

void
warn(const char *fmt, ...)
{
	char message[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
}

void
fuzz_broken(const char *file, int line, const char *promise)
{
	fprintf(stderr, "%s:%d: broken: %s\n", file, line, promise);
	abort();
}

static void
remove_folder(void)
{
	char command[sizeof(folder) + 16];

	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	if (system(command) != 0)
		fprintf(stderr, "cannot remove %s\n", folder);
}

int
fuzz_folder(void)
{
	const char *tmp = getenv("TMPDIR");

	if (folder_fd >= 0)
		return folder_fd;
	if (access("/dev/shm", W_OK) == 0)
		tmp = "/dev/shm";
	snprintf(folder, sizeof(folder), "%s/noxmk-fuzz-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(folder) || (folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		err(1, "%s", folder);
	atexit(remove_folder);
	return folder_fd;
}

const char *
fuzz_folder_path(void)
{
	fuzz_folder();
	return folder;
}

void
fuzz_file(int dirfd, const char *name, const void *data, size_t size)
{
	int fd;

	if (!data) {
		unlinkat(dirfd, name, 0);
		return;
	}
	fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		err(1, "%s/%s", folder, name);
	close(fd);
}

const uint8_t *
fuzz_part(const uint8_t **data, size_t *size, size_t *length)
{
	const uint8_t *part = *data, *nul;

	if (!part)
		return NULL;
	nul = *size ? memchr(part, 0, *size) : NULL;
	*length = nul ? (size_t)(nul - part) : *size;
	*size = nul ? *size - *length - 1 : 0;
	*data = nul ? nul + 1 : NULL;
	return part;
}

int
fuzz_expand(struct planfile *plan, const char *goal, json_t *sessions)
{
	json_t *goals = json_pack("[s]", goal);
	int result = planfile_expand(plan, goals, sessions, true);

	json_decref(goals);
	return result;
}

bool
fuzz_is_slug(const char *text, size_t length)
{
	static const char kept[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "abcdefghijklmnopqrstuvwxyz0123456789._-";

	if (length == 0 || length > 200 || strchr("-.", text[0]) || strchr("-.", text[length - 1]))
		return false;
	for (size_t i = 0; i < length; i++)
		if (!text[i] || !strchr(kept, text[i]))
			return false;
	return true;
}
