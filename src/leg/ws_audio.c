#include "leg/ws_audio.h"
#include "media/format.h"
#include "media/g711.h"
#include "media/resample.h"

#include <stdlib.h>

enum {
    BLOCK = 480,   /* samples decoded at a time */
    GROUP_MAX = 4, /* bytes of L16 stereo */
    SLACK = 32     /* samples a resampler may be ahead */
};

struct ws_audio {
    struct ws_wire wire;
    size_t group; /* bytes of one sample of all channels */
    unsigned char part[GROUP_MAX];
    size_t part_len;
    struct resample *in, *out; /* NULL: rates are equal. `out` is made when first needed */
    int rate_hz;
    size_t frame; /* samples */
    uint64_t dropped;
    int16_t *queue; /* ring of `cap` samples, a multiple of `frame` */
    size_t cap, head, len;
    int16_t *popped; /* one frame */
};

void ws_wire_guess(struct ws_wire *wire, size_t first_bytes)
{
    if (wire->codec == WS_CODEC_UNKNOWN)
        wire->codec = first_bytes == 160 ? WS_CODEC_PCMU : WS_CODEC_L16;
    if (!wire->channels)
        wire->channels = 1;
    if (!wire->rate_hz) {
        bool wide = wire->codec == WS_CODEC_L16 && first_bytes == 640u * (unsigned)wire->channels;
        wire->rate_hz = wide ? 16000 : 8000;
    }
}

enum va_err ws_audio_new(const struct ws_wire *wire, int rate_hz, int ptime_ms,
                         struct ws_audio **ret_audio)
{
    struct media_format f = {rate_hz, ptime_ms};
    bool l16 = wire->codec == WS_CODEC_L16;
    bool known = l16 || wire->codec == WS_CODEC_PCMU || wire->codec == WS_CODEC_PCMA;
    if (!media_format_valid(f) || !media_rate_valid(wire->rate_hz) || !known ||
        (wire->channels != 1 && wire->channels != 2))
        return VA_EINVAL;
    struct ws_audio *a = calloc(1, sizeof(*a));
    if (!a)
        return VA_ENOMEM;
    a->wire = *wire;
    a->group = (l16 ? 2u : 1u) * (size_t)wire->channels;
    a->rate_hz = rate_hz;
    a->frame = media_format_samples(f);
    a->cap = a->frame * (size_t)(WS_AUDIO_QUEUE_MS / ptime_ms);
    a->queue = calloc(a->cap, sizeof(*a->queue));
    a->popped = calloc(a->frame, sizeof(*a->popped));
    enum va_err err = a->queue && a->popped ? VA_OK : VA_ENOMEM;
    if (!err && wire->rate_hz != rate_hz)
        err = resample_new(wire->rate_hz, rate_hz, RESAMPLE_QUALITY, &a->in);
    if (err)
        ws_audio_free(&a);
    else
        *ret_audio = a;
    return err;
}

void ws_audio_free(struct ws_audio **pa)
{
    struct ws_audio *a = pa ? *pa : NULL;
    if (!a)
        return;
    *pa = NULL;
    resample_free(&a->in);
    resample_free(&a->out);
    free(a->queue);
    free(a->popped);
    free(a);
}

/* ---- in -------------------------------------------------------------------------------------- */

static void put(struct ws_audio *a, const int16_t *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (a->len == a->cap) {
            a->head = (a->head + a->frame) % a->cap;
            a->len -= a->frame;
            a->dropped++;
        }
        a->queue[(a->head + a->len++) % a->cap] = samples[i];
    }
}

static void put_converted(struct ws_audio *a, const int16_t *samples, size_t count)
{
    int16_t out[BLOCK * 6 + SLACK]; /* 8 to 48 kHz */
    if (!a->in) {
        put(a, samples, count);
        return;
    }
    size_t n = resample_run(a->in, samples, count, out, sizeof(out) / sizeof(out[0]));
    put(a, out, n);
}

/* `count` groups; of two channels the first is the caller. */
static void put_groups(struct ws_audio *a, const unsigned char *p, size_t count)
{
    int16_t block[BLOCK];
    while (count) {
        size_t n = count < BLOCK ? count : BLOCK;
        for (size_t i = 0; i < n; i++, p += a->group) {
            if (a->wire.codec == WS_CODEC_L16)
                block[i] = (int16_t)(uint16_t)(p[0] | p[1] << 8);
            else
                block[i] = a->wire.codec == WS_CODEC_PCMU ? g711_ulaw_decode(p[0])
                                                          : g711_alaw_decode(p[0]);
        }
        put_converted(a, block, n);
        count -= n;
    }
}

void ws_audio_feed(struct ws_audio *a, const char *bytes, size_t len)
{
    const unsigned char *p = (const unsigned char *)bytes;
    while (a->part_len && a->part_len < GROUP_MAX && len) {
        a->part[a->part_len++] = *p++;
        len--;
        if (a->part_len == a->group) {
            put_groups(a, a->part, 1);
            a->part_len = 0;
        }
    }
    size_t groups = len / a->group;
    put_groups(a, p, groups);
    p += groups * a->group;
    len -= groups * a->group;
    for (size_t i = 0; i < len && a->part_len < GROUP_MAX; i++)
        a->part[a->part_len++] = p[i];
}

const int16_t *ws_audio_next(struct ws_audio *a, size_t *ret_count)
{
    if (a->len < a->frame)
        return NULL;
    for (size_t i = 0; i < a->frame; i++)
        a->popped[i] = a->queue[(a->head + i) % a->cap];
    a->head = (a->head + a->frame) % a->cap;
    a->len -= a->frame;
    *ret_count = a->frame;
    return a->popped;
}

size_t ws_audio_frames(const struct ws_audio *a)
{
    return a->len / a->frame;
}

uint64_t ws_audio_dropped(const struct ws_audio *a)
{
    return a->dropped;
}

/* ---- out ------------------------------------------------------------------------------------- */

size_t ws_audio_encode(struct ws_audio *a, const int16_t *samples, size_t count, char *out)
{
    int16_t converted[MEDIA_FRAME_MAX + SLACK];
    if (a->wire.rate_hz != a->rate_hz) {
        if (!a->out && resample_new(a->rate_hz, a->wire.rate_hz, RESAMPLE_QUALITY, &a->out))
            return 0;
        count = resample_run(a->out, samples, count, converted, MEDIA_FRAME_MAX + SLACK);
        samples = converted;
    }
    if (a->wire.codec == WS_CODEC_PCMU)
        g711_ulaw_encode_block(samples, count, (uint8_t *)out);
    else if (a->wire.codec == WS_CODEC_PCMA)
        g711_alaw_encode_block(samples, count, (uint8_t *)out);
    else
        memcpy(out, samples, count * sizeof(*samples)); /* little-endian, as the hosts we run on */
    return a->wire.codec == WS_CODEC_L16 ? count * sizeof(*samples) : count;
}
