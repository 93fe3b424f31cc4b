/**
 * media/measure.h: judges of recordings, for tests, `voice-ai call` and `doctor`. Pure functions on
 * mono audio. Any thread. Levels are RMS relative to full scale (32768) [dBFS], never below
 * MEDIA_SILENCE_DBFS.
 */
#ifndef VA_MEDIA_MEASURE_H
#define VA_MEDIA_MEASURE_H

#include "media/format.h"

double measure_rms_dbfs(const int16_t *pcm, size_t n);

/** A run inside a recording [samples]. */
struct measure_run {
    size_t at, len;
};

/**
 * The longest run of digital silence between the first and the last sound: a hole in the audio.
 *
 * @param quiet  Largest magnitude that is silence: 0 for linear audio, 8 through A-law
 * @return len 0 when there is no hole or no sound
 */
struct measure_run measure_longest_gap(const int16_t *pcm, size_t n, int quiet);

/** First and last sound louder than `quiet`; len 0 when there is none. */
struct measure_run measure_active(const int16_t *pcm, size_t n, int quiet);

/**
 * Count clicks: steps from one sample to the next of at least `step` that are four times larger
 * than any other step in the 10 ms before or in the 10 ms after. Finds cut and spliced audio; a
 * phase jump inside a loud high tone hides.
 *
 * @param step       3000 passes clean synthetic speech at −18 dBFS (its consonants step by 2500 at
 *                   8 kHz, half of that at 24 kHz); tones and quiet speech allow 1500
 * @param ret_first  Position of the first one; may be NULL
 */
size_t measure_clicks(const int16_t *pcm, size_t n, int rate_hz, int step, size_t *ret_first);

/** Level of one frequency (Goertzel) as the RMS of a sine there. Resolution is rate / n. */
double measure_tone_dbfs(const int16_t *pcm, size_t n, int rate_hz, double hz);

/** Dominant frequency of a steady tone by its zero crossings [Hz]; 0 when there are none. */
double measure_frequency_hz(const int16_t *pcm, size_t n, int rate_hz);

#endif
