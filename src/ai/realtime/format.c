#include "ai/realtime/format.h"
#include "base/base64.h"
#include "media/g711.h"
#include "media/resample.h"

#include <stdio.h>
#include <stdlib.h>

void rt_format_text(struct rt_format f, char *out, size_t cap)
{
    static const char *const names[] = {"pcm", "mu-law", "a-law"};
    (void)snprintf(out, cap, "%s %d Hz", names[f.codec], f.rate_hz);
}

/* ---- towards the remote ------------------------------------------------------------------------
 */

struct rt_encoder {
    struct rt_format to;
    struct resample *resample; /* NULL: equal rates */
    int16_t *samples;          /* resampled */
    uint8_t *bytes;
    size_t room; /* samples that both have room for */
};

enum va_err rt_encoder_new(int line_hz, struct rt_format to, struct rt_encoder **ret_e)
{
    struct rt_encoder *e = calloc(1, sizeof(*e));
    if (!e)
        return VA_ENOMEM;
    e->to = to;
    enum va_err err = line_hz == to.rate_hz
                          ? VA_OK
                          : resample_new(line_hz, to.rate_hz, RESAMPLE_QUALITY_ASR, &e->resample);
    if (err) {
        rt_encoder_free(&e);
        return err;
    }
    *ret_e = e;
    return VA_OK;
}

void rt_encoder_free(struct rt_encoder **pe)
{
    struct rt_encoder *e = *pe;
    *pe = NULL;
    if (!e)
        return;
    resample_free(&e->resample);
    free(e->samples);
    free(e->bytes);
    free(e);
}

static enum va_err encoder_room(struct rt_encoder *e, size_t room)
{
    if (room <= e->room)
        return VA_OK;
    int16_t *samples = e->resample ? realloc(e->samples, room * sizeof(*samples)) : NULL;
    if (e->resample && !samples)
        return VA_ENOMEM;
    e->samples = samples;
    uint8_t *bytes = realloc(e->bytes, room * 2);
    if (!bytes)
        return VA_ENOMEM;
    e->bytes = bytes;
    e->room = room;
    return VA_OK;
}

static void put_pcm16(const int16_t *in, size_t n, uint8_t *out)
{
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = (uint8_t)((uint16_t)in[i] & 0xFF);
        out[2 * i + 1] = (uint8_t)((uint16_t)in[i] >> 8);
    }
}

enum va_err rt_encode(struct rt_encoder *e, const int16_t *samples, size_t count,
                      struct str *ret_bytes)
{
    size_t room = e->resample ? resample_room(e->resample, count) : count;
    enum va_err err = encoder_room(e, room);
    if (err)
        return err;
    if (e->resample) {
        count = resample_run(e->resample, samples, count, e->samples, room);
        samples = e->samples;
    }
    if (e->to.codec == RT_ULAW)
        g711_ulaw_encode_block(samples, count, e->bytes);
    else if (e->to.codec == RT_ALAW)
        g711_alaw_encode_block(samples, count, e->bytes);
    else
        put_pcm16(samples, count, e->bytes);
    *ret_bytes = str_make((const char *)e->bytes, count * (e->to.codec == RT_PCM16 ? 2 : 1));
    return VA_OK;
}

/* ---- from the remote ---------------------------------------------------------------------------
 */

struct rt_decoder {
    struct rt_format from;
    int line_hz;
    struct resample *resample;
    bool half; /* the first byte of a sample is here */
    uint8_t half_byte;
    uint8_t *bytes; /* out of base64 */
    size_t bytes_room;
    int16_t *samples; /* before resampling */
    size_t samples_room;
};

