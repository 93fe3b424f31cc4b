#include "ai/attendant/utterance.h"
#include "ai/speech/asr.h"

#include <stdlib.h>
#include <string.h>

enum {
    BEFORE_MS = 600, /* kept from before the VAD's decision */
    LEAD_MS = 150,   /* given to the recogniser before the speech */
    TAIL_MS = 250    /* and behind it */
};

enum va_err utterance_init(struct utterance *u, int rate_hz)
{
    *u = (struct utterance){.rate_hz = rate_hz};
    u->before_len = (size_t)rate_hz / 1000 * BEFORE_MS;
    u->before = calloc(u->before_len, sizeof(*u->before));
    return u->before ? VA_OK : VA_ENOMEM;
}

void utterance_free(struct utterance *u)
{
    free(u->before);
    free(u->samples);
    *u = (struct utterance){0};
}

static void keep_before(struct utterance *u, const int16_t *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        u->before[u->before_at] = samples[i];
        u->before_at = (u->before_at + 1) % u->before_len;
    }
    size_t full = u->before_full + count;
    u->before_full = full < u->before_len ? full : u->before_len;
}

static void keep(struct utterance *u, const int16_t *samples, size_t count)
{
    size_t max = (size_t)u->rate_hz / 1000 * (u->max_ms ? u->max_ms : ASR_UTTERANCE_MAX_MS);
    if (count == 0 || u->count + count > max)
        return; /* whoever speaks longer than that has not said a name */
    if (u->count + count > u->cap) {
        size_t cap = u->cap ? u->cap * 2 : (size_t)u->rate_hz * 2;
        int16_t *bigger = realloc(u->samples, cap * sizeof(*bigger));
        if (!bigger)
            return;
        u->samples = bigger;
        u->cap = cap;
    }
    memcpy(u->samples + u->count, samples, count * sizeof(*samples));
    u->count += count;
}

void utterance_feed(struct utterance *u, const int16_t *samples, size_t count)
{
    if (u->open)
        keep(u, samples, count);
    else
        keep_before(u, samples, count);
}

void utterance_begin(struct utterance *u, unsigned back_ms)
{
    size_t want = (size_t)u->rate_hz * (back_ms + LEAD_MS) / 1000;
    size_t n = want < u->before_full ? want : u->before_full;
    size_t from = (u->before_at + u->before_len - n) % u->before_len;
    size_t first = n < u->before_len - from ? n : u->before_len - from;
    keep(u, u->before + from, first);
    keep(u, u->before, n - first);
    u->before_full = 0;
    u->open = true;
}

enum va_err utterance_end(struct utterance *u, unsigned back_ms, struct pcm **ret_speech)
{
    u->open = false;
    size_t silence = (size_t)u->rate_hz * (back_ms > TAIL_MS ? back_ms - TAIL_MS : 0) / 1000;
    u->count = u->count > silence ? u->count - silence : 0;
    return pcm_new(u->rate_hz, u->samples, u->count, ret_speech);
}

void utterance_clear(struct utterance *u)
{
    u->open = false;
    u->count = u->cap = 0;
    free(u->samples); /* most of a call nobody speaks */
    u->samples = NULL;
}

unsigned utterance_ms(const struct utterance *u)
{
    return (unsigned)(u->count * 1000 / (size_t)u->rate_hz);
}
