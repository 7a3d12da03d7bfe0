#include "mask.h"
struct mask *mask_open(const struct strings *p, char *const *e){(void)p;(void)e;return NULL;}
void mask_close(struct mask *m){(void)m;}
void mask_feed(struct mask *m, const char *d, size_t n, struct buffer *o){(void)m;buffer_add(o,d,n);}
void mask_flush(struct mask *m, struct buffer *o){(void)m;(void)o;}
