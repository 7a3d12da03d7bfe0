#include <string.h>

#include "state/shard.h"

/* Reads the digits at *at, and goes on behind them. 0: there are none, or too many. */
static unsigned
read_number(const char **at)
{
	unsigned n = 0;

	while (**at >= '0' && **at <= '9' && n <= SHARDS_MOST)
		n = n * 10 + (unsigned)(*(*at)++ - '0');
	return n <= SHARDS_MOST ? n : 0;
}

bool
shard_choice_read(const char *text, struct shard_choice *choice)
{
	*choice = (struct shard_choice){ .number = read_number(&text) };
	if (*text++ != '/')
		return false;
	choice->of = read_number(&text);
	if (*text == '@') {
		if (strspn(++text, "0123456789abcdef") != SHARD_HASH)
			return false;
		memcpy(choice->hash, text, SHARD_HASH);
		text += SHARD_HASH;
	}
	return *text == '\0' && choice->number > 0 && choice->number <= choice->of;
}
