#include "net/ws_int.h"
#include "base/rand.h"
#include "base/utf8.h"
#include "net/tls.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    CONNECT_MS = 10000,
    PING_MS = 20000,
    CLOSE_MS = 2000,
    OUT_MAX = 1024 * 1024,
    CONTROL_ROOM = 2 * WS_HEAD_BYTES_MAX, /* above out_max: handshake, control frames */
    TX_BYTES = 16384                      /* one TLS record */
};

/* A frame on its way to the stream: head and parts side by side, so that it is one write. */
static _Thread_local uint8_t tx[TX_BYTES];

void ws_set_state(struct ws_conn *c, enum ws_state to)
{
    c->state = to;
}

/* ---- the end -------------------------------------------------------------------------------- */

static void destroy(struct ws_conn *c)
{
    ws_opening_free(&c->opening);
    ws_rx_free(&c->rx);
    free(c);
}

void ws_finish(struct ws_conn *c, const struct ws_end *end)
{
    if (c->state == WS_CLOSED)
        return;
    ws_set_state(c, WS_CLOSED);
    tmr_stop(&c->timer);
    stream_close_flush(&c->stream);
    bool inside = c->reading;
    c->reading = true; /* the reason lies in our memory: also after a ws_free() in the handler */
    c->h.on_closed(c->arg, end);
    c->reading = inside;
    if (c->released && !inside)
        destroy(c);
}

void ws_finish_with(struct ws_conn *c, enum va_err err, uint16_t code, int status, const char *fmt,
                    ...)
{
    struct va_fault text;
    char line[sizeof(text.text)];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    (void)va_fault_set(&text, err, "%s", line);
    const struct ws_end end = {.err = err, .code = code, .http_status = status, .text = text.text};
    ws_finish(c, &end);
}

void ws_free(struct ws_conn **pc)
{
    struct ws_conn *c = pc ? *pc : NULL;
    if (!c)
        return;
    *pc = NULL;
    tmr_stop(&c->timer);
    if (c->state == WS_CLOSING)
        stream_close_flush(&c->stream);
    else
        stream_close(&c->stream);
    ws_set_state(c, WS_CLOSED);
    c->released = true;
    if (!c->reading)
        destroy(c);
}

/* ---- stream --------------------------------------------------------------------------------- */

static void on_open(void *arg)
{
    ws_opening_connected(arg);
}

static void on_read(void *arg, char *p, size_t len)
{
    struct ws_conn *c = arg;
    c->reading = true;
    if (c->opening)
        ws_opening_read(c, &p, &len);
    if (len && !c->opening)
        ws_frames_read(c, p, len);
    c->reading = false;
    if (c->released)
        destroy(c);
}

static void on_drain(void *arg)
{
    struct ws_conn *c = arg;
    if (!c->wants_drain || c->state != WS_OPEN)
        return;
    c->wants_drain = false;
    if (c->h.on_drain)
        c->h.on_drain(c->arg);
}

static void on_end(void *arg, const struct va_fault *why)
{
    struct ws_conn *c = arg;
    if (ws_opening_ended(c))
        return;
    const char *when = c->opening && c->state == WS_HELLO
                           ? (c->side == WS_CLIENT ? " before it answered our request"
                                                   : " before it sent its whole request")
                           : "";
    ws_finish_with(c, why->code, c->state == WS_CLOSING ? c->code : 0, 0, "%s%s", why->text, when);
}

static const struct stream_handlers stream_handlers = {
    .on_open = on_open, .on_read = on_read, .on_drain = on_drain, .on_end = on_end};

/* ---- birth ---------------------------------------------------------------------------------- */

static struct ws_conn *make(struct loop *loop, enum ws_side side, const struct ws_cfg *cfg,
                            const struct ws_handlers *h, void *arg)
{
    struct ws_conn *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->opening = calloc(1, sizeof(*c->opening));
    if (!c->opening) {
        free(c);
        return NULL;
    }
    buf_init(&c->opening->request, WS_HEAD_BYTES_MAX);
    buf_init(&c->opening->in, WS_HEAD_BYTES_MAX);
    buf_init(&c->opening->body, WS_BODY_MAX);
    c->loop = loop;
    c->side = side;
    c->h = *h;
    c->arg = arg;
    c->out_max = cfg->out_max ? cfg->out_max : OUT_MAX;
    c->ping_us = (cfg->ping_ms ? cfg->ping_ms : PING_MS) * 1000;
    ws_rx_init(&c->rx, side == WS_SERVER, cfg->message_max ? cfg->message_max : WS_MESSAGE_MAX,
               cfg->utf8_unchecked);
    return c;
}

