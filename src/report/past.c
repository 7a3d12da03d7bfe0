#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/median.h"
#include "output/screen.h"
#include "plan/planfile.h"
#include "report/company.h"
#include "report/newest.h"
#include "report/past.h"
#include "report/table.h"
#include "state/history.h"
#include "state/record.h"
#include "state/request.h"
#include "state/rundir.h"
#include "state/trace.h"

/* A time has changed where so many stand on either side of it, */
enum { SIDE_LEAST = 3 };

/* by this factor and so many seconds, and so many of all pairs from both sides differ that way. */
#define CHANGE_TIMES 1.15
#define CHANGE_SECONDS 0.2
#define CHANGE_PAIRS 0.9

/* Seconds that are to be seen in a time. */
#define VISIBLE 0.05

/* Columns of a run's name, its verdict and its time, with the gaps. */
enum { FIXED = 50 };

/* Columns of a reason, also where there is room for more. */
enum { REASON_MOST = 160 };

/* From so many runs on, the newest ones, in which it was not, that is worth a line. */
enum { ABSENT_LEAST = 3 };

/* A session was traced, or forked, or had words of ARGS, or several of these: other times. */
enum kind { USUAL, TRACED = 1, FORKED = 2, WORDED = 4, KINDS = 8 };

static const char *const marks[KINDS] = { "", "traced", "forked", "traced, forked", "ARGS",
	"traced, ARGS", "forked, ARGS", "traced, forked, ARGS" };

/* The times in which it passed, the oldest first. */
struct past {
	json_t *runs; /* as past_print has them */
	json_int_t counts[VERDICTS], flaky;
	double *times;
	bool lessened;     /* by what the session lost to others, as far as it can be seen */
	size_t n, others;  /* others: that are left out, as they are of another kind */
	enum kind *kinds;  /* of each time */
	struct indices at; /* of each time its run */
	size_t absent; /* how many of the newest runs it was not in: it may have another name */
};

/* What is in the middle of the times, which stay as they are. */
static double
median_of(const double *times, size_t n)
{
	double *copy = xcalloc(n, sizeof(*copy)), middle;

	memcpy(copy, times, n * sizeof(*copy));
	middle = median(copy, n);
	free(copy);
	return middle;
}

/* How far they are from their median, all together. */
static double
deviation(const double *times, size_t n)
{
	double middle = median_of(times, n), sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += times[i] > middle ? times[i] - middle : middle - times[i];
	return sum;
}

/* The part of all pairs, one from each side, of which the later one took longer. */
static double
later_is_longer(const double *times, size_t at, size_t n)
{
	size_t longer = 0;

	for (size_t i = 0; i < at; i++)
		for (size_t k = at; k < n; k++)
			longer += times[k] > times[i];
	return (double)longer / ((double)at * (double)(n - at));
}

size_t
past_change(const double *times, size_t n)
{
	double least = n > 0 ? deviation(times, n) : 0, before, after, longer, sum;
	size_t found = 0;

	for (size_t at = SIDE_LEAST; at + SIDE_LEAST <= n; at++) {
		sum = deviation(times, at) + deviation(times + at, n - at);
		if (sum < least) {
			least = sum;
			found = at;
		}
	}
	if (found == 0)
		return 0;
	before = median_of(times, found);
	after = median_of(times + found, n - found);
	longer = later_is_longer(times, found, n);
	if (after >= before * CHANGE_TIMES && after >= before + CHANGE_SECONDS)
		return longer >= CHANGE_PAIRS ? found : 0;
	if (before >= after * CHANGE_TIMES && before >= after + CHANGE_SECONDS)
		return longer <= 1 - CHANGE_PAIRS ? found : 0;
	return 0;
}

/* The session's own time, as far as that is known: what others took from it says nothing of it. */
static double
time_of(const struct record *r)
{
	double seconds = r->crowded > 0 ? r->duration - r->crowded : r->duration;

	return history_is_time(seconds) ? seconds : -1;
}

static enum kind
kind_of(int rundir, const struct record *r)
{
	return (rundir_has(rundir, r->target, TRACE_SUFFIX) ? TRACED : USUAL) |
	       (r->fork && !*r->fork ? FORKED : USUAL) |
	       (request_has_words(rundir) ? WORDED : USUAL);
}

