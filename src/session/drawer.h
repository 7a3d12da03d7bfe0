#ifndef NOXMK_SESSION_DRAWER_H
#define NOXMK_SESSION_DRAWER_H

/*
 * The live board: what a run is at (board.h), on the terminal, below all that is printed meanwhile.
 * Of the helpers of a run one draws, some times a second; when it ends, or is killed, another does.
 *
 * Others write to the same terminal, and neither ask nor tell: make, and what its other recipes
 * run. So the board lies below the cursor (screen_draw): what they print begins above it, whoever
 * of us prints a line wipes the board first (outlet_wipes), and nothing is ever removed but what is
 * below the cursor. For what has many lines there would still be no room. So nothing is drawn while
 * make has a child that is no helper of this run, nor in the moment after a helper's end, when make
 * may start one, nor while make is busy.
 */

#include <stdbool.h>

#include "base/parent.h"
#include "state/now.h"

struct drawer;

struct drawer_options {
	int state, rundir, runtime;
	struct now *now;             /* our own */
	const struct parent *parent; /* make */
	bool wanted;                 /* there shall be a board: see drawer_can */
};

/* May there be a board: is standard output a terminal that can show it, and is no CI about? */
bool drawer_can(void);

/* Borrows all of the options. */
struct drawer *drawer_open(const struct drawer_options *) UNUSED_RESULT;

/* We end: others may draw, but not in the next moment. Frees, and takes NULL. */
void drawer_close(struct drawer *);

/* The monotonic second at which drawer_look is due; 0: never. */
double drawer_due(const struct drawer *);

/* Draws, if that is due and up to us. may: we are at work, and nobody wants us to end. */
void drawer_look(struct drawer *, bool may);

/* Wipes the board if it is ours; whoever draws next may be another. */
void drawer_hide(struct drawer *);

/* Somebody asks all helpers what runs: one of them prints the board, also where none is drawn. */
void drawer_tell(struct drawer *);

#endif
