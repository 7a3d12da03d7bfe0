#ifndef NOXMK_BASE_QUANTITY_H
#define NOXMK_BASE_QUANTITY_H

/* Numbers as people write them. */

#include <stdbool.h>

/* A larger quantity would lose digits in readers of JSON that have doubles only. */
#define QUANTITY_MAX (1LL << 53)
#define SECONDS_MAX 1e9

/* "4", "8G", with K, M, G and T for powers of 1024, from 1 to QUANTITY_MAX. False: it is none. */
bool quantity_read(const char *text, long long *quantity);

/* "90", "1.5h", "1h30m", up to SECONDS_MAX; a number without a unit is seconds. False: none. */
bool quantity_read_duration(const char *text, double *seconds);

#endif
