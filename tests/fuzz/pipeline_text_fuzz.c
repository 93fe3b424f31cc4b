/* A model's words on their way to the voice: bounded, never empty, the same however they are cut,
 * and a caller's words on their way to a decision. */
#include "ai/pipeline/sentence.h"
#include "ai/pipeline/speakable.h"
#include "ai/pipeline/unfinished.h"

#include <stdlib.h>

static void take(struct sentence *s, bool last, struct buf *out)
{
    struct buf one;
    buf_init(&one, 4096);
    while (sentence_next(s, last, &one)) {
        if (one.len == 0 || one.len > SENTENCE_MAX + 16)
            abort();
        struct buf plain;
        buf_init(&plain, 4096);
        if (speakable_add(&plain, buf_str(&one)) || plain.len > one.len)
            abort();
        (void)speakable_has_words(buf_str(&plain));
        buf_free(&plain);
        (void)buf_addf(out, "<%s>", buf_z(&one));
    }
    buf_free(&one);
}

static void run(struct str all, size_t piece, struct buf *out)
{
    struct sentence s;
    struct reasoning r = {.inside = false};
    struct buf spoken;
    buf_init(out, 1 << 24);
    buf_init(&spoken, 1 << 24);
    sentence_init(&s);
    for (size_t at = 0; at < all.len; at += piece) {
        size_t n = all.len - at < piece ? all.len - at : piece;
        buf_reset(&spoken);
        if (reasoning_filter(&r, str_make(all.p + at, n), &spoken))
            abort();
        if (sentence_add(&s, buf_str(&spoken)))
            break; /* more than anybody says */
        take(&s, false, out);
    }
    buf_reset(&spoken);
    if (!reasoning_end(&r, &spoken) && !sentence_add(&s, buf_str(&spoken)))
        take(&s, true, out);
    sentence_free(&s);
    buf_free(&spoken);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 16384)
        return 0;
    struct str all = str_make((const char *)data + 1, size - 1);
    struct buf whole, cut;
    run(all, all.len + 1, &whole);
    run(all, (size_t)data[0] % 7 + 1, &cut);
    if (!memchr(all.p ? all.p : "", 0, all.len) && !str_eq(buf_str(&whole), buf_str(&cut)))
        abort();
    buf_free(&whole);
    buf_free(&cut);
    (void)text_unfinished(data[0] & 1 ? "pt-BR" : "en-US", all, data[0] & 2);
    (void)text_backchannel(data[0] & 1 ? "pt-BR" : "en-US", all);
    return 0;
}
