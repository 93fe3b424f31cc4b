/* The table, and the codecs without a state: G.711 and L16 (RFC 3551 §4.5.11, §4.5.14). */
#include "media/codec_int.h"
#include "media/g711.h"

#include <stdlib.h>

/* ---- G.711 ----------------------------------------------------------------------------------- */

static size_t pcmu_encode(struct codec *c, const int16_t *x, size_t n, uint8_t *out, size_t room)
{
    (void)c;
    if (n > room)
        return 0;
    g711_ulaw_encode_block(x, n, out);
    return n;
}

static size_t pcma_encode(struct codec *c, const int16_t *x, size_t n, uint8_t *out, size_t room)
{
    (void)c;
    if (n > room)
        return 0;
    g711_alaw_encode_block(x, n, out);
    return n;
}

static size_t g711_samples(void *codec, const uint8_t *p, size_t len)
{
    (void)codec;
    (void)p;
    return len;
}

static size_t pcmu_decode(void *codec, const uint8_t *p, size_t len, int16_t *out, size_t room)
{
    (void)codec;
    if (len > room)
        return 0;
    g711_ulaw_decode_block(p, len, out);
    return len;
}

static size_t pcma_decode(void *codec, const uint8_t *p, size_t len, int16_t *out, size_t room)
{
    (void)codec;
    if (len > room)
        return 0;
    g711_alaw_decode_block(p, len, out);
    return len;
}

static const struct codec_ops pcmu_ops = {
    .encode = pcmu_encode, .samples = g711_samples, .decode = pcmu_decode};
static const struct codec_ops pcma_ops = {
    .encode = pcma_encode, .samples = g711_samples, .decode = pcma_decode};

/* ---- L16: network byte order ----------------------------------------------------------------- */

static size_t l16_encode(struct codec *c, const int16_t *x, size_t n, uint8_t *out, size_t room)
{
    (void)c;
    if (n > room / 2)
        return 0;
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = (uint8_t)((uint16_t)x[i] >> 8);
        out[2 * i + 1] = (uint8_t)x[i];
    }
    return 2 * n;
}

static size_t l16_samples(void *codec, const uint8_t *p, size_t len)
{
    (void)codec;
    (void)p;
    return len % 2 ? 0 : len / 2;
}

static size_t l16_decode(void *codec, const uint8_t *p, size_t len, int16_t *out, size_t room)
{
    (void)codec;
    if (len % 2 || len / 2 > room)
        return 0;
    for (size_t i = 0; i < len / 2; i++)
        out[i] = (int16_t)(uint16_t)(p[2 * i] << 8 | p[2 * i + 1]);
    return len / 2;
}

static const struct codec_ops l16_ops = {
    .encode = l16_encode, .samples = l16_samples, .decode = l16_decode};

/* ---- the table ------------------------------------------------------------------------------- */

static const struct {
    struct codec_info info;
    const struct codec_ops *ops;
} table[CODEC_COUNT] = {
    [CODEC_PCMU] = {{CODEC_PCMU, "PCMU", 0, 8000, 1, 8000, NULL, &emodel_g711_plc}, &pcmu_ops},
    [CODEC_PCMA] = {{CODEC_PCMA, "PCMA", 8, 8000, 1, 8000, NULL, &emodel_g711_plc}, &pcma_ops},
    [CODEC_G722] = {{CODEC_G722, "G722", 9, 8000, 1, 16000, NULL, &emodel_g722}, &codec_g722_ops},
    [CODEC_OPUS] = {{CODEC_OPUS, "opus", -1, 48000, 2, 0, "useinbandfec=1", &emodel_opus},
                    &codec_opus_ops},
    [CODEC_L16_8K] = {{CODEC_L16_8K, "L16", -1, 8000, 1, 8000, NULL, &emodel_g711_plc}, &l16_ops},
    [CODEC_L16_16K] = {{CODEC_L16_16K, "L16", -1, 16000, 1, 16000, NULL, &emodel_g722}, &l16_ops},
};

const struct codec_info *codec_info(enum codec_id id)
{
    return &table[id].info;
}

const struct codec_info *codec_by_rtpmap(struct str name, int clock_hz, int channels)
{
    channels = channels ? channels : 1;
    for (int i = 0; i < CODEC_COUNT; i++) {
        const struct codec_info *c = &table[i].info;
        if (str_ieqz(name, c->name) && c->clock_hz == clock_hz && c->channels == channels)
            return c;
    }
    return NULL;
}

const struct codec_info *codec_by_static_pt(int pt)
{
    for (int i = 0; i < CODEC_COUNT; i++)
        if (pt >= 0 && table[i].info.static_pt == pt)
            return &table[i].info;
    return NULL;
}

const struct codec_info *codec_by_setting(struct str name)
{
    if (str_ieqz(name, "L16/8000"))
        return &table[CODEC_L16_8K].info;
    if (str_ieqz(name, "L16") || str_ieqz(name, "L16/16000"))
        return &table[CODEC_L16_16K].info;
    for (int i = 0; i <= CODEC_OPUS; i++)
        if (str_ieqz(name, table[i].info.name))
            return &table[i].info;
    return NULL;
}

/* ---- one at work ----------------------------------------------------------------------------- */

enum va_err codec_new(const struct codec_info *info, int rate_hz, struct codec **ret_codec)
{
    if (!info || !media_rate_valid(rate_hz))
        return VA_EINVAL;
    struct codec *c = calloc(1, sizeof(*c));
    if (!c)
        return VA_ENOMEM;
    c->info = info;
    c->ops = table[info->id].ops;
    c->rate_hz = info->rate_hz ? info->rate_hz : rate_hz;
    c->jitter = (struct jitter_codec){.name = info->name,
                                      .clock_hz = info->clock_hz,
                                      .rate_hz = c->rate_hz,
                                      .samples = c->ops->samples,
                                      .decode = c->ops->decode,
                                      .conceal = c->ops->conceal,
                                      .reset = c->ops->reset,
                                      .state = c};
    *ret_codec = c;
    return VA_OK;
}

void codec_free(struct codec **pc)
{
    struct codec *c = pc ? *pc : NULL;
    if (!c)
        return;
    *pc = NULL;
    if (c->ops->free_states)
        c->ops->free_states(c);
    free(c);
}

const struct codec_info *codec_info_of(const struct codec *c)
{
    return c->info;
}

int codec_rate(const struct codec *c)
{
    return c->rate_hz;
}

int codec_ptime(const struct codec_info *info, int ms)
{
    if (!media_ptime_valid(ms))
        return 20;
    return info->id == CODEC_OPUS && ms == 30 ? 20 : ms; /* an Opus frame of 30 ms does not exist */
}

size_t codec_encode(struct codec *c, const int16_t *samples, size_t n, uint8_t *out, size_t room)
{
    size_t per_ms = (size_t)c->rate_hz / 1000u;
    if (n % per_ms || n / per_ms > MEDIA_PTIME_MAX_MS || !media_ptime_valid((int)(n / per_ms)))
        return 0;
    return c->ops->encode(c, samples, n, out, room);
}

void codec_restart(struct codec *c)
{
    if (c->ops->restart)
        c->ops->restart(c);
}

const struct jitter_codec *codec_jitter(struct codec *c)
{
    return &c->jitter;
}
