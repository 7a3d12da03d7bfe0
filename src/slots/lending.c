#include <fcntl.h>
#include <stdio.h>

#include "slots/lending.h"

/* How many may wait with their slots lent while nobody is owed one. */
enum { LENDERS = 32 };

static bool
somebody_is_owed(int mutex)
{
	struct flock range = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(mutex, F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK;
}

bool
lending_is_allowed(int mutex, unsigned waiting)
{
	return waiting < LENDERS || somebody_is_owed(mutex);
}

void
lending_set_owed(int mutex, bool owed)
{
	struct flock range = { .l_type = owed ? F_RDLCK : F_UNLCK, .l_whence = SEEK_SET };

	fcntl(mutex, F_OFD_SETLK, &range);
}
