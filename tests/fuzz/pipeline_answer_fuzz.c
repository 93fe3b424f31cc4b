/* Streams of models and of a recogniser: nothing they send does harm, texts stay in their bounds,
 * and what is cut elsewhere means the same. */
#include "ai/pipeline/answer.h"
#include "ai/pipeline/deepgram.h"

#include <stdlib.h>

struct reader {
    struct answer answer;
    bool anthropic;
};

static bool on_event(void *arg, const struct sse_event *event)
{
    struct reader *r = arg;
    return r->anthropic ? answer_anthropic(&r->answer, event) : answer_chat(&r->answer, event);
}

static void run(struct str all, size_t piece, bool anthropic, struct buf *out)
{
    struct reader r = {.anthropic = anthropic};
    struct sse s;
    enum va_err err = VA_OK;
    answer_init(&r.answer);
    sse_init(&s, on_event, &r);
    for (size_t at = 0; at < all.len && !err; at += piece) {
        size_t n = all.len - at < piece ? all.len - at : piece;
        err = sse_feed(&s, str_make(all.p + at, n));
    }
    if (!err)
        (void)!sse_end(&s);
    answer_end(&r.answer);
    if (r.answer.text.len > STAGE_TEXT_MAX + REASONING_TAG_MAX)
        abort();
    buf_init(out, 1 << 24);
    (void)buf_adds(out, buf_str(&r.answer.text));
    for (size_t i = 0; i < LLM_TOOLS_MAX; i++)
        (void)buf_addf(out, "|%s %s %s", r.answer.tool[i].id, r.answer.tool[i].name,
                       buf_z(&r.answer.tool[i].arguments));
    sse_free(&s);
    answer_free(&r.answer);
}

static void run_deepgram(struct str all)
{
    struct deepgram d;
    char cause[STAGE_CAUSE_MAX];
    deepgram_init(&d);
    stage_cause(all, cause);
    for (struct str rest = all; rest.len;)
        (void)deepgram_take(&d, str_cut(&rest, '\n'));
    if (buf_failed(&d.words) || d.words.len > 2 * STAGE_TEXT_MAX)
        abort();
    deepgram_free(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct str all = str_make((const char *)data + 1, size - 1);
    struct buf whole, cut;
    run(all, all.len + 1, data[0] & 1, &whole);
    run(all, (size_t)data[0] % 13 + 1, data[0] & 1, &cut);
    if (!str_eq(buf_str(&whole), buf_str(&cut)))
        abort();
    buf_free(&whole);
    buf_free(&cut);
    run_deepgram(all);
    return 0;
}
