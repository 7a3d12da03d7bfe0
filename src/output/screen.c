#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/vis.h>

#include "base/util.h"
#include "output/screen.h"

/*
 * NO_COLOR (no-color.org) and TERM=dumb say no; FORCE_COLOR and MAKE_TERMOUT (make -O collects what
 * we write, but it ends on a terminal) say yes; else a terminal decides.
 */
static bool
wants_colour(void)
{
	const char *no = getenv("NO_COLOR"), *force = getenv("FORCE_COLOR"), *term = getenv("TERM");
	const char *termout = getenv("MAKE_TERMOUT");

	if ((no && *no) || (term && !strcmp(term, "dumb")))
		return false;
	if ((force && *force && strcmp(force, "0") != 0) || (termout && *termout))
		return true;
	return isatty(STDOUT_FILENO);
}

const char *
screen_colour(const struct record *record)
{
	if (!wants_colour())
		return "";
	if (record_is_bad(record))
		return "\033[31m";
	return record->verdict == PASSED ? "\033[32m" : "\033[33m";
}

const char *
screen_plain(void)
{
	return wants_colour() ? "\033[0m" : "";
}

char *
screen_duration(double seconds)
{
	long whole;

	/* A damaged record may say anything. */
	if (!(seconds >= 0 && seconds < 1e9))
		return xstrdup("?");
	whole = (long)(seconds + 0.5);
	if (seconds < 99.95)
		return xasprintf("%.1fs", seconds);
	if (whole < 3600)
		return xasprintf("%ldm%02lds", whole / 60, whole % 60);
	return xasprintf("%ldh%02ldm", whole / 3600, whole % 3600 / 60);
}

char *
screen_safe(const char *text)
{
	char *safe = xcalloc(strlen(text) * 4 + 1, 1);

	/* Tabs and line ends too: the text is a cell of a table. VIS_NOSLASH keeps \ as it is. */
	strvis(safe, text, VIS_CSTYLE | VIS_TAB | VIS_NL | VIS_NOSLASH);
	return safe;
}

void
screen_ended(const struct record *r)
{
	char *duration = screen_duration(r->duration);
	char *reason = screen_safe(r->reason ? r->reason : "");

	printf("%s%-9s%s %7s  %s%s%s\n", screen_colour(r), verdict_name(r->verdict), screen_plain(),
	    duration, r->target, *reason ? ": " : "", reason);
	fflush(stdout);
	free(duration);
	free(reason);
}

void
screen_retries(const struct record *r, double seconds)
{
	char *duration = screen_duration(r->duration);
	char *reason = screen_safe(r->reason ? r->reason : "");

	printf("%-9s %7s  %s: %s%s%s; again in %.1fs\n", "retry", duration, r->target,
	    verdict_name(r->verdict), *reason ? ": " : "", reason, seconds);
	fflush(stdout);
	free(duration);
	free(reason);
}

void
screen_waits(const char *target, const json_t *blocker)
{
	const char *holder = json_string_value(json_object_get(blocker, "target"));
	const char *resource = json_string_value(json_object_get(blocker, "resource"));
	char *who = screen_safe(holder ? holder : "?");
	char *what = screen_safe(resource ? resource : "?");

	printf("%-9s %7s  %s: for %s (pid %lld), which has %s\n", "waits", "", target, who,
	    (long long)json_integer_value(json_object_get(blocker, "pid")), what);
	fflush(stdout);
	free(who);
	free(what);
}

void
screen_slow(const char *target, double seconds, int log)
{
	char tail[400], *duration = screen_duration(seconds), *line = tail, *safe, *end;
	off_t size = log < 0 ? 0 : lseek(log, 0, SEEK_END);
	ssize_t n = size <= 0 ? 0 : pread(log, tail, sizeof(tail) - 1,
	    size < (off_t)sizeof(tail) ? 0 : size - (off_t)sizeof(tail) + 1);

	tail[n > 0 ? n : 0] = '\0';
	while ((end = strrchr(tail, '\n')) && end[1] == '\0')
		*end = '\0';
	if (end)
		line = end + 1;
	safe = screen_safe(line);
	printf("%-9s %7s  %s: %s\n", "slow", duration, target, safe);
	fflush(stdout);
	free(safe);
	free(duration);
}
