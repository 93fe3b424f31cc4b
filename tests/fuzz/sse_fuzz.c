/* The event-stream parser: whatever comes, however it is cut, both ways of cutting say the same. */
#include "net/sse.h"

#include <stdlib.h>

static bool on_event(void *arg, const struct sse_event *e)
{
    struct buf *out = arg;
    (void)buf_addf(out, "<%.*s|%zu|", STR_ARG(e->name), e->data.len);
    (void)buf_adds(out, e->data);
    return true;
}

static void run(struct str all, size_t piece, struct buf *out)
{
    struct sse s;
    buf_init(out, 1 << 24);
    sse_init(&s, on_event, out);
    for (size_t at = 0; at < all.len; at += piece) {
        size_t n = all.len - at < piece ? all.len - at : piece;
        if (sse_feed(&s, str_make(all.p + at, n)))
            abort();
    }
    if (sse_end(&s))
        abort();
    sse_free(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct str all = str_make((const char *)data + 1, size - 1);
    struct buf whole, cut;
    run(all, all.len + 1, &whole);
    run(all, (size_t)data[0] % 17 + 1, &cut);
    if (!str_eq(buf_str(&whole), buf_str(&cut)))
        abort();
    buf_free(&whole);
    buf_free(&cut);
    return 0;
}