/* is_whole: it is all of the session. */
static void
add(struct past *past, const char *run, const struct record *r, bool is_whole, enum kind kind)
{
	double seconds = r->verdict == PASSED && is_whole ? time_of(r) : -1;
	json_t *line = json_pack("{s:s,s:f,s:s,s:o,s:b,s:f,s:O?,s:b,s:b,s:b}", "run", run,
	    "started", r->started, "verdict", verdict_name(r->verdict), "reason",
	    json_text_or_null(r->reason), "flaky", record_is_flaky(r), "duration", r->duration,
	    "recheck", r->recheck, "traced", (kind & TRACED) != 0,
	    "forked", (kind & FORKED) != 0, "worded", (kind & WORDED) != 0);

	if (!line || json_array_append_new(past->runs, line) < 0)
		return;
	past->counts[r->verdict]++;
	past->flaky += record_is_flaky(r);
	if (seconds < 0)
		return;
	past->times = xreallocarray(past->times, past->n + 1, sizeof(*past->times));
	past->kinds = xreallocarray(past->kinds, past->n + 1, sizeof(*past->kinds));
	past->kinds[past->n] = kind;
	past->lessened |= r->crowded >= VISIBLE;
	past->times[past->n++] = seconds;
	indices_add(&past->at, json_array_size(past->runs) - 1);
}

/* Of a session that was cut in that run the parts that it had there are one. False: none. */
static bool
add_parts(struct past *past, const char *run, int rundir, const char *target)
{
	struct planfile *plan = planfile_find(rundir);
	json_t *parts = plan ? planfile_parts(plan, target) : NULL, *part;
	struct table table = { 0 };
	bool found;
	size_t i;

	json_array_foreach(parts, i, part) {
		json_t *line = planfile_session(plan, json_string_value(part));

		table_add(&table, rundir, json_string_value(part), line, TABLE_SO_FAR);
		json_decref(line);
	}
	table.wholes = wholes_of(table.records, table.n);
	found = table.records && table.wholes.n > 0;
	if (found)
		add(past, run, &table.wholes.v[0], table.n == json_array_size(parts),
		    kind_of(rundir, &table.records[0]));
	table_clear(&table);
	json_decref(parts);
	planfile_close(plan);
	return found;
}

static bool
add_run(struct past *past, const char *run, int rundir, const char *target)
{
	struct record r = { 0 };
	bool found = record_read(rundir, target, &r) == 1;

	if (found)
		add(past, run, &r, true, kind_of(rundir, &r));
	record_clear(&r);
	return found || add_parts(past, run, rundir, target);
}

/* Leaves the times of the kind that there is most of: only these can be compared. */
static void
keep_one_kind(struct past *past)
{
	size_t counts[KINDS] = { 0 }, kept = 0;
	enum kind most = USUAL;

	for (size_t i = 0; i < past->n; i++)
		counts[past->kinds[i]]++;
	for (enum kind kind = USUAL; kind < KINDS; kind++)
		if (counts[kind] > counts[most])
			most = kind;
	for (size_t i = 0; i < past->n; i++)
		if (past->kinds[i] == most) {
			past->times[kept] = past->times[i];
			past->at.v[kept++] = past->at.v[i];
		}
	past->others = past->n - kept;
	past->n = past->at.n = kept;
}

static struct past
read_past(int state, const char *target)
{
	struct past past = { .runs = json_array() };
	json_t *names = rundir_list(state), *name;
	size_t i;

	json_array_foreach(names, i, name) {
		int rundir = rundir_find_named(state, json_string_value(name));

		if (rundir < 0)
			continue;
		past.absent = add_run(&past, json_string_value(name), rundir, target) ? 0 :
		    past.absent + 1;
		close(rundir);
	}
	json_decref(names);
	keep_one_kind(&past);
	return past;
}

/* Half of the times lie between the two, and a quarter on either side. At least one time. */
static void
middle_half(const struct past *past, double *low, double *high)
{
	double *copy = xcalloc(past->n, sizeof(*copy));

	memcpy(copy, past->times, past->n * sizeof(*copy));
	(void)median(copy, past->n); /* it sorts them */
	*low = copy[past->n / 4];
	*high = copy[past->n - 1 - past->n / 4];
	free(copy);
}

/* {"run","before","after"}, or null. */
static json_t *
change_of(const struct past *past)
{
	size_t at = past_change(past->times, past->n);
	json_t *run;

	if (at == 0)
		return json_null();
	run = json_object_get(json_array_get(past->runs, past->at.v[at]), "run");
	return json_pack("{s:O,s:f,s:f}", "run", run, "before", median_of(past->times, at), "after",
	    median_of(past->times + at, past->n - at));
}

