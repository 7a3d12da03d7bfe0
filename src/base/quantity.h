#ifndef NOXMK_BASE_QUANTITY_H
#define NOXMK_BASE_QUANTITY_H

/* Numbers as people write them. */

#include <stdbool.h>

/* The most, so that sums of them fit, and other readers of JSON get them whole. */
#define QUANTITY_MAX (1LL << 53)
#define SECONDS_MAX 1e9

/* "4", "8G", with K, M, G and T for powers of 1024; from 1 on. */
bool quantity_read(const char *text, long long *quantity);

/* "90", "1.5h", "1h30m": a number without a unit is seconds. */
bool quantity_read_duration(const char *text, double *seconds);

#endif
