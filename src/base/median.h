#ifndef NOXMK_BASE_MEDIAN_H
#define NOXMK_BASE_MEDIAN_H

/* The middle of measured values. */

#include <stddef.h>

/* Sorts the n values, at least one. The middle one, or the mean of the two in the middle. */
double median(double *values, size_t n);

#endif
