#ifndef NOXMK_BASE_CLOCK_H
#define NOXMK_BASE_CLOCK_H

/*
 * The clocks, in seconds. Deadlines and durations go by the monotonic one, which nobody sets: it
 * counts from the start of the machine, without the time that this was suspended.
 */

struct timespec;

/* Unix time. */
double clock_now(void);

/* The same of a file, say, as a whole number: a double would not tell all apart. */
unsigned long long clock_nanoseconds(const struct timespec *);

double clock_monotonic(void);

/* Processor time that the calling thread has used. */
double clock_processor(void);

/*
 * The milliseconds of a timeout (-1: never), but not beyond that monotonic time (0: never). Rounded
 * up.
 */
int clock_until(double time, int timeout);

/* The earlier one of two timeouts in milliseconds, -1 being never. */
int clock_earlier(int, int);

#endif
