#include <err.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/stdlib.h>

#include "base/nearest.h"
#include "base/quantity.h"
#include "state/knob.h"
#include "state/shard.h"

enum { NUMBER_MAX = 1000000, WORDS_MAX = 9, SHOWN_MAX = 60 };

/* The place of the value in the knob's list of words, or -1. */
static int
word_at(const char *value, const char *const *words)
{
	for (int i = 0; words[i]; i++)
		if (!strcmp(value, words[i]))
			return i;
	return -1;
}

static bool
read_number(const char *value, unsigned least, unsigned *number)
{
	const char *bad = NULL;
	long long n = strtonum(value, least, NUMBER_MAX, &bad);

	if (!bad)
		*number = (unsigned)n;
	return !bad;
}

/* Each returns false if that is no value for it. word: as word_at says. */
static bool
set_output(struct knobs *knobs, const char *value, int word)
{
	static const enum output outputs[] = { OUTPUT_AUTO, OUTPUT_BOARD, OUTPUT_STREAM,
		OUTPUT_PREFIX, OUTPUT_FAILED, OUTPUT_FINAL, OUTPUT_QUIET, OUTPUT_STREAM };

	(void)value;
	if (word >= 0)
		knobs->output = outputs[word];
	return word >= 0;
}

static bool
set_jobs(struct knobs *knobs, const char *value, int word)
{
	(void)word;
	return read_number(value, 1, &knobs->jobs);
}

static bool
set_budget(struct knobs *knobs, const char *value, int word)
{
	(void)value;
	knobs->strict = word == 1;
	return word >= 0;
}

static bool
set_keep(struct knobs *knobs, const char *value, int word)
{
	(void)word;
	return read_number(value, 1, &knobs->keep);
}

static bool
set_deadline(struct knobs *knobs, const char *value, int word)
{
	(void)word;
	return quantity_read_duration(value, &knobs->policy.deadline);
}

static bool
set_heartbeat(struct knobs *knobs, const char *value, int word)
{
	(void)word;
	return quantity_read_duration(value, &knobs->heartbeat);
}

static bool
set_status(struct knobs *knobs, const char *value, int word)
{
	(void)value;
	knobs->no_status = word > 2;
	return word >= 0;
}

/* A share is a number of percent. */
static bool
set_recheck(struct knobs *knobs, const char *value, int word)
{
	size_t digits = strspn(value, "0123456789");
	char *number = xasprintf("%.*s", (int)digits, value);
	unsigned percent = 0;
	bool good = word >= 0 ||
		    (!strcmp(value + digits, "%") && read_number(number, 0, &percent));

	if (good)
		knobs->recheck = word < 0 ? percent / 100.0 : word > 2 ? 0 : RECHECK_ALL;
	free(number);
	return good;
}

static bool
set_terminal(struct knobs *knobs, const char *value, int word)
{
	(void)value;
	knobs->no_terminal = word > 2;
	return word >= 0;
}

/* A list of words. */
static bool
set_report(struct knobs *knobs, const char *value, int word)
{
	static const char *const names[] = { "junit", "json", "md", "trace", "svg", "html", NULL };
	static const unsigned bits[] = { REPORT_JUNIT, REPORT_JSON, REPORT_MD, REPORT_TRACE,
		REPORT_SVG, REPORT_HTML };
	char *words = xstrdup(value), *rest = words, *name;
	unsigned reports = 0;

	while ((name = strsep(&rest, " \t"))) {
		word = *name ? word_at(name, names) : 0;
		if (word < 0)
			break;
		reports |= *name ? bits[word] : 0;
	}
	free(words);
	if (word >= 0)
		knobs->reports = reports;
	return word >= 0;
}

static bool
set_watch(struct knobs *knobs, const char *value, int word)
{
	(void)value;
	knobs->watch = word >= 0 && word <= 2;
	return word >= 0;
}

/* Which sessions that is, `noxmk shard` has told make. */
static bool
set_shard(struct knobs *knobs, const char *value, int word)
{
	struct shard_choice choice;

	(void)knobs;
	(void)word;
	return shard_choice_read(value, &choice);
}

static bool
set_fork(struct knobs *knobs, const char *value, int word)
{
	(void)value;
	knobs->fork = word == 6 ? FORK_ALWAYS : word > 2 ? FORK_NEVER : FORK_PAYING;
	return word >= 0;
}

static bool
set_flaky(struct knobs *knobs, const char *value, int word)
{
	(void)value;
	knobs->policy.flaky_fails = word == 1;
	return word >= 0;
}

static bool
set_fail_fast(struct knobs *knobs, const char *value, int word)
{
	(void)value;
	knobs->policy.wait = word == 3;
	knobs->policy.fail_fast = word >= 0 && word <= 3;
	knobs->policy.fail_fast_said = true;
	return word >= 0;
}

