/** media/tone.h: sines, noise and silence for tests, the fake FreeSWITCH and beeps. One thread. */
#ifndef VA_MEDIA_TONE_H
#define VA_MEDIA_TONE_H

#include "media/format.h"

/** A sine that goes on where it stopped. Open value; initialise with tone_init(). */
struct tone {
    double phase, step; /**< [rad], [rad per sample] */
    double peak;        /**< amplitude, 0 … 32767 */
};

/** @param dbfs  RMS level; a full scale sine is −3.01 dBFS. Clipped there. */
void tone_init(struct tone *t, int rate_hz, double hz, double dbfs);
/** Write n samples. */
void tone_fill(struct tone *t, int16_t *out, size_t n);
/** Add n samples to what is there, saturating. */
void tone_add(struct tone *t, int16_t *out, size_t n);
void tone_silence(int16_t *out, size_t n);

/** Add white noise of that RMS level; same seed, same noise. `seed` goes on, never 0. */
void tone_noise_add(uint32_t *seed, double dbfs, int16_t *out, size_t n);

#endif
