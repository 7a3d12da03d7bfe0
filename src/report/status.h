#ifndef NOXMK_REPORT_STATUS_H
#define NOXMK_REPORT_STATUS_H

/* `noxmk status`: the board (board.h) of a run that others have started. */

#include <stdbool.h>

/*
 * Prints the board of the newest run that is alive, or else of the last one, and that this has
 * ended. watches: again and again, until that run ends; on a terminal in the place of the last one,
 * elsewhere whenever another session has ended. 0, or -1 after a warning.
 */
int status_print(int state, bool watches);

#endif
