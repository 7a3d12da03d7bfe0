#ifndef NOXMK_SESSION_TRACING_H
#define NOXMK_SESSION_TRACING_H

/* Whether an attempt at a session is traced. */

#include "output/mask.h"
#include "session/attempt.h"
#include "trace/tracer.h"

/*
 * Its tracer, which the caller closes; the mask is borrowed until then. NULL: nobody wants a trace.
 * argv: what will be run.
 */
struct tracer *tracing_open(const struct attempt_options *, struct mask *, char *const *argv);

#endif
