#include <stdlib.h>
#include <string.h>

#include "base/cpus.h"
#include "base/makeflags.h"

/* Both name the same thing; the second one is that of makes before 4.2. */
static const char *const auth_options[] = { "--jobserver-auth=", "--jobserver-fds=" };

/*
 * One word of MAKEFLAGS as make wrote it. Before the first call of next_word `raw` is the whole
 * text and `length` 0.
 */
struct word {
	const char *raw;
	size_t length;
	bool is_variable;
};

static bool
is_raw(const struct word *word, const char *text)
{
	return word->length == strlen(text) && !strncmp(word->raw, text, word->length);
}

static bool
starts(const struct word *word, const char *prefix)
{
	size_t length = strlen(prefix);

	return word->length >= length && !strncmp(word->raw, prefix, length);
}

static void
take_word(struct word *word)
{
	word->raw += word->length;
	word->raw += strspn(word->raw, " ");
	word->length = 0;
	while (word->raw[word->length] && word->raw[word->length] != ' ')
		word->length += word->raw[word->length] == '\\' &&
			word->raw[word->length + 1] ? 2 : 1;
}

/* False at the end. The lone "--", behind which the variables stand, is none of the words. */
static bool
next_word(struct word *word)
{
	take_word(word);
	if (!word->is_variable && is_raw(word, "--")) {
		word->is_variable = true;
		take_word(word);
	}
	return word->length > 0;
}

/* What it says from that byte on, without make's backslashes. The caller frees. */
static char *
text_from(const struct word *word, size_t start)
{
	char *text = xcalloc(word->length + 1, 1), *to = text;

	for (size_t i = start; i < word->length; i++) {
		if (word->raw[i] == '\\' && i + 1 < word->length)
			i++;
		*to++ = word->raw[i];
	}
	return text;
}

/* Is it where a jobserver is? The last one counts. */
static bool
read_auth(const struct word *word, char **auth)
{
	for (size_t i = 0; i < countof(auth_options); i++)
		if (starts(word, auth_options[i])) {
			free(*auth);
			*auth = text_from(word, strlen(auth_options[i]));
			return true;
		}
	return false;
}

struct makeflags
makeflags_read(const char *text, unsigned jobs)
{
	struct makeflags makeflags = { .slots = 1 };
	struct word word = { .raw = text ? text : "" };

	/* The first word may be short flags without a dash; -j and -l are never among them. */
	while (next_word(&word)) {
		if (word.is_variable) {
			read_auth(&word, &makeflags.tools_auth);
		} else if (starts(&word, "-j")) {
			makeflags.unlimited = word.length == 2;
			makeflags.slots = makeflags.unlimited ? 0 :
				(unsigned)strtoul(word.raw + 2, NULL, 10);
		} else if (starts(&word, "-l")) {
			makeflags.load = word.length == 2 ? 0 : strtod(word.raw + 2, NULL);
		} else {
			read_auth(&word, &makeflags.auth);
		}
	}
	if (makeflags.auth)
		makeflags.unlimited = false;
	if (makeflags.slots == 0)
		makeflags.slots = jobs > 0 && makeflags.unlimited ? jobs : cpus_available();
	return makeflags;
}

void
makeflags_clear(struct makeflags *makeflags)
{
	free(makeflags->auth);
	free(makeflags->tools_auth);
	*makeflags = (struct makeflags){ .slots = 1 };
}

/* As make itself does it, but for its guess of what it has started within the last second. */
bool
makeflags_is_loaded(const struct makeflags *makeflags)
{
	double load;

	return makeflags->load > 0 && getloadavg(&load, 1) == 1 && load >= makeflags->load;
}

bool
makeflags_sets(const char *text, const char *variable)
{
	struct word word = { .raw = text ? text : "" };
	size_t length = strlen(variable);

	while (next_word(&word))
		if (word.is_variable && starts(&word, variable) && word.length > length &&
		    word.raw[length] == '=')
			return true;
	return false;
}

char *
makeflags_with_jobserver(const char *text, int take, int give)
{
	struct buffer options = { 0 }, variables = { 0 };
	struct word word = { .raw = text };
	char *result;

	buffer_addstr(&options, "");
	buffer_addstr(&variables, "");
	while (next_word(&word)) {
		struct buffer *to = word.is_variable ? &variables : &options;

		/* Only the first word may have no dash, and then no blank before it either. */
		if (word.is_variable || (!starts(&word, "-j") && !starts(&word, "--jobserver")))
			buffer_printf(to, "%s%.*s", word.raw == text ? "" : " ", (int)word.length,
			    word.raw);
	}
	result = xasprintf("%s -j %s%d,%d%s%s", options.data, auth_options[0], take, give,
	    variables.len > 0 ? " --" : "", variables.data);
	buffer_free(&options);
	buffer_free(&variables);
	return result;
}
