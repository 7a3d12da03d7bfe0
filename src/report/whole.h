#ifndef NOXMK_REPORT_WHOLE_H
#define NOXMK_REPORT_WHOLE_H

/*
 * Sessions that were cut in parts (plan/parts.h), as people look at them: where verdicts are told,
 * the records of all parts are one record, that of the session. Its verdict is the worst of theirs,
 * and the reason says whose, or which parts alone have passed; its times are those of all together,
 * from the first start to the last end. It has no log: each part has one.
 */

#include "state/record.h"

struct wholes {
	struct record *v; /* of a session in one piece it shares all with the record given */
	size_t *at;       /* of each the position of that record, or of its first part */
	size_t n;
};

/* In the order of the records, which must live as long. wholes_clear frees. */
struct wholes wholes_of(const struct record *, size_t n) UNUSED_RESULT;
void wholes_clear(struct wholes *);

/* Was that one of wholes_of made of several records? */
bool whole_is_made(const struct record *);

/* Is that the record of a part of the session by that target? */
bool whole_has(const char *whole, const struct record *);

/*
 * What can be counted or compared: sessions, but where not all parts of one are there these parts,
 * which may not look as if they were all of it. Borrows; the caller frees the array.
 */
struct cases {
	const struct record **v;
	size_t n;
};
struct cases cases_of(const struct wholes *, const struct record *, size_t n) UNUSED_RESULT;

#endif
