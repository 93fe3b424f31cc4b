/* WebSocket frames: any bytes, from a client or a server, in any pieces, tell the same story.
 * The first byte says which side and how large the pieces are. Corpus: tests/corpus/ws_frame. */
#include "net/ws_frame.h"
#include "base/utf8.h"

#include <stdlib.h>

enum { MESSAGE_MAX = 1000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct story {
    uint64_t sum;
    size_t events;
    enum va_err err;
    uint16_t code;
};

static void mix(struct story *s, const void *p, size_t len)
{
    const unsigned char *at = p;
    for (size_t i = 0; i < len; i++)
        s->sum = (s->sum ^ at[i]) * 1099511628211u;
}

static void check(const struct ws_event *ev)
{
    if (ev->len > (ev->op >= WS_OP_CLOSE ? WS_CONTROL_MAX : MESSAGE_MAX) ||
        (ev->op == WS_OP_TEXT && !utf8_valid(str_make(ev->p, ev->len))) ||
        (ev->op == WS_OP_CLOSE && ev->code != WS_CODE_NONE && !ws_code_valid(ev->code)))
        abort();
}

static struct story read_all(const uint8_t *data, size_t size, bool from_client, size_t step)
{
    struct story s = {.sum = 14695981039346656037u};
    struct ws_rx rx;
    char *copy = malloc(size + 1); /* exact, so that a byte too far is seen */
    if (!copy)
        abort();
    ws_rx_init(&rx, from_client, MESSAGE_MAX, false);
    for (size_t at = 0; at < size && s.err != VA_EPROTO && s.err != VA_ELIMIT; at += step) {
        size_t n = size - at < step ? size - at : step, len = n;
        char *p = copy;
        struct ws_event ev;
        memcpy(copy, data + at, n);
        while ((s.err = ws_rx_next(&rx, &p, &len, &ev, &s.code)) == VA_OK) {
            uint16_t head[2] = {(uint16_t)ev.op, ev.code};
            check(&ev);
            mix(&s, head, sizeof(head));
            mix(&s, ev.p, ev.len);
            s.events++;
        }
        if (s.err == VA_EAGAIN && len)
            abort();
    }
    ws_rx_free(&rx);
    free(copy);
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    bool from_client = data[0] & 1;
    size_t step = 1 + (data[0] >> 1);
    struct story whole = read_all(data + 1, size - 1, from_client, size);
    struct story parts = read_all(data + 1, size - 1, from_client, step);
    if (whole.sum != parts.sum || whole.events != parts.events || whole.err != parts.err ||
        whole.code != parts.code)
        abort();
    return 0;
}
