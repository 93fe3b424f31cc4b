/* The tables are made by the compiler from the defining arithmetic:
 *
 *     code, inversion undone:  s eee mmmm      s 1 = positive (µ-law: after inversion 0 = negative)
 *     µ-law  |y| = (((mmmm << 3) + 132) << eee) − 132
 *     A-law  |y| = eee = 0 ? (mmmm << 4) + 8 : ((mmmm << 4) + 264) << (eee − 1)
 *
 * The encoder finds the segment of a magnitude by a table of its upper bits. */
#include "media/g711.h"

enum {
    ULAW_BIAS = 132,
    ULAW_CLIP = 32635 /* with the bias the largest value that is still in segment 7 */
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
/* Position of the highest bit of an 8-bit number, 0 for 0. */
#define TOP(c) (uint8_t)((c) >= 128 ? 7 : (c) >= 64 ? 6 : (c) >= 32 ? 5 : (c) >= 16 ? 4 :          \
                         (c) >= 8 ? 3 : (c) >= 4 ? 2 : (c) >= 2 ? 1 : 0)

const int16_t g711_ulaw_table[256] = {ROW256(ULAW)};
const int16_t g711_alaw_table[256] = {ROW256(ALAW)};
static const uint8_t top_bit[256] = {ROW256(TOP)};
/* clang-format on */

uint8_t g711_ulaw_encode(int16_t x)
{
    int mag = x < 0 ? -x : x;
    mag = (mag > ULAW_CLIP ? ULAW_CLIP : mag) + ULAW_BIAS;
    int seg = top_bit[mag >> 7];
    int code = (seg << 4) | ((mag >> (seg + 3)) & 15);
    return (uint8_t)(x < 0 ? code ^ 0x7f : code ^ 0xff);
}

uint8_t g711_alaw_encode(int16_t x)
{
    int mag = x < 0 ? -x - 1 : x; /* −1 is the first negative interval, not the first positive */
    int seg = top_bit[mag >> 7];
    int code = (seg << 4) | ((mag >> (seg ? seg + 3 : 4)) & 15);
    return (uint8_t)(x < 0 ? code ^ 0x55 : code ^ 0xd5);
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
        out[i] = g711_ulaw_encode(in[i]);
}

void g711_alaw_encode_block(const int16_t *in, size_t n, uint8_t *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = g711_alaw_encode(in[i]);
}
