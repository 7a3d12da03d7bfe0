#ifndef NOXMK_STATE_RUNTIME_H
#define NOXMK_STATE_RUNTIME_H

/*
 * The runtime folder of a make: private, on this machine, and outside of the checkout. A session
 * may clean the checkout, by `git clean -fdx` say, and then the run goes on by what is here:
 *
 *   PLACE/noxmk-UID/KEY/              PLACE: $XDG_RUNTIME_DIR, or what else there is (runtime.c)
 *     .run.json, plan.jsonl,
 *     .request.json                   copies of those in the run folder (rundir.h, request.h)
 *     sessions.mk                     a copy of that in the state folder (state.h)
 *     TARGET.json, .TARGET.notified   copies of the records (record.h)
 *     .TARGET.report                  nox writes it here, while the session may clean the checkout
 *     .gate.now, .queue.now, .tokens.now, .balance.now, .page.now, .sessions.now, .zygote*.now
 *                                     what sessions share while they run: gate.h, queue.h,
 *                                     toolenv.h, ledger.h, output/page.h, now.h, session/zygote.h;
 *                                     nobody keeps these
 *
 * Its descriptor is called `runtime`, and is -1 where there is none: then a run folder that is
 * removed is lost. Once it is removed, the helpers work here instead of there, with their logs and
 * all. The end of the run makes the run folder anew from this one (join.h), and removes this one.
 */

#include <stdbool.h>

#include "base/util.h"

/* How the names of those end. */
#define RUNTIME_OF_NOW ".now"

/*
 * The runtime folder of the make with that key (makekey.h), or -1 where there is none or not all of
 * it yet. The caller closes.
 */
int runtime_find(const char *key) UNUSED_RESULT;

/* Has it all that the run began with? -1 has not. */
bool runtime_is_whole(int runtime);

/*
 * The same; if there is none it is made, as a copy of what that run began with. Those of makes
 * that died long ago are removed then.
 */
int runtime_make(const char *key, int state, int rundir) UNUSED_RESULT;

/*
 * If the run folder has been removed, in whole or in part, its descriptor is that of the runtime
 * folder from now on, everywhere in this process. To be called before something is written there.
 */
void runtime_stand_in(int runtime, int rundir);

/*
 * The folder that those of all makes are in, or -1 if there is none, and its path, which the caller
 * frees and which may be NULL.
 */
int runtime_base(char **path) UNUSED_RESULT;

/* Removes it at the end of that run, unless somebody is at work in either folder (rundir_enter). */
void runtime_remove(const char *key, int rundir);

#endif
