#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/stdlib.h>

#include "base/charset.h"
#include "base/quantity.h"
#include "base/util.h"

bool
quantity_read(const char *text, long long *quantity)
{
	int64_t number;

	if (!*text || !strchr(DIGITS, *text) || dehumanize_number(text, &number) < 0 ||
	    number < 1 || number > QUANTITY_MAX)
		return false;
	*quantity = number;
	return true;
}

bool
quantity_read_duration(const char *text, double *seconds)
{
	static const struct {
		const char *unit;
		double seconds;
	} units[] = { { "ms", 1e-3 }, { "s", 1 }, { "m", 60 }, { "h", 3600 }, { "d", 86400 } };

	*seconds = 0;
	if (!*text)
		return false;
	if (charset_covers(DIGITS ".", text)) {
		*seconds = atof(text);
		return strlen(text) < 20 && *text != '.' && *seconds <= SECONDS_MAX;
	}
	while (*text) {
		size_t len = strspn(text, DIGITS "."), i;

		if (len == 0 || len > 20 || *text == '.')
			return false;
		for (i = 0; i < countof(units); i++)
			if (strspn(text + len, LETTERS) == strlen(units[i].unit) &&
			    !strncmp(text + len, units[i].unit, strlen(units[i].unit)))
				break;
		if (i == countof(units))
			return false;
		*seconds += atof(text) * units[i].seconds;
		text += len + strlen(units[i].unit);
	}
	return *seconds <= SECONDS_MAX;
}
