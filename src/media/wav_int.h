/** media/wav_int.h: numbers of the WAV format, for wav_read.c and wav_write.c only. */
#ifndef VA_MEDIA_WAV_INT_H
#define VA_MEDIA_WAV_INT_H

#include "media/wav.h"

enum {
    WAV_PCM = 1,
    WAV_ALAW = 6,
    WAV_ULAW = 7,
    WAV_EXTENSIBLE = 0xfffe,
    WAV_HEADER = 44 /* of the files we write */
};

static inline uint16_t wav_get16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t wav_get32(const uint8_t *p)
{
    return (uint32_t)wav_get16(p) | (uint32_t)wav_get16(p + 2) << 16;
}

static inline void wav_put16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

static inline void wav_put32(uint8_t *p, uint32_t v)
{
    wav_put16(p, (uint16_t)v);
    wav_put16(p + 2, (uint16_t)(v >> 16));
}

#endif
