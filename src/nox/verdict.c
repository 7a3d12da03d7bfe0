#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "nox/verdict.h"

static const struct {
	const char *name;
	enum verdict verdict;
} results[] = {
	{ "success", PASSED },
	{ "failed", FAILED },
	{ "aborted", ABORTED },
	{ "skipped", SKIPPED },
};

/*
 * nox's own report may list prerequisites that ran in the same process; ours comes by its name,
 * or last.
 */
static const json_t *
find_entry(const json_t *report, const char *session)
{
	const json_t *list = json_object_get(report, "sessions"), *item;
	size_t i;

	json_array_foreach(list, i, item) {
		const char *name = json_string_value(json_object_get(item, "name"));

		if (name && !strcmp(name, session))
			return item;
	}
	return json_array_get(list, json_array_size(list) - 1);
}

/* 0 and the verdict, or -1 when the entry has none that we know. */
static int
read_result(const json_t *entry, enum verdict *verdict)
{
	const char *result = json_string_value(json_object_get(entry, "result"));

	for (size_t i = 0; result && i < countof(results); i++) {
		if (!strcmp(result, results[i].name)) {
			*verdict = results[i].verdict;
			return 0;
		}
	}
	return -1;
}

/* [{"index":5,"posargs":…}] -> [{"target":"coverage","posargs":…}] */
static json_t *
read_notify(const json_t *report, struct planfile *plan)
{
	const json_t *list = json_object_get(report, "notify"), *item;
	json_t *notify = json_array();
	size_t i;

	json_array_foreach(list, i, item) {
		const json_t *index = json_object_get(item, "index");
		json_t *session = json_is_integer(index) && json_integer_value(index) >= 0 ?
		    planfile_session_at(plan, (size_t)json_integer_value(index)) : NULL;
		json_t *posargs = json_object_get(item, "posargs");

		if (session)
			json_array_append_new(notify, json_pack("{s:O,s:O?}", "target",
			    json_object_get(session, "target"), "posargs", posargs));
		json_decref(session);
	}
	return notify;
}

/* A session that passed, but whose report broke off while it was written. */
static bool
is_truncated_success(const struct buffer *report)
{
	static const char start[] = "{\n  \"result\": 1,";

	return report->len >= sizeof(start) - 1 &&
	       !memcmp(report->data, start, sizeof(start) - 1);
}

static void
set(struct record *r, enum verdict verdict, char *reason)
{
	r->verdict = verdict;
	free(r->reason);
	r->reason = reason;
}

/* Exit codes of nox itself, for what never became a session; see reference in noxmk(1). */
static char *
explain_exit(int code)
{
	switch (code) {
	case 2:
		return xstrdup("nox: bad option or unmet needs_version (exit 2)");
	case 3:
		return xstrdup("nox: no such session any more (exit 3)");
	default:
		return xasprintf("nox exited with status %d and left no report", code);
	}
}

void
verdict_judge(struct record *r, int status, const struct buffer *text, struct planfile *plan)
{
	json_t *report = text->len ? json_loadb(text->data, text->len, 0, NULL) : NULL;
	const json_t *entry = find_entry(report, r->session);
	const char *why = json_string_value(json_object_get(entry, "reason"));
	char *reason = why && *why ? xstrdup(why) : NULL;
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	enum verdict said;
	bool known = read_result(entry, &said) == 0;

	r->exit = code;
	r->signal = WIFSIGNALED(status) ? WTERMSIG(status) : -1;
	r->notify = read_notify(report, plan);
	if (r->signal >= 0)
		set(r, FAILED, xasprintf("nox was killed by SIG%s", sigabbrev_np(r->signal) ?
		    sigabbrev_np(r->signal) : "?"));
	else if (known && said == PASSED && code != 0)
		set(r, FAILED, xasprintf("it passed, then nox exited with status %d", code));
	else if (known && (said == FAILED || said == ABORTED) && code == 0)
		set(r, FAILED, xasprintf("nox exited with 0, but its report says %s",
		    said == FAILED ? "failed" : "aborted"));
	else if (known)
		set(r, said, reason ? xstrdup(reason) : NULL);
	else if (code == 1 && is_truncated_success(text))
		set(r, PASSED, xstrdup("nox could not write its report"));
	else if (code == 0)
		set(r, FAILED, xstrdup("nox exited with status 0 before the session was over"));
	else
		set(r, FAILED, explain_exit(code));
	free(reason);
	json_decref(report);
}
