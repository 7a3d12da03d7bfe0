#ifndef NOXMK_AUDIT_TELL_H
#define NOXMK_AUDIT_TELL_H

/* What noxmk audit prints, on standard output. Names, paths and programs are made safe. */

#include "audit/analysis.h"

struct tell_options {
	bool all;            /* the harmless ones, too, with the rule that says so */
	bool watched;        /* it is about sessions that ran at the same time */
	const json_t *known; /* the baseline; or NULL */
};

/* For people: each hazard with the lines that remove it, and a last line with their number. */
void tell_print(const struct analysis *, const struct tell_options *);

/* For programs: see noxmk(1). */
void tell_print_json(const struct analysis *, const struct tell_options *);

/* All that is known of one path, absolute or as from the project. False: nobody has touched it. */
bool tell_explain(const struct analysis *, const char *path);

/* How many of that level are not in the baseline, which may be NULL. */
size_t tell_count(const struct analysis *, enum level, const json_t *known);

#endif
