#include <stdio.h>
#include <string.h>

#include "audit/gap.h"
#include "output/screen.h"

/* A look at the tree before and after sees neither what is read nor what is outside of it. */
static bool
is_snapshot(const struct trace *trace)
{
	return trace->mechanism && !strcmp(trace->mechanism, "snapshot");
}

bool
gap_is_whole(const struct trace *trace)
{
	return trace->complete && !is_snapshot(trace) && !trace->unreadable && !trace->foreign;
}

bool
gap_any(const struct analysis *a)
{
	for (size_t i = 0; i < a->n; i++)
		if (!gap_is_whole(&a->sessions[i].trace))
			return true;
	return a->missing.n > 0 || a->left_out > 0;
}

static void
print_trace(const struct trace *trace)
{
	if (is_snapshot(trace))
		printf("note: %s: only what it left in the tree was seen\n", trace->target);
	if (!trace->complete) {
		printf("note: %s: not all that it did was seen", trace->target);
		screen_put(": ", trace->why, "");
		putchar('\n');
	}
	if (trace->foreign > 0)
		printf("note: %s: %llu of its calls were not seen\n", trace->target,
		    trace->foreign);
	if (trace->unreadable > 0)
		printf("note: %s: the paths of %llu of its calls could not be read\n",
		    trace->target, trace->unreadable);
}

void
gap_print(const struct analysis *a)
{
	for (size_t i = 0; i < a->n; i++)
		print_trace(&a->sessions[i].trace);
	for (size_t i = 0; i < a->missing.n; i++)
		screen_put("note: ", a->missing.v[i], ": it has no trace: nothing was seen\n");
	if (a->left_out > 0)
		printf("note: %zu more session%s: left out, since there are too many\n",
		    a->left_out, a->left_out == 1 ? "" : "s");
}

json_t *
gap_json(const struct analysis *a)
{
	json_t *missing = json_array();

	for (size_t i = 0; i < a->missing.n; i++)
		json_array_append_new(missing, json_string(a->missing.v[i]));
	return json_pack("{s:o,s:i}", "missing", missing, "left_out", (int)a->left_out);
}
