#ifndef NOXMK_TRACE_WITNESS_H
#define NOXMK_TRACE_WITNESS_H

/* Who looks what each call is about to do, while it waits, and tells the store. */

#include "trace/calls.h"
#include "trace/store.h"

struct witness;

/* What has the call that is looked at wait. Both are called with data. */
struct hold {
	/* Lets it go on. False when nobody waits any more: another may have its number by now. */
	bool (*let_go)(void *data);
	bool (*waits)(void *data); /* does it still wait? */
	void *data;
};

/* All is borrowed until witness_close. script: the program of that name is called nox; or NULL. */
struct witness *witness_open(const struct hold *, struct store *, const char *script)
    UNUSED_RESULT;
void witness_close(struct witness *);

/*
 * Notes what a call that waits is about to do. One that changes nothing is let go before
 * that: whatever would change something meanwhile waits, too.
 */
void witness_take(struct witness *, const struct made *);

/* Calls so far of which the path could not be read; and those as of state/trace.h, foreign. */
unsigned long long witness_unreadable(const struct witness *);
unsigned long long witness_foreign(const struct witness *);

/* Why it could not see all, or NULL. */
const char *witness_blindness(const struct witness *);

#endif
