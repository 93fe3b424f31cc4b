/** tests/unit/http_rig.h: an HTTP/1.1 server on the test's own loop that answers what a test says,
 *  byte by byte if it wants. Include after unit.h. */
#ifndef VA_HTTP_RIG_H
#define VA_HTTP_RIG_H

#include "base/buf.h"
#include "net/tcp.h"

#include <stdio.h>
#include <stdlib.h>

enum { RIG_CONNS = 16 };

struct rig_server;

struct rig_conn {
    struct rig_server *server;
    struct tcp_conn *tcp; /* NULL: free */
    struct buf in;
    bool ended; /* the client closed */
};

/* A whole request. Borrowed for the call. */
struct rig_request {
    struct str line; /* "POST /v1/x HTTP/1.1" */
    struct str head; /* all header lines */
    struct str body;
};

struct rig_server {
    struct loop *loop;
    struct tcp_listener *listener;
    uint16_t port;
    void (*on_request)(void *arg, struct rig_conn *c, const struct rig_request *r);
    void *arg;
    void (*on_closed)(void *arg, struct rig_conn *c); /* by the client; NULL: not wanted */
    struct rig_conn conn[RIG_CONNS];
    size_t accepted, requests, closed_by_client;
};

static inline void rig_send(struct rig_conn *c, const char *p, size_t len)
{
    if (c->tcp && !c->ended)
        (void)!tcp_write(c->tcp, p, len);
}

static inline void rig_sendz(struct rig_conn *c, const char *z)
{
    rig_send(c, z, strlen(z));
}

/* One chunk of "Transfer-Encoding: chunked"; "" is the last. */
static inline void rig_chunk(struct rig_conn *c, const char *p, size_t len)
{
    char size[24];
    (void)snprintf(size, sizeof(size), "%zx\r\n", len);
    rig_sendz(c, size);
    rig_send(c, p, len);
    rig_sendz(c, "\r\n");
}

static inline void rig_close(struct rig_conn *c)
{
    if (c->tcp)
        tcp_close_flush(&c->tcp);
    buf_free(&c->in);
}

static inline void rig_answer(struct rig_conn *c, int status, const char *type, const char *body,
                              size_t len)
{
    char head[256];
    (void)snprintf(head, sizeof(head),
                   "HTTP/1.1 %d Text\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n", status,
                   type, len);
    rig_sendz(c, head);
    rig_send(c, body, len);
}

static inline struct str rig_header(const struct rig_request *r, const char *name)
{
    struct str rest = r->head;
    while (rest.len) {
        struct str value = str_cut(&rest, '\n');
        struct str key = str_cut(&value, ':');
        if (str_ieqz(key, name))
            return str_trim(value);
    }
    return str_make("", 0);
}

static inline bool rig_take(struct rig_conn *c)
{
    char *end = c->in.len ? memmem(c->in.p, c->in.len, "\r\n\r\n", 4) : NULL;
    if (!end)
        return false;
    struct rig_request r = {.head = str_make(c->in.p, (size_t)(end - c->in.p) + 2)};
    r.line = str_trim(str_cut(&r.head, '\n'));
    uint64_t len = 0;
    struct str z = rig_header(&r, "content-length");
    if (z.len)
        assert_int_equal(str_to_u64(z, &len), VA_OK);
    size_t from = (size_t)(end - c->in.p) + 4;
    if (c->in.len < from + len)
        return false;
    r.body = str_make(c->in.p + from, len);
    c->server->requests++;
    struct buf mine = c->in; /* the handler may close */
    buf_init(&c->in, 64 << 20);
    c->server->on_request(c->server->arg, c, &r);
    if (c->tcp && mine.len > from + len)
        (void)buf_add(&c->in, mine.p + from + len, mine.len - from - len);
    buf_free(&mine);
    return c->tcp && c->in.len;
}

static inline void rig_on_read(void *arg, const char *p, size_t len)
{
    struct rig_conn *c = arg;
    assert_int_equal(buf_add(&c->in, p, len), VA_OK);
    while (rig_take(c))
        ;
}

static inline void rig_on_end(void *arg, enum va_err why)
{
    struct rig_conn *c = arg;
    (void)why;
    c->ended = true;
    c->server->closed_by_client++;
    if (c->server->on_closed)
        c->server->on_closed(c->server->arg, c);
    tcp_close(&c->tcp);
    buf_free(&c->in);
}

static inline void rig_on_open(void *arg)
{
    (void)arg;
}

static const struct tcp_handlers rig_handlers = {rig_on_open, rig_on_read, rig_on_end};

static inline void rig_on_accept(void *arg, int fd, const struct net_addr *peer)
{
    struct rig_server *s = arg;
    (void)peer;
    for (size_t i = 0; i < RIG_CONNS; i++) {
        struct rig_conn *c = &s->conn[i];
        if (c->tcp)
            continue;
        *c = (struct rig_conn){.server = s};
        buf_init(&c->in, 64 << 20);
        s->accepted++;
        assert_int_equal(tcp_adopt(s->loop, fd, 64 << 20, &rig_handlers, c, &c->tcp), VA_OK);
        return;
    }
    fail_msg("more connections than the rig has");
}

static inline void
rig_start(struct rig_server *s, struct loop *loop,
          void (*on_request)(void *, struct rig_conn *, const struct rig_request *), void *arg)
{
    struct net_addr any;
    struct va_fault fault;
    *s = (struct rig_server){.loop = loop, .on_request = on_request, .arg = arg};
    assert_int_equal(net_addr_parse("127.0.0.1", 0, &any), VA_OK);
    assert_int_equal(tcp_listen(loop, &any, rig_on_accept, s, &s->listener, &fault), VA_OK);
    tcp_listener_addr(s->listener, &any);
    s->port = net_addr_port(&any);
}

static inline void rig_stop(struct rig_server *s)
{
    tcp_listener_close(&s->listener);
    for (size_t i = 0; i < RIG_CONNS; i++) {
        tcp_close(&s->conn[i].tcp);
        buf_free(&s->conn[i].in);
    }
}

#endif
