#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "joblog.h"
#include "list.h"
#include "screen.h"
#include "util.h"

static const char *
text(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

/* Columns for the names of targets: most fit, and a very long one does not push the rest away. */
enum { WIDTH_MIN = 20, WIDTH_MAX = 48 };

static void
print_session(const json_t *line, int width)
{
	const char *target = text(line, "target"), *session = text(line, "session");
	char *safe = screen_safe(session), *description = screen_safe(text(line, "description"));
	bool same = !strcmp(target, session);

	printf("%c %-*s  %s%s%s\n", json_is_true(json_object_get(line, "default")) ? '*' : '-',
	    width, target, same ? "" : safe, same || !*description ? "" : ": ", description);
	free(safe);
	free(description);
}

/* A group of one is another name for its session: it works, but would only lengthen the list. */
static void
print_group(const json_t *line, int width)
{
	char *what = screen_safe(text(line, "what"));
	size_t n = json_array_size(json_object_get(line, "members"));

	if (n != 1 || !strcmp(text(line, "group"), "ci"))
		printf("+ %-*s  %s (%zu session%s)\n", width, text(line, "group"), what, n,
		    n == 1 ? "" : "s");
	free(what);
}

int
list_targets(struct planfile *plan, const json_t *unused_goals)
{
	int width = WIDTH_MIN;
	json_t *line;

	(void)unused_goals;
	puts("* default session   - other session   + group");
	planfile_rewind(plan);
	while ((line = planfile_next(plan))) {
		int len = (int)strlen(text(line, "target"));

		if (len > width)
			width = len < WIDTH_MAX ? len : WIDTH_MAX;
		json_decref(line);
	}
	planfile_rewind(plan);
	while ((line = planfile_next(plan))) {
		if (*text(line, "target"))
			print_session(line, width);
		else
			print_group(line, width);
		json_decref(line);
	}
	return 0;
}

/* Of the sessions that it must follow, those that are in this run. */
static void
print_waits(const json_t *session, const char *key, const char *word, const json_t *active)
{
	json_t *item;
	size_t i, n = 0;

	json_array_foreach(json_object_get(session, key), i, item)
		if (json_string_value(item) && json_object_get(active, json_string_value(item)))
			printf("%s%s", n++ ? ", " : word, json_string_value(item));
}

/* Prerequisites and callers first: what planfile_expand does not know are the callers. */
static void
print_ordered(const char *target, json_t *pending, const json_t *active)
{
	json_t *session = json_incref(json_object_get(pending, target)), *item;
	static const char *const keys[] = { "requires", "after" };
	size_t i;

	if (!session)
		return;
	json_object_del(pending, target);
	for (size_t k = 0; k < countof(keys); k++)
		json_array_foreach(json_object_get(session, keys[k]), i, item)
			if (json_is_string(item))
				print_ordered(json_string_value(item), pending, active);
	printf("  %s", target);
	print_waits(session, "requires", "   requires ", active);
	print_waits(session, "after", "   after ", active);
	printf("\n");
	json_decref(session);
}

int
list_order(struct planfile *plan, const json_t *goals)
{
	json_t *active = json_object(), *pending, *item, *session;
	const char *target;
	size_t i, n;
	int result = 0;

	json_array_foreach((json_t *)goals, i, item) {
		if (planfile_expand(plan, json_string_value(item), active) < 0) {
			warnx("%s: no target of this plan", json_string_value(item));
			result = 1;
		}
	}
	n = json_object_size(active);
	printf("noxmk: would run %zu session%s of %s\n", n, n == 1 ? "" : "s",
	    text(planfile_header(plan), "noxfile"));
	pending = json_copy(active);
	json_object_foreach(active, target, session)
		print_ordered(target, pending, active);
	json_decref(pending);
	json_decref(active);
	return result;
}

int
list_log(int run, const char *target)
{
	char *name = xasprintf("%s.log", target);
	int log = strchr(target, '/') ? -1 : openat(run, name, O_RDONLY | O_CLOEXEC);
	int result;

	if (log < 0) {
		warnx("%s: no log in this run (`make nox-list` names the targets)", target);
		free(name);
		return -1;
	}
	result = joblog_print(log);
	close(log);
	free(name);
	return result;
}
