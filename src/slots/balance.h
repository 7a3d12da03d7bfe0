#ifndef NOXMK_SLOTS_BALANCE_H
#define NOXMK_SLOTS_BALANCE_H

/*
 * What a helper and its guard (guard.h) have in common, and all that they say to each other.
 *
 * The balance is how many of make's tokens the helper has besides the job that make gave it; -1
 * when that job is lent. It lies in memory that both share, together with what the helper wants:
 *
 *   helper: writes the least and the most that it wants, counts up how often it has asked, and
 *           sends NEWS
 *   guard:  gives and takes tokens; when the balance is what is wanted, it notes which question
 *           that answers, and sends NEWS
 *
 * The balance changes right before a token is given and right after one is taken. So the one that
 * lives on knows how far the one that was killed had got, and when both are killed the next of ours
 * knows it by the ledger (ledger.h). At worst, when a guard is killed just between the two, a token
 * is lost, but none is ever made.
 *
 * Over a socket go single bytes: BEGIN, the helper's first one, before which the guard does
 * nothing, and NEWS, which only wakes the other process. The socket's end tells of its death.
 */

#include <stdbool.h>

#include "slots/jobserver.h"

struct balance;

/*
 * A balance before fork(2), of 0 or what it takes over of the dead by the ledger in that folder (or
 * -1). NULL when the system has no memory or no sockets to share, or, if owed, nothing is to be
 * taken over. Borrows the jobserver.
 */
struct balance *balance_open(struct jobserver *, int folder, bool owed) UNUSED_RESULT;
void balance_close(struct balance *);

/* After fork(2), in each of both processes: which of the two it is. */
enum balance_side { HELPER, GUARD };
void balance_join(struct balance *, enum balance_side);

/* Closes our side of the socket, and of the ledger: the other process sees us as dead. */
void balance_leave(struct balance *);

/* From now on a balance of least to most is wanted. Tells the other process. */
void balance_ask(struct balance *, int least, int most);

/* Was the balance what was asked for last? Are two or more tokens missing? */
bool balance_is_reached(const struct balance *);
bool balance_lacks_several(const struct balance *);

/* Could it not be had at the last try since somebody else was about to take several? */
bool balance_is_busy(const struct balance *);

int balance_count(const struct balance *);

/*
 * Gives and takes tokens, without waiting, so that the balance is what is wanted. False when there
 * are too few tokens; then it keeps none, and try again when there are more.
 */
bool balance_settle(struct balance *);

/* Gives tokens until no more are left than that; fewer when nobody is left who could take one. */
void balance_give_down_to(struct balance *, int most);

/* Takes one token. False when there is none now. */
bool balance_take(struct balance *);

enum balance_word { BEGIN = 'b', NEWS = 'n' };
void balance_send(const struct balance *, enum balance_word);

/* Waits for the first word. False when the other process has ended, or says something else. */
bool balance_await_begin(const struct balance *);

/* Forgets what has come. False when the other process has ended. */
bool balance_drain(const struct balance *);

/* Readable when something has come. */
int balance_fd(const struct balance *);

/* The descriptor of the ledger, or -1. */
int balance_ledger_fd(const struct balance *);

#endif
