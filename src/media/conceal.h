/**
 * media/conceal.h: what may have been said while nothing came (spandsp's PLC, after ITU-T G.711
 * appendix I): the last pitch period again, softer and softer. Open value. One thread.
 *
 * Made for 8 kHz: there it fades within 50 ms and knows pitches from 67 Hz. At 16 kHz it fades in
 * 25 ms and knows them from 133 Hz. Codecs with a concealment of their own do better.
 */
#ifndef VA_MEDIA_CONCEAL_H
#define VA_MEDIA_CONCEAL_H

#include "media/format.h"

#include <spandsp/telephony.h>
#include <spandsp/plc.h>

enum { CONCEAL_LEAST = PLC_PITCH_OVERLAP_MAX /**< see conceal_make() [samples] */ };

struct conceal {
    plc_state_t plc;
};

void conceal_init(struct conceal *c);
/** Audio that came. The first of it after a hole is changed, so that it joins what was made up. */
void conceal_heard(struct conceal *c, int16_t *x, size_t n);
/** Write n samples that follow what was heard, or what was made up before. The first ones of a hole
 *  should be CONCEAL_LEAST or more at once: with fewer, the next ones do not join. */
void conceal_make(struct conceal *c, int16_t *out, size_t n);

#endif
