#include <string.h>

#include "base/words.h"

/* Copies what follows an opening quote, without the closing one, which NULL says is missing. */
static const char *
copy_quoted(const char *from, char quote, char **to)
{
	for (; *from != quote; from++) {
		bool escapes = *from == '\\' && quote == '"' && from[1] &&
			       strchr("$`\"\\\n", from[1]);

		from += escapes;
		if (!*from)
			return NULL;
		if (!escapes || *from != '\n')
			*(*to)++ = *from;
	}
	return from + 1;
}

const char *
words_split(char *text, struct strings *words)
{
	static const char blanks[] = " \t\r\n\v\f";
	const char *from = text + strspn(text, blanks);
	char *to = text; /* a word is never longer than its text */

	while (*from) {
		strings_add(words, to);
		while (*from && !strchr(blanks, *from)) {
			char c = *from++;

			if (c == '\'' || c == '"') {
				from = copy_quoted(from, c, &to);
				if (!from)
					return c == '"' ? "has a \" without its second" :
							  "has a ' without its second";
			} else if (c != '\\') {
				*to++ = c;
			} else if (!*from) {
				return "ends in a backslash";
			} else if (*from++ != '\n') {
				*to++ = from[-1];
			}
		}
		from += strspn(from, blanks);
		*to++ = '\0';
	}
	return NULL;
}
