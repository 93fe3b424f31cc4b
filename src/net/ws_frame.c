#include "net/ws_frame.h"
#include "base/utf8.h"

enum { FIN = 0x80, RESERVED = 0x70, MASKED = 0x80, LEN16 = 126, LEN64 = 127 };

size_t ws_frame_head(uint8_t out[static WS_HEAD_MAX], enum ws_op op, uint64_t len,
                     const uint8_t mask[4])
{
    uint8_t bit = mask ? MASKED : 0;
    size_t n = 2;
    out[0] = (uint8_t)(FIN | op);
    if (len < LEN16) {
        out[1] = (uint8_t)(bit | len);
    } else if (len <= UINT16_MAX) {
        out[1] = bit | LEN16;
        out[n++] = (uint8_t)(len >> 8);
        out[n++] = (uint8_t)len;
    } else {
        out[1] = bit | LEN64;
        for (int shift = 56; shift >= 0; shift -= 8)
            out[n++] = (uint8_t)(len >> shift);
    }
    if (mask) {
        memcpy(out + n, mask, 4);
        n += 4;
    }
    return n;
}

void ws_mask(void *dst, const void *src, size_t len, const uint8_t key[4], uint64_t at)
{
    uint8_t *to = dst;
    const uint8_t *from = src;
    uint8_t turned[8];
    uint64_t word = 0, x = 0;
    for (size_t i = 0; i < sizeof(turned); i++)
        turned[i] = key[(at + i) & 3];
    memcpy(&word, turned, sizeof(word));
    for (; len >= sizeof(x); len -= sizeof(x), to += sizeof(x), from += sizeof(x)) {
        memcpy(&x, from, sizeof(x));
        x ^= word;
        memcpy(to, &x, sizeof(x));
    }
    for (size_t i = 0; i < len; i++)
        to[i] = (uint8_t)(from[i] ^ turned[i]);
}

