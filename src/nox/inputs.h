#ifndef NOXMK_NOX_INPUTS_H
#define NOXMK_NOX_INPUTS_H

/*
 * What the plan rests on, as it was when the plan was made: inputs.json in the state folder.
 *
 *   {"schema":1,
 *    "knobs":{"NOX":"uv run nox","NOXMK_NOXFILE":"noxfile.py","NOXMK_RESERVED":"clean",
 *     "project":"/p"},
 *    "volatile":null,
 *    "variables":{"CI":null,"NOXPYTHON":"3.12","PYPI_TOKEN":true},
 *    "plan":{"plan.jsonl":[MTIME,SIZE,INODE],"sessions.mk":[MTIME,SIZE,INODE]},
 *    "inputs":[["file","/p/noxfile.py",MTIME,SIZE,INODE],["folder","/p/packages",MTIME,"a//b"],
 *      ["kind","/p/tox.ini"],["program","nox","/usr/bin/nox"]]}
 *
 * knobs: the text of make variables, and where the project is. volatile: why the inputs do not tell
 * all ("the clock"), or null. variables: what nox sees of them: null if it is not there, true or
 * false for one that is or may be secret (plan/secret.h: has it a value?), and the length of what
 * is not UTF-8; one called "*" has the names of all. inputs: see the head of inputs.py;
 * besides, a program, and where PATH has it.
 *
 * Without the file, or with one that is damaged, the plan is made anew.
 */

#include <jansson.h>

#include "base/util.h"

/* What inputs.json says; a new reference. NULL if it cannot be read. */
json_t *inputs_read(int state) UNUSED_RESULT;

/* Is there one of a form that only a newer noxmk knows? */
bool inputs_are_newer(int state);

/*
 * Is all that it tells of as it was, and are these the knobs? A plan that is volatile does not hold
 * in a make that begins, but does in one that begins afresh: that has just been told.
 */
bool inputs_hold(const json_t *inputs, int state, const json_t *knobs);

/* The name of the first of this list that is not as it was, borrowed; NULL: they all are. */
const char *inputs_changed(const json_t *list);

/* Is all in this list of them as it was? */
bool inputs_list_holds(const json_t *list);

/* Adds a file, or a program by the name that PATH is searched for, to the list, as it is now. */
void inputs_add_file(json_t *list, const char *path);
void inputs_add_program(json_t *list, const char *name);

/* Sets the variables of that name to what nox sees of it. */
void inputs_add_variable(json_t *variables, const char *name, bool is_secret);

/* Writes them for the plan that is there. After a failure, which is warned of, none holds. */
void inputs_write(json_t *inputs, int state);

/* The plan has turned out to be wrong: the next make makes it anew. */
void inputs_forget(int state);

#endif
