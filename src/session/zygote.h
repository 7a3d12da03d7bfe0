#ifndef NOXMK_SESSION_ZYGOTE_H
#define NOXMK_SESSION_ZYGOTE_H

/*
 * The zygote of a make: one process in which nox has read the noxfile, and which forks for each
 * session (nox/zygote.py), so that nox need not start each time. The first session that has enough
 * others behind it starts one, and goes its own way, as does every session until the zygote is
 * ready, and after it has ended: nobody waits for it. Where sessions of that plan can be forked as
 * far as is known (state/forkable.h), or are to be in any case, they wait while it works to get
 * ready, as their own nox would, and no longer.
 *
 * It is asked by its socket in the runtime folder, .zygote.now (before it is ready it can be asked
 * at .zygote-loads.now, and answers later), whose packets are:
 *
 *   "fork" with descriptors: a file with the request, the folder, the standard output, the errors,
 *          and maybe what the session has as its number 3. The answer is a keeper's first message
 *          (keeper_lend), or the reason why not. The request is a list of texts, each with a NUL at
 *          its end: likeness, the number of words, the words, the variables
 *   "end"  it is to end
 *
 * Where the noxfile cannot be forked it tells why, and ends; that is remembered in the state folder
 * with the plan, so that the next makes do not try. Else it ends with its make, however that ends
 * (if it is stopped then, a minute later), and is ended by `noxmk end`.
 */

#include "base/keeper.h"
#include "base/makeflags.h"
#include "state/knob.h"

struct zygote_options {
	int state;                /* the state folder */
	int runtime;              /* the runtime folder, or -1 */
	const char *key;          /* of the make */
	enum fork fork;           /* what the user wants */
	unsigned sessions;        /* of this make */
	const struct makeflags *makeflags;
	char **why;               /* see keeper.h */
};

/*
 * Who may fork for that session, or nobody: then *why is told if that is for the noxfile. Starts
 * the zygote if that is due and pays. Until then no process of the session's may be a child of
 * ours. Borrows the options.
 */
struct keeper_lender zygote_lender(const struct zygote_options *, const struct keeper_task *);

/* Ends the zygote of that runtime folder, if there is one. It is waited for a moment, or killed. */
void zygote_end(int state, int runtime);

#endif
