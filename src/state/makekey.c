#include <bsd/stdlib.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/process.h"
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

char *
makekey_own(void)
{
	struct process_stat stat = { 0 };

	(void)process_stat(getpid(), &stat);
	return xasprintf("%d-%llu-%08x", (int)getpid(), stat.started, (unsigned)arc4random());
}

pid_t
makekey_pid(const char *key)
{
	return (pid_t)strtol(key, NULL, 10);
}

bool
makekey_is_alive(const char *key)
{
	const char *start = strchr(key, '-');
	struct process_stat stat;

	return start && process_stat(makekey_pid(key), &stat) &&
	       stat.started == strtoull(start + 1, NULL, 10);
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
