/** tests/unit/net_ws_rig.h: WebSocket connections of ours, raw sockets against them, and a clock
 *  that can be turned by hand. */
#ifndef VA_NET_WS_RIG_H
#define VA_NET_WS_RIG_H

#include "base/buf.h"
#include "net/tcp.h"
#include "net/tls.h"
#include "net/ws.h"
#include "net/ws_frame.h"
#include "net/ws_hello.h"

#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct side {
    struct ws_conn *c;
    unsigned requests, opens, messages, drains, ends;
    size_t bytes;
    char last[64], subprotocol[32];
    enum ws_kind kind;
    struct ws_end end; /* texts below */
    char text[512], reason[512];
    void (*then)(struct side *s); /* called in every handler but on_closed */
};

static struct rig {
    struct va_clock_manual clock;
    struct loop *loop;
    struct tcp_listener *listener;
    struct net_addr addr;
    struct ws_cfg client_cfg, server_cfg;
    struct ws_reply reply;
    bool echo;
    struct side client, server;
    struct tcp_conn *raw; /* instead of one of them */
    bool raw_serves;      /* accepted sockets are raw */
    bool raw_ended;
    struct buf heard; /* by it */
    struct tmr kick;
} rig;

static inline void rig_then(struct side *s)
{
    if (s->then)
        s->then(s);
}

static inline struct ws_reply rig_request(void *arg, const struct ws_request *r)
{
    struct side *s = arg;
    s->requests++;
    assert_true(r->path.len > 0);
    rig_then(s);
    return rig.reply;
}

static inline void rig_open_handler(void *arg, struct str subprotocol)
{
    struct side *s = arg;
    s->opens++;
    assert_true(str_copy(s->subprotocol, sizeof(s->subprotocol), subprotocol));
    rig_then(s);
}

static inline void rig_message(void *arg, enum ws_kind kind, const char *p, size_t len)
{
    struct side *s = arg;
    s->messages++;
    s->bytes += len;
    s->kind = kind;
    (void)str_copy(s->last, sizeof(s->last), str_make(p, len));
    if (rig.echo && s == &rig.server)
        assert_int_equal(ws_send(s->c, kind, p, len), VA_OK);
    rig_then(s);
}

static inline void rig_drain(void *arg)
{
    struct side *s = arg;
    s->drains++;
    rig_then(s);
}

static inline void rig_closed(void *arg, const struct ws_end *end)
{
    struct side *s = arg;
    assert_int_equal(s->ends, 0);
    s->ends++;
    ws_free(&s->c); /* its texts stay until we return */
    s->end = *end;
    assert_true(end->text && end->text[0] && !strchr(end->text, '\n'));
    (void)snprintf(s->text, sizeof(s->text), "%s", end->text);
    (void)str_copy(s->reason, sizeof(s->reason), end->reason);
}

static const struct ws_handlers rig_handlers = {.on_request = rig_request,
                                                .on_open = rig_open_handler,
                                                .on_message = rig_message,
                                                .on_drain = rig_drain,
                                                .on_closed = rig_closed};

/* ---- raw ------------------------------------------------------------------------------------ */

static inline void rig_raw_open(void *arg)
{
    (void)arg;
}

static inline void rig_raw_read(void *arg, const char *p, size_t len)
{
    (void)arg;
    assert_int_equal(buf_add(&rig.heard, p, len), VA_OK);
}

static inline void rig_raw_end(void *arg, enum va_err why)
{
    (void)arg;
    (void)why;
    rig.raw_ended = true;
}

static const struct tcp_handlers rig_raw = {rig_raw_open, rig_raw_read, rig_raw_end};

static inline void rig_raw_say(const void *p, size_t len)
{
    assert_int_equal(tcp_write(rig.raw, p, len), VA_OK);
}

static inline void rig_raw_sayz(const char *z)
{
    rig_raw_say(z, strlen(z));
}

/* Whether the raw peer has heard that, and forget everything up to its end. */
static inline bool rig_heard(const char *z)
{
    const char *at = rig.heard.len ? memmem(rig.heard.p, rig.heard.len, z, strlen(z)) : NULL;
    if (at)
        buf_consume(&rig.heard, (size_t)(at - rig.heard.p) + strlen(z));
    return at != NULL;
}

/* A whole frame is at the start of what it heard: take it. */
static inline bool rig_heard_frame(struct ws_rx *rx, struct ws_event *ev)
{
    uint16_t code = 0;
    char *p = rig.heard.p;
    size_t len = rig.heard.len;
    enum va_err err = ws_rx_next(rx, &p, &len, ev, &code);
    assert_true(err == VA_OK || err == VA_EAGAIN);
    buf_consume(&rig.heard, rig.heard.len - len);
    return err == VA_OK;
}

/* ---- the rig -------------------------------------------------------------------------------- */

static inline void rig_accept(void *arg, int fd, const struct net_addr *peer)
{
    (void)arg;
    (void)peer;
    if (rig.raw_serves)
        assert_int_equal(tcp_adopt(rig.loop, fd, 1 << 24, &rig_raw, NULL, &rig.raw), VA_OK);
    else
        assert_int_equal(ws_accept(rig.loop, fd, (struct str){NULL, 0}, &rig.server_cfg,
                                   &rig_handlers, &rig.server, &rig.server.c),
                         VA_OK);
}

