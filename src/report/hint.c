#include <stdio.h>

#include <jansson.h>

#include "audit/lesson.h"
#include "output/ci.h"
#include "output/screen.h"
#include "report/company.h"
#include "report/hint.h"
#include "state/rundir.h"

static bool
is_first(int state)
{
	json_t *runs = rundir_list(state);
	bool is = json_array_size(runs) == 1;

	json_decref(runs);
	return is;
}

void
hint_print(int state, const struct record *records, size_t n)
{
	struct screen_size size;

	if (!screen_size(&size) || screen_is_quiet() || ci_reads("none") != CI_NONE ||
	    lesson_is_there(state) || !is_first(state) || !company_was_there(records, n))
		return;
	puts("noxmk: sessions ran at the same time: `noxmk audit` finds out which must not");
}
