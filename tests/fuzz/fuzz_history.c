/*
 * history.json with anything in it, ours and somebody else's, and a run that is added to it. Parts
 * of the input: history.json, the one that NOXMK_HISTORY names, a.json (empty: a sound one) and
 * b.json of the run.
 */

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/util.h"
#include "fuzz.h"
#include "state/history.h"

static const char sound_record[] =
    "{\"schema\":1,\"target\":\"a\",\"session\":\"a\",\"verdict\":\"passed\",\"exit\":0,"
    "\"duration\":2.5,\"cpu\":4.0,\"client\":true,\"notify\":[],\"waits\":[],\"told\":2,"
    "\"width\":2,\"memory\":5000,\"wide\":[\"pytest\"],\"crowded\":0.25}";
static const char *const targets[] = { "a", "b", "c", "" };

static void
check_sense(const struct learned *it)
{
	json_t *word;
	size_t i;

	REQUIRE(it->known == (it->width > 0) && it->memory <= INT64_MAX);
	REQUIRE(it->cpu >= 0 && it->cpu < 1e9);
	REQUIRE(it->alone == -1 || (it->alone >= 0 && it->alone < 1e9));
	REQUIRE(json_array_size(it->wide) <= 8);
	json_array_foreach(it->wide, i, word)
		REQUIRE(json_is_string(word) && json_string_length(word) <= 100);
}

/* Whoever looks up one session finds what makes sense, too. */
static void
check_learned(int state, const struct history *history, const char *target)
{
	struct learned all = history_learned(history, target), one = learned_of(state, target);

	check_sense(&all);
	check_sense(&one);
	learned_clear(&all);
	learned_clear(&one);
}

/* Whatever the files say, it is something to plan with. */
static void
check_expected(int state)
{
	struct history *history = history_load(state);

	for (size_t i = 0; i < countof(targets); i++) {
		struct expectation it = history_expect(history, targets[i]);

		REQUIRE(isfinite(it.seconds) && it.seconds > 0 && it.seconds <= 1e9);
		check_learned(state, history, targets[i]);
	}
	history_free(history);
}

/* What is learned is said of sessions that are there, and found again. */
static void
check_kept(int state, const json_t *root)
{
	json_t *learned = json_object_get(root, "learned"), *entry;
	const char *target;

	REQUIRE(!learned || json_object_size(learned) > 0);
	json_object_foreach(learned, target, entry) {
		struct learned wanted = learned_read(entry), found = learned_of(state, target);

		REQUIRE(json_object_get(json_object_get(root, "sessions"), target));
		if (fuzz_is_slug(target, strlen(target)))
			REQUIRE(found.width == wanted.width && found.alone == wanted.alone);
		learned_clear(&wanted);
		learned_clear(&found);
	}
}

/*
 * Written by us, it is one that we can read, and not too long. False for a newer noxmk's, which
 * stays as it is.
 */
static bool
check_written(int state)
{
	struct buffer text = { 0 };
	json_t *root, *sessions, *clients, *name;
	bool ours;
	size_t i;

	REQUIRE(file_read(state, "history.json", &text) == 0);
	root = json_loadb(text.data, text.len, 0, NULL);
	sessions = json_object_get(root, "sessions");
	clients = json_object_get(root, "clients");
	ours = json_integer_value(json_object_get(root, "schema")) <= 1;
	if (!ours)
		goto out;
	REQUIRE(json_integer_value(json_object_get(root, "schema")) == 1);
	REQUIRE(json_is_object(sessions) && json_object_size(sessions) <= 5000);
	json_array_foreach(clients, i, name)
		REQUIRE(json_is_string(name));
	check_kept(state, root);
out:
	json_decref(root);
	buffer_free(&text);
	return ours;
}

/* A sound run is known from then on, whatever was there before. */
static void
check_added(int state)
{
	struct history *history = history_load(state);
	struct expectation it = history_expect(history, "a");
	struct learned learned = learned_of(state, "a");

	REQUIRE(it.known && it.client);
	REQUIRE(learned.known && learned.width == 2);
	learned_clear(&learned);
	history_free(history);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int state = fuzz_folder(), run;
	const uint8_t *part;
	size_t length = 0;
	bool is_sound, ours;
	char seed[4200];

	snprintf(seed, sizeof(seed), "%s/seed.json", fuzz_folder_path());
	setenv("NOXMK_HISTORY", seed, 1);
	mkdirat(state, "run", 0777);
	if ((run = openat(state, "run", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return 0;
	part = fuzz_part(&data, &size, &length);
	fuzz_file(state, "history.json", part, length);
	part = fuzz_part(&data, &size, &length);
	fuzz_file(state, "seed.json", part, length);
	part = fuzz_part(&data, &size, &length);
	is_sound = !part || length == 0;
	if (is_sound)
		fuzz_file(run, "a.json", sound_record, sizeof(sound_record) - 1);
	else
		fuzz_file(run, "a.json", part, length);
	part = fuzz_part(&data, &size, &length);
	fuzz_file(run, "b.json", part, length);
	check_expected(state);
	(void)history_update(state, run);
	ours = check_written(state);
	check_expected(state);
	if (ours && is_sound && !part)
		check_added(state);
	(void)history_update(state, run);
	(void)check_written(state);
	close(run);
	return 0;
}
