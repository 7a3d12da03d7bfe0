#ifndef NOXMK_REPORT_REPORT_H
#define NOXMK_REPORT_REPORT_H

/* `noxmk report`: one kept run, made anew from its records, for people and for programs. */

#include <stdbool.h>

#include "report/table.h"

struct report_options {
	const char *run;    /* see story_find; NULL: the latest */
	const char *format; /* "text", "json", "svg" … (report.c); NULL: text; or "schema" */
	const char *share;  /* PREFIX/share/noxmk, where the schema of the JSON is */
	const char *out;    /* the file that it is written to; NULL: standard output */
};

/*
 * Prints the report, or writes it; with the format "schema", what the JSON is like. 0, or -1 after
 * a warning.
 */
int report_print(const struct report_options *);

/*
 * Writes reports of a run that ends into reports/ in its folder. wanted: bits of knob.h. of: how
 * far the run has come. The bits of those that were written; what cannot be is warned of, and the
 * run is no worse for that.
 */
unsigned report_write(int state, int rundir, enum table_of, unsigned wanted);

/* One line that says where these are; nothing if there is none. run: the run's name. */
void report_print_names(unsigned written, const char *run);

#endif
