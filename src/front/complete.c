#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "front/complete.h"
#include "plan/planfile.h"
#include "report/list.h"
#include "state/rundir.h"
#include "state/state.h"

/* One part of a usage: an option, with the name of its argument, or an operand. */
struct part {
	char option[32], value[64]; /* "" for none */
};

int
complete_script(const char *share, const char *shell)
{
	char *path = xasprintf("%s/completion/%s", share, shell);
	struct buffer text = { 0 };
	int result = EXIT_USAGE;

	if (strchr(shell, '/') || file_read(AT_FDCWD, path, &text) < 0) {
		warnx("no completion for a shell %s is installed here: there are " COMPLETE_SHELLS,
		    shell);
	} else {
		fwrite(text.data, 1, text.len, stdout);
		result = 0;
	}
	buffer_free(&text);
	free(path);
	return result;
}

/* The next word of a usage, without its brackets. Its length; *last: it ends what is optional. */
static size_t
next_word(const char **text, const char **word, bool *last)
{
	size_t len;

	*text += strspn(*text, " [");
	*word = *text;
	len = strcspn(*text, " ");
	*text += len;
	*last = len > 0 && (*text)[-1] == ']';
	while (len > 0 && (*word)[len - 1] == ']')
		len--;
	return len;
}

/* False at the end of the usage. */
static bool
next_part(const char **text, struct part *part)
{
	const char *word;
	bool last;
	size_t len = next_word(text, &word, &last);

	*part = (struct part){ 0 };
	if (len == 0)
		return false;
	if (*word == '-') {
		snprintf(part->option, sizeof(part->option), "%.*s", (int)len, word);
		if (last || (*text)[1] == '[')
			return true;
		len = next_word(text, &word, &last);
	}
	snprintf(part->value, sizeof(part->value), "%.*s", (int)len, word);
	return true;
}

/* Does that option take an argument? Then *part is that. */
static bool
takes_argument(const char *usage, const char *option, struct part *part)
{
	while (next_part(&usage, part))
		if (*part->value && !strcmp(part->option, option))
			return true;
	return false;
}

static void
print_options(const char *usage)
{
	struct part part;

	while (next_part(&usage, &part))
		if (*part.option && strcmp(part.option, "--") != 0)
			printf("%s\t%s\n", part.option, part.value);
	puts("--help\thow it is used");
}

static void
print_commands(usage_list *list)
{
	const struct usage *usage;

	for (size_t i = 0; (usage = list(i)); i++)
		if (usage->audience == PEOPLE)
			printf("%s\t%s\n", usage->name, usage->help);
}

static void
print_targets(void)
{
	int state = state_find();
	/* Where there is no plan, nobody wants to read of it while he types. */
	struct planfile *plan = planfile_find(state);

	if (plan)
		list_print_targets(plan);
	planfile_close(plan);
	fd_close(&state);
}

/* Those that are kept, the newest first. */
static void
print_runs(void)
{
	int state = state_find();
	json_t *names = rundir_list(state);

	puts("latest\tthe newest run");
	for (size_t i = json_array_size(names); i-- > 0;)
		printf("%s\ta run\n", json_string_value(json_array_get(names, i)));
	json_decref(names);
	fd_close(&state);
}

/* words: with a blank around each. */
static bool
is_among(const char *name, const char *words)
{
	char *word = xasprintf(" %s ", name);
	bool is = strstr(words, word);

	free(word);
	return is;
}

/* What has that name in a usage. Returns as complete_words. */
static int
print_values(usage_list *list, char *name)
{
	char *word;

	if (is_among(name, " FOLDER STATE NOXFILE MAKEFILE FILE "))
		return 1;
	if (is_among(name, " TARGET TARGETS GOAL WORD "))
		print_targets();
	if (is_among(name, " RUN "))
		print_runs();
	if (is_among(name, " COMMAND "))
		print_commands(list);
	if (strchr(name, '|'))
		while ((word = strsep(&name, "|")))
			printf("%s\t\n", word);
	return 0;
}

static int
print_operands(usage_list *list, const char *usage)
{
	struct part part;

	while (next_part(&usage, &part))
		if (!*part.option)
			return print_values(list, part.value);
	return 0;
}

/* Global options count for the targets, as far as they can. */
static void
apply(const char *option, const char *value)
{
	if (!strcmp(option, "-S"))
		state_choose(value);
	else if (!strcmp(option, "-C") && chdir(value) < 0)
		err(EXIT_USAGE, "%s", value);
}

/*
 * Goes over options and their arguments, up to the last word. *at: the first word that is none. Is
 * the last word an argument? Then *part is that.
 */
static bool
skip_options(const char *usage, char *const *words, size_t n, size_t *at, struct part *part)
{
	while (*at + 1 < n && words[*at][0] == '-') {
		const char *option = words[(*at)++];

		if (!takes_argument(usage, option, part))
			continue;
		if (*at + 1 == n)
			return true;
		apply(option, words[(*at)++]);
	}
	return false;
}

static const struct usage *
find(usage_list *list, const char *name)
{
	const struct usage *usage;

	for (size_t i = 0; (usage = list(i)); i++)
		if (!strcmp(usage->name, name))
			return usage;
	return NULL;
}

int
complete_words(usage_list *list, char *const *words)
{
	const struct usage *command;
	struct part part;
	size_t n = 0, at = 0;
	bool is_option;

	while (words[n])
		n++;
	is_option = n > 0 && words[n - 1][0] == '-';
	if (skip_options(USAGE_GLOBAL, words, n, &at, &part))
		return print_values(list, part.value);
	if (at + 1 >= n) {
		if (is_option)
			print_options(USAGE_GLOBAL " [--version]");
		else
			print_commands(list);
		return 0;
	}
	command = find(list, words[at++]);
	if (!command)
		return 0;
	/* Options may stand behind words. */
	for (; at + 1 <= n; at++)
		if (skip_options(command->operands, words, n, &at, &part))
			return print_values(list, part.value);
	if (is_option) {
		print_options(command->operands);
		return 0;
	}
	return print_operands(list, command->operands);
}
