/**
 * media/conceal.h: what may have been said while nothing came: the last pitch period again, softer
 * and softer, after ITU-T G.711 appendix I. Open value. One thread.
 *
 * At 8 kHz it is spandsp's PLC, which is made for that rate: twice as high it would fade in half
 * the time and know no pitch below 133 Hz. Above 8 kHz it is our own: pitches from 66 Hz, full for
 * 10 ms, gone after 60. Codecs with a concealment of their own do better.
 */
#ifndef VA_MEDIA_CONCEAL_H
#define VA_MEDIA_CONCEAL_H

#include "media/format.h"

#include <spandsp/telephony.h>
#include <spandsp/plc.h>

enum {
    CONCEAL_LEAST = PLC_PITCH_OVERLAP_MAX, /**< see conceal_make() [samples] */
    CONCEAL_PAST_MS = 40,                  /**< audio that is kept, to find the pitch in */
    CONCEAL_LAG_MAX_MS = 15,               /**< longest pitch period */
    CONCEAL_FULL_MS = 10,                  /**< of a hole, before it gets softer */
    CONCEAL_GONE_MS = 60                   /**< then it is silent */
};

struct conceal {
    plc_state_t plc; /**< at 8 kHz; the rest is for other rates */
    int rate_hz;
    int16_t *past;  /**< borrowed: the newest CONCEAL_PAST_MS, newest last */
    int16_t *cycle; /**< behind it: the period that is repeated */
    size_t lag, at; /**< its length; position in it */
    size_t missing; /**< samples made up since the last real one; 0: no hole */
    int step;       /**< from what the cycle would follow to what it does follow */
};

/** Samples of memory that a conceal needs; 0 at 8 kHz. */
static inline size_t conceal_memory(int rate_hz)
{
    return rate_hz > 8000 ? (size_t)rate_hz / 1000u * (CONCEAL_PAST_MS + CONCEAL_LAG_MAX_MS) : 0;
}

/**
 * Begin with silence.
 *
 * @param rate_hz  media_rate_valid()
 * @param memory   conceal_memory() samples, borrowed; a copy of the struct shares it, and may be
 *                 asked to conceal_make() as long as the original has heard nothing else
 */
void conceal_init(struct conceal *c, int rate_hz, int16_t *memory);
/** Audio that came. The first of it after a hole is changed, so that it joins what was made up. */
void conceal_heard(struct conceal *c, int16_t *x, size_t n);
/** Write n samples that follow what was heard, or what was made up before. At 8 kHz the first ones
 *  of a hole should be CONCEAL_LEAST or more at once: with fewer, the next ones do not join. */
void conceal_make(struct conceal *c, int16_t *out, size_t n);

#endif
