#ifndef NOXMK_SLOTS_LENDING_H
#define NOXMK_SLOTS_LENDING_H

/*
 * Who may lend its job slot while it waits for a lock. Each that lends lets make start one session
 * more, which may come to wait as well, so a few dozen are enough. But one that is granted its
 * claims and has lent its slot is owed one. If all slots were held by those who wait for just that
 * session, nobody would ever go on: so while somebody is owed a slot, everybody who waits has to
 * lend.
 *
 * That one is owed a slot is told by a read lock, fcntl(2), on the file of lock.c's mutex. It is in
 * nobody's way: others only ask whether they could write. It ends with its process.
 */

#include <stdbool.h>

/* Milliseconds after which one that waits and does not lend asks again at the latest. */
enum { LENDING_TICK = 250 };

/* May one that waits lend? waiting: how many wait, itself among them. mutex: that file. */
bool lending_is_allowed(int mutex, unsigned waiting);

/* Tells the others that we are owed a slot, or that we are not any more. */
void lending_set_owed(int mutex, bool owed);

#endif
