#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/baseline.h"
#include "audit/gap.h"
#include "audit/remedy.h"
#include "audit/tell.h"
#include "output/screen.h"
#include "state/word.h"

/* Why it matters. */
static const char *const reasons[CLASH_KINDS] = {
	[CLASH_WRITES] = "Beside each other one may lose or damage what the other writes.",
	[CLASH_READS] = "Beside each other one may read too early, too late, or half of it.",
	[CLASH_MISSES] = "Beside each other one may find what it does not find alone.",
	[CLASH_PROBES] = "What one of them finds may depend on the other.",
	[CLASH_TREE] = "One removes, renames or closes a folder in which the other is at work.",
	[CLASH_PORT] = "Only one can listen there at a time: the other one fails.",
	[CLASH_SERVES] = "One may get its answers from the other, or none.",
};

/* As examples there are so many paths. */
enum { EXAMPLES = 10 };

static bool
is_known(const struct analysis *a, const struct hazard *hazard, const json_t *known)
{
	return known && baseline_has(known, hazard, a->actors);
}

size_t
tell_count(const struct analysis *a, enum level level, const json_t *known)
{
	size_t n = 0;

	for (size_t i = 0; i < a->hazards.n; i++)
		n += a->hazards.v[i].level == level && !is_known(a, &a->hazards.v[i], known);
	return n;
}

/* "tests (coverage) and unit (pytest) write it": those who write, or those who only read. */
static void
print_members(const struct analysis *a, const struct hazard *hazard, bool writers)
{
	size_t n = 0, left;

	for (size_t i = 0; i < hazard->nmembers; i++)
		n += !!(hazard->members[i].roles & ROLE_WRITES) == writers;
	if (n == 0)
		return;
	fputs("  ", stdout);
	left = n;
	for (size_t i = 0; i < hazard->nmembers; i++) {
		const struct hazard_member *member = &hazard->members[i];

		if (!!(member->roles & ROLE_WRITES) != writers)
			continue;
		printf("%s%s", left == n ? "" : left == 1 ? " and " : ", ",
		    a->actors[member->actor].target);
		screen_put(" (", member->program, ")");
		left--;
	}
	printf(" %s it\n", clash_verb(hazard->kind, writers, n));
}

static void
print_line(void *data, const char *line)
{
	/* Names and values are those of the plan, and of ours. */
	screen_put(data, line, "\n");
}

/* The sections, in the order of the sessions; parts of one have the same. */
static void
print_sections(const struct analysis *a, const json_t *remedy, const char *before)
{
	json_t *left = json_copy((json_t *)remedy);

	for (size_t i = 0; i < a->n; i++) {
		const char *session = access_session(&a->actors[i]);
		const json_t *section = json_object_get(left, session);
		char *head;

		if (!section)
			continue;
		head = remedy_head(session);
		screen_put(before, head, "\n");
		remedy_each_line(section, print_line, (void *)before);
		free(head);
		json_object_del(left, session);
	}
	json_decref(left);
}

static void
print_hazard(const struct analysis *a, const struct hazard *hazard, bool known)
{
	bool is_rebuilt;
	json_t *remedy;

	printf("%-9s ", known ? "known" : level_name(hazard->level));
	screen_put("", hazard->what, "");
	if (hazard->npaths > 1)
		printf(" (%zu paths)", hazard->npaths);
	putchar('\n');
	print_members(a, hazard, true);
	print_members(a, hazard, false);
	if (hazard->level == LEVEL_HARMLESS) {
		printf("  Harmless by the rule %s: %s.\n\n", noise_name(hazard->rule),
		    noise_reason(hazard->rule));
		return;
	}
	is_rebuilt = hazard->level == LEVEL_LIKELY && hazard->kind == CLASH_WRITES;
	printf("  %s\n", is_rebuilt ? "Builds make the same of it, and are kept apart: only who "
	    "reads it just then may find half of it." : reasons[hazard->kind]);
	remedy = remedy_of(hazard, &a->clashes, a->actors);
	print_sections(a, remedy, "    ");
	if (json_object_size(remedy) == 0)
		printf("  No line is offered, since %s.\n", is_rebuilt ?
		    "it would keep the whole sessions apart" : "a secret is in its name");
	json_decref(remedy);
	putchar('\n');
}

static const char *
plural(size_t n)
{
	return n == 1 ? "" : "s";
}

/* " in 2 traced runs of 14 sessions"; "in 1 to 2" where some were traced more often than others. */
static void
print_runs(const struct analysis *a)
{
	unsigned least = a->runs;

	for (size_t i = 0; i < a->n; i++)
		least = at_most(least, a->sessions[i].trace.runs);
	printf(" in ");
	if (least < a->runs)
		printf("%u to ", least);
	printf("%u traced run%s of %s%zu session%s", a->runs, plural(a->runs),
	    least < a->runs ? "each of " : "", a->n, plural(a->n));
}

void
tell_print(const struct analysis *a, const struct tell_options *options)
{
	size_t conflicts = tell_count(a, LEVEL_CONFLICT, options->known);
	size_t likely = tell_count(a, LEVEL_LIKELY, options->known);
	size_t harmless = tell_count(a, LEVEL_HARMLESS, NULL);
	size_t known = a->hazards.n - conflicts - likely - harmless;
	const char *word = options->watched ? "watch" : "audit";

	for (size_t i = 0; i < a->hazards.n; i++) {
		const struct hazard *hazard = &a->hazards.v[i];

		if (options->all || hazard->level != LEVEL_HARMLESS)
			print_hazard(a, hazard, hazard->level != LEVEL_HARMLESS &&
			    is_known(a, hazard, options->known));
	}
	gap_print(a);
	if (conflicts + likely > 0)
		printf("noxmk %s: %zu conflict%s, %zu likely", word, conflicts, plural(conflicts),
		    likely);
	else
		printf("noxmk %s: none observed", word);
	if (options->watched)
		printf(" between sessions that ran at the same time,");
	print_runs(a);
	if (known > 0)
		printf("; %zu known", known);
	if (harmless > 0)
		printf("; %zu harmless%s", harmless,
		    options->all || options->watched ? "" : " (--all shows them)");
	putchar('\n');
}

