#include <err.h>
#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "state/failed.h"
#include "state/record.h"
#include "state/state.h"

#define NAME "failed"

/* The words of the text as keys, targets or not: print() takes only those that the plan knows. */
static json_t *
words_of(char *text)
{
	json_t *words = json_object();
	char *word;

	while ((word = strsep(&text, " \n")))
		if (*word)
			json_object_set_new(words, word, json_true());
	return words;
}

/* Adds the target or removes it, by its record. */
static void
judge(int rundir, const char *target, json_t *failed)
{
	struct record record = { 0 };
	bool bad = record_read(rundir, target, &record) != 1 || record_is_bad(&record);

	record_clear(&record);
	if (bad)
		json_object_set_new(failed, target, json_true());
	else
		json_object_del(failed, target);
}

/* Judges the sessions that were to run, and others that ran because one had notified them. */
static void
judge_all(int rundir, struct planfile *plan, const json_t *goals, json_t *failed)
{
	json_t *expected = json_object(), *others = record_list(rundir), *item;
	const char *target;
	size_t i;

	planfile_expand(plan, goals, expected, false);
	json_object_foreach(expected, target, item)
		judge(rundir, target, failed);
	json_array_foreach(others, i, item)
		if (!json_object_get(expected, json_string_value(item)))
			judge(rundir, json_string_value(item), failed);
	json_decref(others);
	json_decref(expected);
}

/* The text of the file: the failed targets that are in the plan, in its order. */
static void
print(struct planfile *plan, const json_t *failed, struct buffer *out)
{
	json_t *line;

	buffer_addstr(out, "");
	planfile_rewind(plan);
	while (json_object_size(failed) > 0 && (line = planfile_next(plan))) {
		const char *target = json_string_value(json_object_get(line, "target"));

		if (target && json_object_get(failed, target))
			buffer_printf(out, "%s ", target);
		json_decref(line);
	}
	if (out->len > 0)
		buffer_addstr(out, "\n");
}

void
failed_update(int state, int rundir, struct planfile *plan, const json_t *goals)
{
	struct buffer old = { 0 }, new = { 0 };
	json_t *failed;
	char *copy;
	int lock;

	/* Two makes may end at once. */
	lock = state_lock(state, STATE_PATIENCE);
	buffer_addstr(&old, "");
	if (file_load(state, NAME, &old) < 0 && errno != ENOENT)
		warn("%s/" NAME, state_path());
	copy = xstrdup(old.data);
	failed = words_of(copy);
	judge_all(rundir, plan, goals, failed);
	print(plan, failed, &new);
	if (strcmp(old.data, new.data) != 0 && file_replace(state, NAME, new.data, new.len) < 0)
		warn("%s/" NAME, state_path());
	state_unlock(lock);
	json_decref(failed);
	free(copy);
	buffer_free(&old);
	buffer_free(&new);
}
