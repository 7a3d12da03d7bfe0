#ifndef NOXMK_PLAN_SETTING_H
#define NOXMK_PLAN_SETTING_H

/*
 * One value of the table [tool.noxmk] in pyproject.toml: where it stands, which type it must have,
 * and what the user is told when it has another. config.h and options.h read their keys with this.
 */

#include <jansson.h>

#include "base/util.h"

#define CONFIG_FILE "pyproject.toml"

/*
 * The place in [tool.noxmk] that is being read. Of all faults only the first is told, since the
 * others may follow from it.
 */
struct setting_reader {
	const char *table, *name; /* "session", "tests*"; both NULL at the top */
	/* The values were checked before: no fault is told, and jobs may be as the plan has it. */
	bool checked;
	bool failed;
};

/*
 * A key of a table: its name, the function that reads its value into a field or tells the fault,
 * and the offset of that field in the struct that the table becomes.
 */
struct setting_key {
	const char *name;
	void (*read)(struct setting_reader *, const char *key, const json_t *, void *field);
	size_t field;
};

/* For a bool, and for a struct strings (the strings belong to the JSON). */
void setting_read_switch(struct setting_reader *, const char *key, const json_t *, void *field);
void setting_read_strings(struct setting_reader *, const char *key, const json_t *, void *field);

/* The fault of that key's value, or of the whole table where key is NULL. */
void setting_fault(struct setting_reader *, const char *key, const char *fmt, ...) PRINTF(3, 4);

/* The fault that the value is none of what the key takes. */
void setting_reject(struct setting_reader *, const char *key, const json_t *, const char *takes);

/* The fault that there is no such key, with the one that was probably meant. */
void setting_unknown(struct setting_reader *, const char *key, const json_t *,
    const struct strings *known);

/*
 * tool.noxmk.session."tests*".uses for ("session", "tests*", "uses"), quoted as TOML wants it; a
 * NULL is left out. The caller frees.
 */
char *setting_place(const char *table, const char *name, const char *key) UNUSED_RESULT;

#endif
