#ifndef NOXMK_REPORT_TIMELINE_H
#define NOXMK_REPORT_TIMELINE_H

/*
 * A run drawn as SVG: a lane for each slot, in it the sessions with their steps in colours; hatched
 * what they waited for; marked the critical path; below, how many ran and waited at each time.
 *
 * Each session is a <g class="s" id="sN" data-i="N">, N its place among the sessions of results.h,
 * by which the page (html.h) finds it.
 */

#include "report/story.h"

/* Appends the <svg>, its style sheet included, with a line end. */
void timeline_add(struct buffer *out, const struct story *);

#endif