static json_t *
object_of(const char *target, const struct past *past)
{
	json_t *verdicts = json_object(), *numbers;
	double low, high;

	for (enum verdict v = 0; v < VERDICTS; v++)
		json_object_set_new(verdicts, verdict_name(v), json_integer(past->counts[v]));
	if (past->n > 0) {
		middle_half(past, &low, &high);
		numbers = json_pack("{s:f,s:f,s:f}", "median", median_of(past->times, past->n),
		    "low", low, "high", high);
	} else {
		numbers = json_pack("{s:n,s:n,s:n}", "median", "low", "high");
	}
	json_object_update_new(numbers, json_pack("{s:i,s:s,s:O,s:o,s:I,s:o}", "schema", 1,
	    "target", target, "runs", past->runs, "verdicts", verdicts, "flaky", past->flaky,
	    "change", change_of(past)));
	return numbers;
}

/* The reason, and what the recheck has shown; "" if there are neither. The caller frees. */
static char *
reason_of(const json_t *run)
{
	json_t *recheck = json_object_get(run, "recheck");
	struct record r = { .reason = json_text_copy(run, "reason"),
		.recheck = json_is_object(recheck) ? recheck : NULL };
	char *reason = company_reason(&r);

	free(r.reason);
	return reason ? reason : xstrdup("");
}

static enum kind
mark_of(const json_t *run)
{
	return (json_is_true(json_object_get(run, "traced")) ? TRACED : USUAL) |
	       (json_is_true(json_object_get(run, "forked")) ? FORKED : USUAL) |
	       (json_is_true(json_object_get(run, "worded")) ? WORDED : USUAL);
}

static void
print_runs(const json_t *runs)
{
	int left = screen_left(FIXED);
	json_t *run;
	size_t i;

	printf("%-29s  %-9s %8s  %s\n", "run", "verdict", "time", "reason");
	json_array_foreach(runs, i, run) {
		char *reason = reason_of(run);
		bool flaky = json_is_true(json_object_get(run, "flaky"));
		const char *mark = marks[mark_of(run)];
		const char *comma = flaky && *mark ? ", " : "";

		printf("%-29s  %-9s %8s", json_text(run, "run"), json_text(run, "verdict"),
		    !strcmp(json_text(run, "verdict"), verdict_name(NOT_RUN)) ? "-" :
		    screen_duration(json_number(run, "duration")).s);
		if (*reason || flaky || *mark) {
			printf("  %s%s%s%s", flaky ? "flaky" : "", comma, mark,
			    (flaky || *mark) && *reason ? ": " : "");
			screen_put_cut(reason, left > 0 && left < REASON_MOST ? left : REASON_MOST);
		}
		putchar('\n');
		free(reason);
	}
}

static void
print_sums(const struct past *past)
{
	json_t *change = change_of(past);
	double low, high, before = json_number(change, "before"),
		after = json_number(change, "after");
	bool first = true;

	printf("\nnoxmk: %zu run%s:", json_array_size(past->runs),
	    json_array_size(past->runs) == 1 ? "" : "s");
	for (enum verdict v = 0; v < VERDICTS; v++)
		if (past->counts[v] > 0) {
			printf("%s %lld %s", first ? "" : ",", (long long)past->counts[v],
			    verdict_name(v));
			first = false;
		}
	if (past->flaky > 0)
		printf(", %lld flaky", (long long)past->flaky);
	if (past->n > 0) {
		middle_half(past, &low, &high);
		printf("; median %s, half of them from %s to %s",
		    screen_duration(median_of(past->times, past->n)).s, screen_duration(low).s,
		    screen_duration(high).s);
		if (past->lessened)
			printf(", without what it lost to others");
	}
	if (past->others > 0)
		printf("; without %zu traced, forked or given ARGS otherwise than most",
		    past->others);
	putchar('\n');
	if (past->absent >= ABSENT_LEAST)
		printf("noxmk: it was not in the last %zu runs\n", past->absent);
	if (json_is_object(change))
		printf("noxmk: %s since %s: %s before, %s then\n",
		    after > before ? "slower" : "faster", json_text(change, "run"),
		    screen_duration(before).s, screen_duration(after).s);
	json_decref(change);
}

static void
print_json(const char *target, const struct past *past)
{
	json_t *object = object_of(target, past);
	char *text = json_dumps(object, JSON_INDENT(1) | JSON_REAL_PRECISION(15));

	puts(text ? text : "null");
	free(text);
	json_decref(object);
}

int
past_print(int state, const char *target, bool json)
{
	struct past past = { 0 };
	int result = -1;

	if (strchr(target, '/')) {
		warnx("%s: no target", target);
		return -1;
	}
	past = read_past(state, target);
	if (json_array_size(past.runs) == 0) {
		newest_complain(state, target);
	} else if (json) {
		print_json(target, &past);
		result = 0;
	} else {
		print_runs(past.runs);
		print_sums(&past);
		result = 0;
	}
	json_decref(past.runs);
	free(past.times);
	free(past.kinds);
	free(past.at.v);
	return result;
}
