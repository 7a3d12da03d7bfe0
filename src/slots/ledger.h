#ifndef NOXMK_SLOTS_LEDGER_H
#define NOXMK_SLOTS_LEDGER_H

/*
 * What helpers owe make, or have of it, written down in case that both helper and guard are killed:
 * .balance.now in the runtime folder, an entry for each of them:
 *
 *   struct ledger_entry   the number of make's pipe, a balance (balance.h), and a mark
 *
 * Who uses an entry has a lock on it, fcntl(2), which helper and guard share. So an entry that
 * nobody locks is free, or that of the dead; who takes such a one takes over its balance.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "base/util.h"

struct ledger {
	int file;    /* -1: there is none */
	off_t place; /* of the entry */
	unsigned long long pipe;
};

/*
 * Takes an entry in that folder for that pipe, or, if owed, only one of the dead whose balance is
 * not 0. *balance: what is taken over. file is -1 where there is none such.
 */
struct ledger ledger_take(int folder, unsigned long long pipe, bool owed, int *balance);

/* The balance is this from now on. */
void ledger_write(const struct ledger *, int balance);

/* Lets go of the entry, in this process. */
void ledger_close(struct ledger *);

#endif
