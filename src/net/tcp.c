#include "net/tcp.h"
#include "base/buf.h"
#include "net/loop_int.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FLUSH_MS = 5000, LINGER_MS = 2000 };

struct tcp_conn {
    uv_tcp_t tcp;
    uv_connect_t connect;
    uv_write_t write;
    uv_shutdown_t shutdown;
    struct loop *loop;
    const struct tcp_handlers *h;
    void *arg;
    struct buf sending; /* given to libuv, must not move */
    struct buf waiting; /* collected meanwhile */
    bool writing;
    bool ended;  /* on_end was called, or nobody is left to call */
    bool closed; /* uv_close was called */
    bool flushing;
    bool lingering; /* flushing, and then waiting for the peer's end */
    size_t drain_below;
    void (*on_drain)(void *arg); /* NULL: nobody waits for it */
    struct tmr timer;            /* connect limit, later flush limit */
    struct loop_rest rest;
};

static void on_closed(uv_handle_t *handle)
{
    struct tcp_conn *c = handle->data;
    buf_free(&c->sending);
    buf_free(&c->waiting);
    free(c);
}

static void destroy(struct tcp_conn *c, bool reset)
{
    if (c->closed)
        return;
    c->closed = c->ended = true;
    tmr_stop(&c->timer);
    link_remove(&c->rest.link);
    if (!reset || uv_tcp_close_reset(&c->tcp, on_closed))
        uv_close((uv_handle_t *)&c->tcp, on_closed);
}

