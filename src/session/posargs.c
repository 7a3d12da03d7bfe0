#include <stdlib.h>

#include "base/json.h"
#include "session/posargs.h"
#include "state/word.h"

struct strings
posargs_open(int rundir, const char *target, char *const *of_run)
{
	json_t *notified = record_notified_posargs(rundir, target), *item;
	struct strings words = { 0 };
	size_t i;

	json_array_foreach(notified, i, item)
		strings_add(&words, word_text(item));
	for (; !notified && *of_run; of_run++)
		strings_add(&words, xstrdup(*of_run));
	json_decref(notified);
	return words;
}

void
posargs_close(struct strings *words)
{
	for (size_t i = 0; i < words->n; i++)
		free((char *)words->v[i]);
	free(words->v);
	*words = (struct strings){ 0 };
}

/* In place. False if there is one that is not the value of a variable. */
static bool
refer(json_t *words, const struct secrets *secrets, struct mask *mask)
{
	json_t *word;
	size_t i;

	json_array_foreach(words, i, word)
		if (json_is_string(word))
			json_array_set_new(words, i, word_json(json_string_value(word), secrets));
	return !mask_json(mask, words);
}

void
posargs_hide(struct record *record, const struct secrets *secrets, struct mask *mask)
{
	for (size_t i = 0; i < json_array_size(record->notify); i++) {
		const json_t *item = json_array_get(record->notify, i);

		if (refer(json_object_get(item, "posargs"), secrets, mask))
			continue;
		if (record->verdict == PASSED || record->verdict == SKIPPED)
			record_decide(record, FAILED, xasprintf("it notifies %s with a secret that "
			    "is no variable's value, and no file may have: hand it on yourself",
			    json_text(item, "target")));
		json_array_remove(record->notify, i--);
	}
}