static json_t *
sessions_json(const struct analysis *a)
{
	json_t *list = json_array();

	for (size_t i = 0; i < a->n; i++) {
		const struct trace *trace = &a->sessions[i].trace;

		json_array_append_new(list, json_pack("{s:s,s:i,s:s?,s:b,s:s?,s:I,s:I}",
		    "target", a->actors[i].target, "runs", (int)trace->runs, "mechanism",
		    trace->mechanism, "complete", trace->complete, "why", trace->why,
		    "foreign", (json_int_t)trace->foreign,
		    "unreadable", (json_int_t)trace->unreadable));
	}
	return list;
}

static json_t *
members_json(const struct analysis *a, const struct hazard *hazard)
{
	json_t *list = json_array();

	for (size_t i = 0; i < hazard->nmembers; i++) {
		const struct hazard_member *member = &hazard->members[i];

		json_array_append_new(list, json_pack("{s:s,s:b,s:b,s:o}", "target",
		    a->actors[member->actor].target, "writes", !!(member->roles & ROLE_WRITES),
		    "reads", !!(member->roles & ROLE_READS), "program",
		    member->program ? word_json(member->program, NULL) : json_null()));
	}
	return list;
}

static json_t *
examples_json(const struct analysis *a, const struct hazard *hazard)
{
	json_t *list = json_array();
	const char *last = "";

	for (size_t i = 0; i < hazard->clashes.n && json_array_size(list) < EXAMPLES; i++) {
		const char *path = a->clashes.v[hazard->clashes.v[i]].path;

		if (strcmp(path, last) != 0)
			json_array_append_new(list, word_json(path, NULL));
		last = path;
	}
	return list;
}

static json_t *
hazard_json(const struct analysis *a, const struct hazard *hazard, const json_t *known)
{
	bool harmless = hazard->level == LEVEL_HARMLESS;

	return json_pack("{s:s,s:s,s:o,s:o,s:i,s:o,s:o,s:s,s:s?,s:b,s:o}",
	    "level", level_name(hazard->level), "kind", clash_name(hazard->kind),
	    "what", word_json(hazard->what, NULL), "place", word_json(hazard->place, NULL),
	    "paths", (int)hazard->npaths, "examples", examples_json(a, hazard),
	    "sessions", members_json(a, hazard), "why", reasons[hazard->kind],
	    "rule", harmless ? noise_name(hazard->rule) : NULL,
	    "known", !harmless && is_known(a, hazard, known),
	    "fix", harmless ? json_object() : remedy_of(hazard, &a->clashes, a->actors));
}

void
tell_print_json(const struct analysis *a, const struct tell_options *options)
{
	json_t *hazards = json_array(), *all;

	for (size_t i = 0; i < a->hazards.n; i++)
		if (options->all || a->hazards.v[i].level != LEVEL_HARMLESS)
			json_array_append_new(hazards,
			    hazard_json(a, &a->hazards.v[i], options->known));
	all = json_pack("{s:i,s:i,s:o,s:o,s:o,s:O}", "schema", 1, "runs", (int)a->runs,
	    "sessions", sessions_json(a), "gaps", gap_json(a), "hazards", hazards, "fix",
	    a->remedies);
	json_dumpf(all, stdout, JSON_INDENT(1) | JSON_ENSURE_ASCII);
	putchar('\n');
	json_decref(all);
}

static void
explain_session(const struct trace *trace, const struct trace_path *path)
{
	const char *between = "";

	printf("%s: ", trace->target);
	for (unsigned op = 0; op < TRACE_OPS; op++)
		if (path->ops & TRACE_SET(op)) {
			printf("%s%s", between, trace_op_name(op));
			between = ", ";
		}
	screen_put("; read by ", path->reader, "");
	screen_put("; written by ", path->writer, "");
	printf("; %s before, %s after\n",
	    path->before.kind == TRACE_NOTHING ? "not there" : "there",
	    path->after.kind == TRACE_NOTHING ? "not there" : "there");
}

bool
tell_explain(const struct analysis *a, const char *given)
{
	char *path = *given == '/' ? xstrdup(given) : xasprintf("%s/%s", a->root, given);
	bool found = false;

	for (size_t i = 0; i < a->n; i++) {
		const struct trace_path *it = trace_find(&a->sessions[i].trace, path);

		if (it)
			explain_session(&a->sessions[i].trace, it);
		else if (access_find(&a->actors[i], path))
			printf("%s: only by another name of it\n", a->actors[i].target);
		found = found || it;
	}
	for (size_t i = 0; i < a->clashes.n; i++) {
		const struct clash *clash = &a->clashes.v[i];

		if (strcmp(clash->path, path) != 0)
			continue;
		printf("%s and %s: %s: %s", a->actors[clash->first].target,
		    a->actors[clash->second].target, clash_name(clash->kind),
		    level_name(clash->level));
		if (clash->level == LEVEL_HARMLESS)
			printf(" by the rule %s: %s", noise_name(clash->rule),
			    noise_reason(clash->rule));
		putchar('\n');
	}
	free(path);
	return found;
}