static void end(struct tcp_conn *c, enum va_err why)
{
    if (c->flushing) {
        destroy(c, false);
        return;
    }
    if (c->ended)
        return;
    c->ended = true;
    tmr_stop(&c->timer);
    (void)uv_read_stop((uv_stream_t *)&c->tcp);
    c->h->on_end(c->arg, why);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
    struct tcp_conn *c = handle->data;
    (void)suggested;
    *ret = uv_buf_init(loop_scratch(c->loop), LOOP_SCRATCH_BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct tcp_conn *c = stream->data;
    if (n < 0)
        end(c, va_err_from_uv((int)n));
    else if (n > 0 && !c->ended)
        c->h->on_read(c->arg, buf->base, (size_t)n);
}

static void start_write(struct tcp_conn *c);

static void on_shutdown(uv_shutdown_t *req, int status)
{
    struct tcp_conn *c = req->data;
    if (status < 0)
        destroy(c, false);
}

static void on_flush_late(void *arg)
{
    destroy(arg, false);
}

/* Everything is out of a connection that nobody holds any more. */
static void flushed(struct tcp_conn *c)
{
    c->shutdown.data = c;
    if (c->lingering && !uv_shutdown(&c->shutdown, (uv_stream_t *)&c->tcp, on_shutdown))
        tmr_start(&c->timer, c->loop, LINGER_MS, on_flush_late, c);
    else
        destroy(c, false);
}

static void tell_drained(struct tcp_conn *c)
{
    void (*on_drain)(void *) = c->on_drain;
    if (!on_drain || c->ended || tcp_unsent(c) > c->drain_below)
        return;
    c->on_drain = NULL;
    on_drain(c->arg);
}

static void on_written(uv_write_t *req, int status)
{
    struct tcp_conn *c = req->data;
    c->writing = false;
    buf_reset(&c->sending);
    if (status < 0) {
        if (!c->closed)
            end(c, va_err_from_uv(status));
        return;
    }
    if (c->closed)
        return;
    if (c->waiting.len)
        start_write(c);
    else if (c->flushing)
        flushed(c);
    tell_drained(c);
}

static void start_write(struct tcp_conn *c)
{
    struct buf swap = c->sending;
    c->sending = c->waiting;
    c->waiting = swap;
    uv_buf_t out = uv_buf_init(c->sending.p, (unsigned)c->sending.len);
    c->write.data = c;
    c->writing = true;
    int status = uv_write(&c->write, (uv_stream_t *)&c->tcp, &out, 1, on_written);
    if (status < 0)
        on_written(&c->write, status);
}

static struct tcp_conn *make(struct loop *loop, size_t out_max, const struct tcp_handlers *h,
                             void *arg)
{
    struct tcp_conn *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->loop = loop;
    c->h = h;
    c->arg = arg;
    out_max = out_max < UINT32_MAX ? out_max : UINT32_MAX; /* of one write of libuv */
    buf_init(&c->sending, out_max);
    buf_init(&c->waiting, out_max);
    (void)uv_tcp_init(loop_uv(loop), &c->tcp);
    c->tcp.data = c;
    return c;
}

enum va_err tcp_adopt(struct loop *loop, int fd, size_t out_max,
                      const struct tcp_handlers *handlers, void *arg, struct tcp_conn **ret_conn)
{
    struct tcp_conn *c = make(loop, out_max, handlers, arg);
    if (!c) {
        (void)close(fd);
        return VA_ENOMEM;
    }
    int status = uv_tcp_open(&c->tcp, fd);
    if (status)
        (void)close(fd);
    else
        status = uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
    if (status) {
        destroy(c, false);
        return va_err_from_uv(status);
    }
    *ret_conn = c;
    return VA_OK;
}

static void on_connect(uv_connect_t *req, int status)
{
    struct tcp_conn *c = req->data;
    if (c->closed)
        return;
    tmr_stop(&c->timer);
    if (status == 0)
        status = uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
    if (status < 0) {
        end(c, va_err_from_uv(status));
        return;
    }
    (void)uv_tcp_nodelay(&c->tcp, 1);
    c->h->on_open(c->arg);
}

static void on_connect_late(void *arg)
{
    end(arg, VA_ETIMEOUT);
}

enum va_err tcp_connect(struct loop *loop, const struct net_addr *addr, uint64_t timeout_ms,
                        size_t out_max, const struct tcp_handlers *handlers, void *arg,
                        struct tcp_conn **ret_conn)
{
    struct tcp_conn *c = make(loop, out_max, handlers, arg);
    if (!c)
        return VA_ENOMEM;
    c->connect.data = c;
    int status = uv_tcp_connect(&c->connect, &c->tcp, &addr->u.sa, on_connect);
    if (status) {
        destroy(c, false);
        return va_err_from_uv(status);
    }
    tmr_start(&c->timer, loop, timeout_ms, on_connect_late, c);
    *ret_conn = c;
    return VA_OK;
}

enum va_err tcp_write(struct tcp_conn *c, const void *p, size_t len)
{
    if (c->ended)
        return VA_ECLOSED;
    if (len > c->waiting.max || tcp_unsent(c) > c->waiting.max - len)
        return VA_ELIMIT;
    if (!c->writing) {
        uv_buf_t out = uv_buf_init((char *)p, (unsigned)len);
        int sent = uv_try_write((uv_stream_t *)&c->tcp, &out, 1);
        if (sent > 0) {
            p = (const char *)p + sent;
            len -= (size_t)sent;
        } else if (sent < 0 && sent != UV_EAGAIN) {
            return va_err_from_uv(sent); /* on_read reports the end */
        }
        if (len == 0)
            return VA_OK;
    }
    enum va_err err = buf_add(&c->waiting, p, len);
    if (err)
        return err;
    if (!c->writing)
        start_write(c);
    return VA_OK;
}

void tcp_rebind(struct tcp_conn *c, const struct tcp_handlers *handlers, void *arg)
{
    c->h = handlers;
    c->arg = arg;
}

void tcp_on_drain(struct tcp_conn *c, size_t below, void (*on_drain)(void *arg))
{
    c->drain_below = below;
    c->on_drain = c->writing ? on_drain : NULL;
}

void tcp_pause(struct tcp_conn *c, bool paused)
{
    if (c->ended)
        return;
    if (paused)
        (void)uv_read_stop((uv_stream_t *)&c->tcp);
    else
        (void)uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
}

size_t tcp_unsent(const struct tcp_conn *c)
{
    return c->sending.len + c->waiting.len;
}

void tcp_peer(const struct tcp_conn *c, struct net_addr *ret_addr)
{
    memset(ret_addr, 0, sizeof(*ret_addr));
    int len = sizeof(ret_addr->u);
    (void)uv_tcp_getpeername(&c->tcp, &ret_addr->u.sa, &len);
}

void tcp_local(const struct tcp_conn *c, struct net_addr *ret_addr)
{
    memset(ret_addr, 0, sizeof(*ret_addr));
    int len = sizeof(ret_addr->u);
    (void)uv_tcp_getsockname(&c->tcp, &ret_addr->u.sa, &len);
}

void tcp_close(struct tcp_conn **pc)
{
    struct tcp_conn *c = pc ? *pc : NULL;
    if (!c)
        return;
    *pc = NULL;
    destroy(c, false);
}

static void on_loop_end(struct loop_rest *rest)
{
    destroy(container_of(rest, struct tcp_conn, rest), false);
}

/* Nobody holds it any more; it goes on until it is flushed. */
static void go_on_alone(struct tcp_conn *c)
{
    c->ended = c->flushing = true;
    c->rest.end = on_loop_end;
    list_push(&c->loop->rests, &c->rest.link);
    tmr_start(&c->timer, c->loop, FLUSH_MS, on_flush_late, c);
}

void tcp_close_flush(struct tcp_conn **pc)
{
    struct tcp_conn *c = pc ? *pc : NULL;
    if (!c)
        return;
    *pc = NULL;
    if (!c->writing || c->ended) {
        destroy(c, false);
        return;
    }
    go_on_alone(c);
}

void tcp_close_linger(struct tcp_conn **pc)
{
    struct tcp_conn *c = pc ? *pc : NULL;
    if (!c)
        return;
    *pc = NULL;
    if (c->ended) {
        destroy(c, false);
        return;
    }
    tcp_pause(c, false);
    c->lingering = true;
    go_on_alone(c);
    if (!c->writing)
        flushed(c);
}

void tcp_reset(struct tcp_conn **pc)
{
    struct tcp_conn *c = pc ? *pc : NULL;
    if (!c)
        return;
    *pc = NULL;
    destroy(c, true);
}
