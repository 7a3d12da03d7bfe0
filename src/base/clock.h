#ifndef NOXMK_BASE_CLOCK_H
#define NOXMK_BASE_CLOCK_H

/* Wall and monotonic clock, in seconds. */

double clock_now(void);
double clock_monotonic(void);

#endif
