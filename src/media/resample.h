/**
 * media/resample.h: sample rate conversion (speexdsp), streaming and one-shot.
 *
 * Delay: quality 3 about 3 ms, quality 5 about 5 ms between 8 and 24 kHz. Cost: 2–3 and 3–5 µs for
 * 20 ms.
 * One thread per object.
 */
#ifndef VA_MEDIA_RESAMPLE_H
#define VA_MEDIA_RESAMPLE_H

#include "media/pcm.h"

enum {
    RESAMPLE_QUALITY = 3,     /**< towards the caller's ear; −1 dB at 3.4 kHz for 24→8 kHz */
    RESAMPLE_QUALITY_ASR = 5, /**< towards a recogniser; 0 dB at 3.4 kHz */
    RESAMPLE_RATE_MIN_HZ = 1000,
    RESAMPLE_RATE_MAX_HZ = 192000
};

struct resample;

/**
 * Create a stream converter. With equal rates it copies, without delay.
 *
 * @param quality  0 … 10
 * @return VA_OK, VA_EINVAL, VA_ENOMEM
 */
VA_CHECK enum va_err resample_new(int in_hz, int out_hz, int quality, struct resample **ret_r);
void resample_free(struct resample **r);

/** Most samples that the next `n` can give. */
size_t resample_room(const struct resample *r, size_t n);

/**
 * Convert a block of any length. All of `in` is consumed, none is ever lost: after N samples in
 * all, N · out_hz / in_hz (± 1) have come out.
 *
 * @param out    At least resample_room(r, n) samples; must not overlap `in`
 * @return samples written; 0 and nothing consumed when `room` is less than resample_room(r, n)
 */
size_t resample_run(struct resample *r, const int16_t *in, size_t n, int16_t *out, size_t room);

/** Forget the past, as if new. */
void resample_reset(struct resample *r);

/**
 * Convert a whole utterance: no delay at its start, none of its end lost; the result has
 * n · out_hz / in_hz samples, rounded.
 *
 * @return VA_OK, VA_EINVAL, VA_ENOMEM
 */
VA_CHECK enum va_err resample_whole(int in_hz, const int16_t *in, size_t n, int out_hz, int quality,
                                    struct pcm **ret_pcm);

#endif
