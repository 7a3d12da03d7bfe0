/*
 * history.json with anything in it, ours and somebody else's, and a run that is added to it. Parts
 * of the input: history.json, the one that NOXMK_HISTORY names, a.json (empty: a sound one) and
 * b.json of the run.
 */

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/util.h"
#include "fuzz.h"
#include "state/history.h"

static const char sound_record[] =
    "{\"schema\":1,\"target\":\"a\",\"session\":\"a\",\"verdict\":\"passed\",\"exit\":0,"
    "\"duration\":2.5,\"cpu\":4.0,\"client\":true,\"notify\":[],\"waits\":[]}";
static const char *const targets[] = { "a", "b", "c", "" };

/* Whatever the files say, it is something to plan with. */
static void
check_expected(int state)
{
	struct history *history = history_load(state);

	for (size_t i = 0; i < countof(targets); i++) {
		struct expectation it = history_expect(history, targets[i]);

		REQUIRE(isfinite(it.seconds) && it.seconds > 0 && it.seconds <= 1e9);
	}
	history_free(history);
}

/* Written by us, it is one that we can read, and not too long. */
static void
check_written(int state)
{
	struct buffer text = { 0 };
	json_t *root, *sessions, *clients, *name;
	size_t i;

	REQUIRE(file_read(state, "history.json", &text) == 0);
	root = json_loadb(text.data, text.len, 0, NULL);
	sessions = json_object_get(root, "sessions");
	clients = json_object_get(root, "clients");
	REQUIRE(json_integer_value(json_object_get(root, "schema")) == 1);
	REQUIRE(json_is_object(sessions) && json_object_size(sessions) <= 5000);
	json_array_foreach(clients, i, name)
		REQUIRE(json_is_string(name));
	json_decref(root);
	buffer_free(&text);
}

/* A sound run is known from then on, whatever was there before. */
static void
check_added(int state)
{
	struct history *history = history_load(state);
	struct expectation it = history_expect(history, "a");

	REQUIRE(it.known && it.client);
	history_free(history);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int state = fuzz_folder(), run;
	const uint8_t *part;
	size_t length = 0;
	bool is_sound;
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
	check_written(state);
	check_expected(state);
	if (is_sound && !part)
		check_added(state);
	(void)history_update(state, run);
	check_written(state);
	close(run);
	return 0;
}
