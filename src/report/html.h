#ifndef NOXMK_REPORT_HTML_H
#define NOXMK_REPORT_HTML_H

/*
 * A run as one HTML page that needs nothing else: its timeline (timeline.h), a table of its
 * sessions, where the time went, and for its script the results (results.h) and what fits of the
 * logs (excerpts.h). Without scripts the drawing and the table are there all the same.
 *
 * The page is html/page.html with {{NAME}} replaced. What others wrote is escaped as text or as
 * JSON, the script makes text of it, and the page's policy (CSP) allows it nothing but its own
 * style sheets and its own script, by their hashes.
 */

#include "report/remark.h"
#include "report/story.h"

struct html {
	const struct story *story;
	const struct remarks *remarks;
	int state;         /* the state folder, for earlier runs; or -1 */
	const char *links; /* the run's folder as seen from the page, see link.h; or NULL */
};

/* Appends the page. */
void html_add(struct buffer *out, const struct html *);

#endif