static inline void rig_make(bool manual)
{
    memset(&rig, 0, sizeof(rig));
    va_clock_manual_init(&rig.clock, 1000000, 0);
    rig.reply.status = 101;
    buf_init(&rig.heard, 1 << 24);
    assert_int_equal(loop_new(manual ? &rig.clock.base : NULL, 0, &rig.loop), VA_OK);
    assert_int_equal(net_addr_parse("127.0.0.1", 0, &rig.addr), VA_OK);
    assert_int_equal(tcp_listen(rig.loop, &rig.addr, rig_accept, NULL, &rig.listener, NULL), VA_OK);
    tcp_listener_addr(rig.listener, &rig.addr);
    (void)alarm(60);
}

static inline void rig_end(void)
{
    ws_free(&rig.client.c);
    ws_free(&rig.server.c);
    tcp_close(&rig.raw);
    tcp_listener_close(&rig.listener);
    tmr_stop(&rig.kick);
    loop_free(&rig.loop);
    buf_free(&rig.heard);
}

static inline void rig_kicked(void *arg)
{
    (void)arg;
}

static inline void rig_turn(void)
{
    loop_turn(rig.loop, true);
}

#define RIG_UNTIL(condition)                                                                       \
    while (!(condition))                                                                           \
    rig_turn()

/* Let everything happen that is under way, without time going on. */
static inline void rig_settle(void)
{
    for (int i = 0; i < 30; i++)
        loop_turn(rig.loop, false);
}

static inline void rig_advance_ms(uint64_t ms)
{
    tmr_start(&rig.kick, rig.loop, 0, rig_kicked, NULL); /* the loop looks at its timers */
    va_clock_manual_advance(&rig.clock, ms * 1000);
    rig_settle();
}

static inline enum va_err rig_connect_as(const char *scheme, const char *host, const char *path,
                                         const char *subprotocol)
{
    char url[200];
    const struct ws_target to = {.url = url, .subprotocol = subprotocol};
    (void)snprintf(url, sizeof(url), "%s://%s:%u%s", scheme, host, net_addr_port(&rig.addr), path);
    return ws_connect(rig.loop, &to, &rig.client_cfg, &rig_handlers, &rig.client, &rig.client.c);
}

/* Client and server of ours, both open. */
static inline void rig_both_open(void)
{
    assert_int_equal(rig_connect_as("ws", "127.0.0.1", "/", NULL), VA_OK);
    RIG_UNTIL(rig.client.opens && rig.server.opens);
}

/* A raw client before a server of ours. */
static inline void rig_raw_client(void)
{
    assert_int_equal(tcp_connect(rig.loop, &rig.addr, 5000, 1 << 24, &rig_raw, NULL, &rig.raw),
                     VA_OK);
    RIG_UNTIL(rig.server.c);
    rig_settle();
}

#define RIG_KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define RIG_GET                                                                                    \
    "GET /a HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"                  \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " RIG_KEY "\r\n\r\n"

static inline void rig_raw_client_open(void)
{
    rig_raw_client();
    rig_raw_sayz(RIG_GET);
    RIG_UNTIL(rig.server.opens && rig_heard("\r\n\r\n"));
}

/* A client of ours before a raw server that has its request. */
static inline void rig_raw_server(void)
{
    rig.raw_serves = true;
    assert_int_equal(rig_connect_as("ws", "127.0.0.1", "/p?q", "chat"), VA_OK);
    RIG_UNTIL(rig.heard.len && memmem(rig.heard.p, rig.heard.len, "\r\n\r\n", 4));
}

/* The answer to the request that was heard, with more headers. */
static inline size_t rig_answer(char *out, size_t cap, const char *more)
{
    struct http_message h;
    char accept[WS_ACCEPT_TEXT];
    assert_int_equal(http_head_request(rig.heard.p, rig.heard.len, &h), VA_OK);
    ws_hello_accept(http_head_get(&h, "Sec-WebSocket-Key"), accept);
    int n = snprintf(out, cap,
                     "HTTP/1.1 101 Fine\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
                     "Sec-WebSocket-Accept: %s\r\n%s\r\n",
                     accept, more);
    assert_true(n > 0 && (size_t)n < cap);
    return (size_t)n;
}

static inline void rig_raw_server_open(void)
{
    char z[500];
    rig_raw_server();
    rig_raw_say(z, rig_answer(z, sizeof(z), ""));
    RIG_UNTIL(rig.client.opens);
    buf_reset(&rig.heard);
}

/* A frame of a client, masked with zeros. @return its length */
static inline size_t rig_frame(char *out, uint8_t first, const void *p, size_t len)
{
    static const uint8_t key[4] = {0, 0, 0, 0};
    size_t n = ws_frame_head((uint8_t *)out, (enum ws_op)0, len, key);
    out[0] = (char)first;
    if (len)
        memcpy(out + n, p, len);
    return n + len;
}

#endif
