/**
 * media/format.h: what a stream of audio is. All audio inside the program is mono int16_t in host
 * byte order; codecs and byte order end at the legs and providers.
 */
#ifndef VA_MEDIA_FORMAT_H
#define VA_MEDIA_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MEDIA_RATE_MAX_HZ = 48000,
    MEDIA_PTIME_MAX_MS = 60,
    MEDIA_FRAME_MAX = MEDIA_RATE_MAX_HZ / 1000 * MEDIA_PTIME_MAX_MS, /**< longest frame [samples] */
    MEDIA_SILENCE_DBFS = -96                                         /**< what "nothing" measures */
};

struct media_format {
    int rate_hz;  /**< 8000, 16000, 24000 or 48000 */
    int ptime_ms; /**< 10, 20, 30, 40 or 60 */
};

static inline bool media_rate_valid(int hz)
{
    return hz == 8000 || hz == 16000 || hz == 24000 || hz == 48000;
}

static inline bool media_ptime_valid(int ms)
{
    return ms == 10 || ms == 20 || ms == 30 || ms == 40 || ms == 60;
}

static inline bool media_format_valid(struct media_format f)
{
    return media_rate_valid(f.rate_hz) && media_ptime_valid(f.ptime_ms);
}

/** Samples of one frame. */
static inline size_t media_format_samples(struct media_format f)
{
    return (size_t)f.rate_hz / 1000u * (size_t)f.ptime_ms;
}

static inline uint64_t media_samples_to_ms(uint64_t samples, int rate_hz)
{
    return samples * 1000u / (uint64_t)rate_hz;
}

static inline uint64_t media_ms_to_samples(uint64_t ms, int rate_hz)
{
    return ms * (uint64_t)rate_hz / 1000u;
}

static inline int16_t media_clip(int32_t x)
{
    return (int16_t)(x > INT16_MAX ? INT16_MAX : x < INT16_MIN ? INT16_MIN : x);
}

#endif
