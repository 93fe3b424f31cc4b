/* Opus by libopus: one channel, at our side's rate, with in-band FEC. It conceals by itself, and
 * from the packet behind a gap it takes what that says of the lost one (RFC 6716 §2.1.7). */
#include "media/codec_int.h"

#include <opus/opus.h>

/* Memory short: the packet counts as one that could not be coded. */
static OpusEncoder *encoder_of(struct codec *c)
{
    int err = OPUS_OK;
    if (c->encoder)
        return c->encoder;
    OpusEncoder *e = opus_encoder_create(c->rate_hz, 1, OPUS_APPLICATION_VOIP, &err);
    if (!e || err != OPUS_OK)
        return NULL;
    int bits = c->rate_hz == 8000 ? CODEC_OPUS_BITS_NARROW : CODEC_OPUS_BITS_VOICE;
    (void)opus_encoder_ctl(e, OPUS_SET_BITRATE(bits));
    (void)opus_encoder_ctl(e, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
    (void)opus_encoder_ctl(e, OPUS_SET_INBAND_FEC(1));
    (void)opus_encoder_ctl(e, OPUS_SET_PACKET_LOSS_PERC(CODEC_OPUS_LOSS_PERCENT));
    (void)opus_encoder_ctl(e, OPUS_SET_COMPLEXITY(CODEC_OPUS_COMPLEXITY));
    (void)opus_encoder_ctl(e, OPUS_SET_DTX(0));
    c->encoder = e;
    return e;
}

static OpusDecoder *decoder_of(struct codec *c)
{
    int err = OPUS_OK;
    if (!c->decoder)
        c->decoder = opus_decoder_create(c->rate_hz, 1, &err);
    return c->decoder;
}

static size_t encode(struct codec *c, const int16_t *x, size_t n, uint8_t *out, size_t room)
{
    OpusEncoder *e = encoder_of(c);
    if (!e || room > INT32_MAX)
        return 0;
    int len = opus_encode(e, x, (int)n, out, (opus_int32)room);
    return len > 0 ? (size_t)len : 0;
}

static size_t samples(void *codec, const uint8_t *p, size_t len)
{
    struct codec *c = codec;
    if (!len || len > JITTER_PAYLOAD_MAX)
        return 0;
    int n = opus_packet_get_nb_samples(p, (opus_int32)len, c->rate_hz);
    return n > 0 ? (size_t)n : 0;
}

static size_t decode(void *codec, const uint8_t *p, size_t len, int16_t *out, size_t room)
{
    OpusDecoder *d = decoder_of(codec);
    size_t want = samples(codec, p, len);
    if (!d || !want || want > room)
        return 0;
    int n = opus_decode(d, p, (opus_int32)len, out, (int)room, 0);
    return n > 0 ? (size_t)n : 0;
}

/* libopus makes up multiples of 2.5 ms only. */
static size_t conceal(void *codec, const uint8_t *next, size_t next_len, int16_t *out, size_t n)
{
    struct codec *c = codec;
    OpusDecoder *d = decoder_of(c);
    if (!d || !n || n % ((size_t)c->rate_hz / 400u) ||
        n > (size_t)c->rate_hz / 1000u * JITTER_PACKET_MS_MAX)
        return 0;
    int got = 0;
    if (next && samples(c, next, next_len))
        got = opus_decode(d, next, (opus_int32)next_len, out, (int)n, 1);
    if (got <= 0)
        got = opus_decode(d, NULL, 0, out, (int)n, 0);
    return got > 0 ? (size_t)got : 0;
}

static void reset(void *codec)
{
    struct codec *c = codec;
    if (c->decoder)
        (void)opus_decoder_ctl((OpusDecoder *)c->decoder, OPUS_RESET_STATE);
}

static void restart(struct codec *c)
{
    if (c->encoder)
        (void)opus_encoder_ctl((OpusEncoder *)c->encoder, OPUS_RESET_STATE);
}

static void free_states(struct codec *c)
{
    if (c->encoder)
        opus_encoder_destroy(c->encoder);
    if (c->decoder)
        opus_decoder_destroy(c->decoder);
}

const struct codec_ops codec_opus_ops = {.encode = encode,
                                         .samples = samples,
                                         .decode = decode,
                                         .conceal = conceal,
                                         .reset = reset,
                                         .restart = restart,
                                         .free_states = free_states};
