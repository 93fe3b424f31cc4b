/* G.722 at 64 kbit/s by spandsp: 16 kHz, two samples a byte, under an RTP clock of 8 kHz. */
#include "media/codec_int.h"

#include <spandsp/telephony.h>
#include <spandsp/g722.h>

enum { BITS = 64000, OPTIONS = 0 };

static size_t encode(struct codec *c, const int16_t *x, size_t n, uint8_t *out, size_t room)
{
    if (!c->encoder)
        c->encoder = g722_encode_init(NULL, BITS, OPTIONS);
    if (!c->encoder || n % 2 || n / 2 > room)
        return 0;
    int len = g722_encode(c->encoder, out, x, (int)n);
    return len > 0 ? (size_t)len : 0;
}

static size_t samples(void *codec, const uint8_t *p, size_t len)
{
    (void)codec;
    (void)p;
    return 2 * len;
}

static size_t decode(void *codec, const uint8_t *p, size_t len, int16_t *out, size_t room)
{
    struct codec *c = codec;
    if (!c->decoder)
        c->decoder = g722_decode_init(NULL, BITS, OPTIONS);
    if (!c->decoder || len > room / 2)
        return 0;
    int n = g722_decode(c->decoder, out, p, (int)len);
    return n > 0 ? (size_t)n : 0;
}

static void reset(void *codec)
{
    struct codec *c = codec;
    if (c->decoder)
        (void)g722_decode_init(c->decoder, BITS, OPTIONS);
}

static void restart(struct codec *c)
{
    if (c->encoder)
        (void)g722_encode_init(c->encoder, BITS, OPTIONS);
}

static void free_states(struct codec *c)
{
    if (c->encoder)
        (void)g722_encode_free(c->encoder);
    if (c->decoder)
        (void)g722_decode_free(c->decoder);
}

const struct codec_ops codec_g722_ops = {.encode = encode,
                                         .samples = samples,
                                         .decode = decode,
                                         .reset = reset,
                                         .restart = restart,
                                         .free_states = free_states};
