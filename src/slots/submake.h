#ifndef NOXMK_SLOTS_SUBMAKE_H
#define NOXMK_SLOTS_SUBMAKE_H

/*
 * A make inside a session. `make` on the session's PATH is this program, since a real one does not
 * look for a jobserver where toolenv.h puts it. We open that path as descriptors, say so in
 * MAKEFLAGS, and become the real make. The same happens to a make that the noxfile names by its
 * path (shim.py). One that a script calls by its path runs its jobs one at a time, and so do all
 * under it.
 */

/*
 * Becomes the real make: argv[0] if that is a path and not this program, else the first one of that
 * name on PATH. Changes argv. Does not return but with an exit code, after a warning.
 */
int submake_exec(char **argv);

#endif
