#include <unistd.h>

#include "begin.h"
#include "state/join.h"
#include "state/request.h"

int
begin_run(int state, const char *key)
{
	json_t *settings = request_take(state, "begin", key);
	struct request request = { 0 };
	int rundir, result = EXIT_HELPER;

	if (!settings)
		return EXIT_HELPER;
	if (!request_check(settings, &request)) {
		result = EXIT_USAGE;
	} else if ((rundir = join_run(state, key, request.knobs.keep)) >= 0) {
		if (request_write(rundir, &request) == 0)
			result = 0;
		close(rundir);
	}
	request_clear(&request);
	json_decref(settings);
	return result;
}
