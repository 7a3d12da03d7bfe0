#ifndef NOXMK_BASE_MOUNT_H
#define NOXMK_BASE_MOUNT_H

/* Which type the file system of an open file has, as mount(8) calls it, for messages. Freed. */

#include "base/util.h"

char *mount_type(int fd) UNUSED_RESULT;

#endif
