#include <limits.h>
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

static long long
number(const json_t *claim, const char *key)
{
	return json_integer_value(json_object_get(claim, key));
}

enum meeting
use_meet(const json_t *ours, const json_t *other, long long *taken)
{
	enum use use = use_of(ours), its = use_of(other);

	if (strcmp(json_text(ours, "resource"), json_text(other, "resource")) != 0 ||
	    (use == SHARED && its == SHARED))
		return APART;
	if (use != AMOUNT || its != AMOUNT)
		return IN_WAY;
	if (__builtin_add_overflow(*taken, number(other, "amount"), taken))
		*taken = LLONG_MAX;
	return AMOUNTS;
}

bool
use_fits(const json_t *ours, long long taken)
{
	return taken <= number(ours, "capacity") - number(ours, "amount");
}