static struct stream_cfg stream_cfg(const struct ws_conn *c, const struct ws_cfg *cfg)
{
    return (struct stream_cfg){.timeout_ms =
                                   cfg->connect_timeout_ms ? cfg->connect_timeout_ms : CONNECT_MS,
                               .out_max = c->out_max + CONTROL_ROOM,
                               .tls = cfg->tls};
}

static const struct ws_cfg defaults;

static enum va_err prepare(struct ws_opening *o, const struct ws_target *to)
{
    o->url_copy = str_dup(str_of(to->url));
    o->subprotocol = to->subprotocol ? str_dup(str_of(to->subprotocol)) : NULL;
    if (!o->url_copy || (to->subprotocol && !o->subprotocol))
        return VA_ENOMEM;
    enum va_err err = ws_url_parse(o->url_copy, &o->url);
    if (err)
        return err;
    ws_hello_key(o->key);
    err = ws_hello_request(&o->url, to, o->key, &o->request);
    return err == VA_ELIMIT ? VA_EINVAL : err;
}

static enum va_err connect_to(struct ws_conn *c, const struct ws_cfg *cfg)
{
    const struct ws_url *u = &c->opening->url;
    struct stream_cfg scfg = stream_cfg(c, cfg);
    if (!u->tls)
        scfg.tls = NULL;
    else if (!scfg.tls && tls_client_ctx_default(&scfg.tls, NULL))
        return VA_EIO;
    enum va_err err =
        stream_connect(c->loop, u->host, u->port, &scfg, &stream_handlers, c, &c->stream);
    if (!err)
        tmr_start(&c->timer, c->loop, scfg.timeout_ms, ws_opening_late, c);
    return err;
}

enum va_err ws_connect(struct loop *loop, const struct ws_target *to, const struct ws_cfg *cfg,
                       const struct ws_handlers *h, void *arg, struct ws_conn **ret_conn)
{
    cfg = cfg ? cfg : &defaults;
    struct ws_conn *c = make(loop, WS_CLIENT, cfg, h, arg);
    if (!c)
        return VA_ENOMEM;
    enum va_err err = prepare(c->opening, to);
    if (!err)
        err = connect_to(c, cfg);
    if (err) {
        destroy(c);
        return err;
    }
    *ret_conn = c;
    return VA_OK;
}

enum va_err ws_accept(struct loop *loop, int fd, struct str early, const struct ws_cfg *cfg,
                      const struct ws_handlers *h, void *arg, struct ws_conn **ret_conn)
{
    cfg = cfg ? cfg : &defaults;
    struct ws_conn *c = make(loop, WS_SERVER, cfg, h, arg);
    if (!c) {
        (void)close(fd);
        return VA_ENOMEM;
    }
    const struct stream_cfg scfg = stream_cfg(c, cfg);
    enum va_err err = stream_adopt(loop, fd, early, &scfg, &stream_handlers, c, &c->stream);
    if (err) {
        destroy(c);
        return err;
    }
    ws_set_state(c, WS_HELLO);
    tmr_start(&c->timer, loop, scfg.timeout_ms, ws_opening_late, c);
    *ret_conn = c;
    return VA_OK;
}

/* ---- sending -------------------------------------------------------------------------------- */

/* Parts behind a head that stands in `tx` already, in pieces of TX_BYTES. */
static enum va_err write_parts(struct ws_conn *c, size_t used, const struct str *parts,
                               size_t count, const uint8_t *key)
{
    uint64_t at = 0;
    for (size_t i = 0; i < count; i++) {
        struct str part = parts[i];
        while (part.len) {
            if (used == TX_BYTES) {
                enum va_err err = stream_write(c->stream, tx, used);
                if (err)
                    return err;
                used = 0;
            }
            size_t n = part.len < TX_BYTES - used ? part.len : TX_BYTES - used;
            if (key)
                ws_mask(tx + used, part.p, n, key, at);
            else
                memcpy(tx + used, part.p, n);
            used += n;
            at += n;
            part = str_make(part.p + n, part.len - n);
        }
    }
    return stream_write(c->stream, tx, used);
}

