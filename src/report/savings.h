#ifndef NOXMK_REPORT_SAVINGS_H
#define NOXMK_REPORT_SAVINGS_H

/*
 * What running sessions at once has saved in the runs that are kept: the sum of what their sessions
 * took next to what the runs took. 0, or -1 when nothing is known. state: .noxmk.
 */
int savings_print(int state);

#endif
