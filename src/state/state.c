#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "state/state.h"

int
state_open(void)
{
	int state = open(STATE_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (state < 0 && errno == ENOENT)
		warnx("no " STATE_FOLDER " here: `make ci` in the project's folder makes it");
	else if (state < 0)
		warn(STATE_FOLDER);
	return state;
}

int
state_make(void)
{
	static const char ignore[] = "*\n";
	int state;

	/* Logs may hold what is not for everybody. */
	if (mkdir(STATE_FOLDER, 0700) < 0 && errno != EEXIST) {
		warn("cannot make the folder " STATE_FOLDER);
		return -1;
	}
	state = state_open();
	if (state >= 0 && faccessat(state, ".gitignore", F_OK, 0) < 0 &&
	    file_replace(state, ".gitignore", ignore, sizeof(ignore) - 1) < 0) {
		warn(STATE_SHOWN(".gitignore"));
		close(state);
		return -1;
	}
	return state;
}

void
state_lock(int state)
{
	if (flock(state, LOCK_EX) < 0)
		warn(STATE_FOLDER);
}

void
state_unlock(int state)
{
	flock(state, LOCK_UN);
}
