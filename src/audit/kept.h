#ifndef NOXMK_AUDIT_KEPT_H
#define NOXMK_AUDIT_KEPT_H

/*
 * The traces of earlier audits, united for each session: traces/ in the state folder, a file each
 * as of trace.h. What a session touches depends on what it finds: with a warm build/ it only looks
 * at what it would make in a clean tree. They hold for one basis: the content of the noxfile, and
 * the session's own variables. So they hold in another checkout, too, as one from a CI's cache.
 */

#include "plan/planfile.h"
#include "state/trace.h"

/*
 * Reads what is known of that target: the trace of the run, rundir, if it is not -1 and has one,
 * united with those from before; if it stores, that is kept from now on. session: its line of the
 * plan. 1 and a trace, 0 when there is none, -1 after a warning.
 */
int kept_read(int state, int rundir, const struct planfile *, const json_t *session, bool stores,
    struct trace *);

/* Is there a trace of that target, whatever it rests on? */
bool kept_has(int state, const char *target);

/* Forgets all. */
void kept_forget(int state);

#endif
