#ifndef NOXMK_BEGIN_H
#define NOXMK_BEGIN_H

/*
 * `noxmk begin`, which make calls before the first session: it checks what the user has asked for,
 * makes the run folder and leaves the request there. Where the goals have no session, as with `make
 * ci` of a noxfile without default sessions, it lists what there is.
 */

/*
 * key: of the make, which has written the request. Returns 0, EXIT_USAGE after a message for each
 * knob that is wrong, and then there is no run folder, or EXIT_HELPER after a warning.
 */
int begin_run(int state, const char *key);

#endif
