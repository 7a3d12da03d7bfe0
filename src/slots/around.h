#ifndef NOXMK_SLOTS_AROUND_H
#define NOXMK_SLOTS_AROUND_H

/*
 * What the sessions around us hold: a session may run make, and so be an ancestor of ours. What it
 * holds it gives back when it ends, and that is after us. Whoever needs it among us would wait for
 * ever, and whoever else waits for it waits for us as well.
 */

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/util.h"

struct around;

struct around *around_open(void) UNUSED_RESULT;
void around_close(struct around *);

/* Forgets what was noted. */
void around_clear(struct around *);

/* A claim that somebody holds: its file, which he has open too, and what that says (lock.h). */
void around_note(struct around *, int file, json_t *claim);

/* Do those that were noted, and are held around us, keep that other claim from being granted? */
bool around_holds(struct around *, const json_t *waiting);

/*
 * The same for our own claims, a list as in plan.jsonl: then these are refused. And where that
 * process, if it runs around us, keeps us waiting for whatever we claim.
 */
void around_refuse(struct around *, const json_t *claims);
void around_refuse_by(struct around *, pid_t);

/* Why our claims never will be granted; NULL if they may be. Borrowed. */
const char *around_refusal(const struct around *);

#endif
