/* Payloads of a stranger through one codec: the first byte chooses it and our rate; then each
 * packet is a length (two bytes), what is done with it (one byte) and its bytes. Corpus:
 * tests/corpus/codec. */
#include "media/codec.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
    if (!ok)
        abort();
}

static void decode(const struct jitter_codec *j, const uint8_t *p, size_t len)
{
    static int16_t out[MEDIA_RATE_MAX_HZ / 1000 * JITTER_PACKET_MS_MAX];
    size_t room = sizeof(out) / sizeof(*out), want = j->samples(j->state, p, len);
    size_t got = j->decode(j->state, p, len, out, room);
    require(got == 0 || (got == want && got <= room));
    if (want > 1 && want <= room) { /* a sample too little */
        int16_t *less = malloc((want - 1) * sizeof(*less));
        require(less && j->decode(j->state, p, len, less, want - 1) == 0);
        free(less);
    }
}

static void conceal(const struct jitter_codec *j, const uint8_t *p, size_t len, size_t ms)
{
    size_t n = ms * (size_t)j->rate_hz / 1000u;
    int16_t *out = malloc((n ? n : 1) * sizeof(*out));
    if (j->conceal && out) {
        size_t got = j->conceal(j->state, len ? p : NULL, len, out, n);
        require(got == 0 || got == n);
    }
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int rates[] = {8000, 16000, 24000, 48000};
    struct codec *c = NULL;
    if (!size ||
        codec_new(codec_info((enum codec_id)(data[0] % CODEC_COUNT)), rates[data[0] >> 6], &c))
        return 0;
    const struct jitter_codec *j = codec_jitter(c);
    data++;
    size--;
    while (size >= 3) {
        size_t len = (size_t)(data[0] << 8 | data[1]);
        unsigned what = data[2];
        data += 3;
        size -= 3;
        len = len < size ? len : size;
        if (what == 255 && j->reset)
            j->reset(j->state);
        else if (what & 1)
            decode(j, data, len);
        else
            conceal(j, data, len, what >> 1);
        data += len;
        size -= len;
    }
    codec_free(&c);
    return 0;
}
