#ifndef NOXMK_STATE_STATE_H
#define NOXMK_STATE_STATE_H

/*
 * The state folder .noxmk, which holds all that must last between makes of a project:
 *
 *   .gitignore                 "*": git never sees the folder
 *   sessions.mk, plan.jsonl    the plan (rule.h, planfile.h)
 *   order.mk                   the order of some goals (order.h)
 *   history.json, failed       what earlier runs came to (history.h, failed.h)
 *   locks/                     who uses which resource (lock.h)
 *   runs/, latest              the runs, a folder for each, and the newest (rundir.h)
 *
 * Its descriptor is called `state` everywhere.
 */

#define STATE_FOLDER ".noxmk"

/* A file of the state folder as messages show it; file: a string literal. */
#define STATE_SHOWN(file) STATE_FOLDER "/" file

/*
 * Opens the state folder of the current folder; state_make makes it, with its .gitignore, if need
 * be. The caller closes. -1 after a warning.
 */
int state_make(void);
int state_open(void);

/*
 * Waits until nobody else changes a file of the state folder that is read, changed and replaced,
 * and keeps others from that until state_unlock, or until the descriptor is closed: the lock goes
 * with it, and nobody may have inherited it. Where the lock is not to be had, that is warned of,
 * and the caller goes on without it.
 */
void state_lock(int state);
void state_unlock(int state);

#endif
