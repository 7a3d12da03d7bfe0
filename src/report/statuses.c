#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/process.h"
#include "base/spawn.h"
#include "output/ci.h"
#include "output/screen.h"
#include "output/utf8.h"
#include "report/company.h"
#include "report/statuses.h"
#include "state/record.h"

/* After that many seconds statuses.py is ended; it gives up earlier by itself. */
#define PATIENCE 6.0

/* Milliseconds in which it ends when it has said all. */
enum { END_PATIENCE = 300 };

/* Columns of a description, as forges show them. */
enum { DESCRIPTION_MOST = 140 };

static bool
is_set(const char *variable)
{
	const char *value = getenv(variable);

	return value && *value;
}

static bool
is_possible(void)
{
	enum ci_forge forge = ci_forge();

	return (forge == FORGE_FORGEJO || forge == FORGE_GITEA) &&
	       (is_set("FORGEJO_TOKEN") || is_set("GITEA_TOKEN") || is_set("GITHUB_TOKEN"));
}

static const char *
state_of(const struct record *r)
{
	if (!record_is_bad(r))
		return "success";
	return r->verdict == FAILED || r->verdict == ABORTED ? "failure" : "error";
}

/* "failed in 3.4s: REASON". The caller frees. */
static char *
description_of(const struct record *r)
{
	char *reason = company_reason(r), *safe = screen_safe(reason ? reason : "");
	bool ran = r->verdict != NOT_RUN;
	char *all = xasprintf("%s%s%s%s%s", verdict_name(r->verdict), ran ? " in " : "",
	    ran ? screen_duration(r->duration).s : "", *safe ? ": " : "", safe);
	char *cut = utf8_cut(all, DESCRIPTION_MOST);

	free(all);
	free(safe);
	free(reason);
	return cut;
}

static void
add(json_t *statuses, int rundir, const char *target)
{
	struct record r = { 0 };
	bool found = record_read(rundir, target, &r) == 1;
	char *description = found ? description_of(&r) : xstrdup("not run: it has no record");

	json_array_append_new(statuses, json_pack("{s:s,s:s,s:s}", "target", target, "state",
	    found ? state_of(&r) : "error", "description", description));
	free(description);
	record_clear(&r);
}

/* As statuses.py reads it. The caller frees. */
static char *
statuses_of(int rundir, struct planfile *plan, const json_t *goals)
{
	json_t *sessions = json_object(), *records = record_list(rundir), *item, *session;
	json_t *statuses = json_array(), *all = json_pack("{s:o}", "statuses", statuses);
	const char *target;
	char *text;
	size_t i;

	planfile_expand(plan, goals, sessions, false);
	json_array_foreach(records, i, item)
		json_object_set_new(sessions, json_string_value(item), json_null());
	json_object_foreach(sessions, target, session)
		add(statuses, rundir, target);
	text = json_dumps(all, JSON_COMPACT);
	json_decref(all);
	json_decref(records);
	json_decref(sessions);
	return text;
}

/* What it writes until it ends, or until the time is over. Its status of wait(2). */
static int
hear_out(pid_t pid, int out, struct buffer *words)
{
	double end = clock_monotonic() + PATIENCE;
	struct pollfd fd = { .fd = out, .events = POLLIN };
	char data[512];
	ssize_t n = 1;
	int status = 0;

	while (n > 0 && words->len < sizeof(data)) {
		int ready = poll(&fd, 1, clock_until(end, -1));

		if (ready == 0) {
			buffer_addstr(words, "no answer in time");
			break;
		}
		if (ready < 0)
			continue;
		n = read(out, data, sizeof(data));
		buffer_add(words, data, n > 0 ? (size_t)n : 0);
	}
	/* One that has written all ends by itself. */
	process_end_child(pid, &status, n == 0 ? END_PATIENCE : 0);
	return status;
}

/* Runs it with that input. What it says, without the line end, or "". The caller frees. */
static char *
run(char *const argv[], const char *text)
{
	struct spawn_files files = { .in = memfd_create("noxmk", MFD_CLOEXEC), .err = -1,
		.more = -1 };
	struct buffer words = { 0 };
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC), ends[2], status;
	pid_t pid;

	buffer_addstr(&words, "");
	if (pipe2(ends, O_CLOEXEC) < 0)
		err(EXIT_HELPER, "pipe");
	files.out = ends[1];
	files.err = null;
	pid = fd_write_all(files.in, text, strlen(text)) < 0 || lseek(files.in, 0, SEEK_SET) < 0 ?
	    -1 : spawn_with(argv, environ, &files);
	if (pid < 0)
		buffer_addstr(&words, strerror(errno));
	fd_close(&ends[1]);
	if (pid > 0 && (status = hear_out(pid, ends[0], &words)) != 0 && words.len == 0)
		buffer_printf(&words, "statuses.py ended with status %#x", (unsigned)status);
	fd_close(&ends[0]);
	fd_close(&files.in);
	fd_close(&null);
	words.data[strcspn(words.data, "\n")] = '\0';
	return words.data;
}

void
statuses_post(const char *share, int rundir, struct planfile *plan, const json_t *goals)
{
	const char *python = json_string_value(json_object_get(planfile_header(plan), "python"));
	char *program, *text, *words, *safe;

	if (!is_possible())
		return;
	if (!python) {
		warnx("NOXMK_STATUS: this nox does not say which Python it runs in");
		return;
	}
	program = xasprintf("%s/statuses.py", share);
	text = statuses_of(rundir, plan, goals);
	/* Neither the checkout nor the environment nor what is installed says what is loaded. */
	words = run((char *[]){ (char *)python, (char *)"-IS", program, NULL }, text);
	safe = screen_safe(words);
	if (*safe)
		warnx("NOXMK_STATUS: the forge does not know of all sessions: %s", safe);
	free(safe);
	free(words);
	free(text);
	free(program);
}
