#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "plan/secret.h"
#include "session/tracing.h"
#include "state/word.h"

static char *
hide(void *mask, char *word)
{
	return mask_text(mask, word);
}

struct tracer *
tracing_open(const struct attempt_options *attempt, struct mask *mask, char *const *argv)
{
	struct secrets secrets;
	struct tracer *tracer;
	json_t *words;
	char *root;

	if (!tracer_is_wanted())
		return NULL;
	secrets = secrets_of(planfile_header(attempt->plan));
	words = json_array();
	root = getcwd(NULL, 0);
	for (; *argv; argv++)
		json_array_append_new(words, word_json(*argv, &secrets));
	tracer = tracer_open(&(struct tracer_options){ .rundir = attempt->rundir,
	    .target = attempt->target, .session = json_text(attempt->session, "session"),
	    .root = root ? root : "/", .script = "shim.py", .argv = words,
	    .hider = { .hide = hide, .data = mask } });
	free(root);
	secrets_clear(&secrets);
	return tracer;
}
