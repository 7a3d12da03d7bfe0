#ifndef NOXMK_OUTPUT_COMMANDS_H
#define NOXMK_OUTPUT_COMMANDS_H

/*
 * Of the commands to a CI's runner that a session prints, those that protect or inform (ci.h) are
 * found here, on the way to the log, and handed on at once: also of a session whose output is shown
 * at its end, or not at all.
 *
 * The VALUE of ::add-mask::VALUE is a secret (mask.h) from that line on, in it as well: neither the
 * log nor what is shown of it has the value, only the runner. This holds where no CI reads, too.
 */

#include "output/mask.h"

struct commands_options {
	struct mask *mask;
	bool masks;       /* hand on add-mask; its line has the value in clear */
	bool annotations; /* hand on annotations; their lines have no secrets any more */
	/* A line without its end; what was fed before it is in the `out` of commands_feed. */
	void (*found)(void *data, bool is_annotation, const char *line, size_t n);
	void *data;
};

struct commands;

struct commands *commands_open(const struct commands_options *) UNUSED_RESULT;
void commands_close(struct commands *);

/*
 * Appends the data without secrets. Held back are what may be the start of a secret (mask.h) and a
 * line that begins as a command does, until it ends or becomes long.
 */
void commands_feed(struct commands *, const char *data, size_t n, struct buffer *out);
void commands_flush(struct commands *, struct buffer *out);

#endif