enum va_err rt_decoder_new(struct rt_format from, int line_hz, struct rt_decoder **ret_d)
{
    struct rt_decoder *d = calloc(1, sizeof(*d));
    if (!d)
        return VA_ENOMEM;
    d->from = from;
    d->line_hz = line_hz;
    enum va_err err = from.rate_hz == line_hz
                          ? VA_OK
                          : resample_new(from.rate_hz, line_hz, RESAMPLE_QUALITY, &d->resample);
    if (err) {
        rt_decoder_free(&d);
        return err;
    }
    *ret_d = d;
    return VA_OK;
}

void rt_decoder_free(struct rt_decoder **pd)
{
    struct rt_decoder *d = *pd;
    *pd = NULL;
    if (!d)
        return;
    resample_free(&d->resample);
    free(d->bytes);
    free(d->samples);
    free(d);
}

void rt_decoder_reset(struct rt_decoder *d)
{
    d->half = false;
    if (d->resample)
        resample_reset(d->resample);
}

/* Room for the samples of `len` bytes, in the pcm itself where nothing is to be resampled. */
static int16_t *samples_room(struct rt_decoder *d, size_t count)
{
    if (!d->resample)
        return malloc(count * sizeof(int16_t));
    if (count > d->samples_room) {
        int16_t *p = realloc(d->samples, count * sizeof(*p));
        if (!p)
            return NULL;
        d->samples = p;
        d->samples_room = count;
    }
    return d->samples;
}

static size_t get_pcm16(struct rt_decoder *d, const uint8_t *p, size_t len, int16_t *out)
{
    size_t n = 0;
    if (d->half && len) {
        out[n++] = (int16_t)(uint16_t)(d->half_byte | (unsigned)p[0] << 8);
        p++;
        len--;
        d->half = false;
    }
    for (; len >= 2; len -= 2, p += 2)
        out[n++] = (int16_t)(uint16_t)(p[0] | (unsigned)p[1] << 8);
    if (len) {
        d->half = true;
        d->half_byte = *p;
    }
    return n;
}

static size_t get_samples(struct rt_decoder *d, const uint8_t *p, size_t len, int16_t *out)
{
    if (d->from.codec == RT_PCM16)
        return get_pcm16(d, p, len, out);
    if (d->from.codec == RT_ULAW)
        g711_ulaw_decode_block(p, len, out);
    else
        g711_alaw_decode_block(p, len, out);
    return len;
}

/* To the line's rate, in memory of the pcm's own. */
static enum va_err to_line(struct rt_decoder *d, int16_t **samples, size_t *count)
{
    if (!d->resample)
        return VA_OK;
    size_t room = resample_room(d->resample, *count);
    int16_t *out = malloc((room ? room : 1) * sizeof(*out));
    if (!out)
        return VA_ENOMEM;
    *count = resample_run(d->resample, *samples, *count, out, room);
    *samples = out;
    return VA_OK;
}

enum va_err rt_decode(struct rt_decoder *d, struct str bytes, struct pcm **ret_pcm)
{
    *ret_pcm = NULL;
    if (!bytes.len)
        return VA_OK;
    int16_t *samples = samples_room(d, bytes.len + 1);
    if (!samples)
        return VA_ENOMEM;
    size_t count = get_samples(d, (const uint8_t *)bytes.p, bytes.len, samples);
    enum va_err err = to_line(d, &samples, &count);
    if (err)
        return err; /* then the samples are the decoder's */
    if (count)
        err = pcm_adopt(d->line_hz, samples, count, ret_pcm);
    if (err || !count)
        free(samples);
    return err;
}

enum va_err rt_decode_base64(struct rt_decoder *d, struct str text, struct pcm **ret_pcm)
{
    *ret_pcm = NULL;
    size_t room = base64_decoded_max(text.len), len = 0;
    if (room > d->bytes_room) {
        uint8_t *p = realloc(d->bytes, room);
        if (!p)
            return VA_ENOMEM;
        d->bytes = p;
        d->bytes_room = room;
    }
    enum va_err err = base64_decode(text.p, text.len, d->bytes, &len);
    return err ? err : rt_decode(d, str_make((const char *)d->bytes, len), ret_pcm);
}
