#include "media/comfort_noise.h"

#include <math.h>
#include <string.h>

void comfort_noise_init(struct comfort_noise *cn)
{
    *cn = (struct comfort_noise){.seed = 0x9e3779b9};
}

/* §3.1: level in −dBov, where a full scale square wave is 0. §3.2: k = 258 (N − 127) / 32768; a
 * value of ±1 would make the filter ring for ever. */
void comfort_noise_set(struct comfort_noise *cn, const uint8_t *payload, size_t len)
{
    if (!len)
        return;
    unsigned level = payload[0] & 127;
    float passed = 1;
    cn->rms = level == 127 ? 0 : 32768.0f * powf(10.0f, -(float)level / 20.0f);
    cn->order = 0;
    for (size_t i = 1; i < len && cn->order < COMFORT_NOISE_ORDER_MAX; i++) {
        float k = 258.0f * ((float)payload[i] - 127.0f) / 32768.0f;
        k = k > 0.98f ? 0.98f : k < -0.98f ? -0.98f : k;
        cn->k[cn->order++] = k;
        passed *= 1 - k * k;
    }
    cn->residual = cn->rms * sqrtf(passed);
    memset(cn->back, 0, sizeof(cn->back));
}

static float noise(struct comfort_noise *cn)
{
    cn->seed = cn->seed * 1664525u + 1013904223u;
    return (float)(int32_t)cn->seed * (1.7320508f / 2147483648.0f); /* uniform, RMS 1 */
}

/* All-pole lattice: back[i] is the backward error of order i, one sample ago. */
static float shape(struct comfort_noise *cn, float x)
{
    for (unsigned i = cn->order; i-- > 0;) {
        x -= cn->k[i] * cn->back[i];
        cn->back[i + 1] = cn->back[i] + cn->k[i] * x;
    }
    cn->back[0] = x;
    return x;
}

void comfort_noise_fill(struct comfort_noise *cn, int16_t *out, size_t n)
{
    if (cn->rms <= 0) {
        memset(out, 0, n * sizeof(*out));
        return;
    }
    for (size_t i = 0; i < n; i++) {
        float x = shape(cn, noise(cn) * cn->residual);
        out[i] = media_clip((int32_t)lrintf(x > 32767 ? 32767 : x < -32768 ? -32768 : x));
    }
}
