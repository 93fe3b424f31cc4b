/* The tables are made by the compiler from the defining arithmetic:
 *
 *     code, inversion undone:  s eee mmmm      s 1 = positive (µ-law: after inversion 0 = negative)
 *     µ-law  |y| = (((mmmm << 3) + 132) << eee) − 132
 *     A-law  |y| = eee = 0 ? (mmmm << 4) + 8 : ((mmmm << 4) + 264) << (eee − 1)
 *
 * The encoder lets the machine find the segment: a magnitude as a float (IEEE 754, exact) has it in
 * its exponent and mmmm in front of its fraction. Compilers do four or more of these at once. */
#include "media/g711.h"

#include <string.h>

enum {
    ULAW_BIAS = 132,
    ULAW_CLIP = 32635, /* with the bias the largest value that is still in segment 7 */
    FRACTION_BITS = 23,
    EXPONENT_OF_128 = 127 + 7
};

/* clang-format off */
#define SEG(c)   (((c) >> 4) & 7)
#define MANT(c)  ((c) & 15)
#define UMAG(c)  ((((MANT(c) << 3) + ULAW_BIAS) << SEG(c)) - ULAW_BIAS)
#define AMAG(c)  (SEG(c) == 0 ? (MANT(c) << 4) + 8 : ((MANT(c) << 4) + 264) << ((SEG(c) + 7) & 7))
#define ULAW(c)  (int16_t)(((~(c)) & 0x80) ? -UMAG(~(c) & 0xff) : UMAG(~(c) & 0xff))
#define ALAW(c)  (int16_t)((((c) ^ 0x55) & 0x80) ? AMAG((c) ^ 0x55) : -AMAG((c) ^ 0x55))
#define ROW4(f, c)   f(c), f((c) + 1), f((c) + 2), f((c) + 3)
#define ROW16(f, c)  ROW4(f, c), ROW4(f, (c) + 4), ROW4(f, (c) + 8), ROW4(f, (c) + 12)
#define ROW64(f, c)  ROW16(f, c), ROW16(f, (c) + 16), ROW16(f, (c) + 32), ROW16(f, (c) + 48)
#define ROW256(f)    ROW64(f, 0), ROW64(f, 64), ROW64(f, 128), ROW64(f, 192)
const int16_t g711_ulaw_table[256] = {ROW256(ULAW)};
const int16_t g711_alaw_table[256] = {ROW256(ALAW)};
/* clang-format on */

/* eee mmmm of a magnitude from 128 on. */
static inline unsigned segment_of(int mag)
{
    float f = (float)mag;
    uint32_t bits = 0;
    memcpy(&bits, &f, sizeof(bits));
    return (bits >> (FRACTION_BITS - 4)) - (EXPONENT_OF_128 << 4);
}

static inline uint8_t ulaw_code(int x)
{
    int mag = x < 0 ? -x : x;
    unsigned code = segment_of((mag > ULAW_CLIP ? ULAW_CLIP : mag) + ULAW_BIAS);
    return (uint8_t)(code ^ (x < 0 ? 0x7fu : 0xffu));
}

/* The first two segments have one step of 16, which above them would give too much: the less of the
 * two is right everywhere, and has no branch. */
static inline uint8_t alaw_code(int x)
{
    int mag = x ^ (x >> 31); /* −1 is the first negative interval, not the first positive */
    int linear = mag >> 4, above = (int)segment_of(mag < 256 ? 256 : mag);
    int code = linear < above ? linear : above;
    return (uint8_t)(code ^ (x < 0 ? 0x55 : 0xd5));
}

uint8_t g711_ulaw_encode(int16_t x)
{
    return ulaw_code(x);
}

uint8_t g711_alaw_encode(int16_t x)
{
    return alaw_code(x);
}

void g711_ulaw_decode_block(const uint8_t *in, size_t n, int16_t *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = g711_ulaw_table[in[i]];
}

void g711_alaw_decode_block(const uint8_t *in, size_t n, int16_t *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = g711_alaw_table[in[i]];
}

void g711_ulaw_encode_block(const int16_t *in, size_t n, uint8_t *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = ulaw_code(in[i]);
}

void g711_alaw_encode_block(const int16_t *in, size_t n, uint8_t *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = alaw_code(in[i]);
}