static bool
set_max_fail(struct knobs *knobs, const char *value, int word)
{
	(void)word;
	return read_number(value, 0, &knobs->policy.max_fail);
}

/* takes: in words, for the message; words: those that it takes, in the order that `set` knows. */
static const struct knob_entry {
	const char *name, *takes, *words[WORDS_MAX];
	bool (*set)(struct knobs *, const char *value, int word);
} entries[] = {
	{ "NOXMK_OUTPUT", "auto, board, stream, prefix, failed, final or quiet",
	    { "auto", "board", "stream", "prefix", "failed", "final", "quiet", "live" },
	    set_output },
	{ "NOXMK_JOBS", "a number from 1 to 1000000", { NULL }, set_jobs },
	{ "NOXMK_BUDGET", "shared or strict", { "shared", "strict" }, set_budget },
	{ "NOXMK_KEEP", "a number from 1 to 1000000", { NULL }, set_keep },
	{ "NOXMK_DEADLINE", "a duration, such as 90, 20m or 1h30m", { NULL }, set_deadline },
	{ "NOXMK_FLAKY", "pass or fail", { "pass", "fail" }, set_flaky },
	{ "NOXMK_HEARTBEAT", "a duration, such as 60 or 5m; 0 is none", { NULL }, set_heartbeat },
	{ "NOXMK_REPORT", "some of junit, json, md, trace, svg and html",
	    { "junit", "json", "md", "trace", "svg", "html" },
	    set_report },
	{ "NOXMK_STATUS", "1 or 0", { "1", "yes", "true", "0", "no", "false" }, set_status },
	{ "NOXMK_TERMINAL", "1 or 0", { "1", "yes", "true", "0", "no", "false" }, set_terminal },
	{ "NOXMK_RECHECK", "1, 0, or a share of the run's time, such as 25%",
	    { "1", "yes", "true", "0", "no", "false" }, set_recheck },
	{ "NOXMK_WATCH", "1 or 0", { "1", "yes", "true", "0", "no", "false" }, set_watch },
	{ "NOXMK_SHARD", "K/N, or the word that `noxmk matrix` gives for it", { NULL }, set_shard },
	{ "NOXMK_FORK", "1, 0 or always",
	    { "1", "yes", "true", "0", "no", "false", "always" }, set_fork },
	{ "FAIL_FAST", "1, wait or 0", { "1", "yes", "true", "wait", "0", "no", "false" },
	    set_fail_fast },
	{ "MAX_FAIL", "a number from 0 to 1000000; 0 is no limit", { NULL }, set_max_fail },
};

bool
knobs_want_board(const struct knobs *knobs, bool alone)
{
	return knobs->output == OUTPUT_BOARD || (knobs->output == OUTPUT_AUTO && !alone);
}

struct knobs
knobs_default(void)
{
	return (struct knobs){ .keep = 20, .heartbeat = 60, .recheck = RECHECK_UNSAID,
		.fork = FORK_PAYING };
}

const char *
knob_name(size_t at)
{
	return at < countof(entries) ? entries[at].name : NULL;
}

/* One line that names the knob, its value and what it takes, and the word that may be meant. */
static void
refuse(const struct knob_entry *entry, const char *value)
{
	struct strings words = { 0 };
	const char *meant;

	for (size_t i = 0; entry->words[i]; i++)
		strings_add(&words, entry->words[i]);
	meant = nearest(value, &words);
	warnx("%s=%.*s%s: it takes %s%s%s%s", entry->name, SHOWN_MAX, value,
	    strlen(value) > SHOWN_MAX ? "…" : "", entry->takes, meant ? "; did you mean " : "",
	    meant ? meant : "", meant ? "?" : "");
	free(words.v);
}

/* NULL: there is no such knob. */
static const struct knob_entry *
find_entry(const char *name)
{
	for (size_t i = 0; i < countof(entries); i++)
		if (!strcmp(entries[i].name, name))
			return &entries[i];
	return NULL;
}

static bool
set(const struct knob_entry *entry, struct knobs *knobs, const char *value)
{
	return !*value || entry->set(knobs, value, word_at(value, entry->words));
}

bool
knob_set(struct knobs *knobs, const char *name, const char *value)
{
	const struct knob_entry *entry = find_entry(name);

	if (entry && set(entry, knobs, value))
		return true;
	if (entry)
		refuse(entry, value);
	else
		warnx("%s: there is no such knob", name);
	return false;
}

bool
knob_recall(struct knobs *knobs, const char *name, const char *value)
{
	const struct knob_entry *entry = find_entry(name);

	return entry && set(entry, knobs, value);
}
