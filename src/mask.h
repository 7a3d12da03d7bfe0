#ifndef NOXMK_MASK_H
#define NOXMK_MASK_H
#include "util.h"
struct mask;
struct mask *mask_open(const struct strings *patterns, char *const *environ);
void mask_close(struct mask *);
void mask_feed(struct mask *, const char *data, size_t n, struct buffer *out);
void mask_flush(struct mask *, struct buffer *out);
#endif
