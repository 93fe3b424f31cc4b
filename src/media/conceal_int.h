/** media/conceal_int.h: inside conceal*.c only: the concealment above 8 kHz. */
#ifndef VA_MEDIA_CONCEAL_INT_H
#define VA_MEDIA_CONCEAL_INT_H

#include "media/conceal.h"

void conceal_wide_heard(struct conceal *c, int16_t *x, size_t n);
void conceal_wide_make(struct conceal *c, int16_t *out, size_t n);

#endif
