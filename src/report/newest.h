#ifndef NOXMK_REPORT_NEWEST_H
#define NOXMK_REPORT_NEWEST_H

/* For `noxmk log` and `noxmk why`: the newest run that has something of a target. */

/*
 * Calls print for each of the targets, NULL-ended, with the run folder of that make, or, if key is
 * NULL, the newest that has the file TARGET<suffix>. 0; 1 if that was not to be had, after a
 * warning, or print has returned less than 0.
 */
int newest_print(int state, const char *key, char *const *targets, const char *suffix,
    int (*print)(int rundir, const char *target));

#endif
