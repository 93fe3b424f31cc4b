/**
 * media/stretch.h: a little less or more time in the same audio, at the same pitch: one stretch of
 * the signal that looks like its neighbour is cut out or played twice, under a cross-fade.
 *
 *     cut      ▁▂▅▇▅▂▁▂▅▇▅▂▁▂▅▇▅▂      insert   ▁▂▅▇▅▂▁▂▅▇▅▂
 *              └─ lag ─┘ faded into           ◄─ lag ─┘ read on from here again
 *
 * In principle WSOLA (Verhelst and Roelands, ICASSP 1993): the lag is where the waveform fits
 * itself best. Pure; works in place. Any thread.
 */
#ifndef VA_MEDIA_STRETCH_H
#define VA_MEDIA_STRETCH_H

#include "media/format.h"

enum {
    STRETCH_LAG_MIN_US = 2500, /**< 400 Hz */
    STRETCH_LAG_MAX_MS = 15,   /**< 66 Hz */
    STRETCH_FADE_MS = 8
};

/** Audio that stretch_cut() needs ahead, and stretch_insert() behind (lag) and ahead (fade). */
static inline size_t stretch_lag_max(int rate_hz)
{
    return (size_t)rate_hz / 1000u * STRETCH_LAG_MAX_MS;
}

static inline size_t stretch_fade(int rate_hz)
{
    return (size_t)rate_hz / 1000u * STRETCH_FADE_MS;
}

/**
 * Take a piece out of what comes next.
 *
 * @param x    What comes next: at least stretch_lag_max() + stretch_fade() samples
 * @param fit  Least likeness of what is faded into each other, −1 … 1. Silence always fits
 * @return lag: read on at x + lag; 0: nothing fits well enough, nothing changed
 */
size_t stretch_cut(int16_t *x, int rate_hz, double fit);

/**
 * Play a piece twice.
 *
 * @param x  What comes next: at least stretch_fade() samples, behind at least stretch_lag_max()
 *           that were played already and may be written to
 * @return lag: read on at x − lag; 0: nothing fits well enough, nothing changed
 */
size_t stretch_insert(int16_t *x, int rate_hz, double fit);

#endif
