#include <stdlib.h>

#include "report/cause.h"
#include "report/lanes.h"
#include "report/lead.h"

/* Seconds by which two sessions may seem to overlap of which one began when the other had ended. */
#define SLACK 0.001

static int
compare_begins(const void *a, const void *b, void *data)
{
	const struct span *spans = data;
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	if (spans[x].from != spans[y].from)
		return spans[x].from < spans[y].from ? -1 : 1;
	return x < y ? -1 : x > y;
}

void
lanes_assign(const struct span *spans, size_t n, size_t *lanes)
{
	size_t *order = xcalloc(n, sizeof(*order)), used = 0;
	double *ends = xcalloc(n, sizeof(*ends));

	for (size_t i = 0; i < n; i++)
		order[i] = i;
	if (n > 0)
		qsort_r(order, n, sizeof(*order), compare_begins, (void *)spans);
	for (size_t i = 0; i < n; i++) {
		const struct span *span = &spans[order[i]];
		size_t lane = 0;

		lanes[order[i]] = NO_LANE;
		if (!(span->to >= span->from))
			continue;
		while (lane < used && ends[lane] > span->from + SLACK)
			lane++;
		used += lane == used;
		ends[lane] = span->to;
		lanes[order[i]] = lane;
	}
	free(order);
	free(ends);
}

/* To the records of the machine of that one, from that lane on. The first lane behind them. */
static size_t
add_machine(const struct table *table, size_t of, size_t first, size_t *lanes)
{
	struct span *spans = xcalloc(table->n, sizeof(*spans));
	size_t *own = xcalloc(table->n, sizeof(*own)), behind = first;

	for (size_t i = 0; i < table->n; i++) {
		const struct record *r = &table->records[i];

		spans[i] = lead_has_run(r) && record_same_machine(r, &table->records[of]) ?
		    (struct span){ r->started - cause_tried(r), r->ended } : (struct span){ 1, 0 };
	}
	lanes_assign(spans, table->n, own);
	for (size_t i = 0; i < table->n; i++)
		if (own[i] != NO_LANE) {
			lanes[i] = first + own[i];
			behind = lanes[i] >= behind ? lanes[i] + 1 : behind;
		}
	free(spans);
	free(own);
	return behind;
}

size_t *
lanes_of(const struct table *table)
{
	size_t *lanes = xcalloc(table->n, sizeof(*lanes)), used = 0;

	for (size_t i = 0; i < table->n; i++)
		lanes[i] = NO_LANE;
	for (size_t i = 0; i < table->n; i++)
		if (lanes[i] == NO_LANE && lead_has_run(&table->records[i]))
			used = add_machine(table, i, used, lanes);
	return lanes;
}
