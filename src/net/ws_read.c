/* Frames that come, and pings that make some come. */
#include "net/ws_int.h"

static void on_ping_time(void *arg)
{
    struct ws_conn *c = arg;
    uint64_t idle = loop_now_us(c->loop) - c->heard_us;
    if (idle >= 2 * c->ping_us) {
        ws_finish_with(c, VA_ETIMEOUT, 0, 0,
                       "the peer has been silent for %u s and answers no ping; the network or the "
                       "peer is stuck",
                       (unsigned)(idle / 1000000));
        return;
    }
    uint64_t next = c->ping_us;
    if (idle >= c->ping_us) {
        ws_control(c, WS_OP_PING, NULL, 0);
        next = 2 * c->ping_us;
    }
    tmr_start(&c->timer, c->loop, (next - idle + 999) / 1000, on_ping_time, c);
}

void ws_frames_start(struct ws_conn *c)
{
    c->heard_us = loop_now_us(c->loop);
    tmr_start(&c->timer, c->loop, c->ping_us / 1000, on_ping_time, c);
}

/* The peer broke the rules or a bound: say which, and end it. */
static void refuse(struct ws_conn *c, enum va_err err, uint16_t code)
{
    const char *what = code == WS_CODE_TEXT      ? "text that is not UTF-8"
                       : code == WS_CODE_TOO_BIG ? "a message over the limit"
                       : err == VA_ENOMEM        ? "a message for which memory is short"
                                                 : "a frame that breaks the protocol";
    if (c->state == WS_OPEN)
        ws_send_close(c, code, (struct str){NULL, 0});
    ws_finish_with(c, err, code, 0, "the peer sent %s (closed with %u)", what, code);
}

static void on_close_frame(struct ws_conn *c, const struct ws_event *ev)
{
    uint16_t code = ev->code == WS_CODE_NONE ? 0 : ev->code;
    struct va_fault text;
    if (c->state == WS_OPEN) /* else ours is out already */
        ws_send_close(c, ev->code, (struct str){NULL, 0});
    (void)va_fault_set(&text, VA_OK, "closed by %s with code %u%s%.*s",
                       c->state == WS_OPEN ? "the peer" : "us", code, ev->len ? ": " : "",
                       STR_ARG(str_make(ev->p, ev->len)));
    const struct ws_end end = {
        .err = VA_OK, .code = code, .reason = {ev->p, ev->len}, .text = text.text};
    ws_finish(c, &end);
}

static void on_event(struct ws_conn *c, const struct ws_event *ev)
{
    switch (ev->op) {
    case WS_OP_TEXT:
    case WS_OP_BINARY:
        if (c->state == WS_OPEN && c->h.on_message)
            c->h.on_message(c->arg, ev->op == WS_OP_TEXT ? WS_TEXT : WS_BINARY, ev->p, ev->len);
        break;
    case WS_OP_PING:
        if (c->state == WS_OPEN)
            ws_control(c, WS_OP_PONG, ev->p, ev->len);
        break;
    case WS_OP_CLOSE: on_close_frame(c, ev); break;
    case WS_OP_PONG:
    case WS_OP_CONTINUE: break;
    }
}

void ws_frames_read(struct ws_conn *c, char *p, size_t len)
{
    c->heard_us = loop_now_us(c->loop);
    while (c->state == WS_OPEN || c->state == WS_CLOSING) {
        struct ws_event ev;
        uint16_t code = 0;
        enum va_err err = ws_rx_next(&c->rx, &p, &len, &ev, &code);
        if (err == VA_EAGAIN)
            return;
        if (err) {
            refuse(c, err, code);
            return;
        }
        on_event(c, &ev);
    }
}
