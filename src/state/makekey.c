#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "state/makekey.h"

/* Longer keys are nonsense. */
enum { LONGEST = 63 };

bool
makekey_is_sane(const char *key)
{
	static const char *const parts[] = { "0123456789", "0123456789", "0123456789abcdef" };
	const char *p = key;

	for (size_t i = 0; i < countof(parts); i++) {
		size_t len = strspn(p, parts[i]);

		if (len == 0 || p[len] != (i + 1 < countof(parts) ? '-' : '\0'))
			return false;
		p += len + 1;
	}
	return strlen(key) <= LONGEST;
}

pid_t
makekey_pid(const char *key)
{
	return (pid_t)strtol(key, NULL, 10);
}

bool
makekey_is_alive(const char *key)
{
	char *path = xasprintf("/proc/%.*s/stat", (int)strcspn(key, "-"), key);
	const char *start = strchr(key, '-');
	struct buffer stat = { 0 };
	char *field;
	bool alive = false;

	if (start && file_read(AT_FDCWD, path, &stat) == 0 &&
	    (field = strrchr(stat.data, ')'))) {
		/* Field 22 is the start time; field 3 follows the name (proc(5)). */
		for (int i = 2; field && i < 22; i++)
			field = strchr(field + 1, ' ');
		alive = field && strtoull(field + 1, NULL, 10) == strtoull(start + 1, NULL, 10);
	}
	buffer_free(&stat);
	free(path);
	return alive;
}

char *
makekey_where(void)
{
	struct buffer boot = { 0 };
	char space[64], *where;
	ssize_t n = readlink("/proc/self/ns/pid", space, sizeof(space) - 1);

	space[n < 0 ? 0 : n] = '\0';
	if (file_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", &boot) < 0)
		buffer_addstr(&boot, "");
	where = xasprintf("%.*s %s", (int)strcspn(boot.data, "\n"), boot.data, space);
	buffer_free(&boot);
	return where;
}
