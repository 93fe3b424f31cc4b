#include "media/pcm.h"

#include "media/format.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { RATE_MIN_HZ = 1000, RATE_MAX_HZ = 192000 };

struct pcm {
    atomic_uint owners;
    int rate_hz;
    size_t count;
    int16_t *samples;
};

enum va_err pcm_adopt(int rate_hz, int16_t *samples, size_t count, struct pcm **ret_pcm)
{
    if (rate_hz < RATE_MIN_HZ || rate_hz > RATE_MAX_HZ || (count && !samples))
        return VA_EINVAL;
    struct pcm *pcm = malloc(sizeof(*pcm));
    if (!pcm)
        return VA_ENOMEM;
    atomic_init(&pcm->owners, 1);
    pcm->rate_hz = rate_hz;
    pcm->count = count;
    pcm->samples = samples;
    *ret_pcm = pcm;
    return VA_OK;
}

enum va_err pcm_new(int rate_hz, const int16_t *samples, size_t count, struct pcm **ret_pcm)
{
    if ((count && !samples) || count > SIZE_MAX / sizeof(*samples))
        return VA_EINVAL;
    int16_t *copy = NULL;
    if (count) {
        copy = malloc(count * sizeof(*copy));
        if (!copy)
            return VA_ENOMEM;
        memcpy(copy, samples, count * sizeof(*copy));
    }
    enum va_err err = pcm_adopt(rate_hz, copy, count, ret_pcm);
    if (err)
        free(copy);
    return err;
}

struct pcm *pcm_ref(struct pcm *pcm)
{
    atomic_fetch_add_explicit(&pcm->owners, 1, memory_order_relaxed);
    return pcm;
}

void pcm_unref(struct pcm **ppcm)
{
    struct pcm *pcm = ppcm ? *ppcm : NULL;
    if (!pcm)
        return;
    *ppcm = NULL;
    /* acq_rel: the last owner frees only after every other owner's reads. */
    if (atomic_fetch_sub_explicit(&pcm->owners, 1, memory_order_acq_rel) != 1)
        return;
    free(pcm->samples);
    free(pcm);
}

const int16_t *pcm_samples(const struct pcm *pcm)
{
    return pcm->samples;
}

size_t pcm_count(const struct pcm *pcm)
{
    return pcm->count;
}

int pcm_rate_hz(const struct pcm *pcm)
{
    return pcm->rate_hz;
}

uint64_t pcm_ms(const struct pcm *pcm)
{
    return media_samples_to_ms(pcm->count, pcm->rate_hz);
}
