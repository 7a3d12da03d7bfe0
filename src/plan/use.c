#include <string.h>

#include "base/json.h"
#include "plan/use.h"

static const char *const names[] = {
	[EXCLUSIVE] = "exclusive",
	[SHARED] = "shared",
	[AMOUNT] = "amount",
};

const char *
use_name(enum use use)
{
	return names[use];
}

enum use
use_of(const json_t *claim)
{
	const char *name = json_text(claim, "use");

	for (size_t i = 0; i < countof(names); i++)
		if (!strcmp(name, names[i]))
			return (enum use)i;
	return EXCLUSIVE;
}
