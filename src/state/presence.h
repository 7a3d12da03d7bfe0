#ifndef NOXMK_STATE_PRESENCE_H
#define NOXMK_STATE_PRESENCE_H

/*
 * Who is at work on a session, and has a record of it to write: its helper, while an attempt runs,
 * and when that is killed the keeper, which inherits the presence and waits for nobody.
 */

#include "base/util.h"

/*
 * While somebody has this descriptor open he is at work on that session, in the run of the make
 * with that key. -1 when that cannot be shown, which is not warned of. The caller closes.
 */
int presence_begin(const char *key, const char *target) UNUSED_RESULT;

/* A descriptor that becomes readable when nobody is any more; or -1 with errno set: name_watch. */
int presence_watch(const char *key, const char *target) UNUSED_RESULT;

/* Waits while somebody is at work on it, some seconds at most. */
void presence_await(const char *key, const char *target);

#endif
