#include "media/resample.h"

#include <assert.h>
#include <speex/speex_resampler.h>
#include <stdlib.h>
#include <string.h>

enum { STEP = 1 << 16 }; /* samples per call of speexdsp, whose lengths have 32 bits */

struct resample {
    SpeexResamplerState *speex; /* NULL: equal rates */
    uint32_t in_hz, out_hz;
};

static bool rate_ok(int hz)
{
    return hz >= RESAMPLE_RATE_MIN_HZ && hz <= RESAMPLE_RATE_MAX_HZ;
}

enum va_err resample_new(int in_hz, int out_hz, int quality, struct resample **ret_r)
{
    if (!rate_ok(in_hz) || !rate_ok(out_hz) || quality < 0 || quality > 10)
        return VA_EINVAL;
    struct resample *r = calloc(1, sizeof(*r));
    if (!r)
        return VA_ENOMEM;
    r->in_hz = (uint32_t)in_hz;
    r->out_hz = (uint32_t)out_hz;
    if (in_hz != out_hz) {
        int err = 0;
        r->speex = speex_resampler_init(1, r->in_hz, r->out_hz, quality, &err);
        if (!r->speex) {
            free(r);
            return VA_ENOMEM;
        }
    }
    *ret_r = r;
    return VA_OK;
}

void resample_free(struct resample **pr)
{
    struct resample *r = pr ? *pr : NULL;
    if (!r)
        return;
    *pr = NULL;
    if (r->speex)
        speex_resampler_destroy(r->speex);
    free(r);
}

void resample_reset(struct resample *r)
{
    if (r->speex)
        (void)speex_resampler_reset_mem(r->speex);
}

size_t resample_room(const struct resample *r, size_t n)
{
    return r->speex ? (size_t)((uint64_t)n * r->out_hz / r->in_hz) + 2 : n;
}

/* One call of speexdsp; moves both cursors. */
static void convert(struct resample *r, const int16_t **in, size_t *n, int16_t **out, size_t *room)
{
    spx_uint32_t used = (spx_uint32_t)(*n < STEP ? *n : STEP);
    spx_uint32_t made = (spx_uint32_t)(*room < UINT32_MAX ? *room : UINT32_MAX);
    (void)speex_resampler_process_int(r->speex, 0, *in, &used, *out, &made);
    *in += used;
    *n -= used;
    *out += made;
    *room -= made;
}

size_t resample_run(struct resample *r, const int16_t *in, size_t n, int16_t *out, size_t room)
{
    if (room < resample_room(r, n))
        return 0;
    if (!r->speex) {
        if (n)
            memcpy(out, in, n * sizeof(*out));
        return n;
    }
    int16_t *at = out;
    while (n) {
        size_t before = n;
        convert(r, &in, &n, &at, &room);
        assert(n < before && "speexdsp took nothing although there was room");
        if (n == before)
            break;
    }
    return (size_t)(at - out);
}

static enum va_err whole(struct resample *r, const int16_t *in, size_t n, int16_t *out, size_t want)
{
    if (!r->speex) {
        memcpy(out, in, n * sizeof(*out));
        return VA_OK;
    }
    (void)speex_resampler_skip_zeros(r->speex);
    int16_t *at = out;
    size_t room = want;
    while (n && room)
        convert(r, &in, &n, &at, &room);
    /* What the filter still holds comes out when zeros go in. */
    size_t tail = (size_t)speex_resampler_get_input_latency(r->speex) + 64;
    static const int16_t zeros[256];
    while (tail && room) {
        const int16_t *z = zeros;
        size_t part = tail < 256 ? tail : 256, left = part;
        convert(r, &z, &left, &at, &room);
        if (left == part)
            break;
        tail -= part - left;
    }
    memset(at, 0, room * sizeof(*at)); /* a sample at most, by rounding */
    return VA_OK;
}

enum va_err resample_whole(int in_hz, const int16_t *in, size_t n, int out_hz, int quality,
                           struct pcm **ret_pcm)
{
    if ((n && !in) || n > SIZE_MAX / 1024)
        return VA_EINVAL;
    struct resample *r = NULL;
    enum va_err err = resample_new(in_hz, out_hz, quality, &r);
    if (err)
        return err;
    size_t want = (size_t)(((uint64_t)n * r->out_hz + r->in_hz / 2) / r->in_hz);
    int16_t *out = want ? malloc(want * sizeof(*out)) : NULL;
    if (want && !out)
        err = VA_ENOMEM;
    if (!err && want)
        err = whole(r, in, n, out, want);
    if (!err)
        err = pcm_adopt(out_hz, out, want, ret_pcm);
    if (err)
        free(out);
    resample_free(&r);
    return err;
}
