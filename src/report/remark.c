#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "output/screen.h"
#include "plan/options.h"
#include "report/company.h"
#include "report/remark.h"

/* Times its usual time, and seconds beyond it, from which on a session is slow. */
#define SLOW_TIMES 2
#define SLOW_MORE 5

/* The words behind "slow: ", or NULL if it is not. The caller frees. */
static char *
how_slow(const struct remarks *remarks, const struct record *r)
{
	struct options options = options_of(json_object_get(remarks->table->sessions, r->target));
	double limit = options.slow, own = r->duration - r->crowded;
	struct expectation usual = history_expect(remarks->history, r->target);

	options_clear(&options);
	if (r->verdict == NOT_RUN || r->verdict == SKIPPED)
		return NULL;
	if (limit > 0 && r->duration >= limit)
		return xasprintf("more than %s", screen_duration(limit).s);
	/* How long a client takes depends on how many slots are free. */
	if (r->verdict != PASSED || r->crowded < 0 || !usual.known || usual.client ||
	    own <= SLOW_TIMES * usual.seconds || own <= usual.seconds + SLOW_MORE)
		return NULL;
	return xasprintf("it usually takes %s", screen_duration(usual.seconds).s);
}

bool
remark_is_slow(const struct remarks *remarks, const struct record *r)
{
	char *words = how_slow(remarks, r);
	bool is = words != NULL;

	free(words);
	return is;
}

bool
remark_has_leaked(const struct record *r)
{
	return r->left && r->verdict != CANCELLED;
}

static double
waited_for_processors(const struct record *r)
{
	double waited = 0;
	json_t *wait;
	size_t i;

	json_array_foreach(r->waits, i, wait)
		if (!strcmp(json_text(wait, "for"), "processors"))
			waited += json_number(wait, "seconds");
	return waited;
}

/* Text or NULL: then nothing is added. */
static void
add(struct buffer *words, const char *mark, const char *text)
{
	if (text && *text)
		buffer_printf(words, "%s%s%s", words->len ? "; " : "", mark, text);
}

char *
remark_of(const struct remarks *remarks, const struct record *r)
{
	char *slow = how_slow(remarks, r), *reason = company_reason(r);
	double waited = waited_for_processors(r);
	struct buffer words = { 0 };

	add(&words, "", reason);
	if (record_is_flaky(r))
		add(&words, "", RECORD_FLAKY);
	add(&words, "slow: ", slow);
	add(&words, "leaked: ", remark_has_leaked(r) ? r->left : NULL);
	if (!r->reason && waited > remarks->wall * REMARK_NOTEWORTHY)
		buffer_printf(&words, "%swaited %s for processors", words.len ? "; " : "",
		    screen_duration(waited).s);
	add(&words, "on ", r->machine);
	free(reason);
	free(slow);
	return words.data;
}
