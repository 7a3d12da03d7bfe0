#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/name.h"
#include "base/slug.h"
#include "state/presence.h"

/* Milliseconds. Some processes cannot be killed, and so their keeper does not end. */
enum { PATIENCE = 10000 };

/* There is no room for more: see unix(7). */
static char *
name_of(const char *key, const char *target)
{
	return xasprintf("noxmk/%s/session-%08" PRIx32, key, slug_hash(target));
}

int
presence_begin(const char *key, const char *target)
{
	char *name = name_of(key, target);
	int fd = name_take(name);

	free(name);
	return fd;
}

int
presence_watch(const char *key, const char *target)
{
	char *name = name_of(key, target);
	int fd = name_watch(name), saved = errno;

	free(name);
	errno = saved;
	return fd;
}

void
presence_await(const char *key, const char *target)
{
	struct pollfd fd = { .fd = presence_watch(key, target), .events = POLLIN };

	if (fd.fd >= 0)
		poll(&fd, 1, PATIENCE);
	fd_close(&fd.fd);
}
