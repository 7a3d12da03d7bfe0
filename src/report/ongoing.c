#include "base/fd.h"
#include "base/json.h"
#include "report/ongoing.h"
#include "session/progress.h"
#include "state/makekey.h"
#include "state/rundir.h"
#include "state/runtime.h"

void
ongoing_open(int rundir, int *runtime, int *table)
{
	json_t *info = rundir_info(rundir);
	const char *key = json_text(info, "make");

	*runtime = makekey_is_sane(key) ? runtime_find(key) : -1;
	*table = now_open_table(*runtime >= 0 ? *runtime : rundir);
	json_decref(info);
}

static json_t *
session_of(const struct board_row *row, double ago)
{
	double began = ago - row->seconds;

	return json_pack("{s:s,s:f,s:f,s:o,s:s}", "target", row->target, "began",
	    began > 0 ? began : 0, "seconds", row->seconds, "slots",
	    row->slots > 0 ? json_integer(row->slots) : json_null(), "state", row->state);
}

json_t *
ongoing_of(int rundir, double ago)
{
	struct progress_options options = { .state = -1, .rundir = rundir };
	struct board board = { 0 };
	struct progress *progress;
	json_t *list = json_array();

	ongoing_open(rundir, &options.runtime, &options.table);
	if (options.table >= 0 && (progress = progress_open(&options))) {
		progress_look(progress, 0, &board);
		for (size_t i = 0; i < board.nrows; i++)
			json_array_append_new(list, session_of(&board.rows[i], ago));
		progress_close(progress);
	}
	fd_close(&options.table);
	fd_close(&options.runtime);
	return list;
}
