/**
 * media/pcm.h: immutable shared audio: a greeting, a prompt, a decoded file. The count of its
 * owners is atomic, so one pcm may be played by calls of many threads at once.
 */
#ifndef VA_MEDIA_PCM_H
#define VA_MEDIA_PCM_H

#include "base/err.h"

#include <stdint.h>

struct pcm;

/**
 * Copy samples into a new pcm with one owner.
 *
 * @param rate_hz  1000 … 192000 [Hz]
 * @param samples  Mono; may be NULL when count is 0
 *
 * @return VA_OK, VA_EINVAL, VA_ENOMEM
 */
VA_CHECK enum va_err pcm_new(int rate_hz, const int16_t *samples, size_t count,
                             struct pcm **ret_pcm);

/** The same around memory of malloc(), which belongs to the pcm on success only. */
VA_CHECK enum va_err pcm_adopt(int rate_hz, int16_t *samples, size_t count, struct pcm **ret_pcm);

/** One more owner. Any thread that has one already. @return the same pcm */
struct pcm *pcm_ref(struct pcm *pcm);
/** One owner less; the last one frees it. Any thread, NULL-safe, leaves NULL behind. */
void pcm_unref(struct pcm **pcm);

/** Borrowed while the caller owns a share. NULL when the pcm is empty. */
const int16_t *pcm_samples(const struct pcm *pcm);
size_t pcm_count(const struct pcm *pcm);
int pcm_rate_hz(const struct pcm *pcm);
uint64_t pcm_ms(const struct pcm *pcm);

#endif
