#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/util.h"
#include "output/screen.h"
#include "report/company.h"

/* So many are named, of its company, or of those that failed in company. */
enum { NAMES_MOST = 3 };

/* So many hazards are told of. */
enum { HAZARDS_MOST = 2 };

/* What nox itself ends with where no session begins: a bad option, or no such session. */
enum { NOX_USAGE = 2, NOX_GONE = 3 };

bool
company_may_matter(const struct record *r)
{
	bool began = r->own >= 0 || (r->exit != NOX_USAGE && r->exit != NOX_GONE);

	return (r->verdict == FAILED || r->verdict == ABORTED) && r->logged && began &&
	       (r->exit > 0 || r->signal > 0);
}

/* Another session, and for how many seconds it ran beside ours. */
struct neighbour {
	const char *target;
	double seconds;
};

static int
by_seconds(const void *a, const void *b)
{
	const struct neighbour *one = a, *other = b;

	if (one->seconds != other->seconds)
		return one->seconds < other->seconds ? 1 : -1;
	return strcmp(one->target, other->target);
}

static double
overlap(const struct record *a, const struct record *b)
{
	double from = a->started > b->started ? a->started : b->started;
	double to = a->ended < b->ended ? a->ended : b->ended;

	return to - from;
}

json_t *
company_of(const struct record *r, const struct record *records, size_t n)
{
	struct neighbour *all = xcalloc(n + 1, sizeof(*all));
	json_t *company = json_array();
	size_t found = 0;

	for (size_t i = 0; i < n; i++) {
		double seconds = overlap(r, &records[i]);

		if (records[i].verdict != NOT_RUN && seconds > 0 &&
		    strcmp(records[i].target, r->target) != 0)
			all[found++] = (struct neighbour){ records[i].target, seconds };
	}
	qsort(all, found, sizeof(*all), by_seconds);
	for (size_t i = 0; i < found; i++)
		json_array_append_new(company, json_string(all[i].target));
	free(all);
	return company;
}

bool
company_was_there(const struct record *records, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i && records[i].verdict != NOT_RUN; k++)
			if (records[k].verdict != NOT_RUN && overlap(&records[i], &records[k]) > 0)
				return true;
	return false;
}

/* Did the session's own process come to an end that is a verdict on it? */
static bool
is_conclusive(const struct record *recheck)
{
	bool failed = recheck->verdict == FAILED || recheck->verdict == ABORTED;

	return recheck->verdict == PASSED || recheck->verdict == SKIPPED ||
	       (failed && company_may_matter(recheck));
}

json_t *
company_recheck(const struct record *recheck, double seconds, const json_t *beside)
{
	const char *verdict = is_conclusive(recheck) ? verdict_name(recheck->verdict) : NULL;
	json_t *names = json_array();
	size_t n = json_array_size(beside);

	for (size_t i = 0; i < n && i < NAMES_MOST; i++)
		json_array_append(names, json_array_get(beside, i));
	return json_pack("{s:s?,s:o,s:f,s:o,s:o,s:I}", "verdict", verdict,
	    "reason", json_text_or_null(recheck->reason), "seconds", seconds,
	    "log", recheck->logged ? json_sprintf("%s.log", recheck->target) : json_null(),
	    "beside", names, "others", (json_int_t)n);
}

/* "tests, docs and 2 more", of so many in all. */
static char *
names_of(const json_t *names, json_int_t all)
{
	json_int_t more = all - (json_int_t)json_array_size(names);
	char *named = json_list_join(names, ", "), *words;

	if (more <= 0)
		return named;
	words = xasprintf("%s and %lld more", named, (long long)more);
	free(named);
	return words;
}

void
company_blame(struct record *r, json_t *hazards)
{
	if (json_is_object(r->recheck))
		json_object_set_new(r->recheck, "hazards", hazards);
	else
		json_decref(hazards);
}

/* ": both write .coverage; docs writes x, tests reads it and 2 more", or "". The caller frees. */
static char *
blame_of(const json_t *hazards)
{
	size_t n = json_array_size(hazards);
	struct buffer words = { 0 };

	buffer_addstr(&words, "");
	for (size_t i = 0; i < n && i < HAZARDS_MOST; i++) {
		buffer_addstr(&words, i > 0 ? "; " : ": ");
		buffer_addstr(&words, json_text(json_array_get(hazards, i), "words"));
	}
	if (n > HAZARDS_MOST)
		buffer_printf(&words, "; and %zu more", n - HAZARDS_MOST);
	return words.data;
}

char *
company_words(const struct record *r)
{
	const char *verdict = json_text(r->recheck, "verdict");
	char *names, *words, *blame;
	bool fails;

	if (!r->recheck)
		return NULL;
	if (!strcmp(verdict, verdict_name(SKIPPED)))
		return xstrdup("is skipped when alone");
	fails = !strcmp(verdict, verdict_name(FAILED)) || !strcmp(verdict, verdict_name(ABORTED));
	if (!fails && strcmp(verdict, verdict_name(PASSED)) != 0)
		return xasprintf("not known if it fails alone: %s",
		    json_text(r->recheck, "reason"));
	blame = blame_of(json_object_get(r->recheck, "hazards"));
	if (fails) {
		words = xasprintf("fails alone too%s%s", *blame ?
		    ", maybe by what others left" : "", blame);
	} else {
		names = names_of(json_object_get(r->recheck, "beside"),
		    json_integer_value(json_object_get(r->recheck, "others")));
		words = xasprintf("fails only beside %s%s", names, blame);
		free(names);
	}
	free(blame);
	return words;
}

char *
company_reason(const struct record *r)
{
	char *words = company_words(r), *all;
	bool both = words && r->reason && *r->reason;

	if (!words)
		return r->reason ? xstrdup(r->reason) : NULL;
	all = xasprintf("%s%s%s", both ? r->reason : "", both ? "; " : "", words);
	free(words);
	return all;
}

double
company_rechecked(const struct record *records, size_t n)
{
	double seconds = 0;

	for (size_t i = 0; i < n; i++) {
		double more = json_number(records[i].recheck, "seconds");

		/* A record may say anything. */
		seconds += more > 0 ? more : 0;
	}
	return seconds;
}

/* Has it failed in company, and had no recheck? */
static bool
is_in_doubt(const struct record *r, const struct record *records, size_t n)
{
	json_t *company;
	bool had;

	if (!company_may_matter(r) || r->recheck)
		return false;
	company = company_of(r, records, n);
	had = json_array_size(company) > 0;
	json_decref(company);
	return had;
}

void
company_hint(const struct record *records, size_t n)
{
	json_t *names = json_array();
	json_int_t found = 0;
	char *words;

	for (size_t i = 0; i < n; i++)
		if (is_in_doubt(&records[i], records, n) && found++ < NAMES_MOST)
			json_array_append_new(names, json_string(records[i].target));
	words = names_of(names, found);
	if (found > 0) {
		screen_put("noxmk: ", words, " failed while others ran: NOXMK_RECHECK=1 tells "
		    "whether ");
		puts(found == 1 ? "it fails alone too" : "they fail alone too");
	}
	free(words);
	json_decref(names);
}
