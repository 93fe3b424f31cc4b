#include "media/tone.h"

#include <math.h>
#include <string.h>

static const double two_pi = 6.283185307179586;

void tone_init(struct tone *t, int rate_hz, double hz, double dbfs)
{
    double peak = 32768.0 * sqrt(2.0) * pow(10.0, dbfs / 20.0);
    *t = (struct tone){0, two_pi * hz / rate_hz, peak > INT16_MAX ? INT16_MAX : peak};
}

static int32_t next(struct tone *t)
{
    int32_t x = (int32_t)lrint(t->peak * sin(t->phase));
    t->phase += t->step;
    if (t->phase >= two_pi)
        t->phase -= two_pi;
    return x;
}

void tone_fill(struct tone *t, int16_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = media_clip(next(t));
}

void tone_add(struct tone *t, int16_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = media_clip(out[i] + next(t));
}

void tone_silence(int16_t *out, size_t n)
{
    memset(out, 0, n * sizeof(*out));
}

static uint32_t xorshift(uint32_t *seed)
{
    uint32_t x = *seed ? *seed : 1;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return *seed = x;
}

void tone_noise_add(uint32_t *seed, double dbfs, int16_t *out, size_t n)
{
    /* Uniform noise of peak a has an RMS of a / √3. */
    double peak = 32768.0 * sqrt(3.0) * pow(10.0, dbfs / 20.0);
    for (size_t i = 0; i < n; i++) {
        double u = (double)xorshift(seed) / 2147483648.0 - 1.0;
        out[i] = media_clip(out[i] + (int32_t)lrint(peak * u));
    }
}
