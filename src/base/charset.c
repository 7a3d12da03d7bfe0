#include <string.h>

#include "base/charset.h"

bool
charset_covers(const char *set, const char *text)
{
	return *text && strspn(text, set) == strlen(text);
}