bool ws_code_valid(uint16_t code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

/* ---- receiving ------------------------------------------------------------------------------ */

void ws_rx_init(struct ws_rx *rx, bool from_client, size_t message_max, bool utf8_unchecked)
{
    *rx = (struct ws_rx){.from_client = from_client,
                         .utf8_unchecked = utf8_unchecked,
                         .message_max = message_max,
                         .head_need = 2};
    buf_init(&rx->joined, message_max);
}

void ws_rx_free(struct ws_rx *rx)
{
    buf_free(&rx->joined);
}

static enum va_err refuse(enum va_err err, uint16_t code, uint16_t *ret_code)
{
    *ret_code = code;
    return err;
}

static bool is_control(uint8_t op)
{
    return op & 8;
}

/* The first two bytes tell how long the head is, and most of what can be wrong with it. */
static enum va_err look_at_start(struct ws_rx *rx, uint16_t *ret_code)
{
    uint8_t first = rx->head[0], op = first & 0x0f, len = rx->head[1] & 0x7f;
    bool masked = rx->head[1] & MASKED;
    rx->fin = first & FIN;
    rx->op = op;
    bool known = op <= WS_OP_BINARY || (op >= WS_OP_CLOSE && op <= WS_OP_PONG);
    if ((first & RESERVED) || !known || masked != rx->from_client)
        return refuse(VA_EPROTO, WS_CODE_PROTOCOL, ret_code);
    if (is_control(op) ? !rx->fin || len > WS_CONTROL_MAX
                       : (op == WS_OP_CONTINUE) != (rx->message != 0))
        return refuse(VA_EPROTO, WS_CODE_PROTOCOL, ret_code);
    rx->head_need = (uint8_t)(2 + (len == LEN16 ? 2 : len == LEN64 ? 8 : 0) + (masked ? 4 : 0));
    return VA_OK;
}

/* The head is complete. */
static enum va_err look_at_head(struct ws_rx *rx, uint16_t *ret_code)
{
    uint8_t len = rx->head[1] & 0x7f;
    size_t more = len == LEN16 ? 2 : len == LEN64 ? 8 : 0;
    rx->len = more ? 0 : len;
    for (size_t i = 0; i < more; i++)
        rx->len = rx->len << 8 | rx->head[2 + i];
    if (rx->from_client)
        memcpy(rx->key, rx->head + 2 + more, 4);
    bool shortest = more == 0 || rx->len > (more == 2 ? LEN16 - 1 : UINT16_MAX);
    if (!shortest || rx->len >> 63)
        return refuse(VA_EPROTO, WS_CODE_PROTOCOL, ret_code);
    if (!is_control(rx->op)) {
        if (rx->len > rx->message_max || rx->joined.len > rx->message_max - rx->len)
            return refuse(VA_ELIMIT, WS_CODE_TOO_BIG, ret_code);
        if (rx->op != WS_OP_CONTINUE)
            rx->message = rx->op;
        if (++rx->fragments > WS_FRAGMENTS_MAX)
            return refuse(VA_ELIMIT, WS_CODE_TOO_BIG, ret_code);
    }
    rx->at = 0;
    rx->control_len = 0;
    rx->in_payload = true;
    return VA_OK;
}

/* @return VA_OK (it is complete), VA_EAGAIN, or what is wrong with it */
static enum va_err take_head(struct ws_rx *rx, char **p, size_t *len, uint16_t *ret_code)
{
    for (;;) {
        size_t n = (size_t)(rx->head_need - rx->head_len);
        n = n < *len ? n : *len;
        memcpy(rx->head + rx->head_len, *p, n);
        rx->head_len = (uint8_t)(rx->head_len + n);
        *p += n;
        *len -= n;
        if (rx->head_len < rx->head_need)
            return VA_EAGAIN;
        if (rx->head_len == 2) {
            enum va_err err = look_at_start(rx, ret_code);
            if (err)
                return err;
            if (rx->head_need > 2)
                continue;
        }
        return look_at_head(rx, ret_code);
    }
}

static void next_frame(struct ws_rx *rx)
{
    rx->in_payload = false;
    rx->head_len = 0;
    rx->head_need = 2;
}

static enum va_err control_event(struct ws_rx *rx, struct ws_event *ev, uint16_t *ret_code)
{
    const char *p = (const char *)rx->control;
    size_t len = rx->control_len;
    *ev = (struct ws_event){(enum ws_op)rx->op, 0, p, len};
    if (rx->op != WS_OP_CLOSE)
        return VA_OK;
    ev->code = WS_CODE_NONE;
    if (len == 0)
        return VA_OK;
    if (len == 1)
        return refuse(VA_EPROTO, WS_CODE_PROTOCOL, ret_code);
    ev->code = (uint16_t)(rx->control[0] << 8 | rx->control[1]);
    ev->p = p + 2;
    ev->len = len - 2;
    if (!ws_code_valid(ev->code))
        return refuse(VA_EPROTO, WS_CODE_PROTOCOL, ret_code);
    if (!utf8_valid(str_make(ev->p, ev->len)))
        return refuse(VA_EPROTO, WS_CODE_TEXT, ret_code);
    return VA_OK;
}

static enum va_err message_event(struct ws_rx *rx, const char *p, size_t len, struct ws_event *ev,
                                 uint16_t *ret_code)
{
    *ev = (struct ws_event){(enum ws_op)rx->message, 0, p, len};
    rx->message = 0;
    rx->fragments = 0;
    if (ev->op == WS_OP_TEXT && !rx->utf8_unchecked && !utf8_valid(str_make(p, len)))
        return refuse(VA_EPROTO, WS_CODE_TEXT, ret_code);
    return VA_OK;
}

/* `n` bytes of payload, unmasked in place. */
static enum va_err keep(struct ws_rx *rx, const char *p, size_t n, uint16_t *ret_code)
{
    rx->at += n;
    if (is_control(rx->op)) {
        memcpy(rx->control + rx->control_len, p, n);
        rx->control_len += n;
        return VA_OK;
    }
    enum va_err err = buf_add(&rx->joined, p, n);
    return err ? refuse(err, WS_CODE_INTERNAL, ret_code) : VA_OK;
}

/* A message that was joined has been read by now. Large memory is not kept for the next one. */
static void forget_joined(struct ws_rx *rx)
{
    enum { KEEP_BYTES = 32768 };
    if (rx->message || rx->in_payload)
        return;
    if (rx->joined.cap > KEEP_BYTES)
        buf_free(&rx->joined);
    else
        buf_reset(&rx->joined);
}

enum va_err ws_rx_next(struct ws_rx *rx, char **p, size_t *len, struct ws_event *ret_event,
                       uint16_t *ret_code)
{
    forget_joined(rx);
    for (;;) {
        if (!rx->in_payload) {
            enum va_err err = take_head(rx, p, len, ret_code);
            if (err)
                return err;
        }
        uint64_t left = rx->len - rx->at;
        size_t n = left < *len ? (size_t)left : *len;
        char *at = *p;
        if (rx->from_client)
            ws_mask(at, at, n, rx->key, rx->at);
        *p += n;
        *len -= n;
        /* The usual message is whole in these bytes and is read where it lies. */
        if (n == rx->len && rx->fin && !is_control(rx->op) && rx->joined.len == 0) {
            next_frame(rx);
            return message_event(rx, at, n, ret_event, ret_code);
        }
        enum va_err err = keep(rx, at, n, ret_code);
        if (err)
            return err;
        if (rx->at < rx->len)
            return VA_EAGAIN;
        next_frame(rx);
        if (is_control(rx->op))
            return control_event(rx, ret_event, ret_code);
        if (rx->fin)
            return message_event(rx, buf_z(&rx->joined), rx->joined.len, ret_event, ret_code);
    }
}