static enum va_err send_frame(struct ws_conn *c, enum ws_op op, const struct str *parts,
                              size_t count, size_t len)
{
    uint8_t key[4];
    const uint32_t r = c->side == WS_CLIENT ? rand_u32() : 0;
    memcpy(key, &r, sizeof(key));
    const uint8_t *mask = c->side == WS_CLIENT ? key : NULL;
    return write_parts(c, ws_frame_head(tx, op, len, mask), parts, count, mask);
}

enum va_err ws_sendv(struct ws_conn *c, enum ws_kind kind, const struct str *parts, size_t count)
{
    size_t len = 0;
    if (c->state != WS_OPEN)
        return c->state < WS_OPEN ? VA_EAGAIN : VA_ECLOSED;
    for (size_t i = 0; i < count; i++)
        len += parts[i].len;
    size_t unsent = stream_unsent(c->stream);
    size_t room = unsent < c->out_max ? c->out_max - unsent : 0;
    if (room < WS_HEAD_MAX || len > room - WS_HEAD_MAX) {
        c->wants_drain = true;
        stream_on_drain(c->stream, c->out_max / 2);
        return VA_ELIMIT;
    }
    return send_frame(c, kind == WS_TEXT ? WS_OP_TEXT : WS_OP_BINARY, parts, count, len);
}

enum va_err ws_send(struct ws_conn *c, enum ws_kind kind, const void *p, size_t len)
{
    const struct str part = {p, len};
    return ws_sendv(c, kind, &part, 1);
}

void ws_control(struct ws_conn *c, enum ws_op op, const void *p, size_t len)
{
    const struct str part = {p, len};
    if (stream_unsent(c->stream) <= c->out_max) /* a pong that nobody reads may go missing */
        (void)send_frame(c, op, &part, 1, len);
}

void ws_send_close(struct ws_conn *c, uint16_t code, struct str reason)
{
    uint8_t p[WS_CONTROL_MAX] = {(uint8_t)(code >> 8), (uint8_t)code};
    size_t len = reason.len < sizeof(p) - 2 ? reason.len : sizeof(p) - 2;
    while (len && !utf8_valid(str_make(reason.p, len))) /* not in the middle of a character */
        len--;
    if (len)
        memcpy(p + 2, reason.p, len);
    ws_control(c, WS_OP_CLOSE, p, code == WS_CODE_NONE ? 0 : len + 2);
    c->code = code;
}

size_t ws_unsent(const struct ws_conn *c)
{
    return c->stream ? stream_unsent(c->stream) : 0;
}

void ws_peer(const struct ws_conn *c, struct net_addr *ret_addr)
{
    memset(ret_addr, 0, sizeof(*ret_addr));
    if (c->stream)
        stream_peer(c->stream, ret_addr);
}

/* ---- closing -------------------------------------------------------------------------------- */

static void on_close_late(void *arg)
{
    struct ws_conn *c = arg;
    ws_finish_with(c, VA_ETIMEOUT, c->code, 0, "closed by us; the peer did not answer it in time");
}

static void on_given_up(void *arg)
{
    struct ws_conn *c = arg;
    ws_finish_with(c, VA_ECANCELED, c->code, 0, "closed by us before it was open");
}

void ws_close(struct ws_conn *c, uint16_t code, const char *reason)
{
    if (c->state >= WS_CLOSING)
        return;
    bool open = c->state == WS_OPEN;
    code = ws_code_valid(code) ? code : WS_CODE_NORMAL;
    if (open)
        ws_send_close(c, code, str_of(reason));
    c->code = code;
    ws_set_state(c, WS_CLOSING);
    tmr_start(&c->timer, c->loop, open ? CLOSE_MS : 0, open ? on_close_late : on_given_up, c);
}

struct str ws_request_header(const struct ws_request *r, const char *name)
{
    for (size_t i = 0; i < r->header_count; i++)
        if (str_ieqz(r->headers[i].name, name))
            return r->headers[i].value;
    return (struct str){NULL, 0};
}
