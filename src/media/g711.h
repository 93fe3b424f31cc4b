/**
 * media/g711.h: µ-law and A-law (ITU-T G.711 tables 1a–2b) by tables. Any thread.
 *
 * Codes are as on the wire: µ-law with all bits inverted (silence 0xFF), A-law with the even bits
 * inverted (silence 0xD5). Linear values fill 16 bits (µ-law peaks at ±32124, A-law at ±32256).
 */
#ifndef VA_MEDIA_G711_H
#define VA_MEDIA_G711_H

#include <stddef.h>
#include <stdint.h>

extern const int16_t g711_ulaw_table[256];
extern const int16_t g711_alaw_table[256];

static inline int16_t g711_ulaw_decode(uint8_t code)
{
    return g711_ulaw_table[code];
}

static inline int16_t g711_alaw_decode(uint8_t code)
{
    return g711_alaw_table[code];
}

uint8_t g711_ulaw_encode(int16_t x);
uint8_t g711_alaw_encode(int16_t x);

/** Whole blocks. `out` holds n elements and must not overlap `in`. */
void g711_ulaw_decode_block(const uint8_t *in, size_t n, int16_t *out);
void g711_alaw_decode_block(const uint8_t *in, size_t n, int16_t *out);
void g711_ulaw_encode_block(const int16_t *in, size_t n, uint8_t *out);
void g711_alaw_encode_block(const int16_t *in, size_t n, uint8_t *out);

#endif
