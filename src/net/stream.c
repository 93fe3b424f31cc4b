#include "net/stream.h"
#include "base/buf.h"
#include "net/resolve.h"
#include "net/tcp.h"
#include "net/tls_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ATTEMPT_MIN_MS = 1000, LAST_READ_MS = 1000 };

enum stream_state { STREAM_LOOKUP, STREAM_TCP, STREAM_TLS, STREAM_OPEN, STREAM_ENDED };

struct stream {
    struct loop *loop;
    enum stream_state state;
    const struct stream_handlers *h;
    void *arg;
    const struct tls_ctx *tls_ctx;
    size_t out_max;
    struct tcp_conn *tcp;
    struct tls_conn *tls;
    struct buf early;
    struct tmr soon; /* what may not be told from inside a function: early bytes, a broken write */
    enum va_err broken;
    bool delivering; /* inside deliver(): the memory has to stay */
    bool released;   /* stream_close() came meanwhile */

    /* of a client */
    char *host;
    uint16_t port;
    uint64_t timeout_ms;
    struct resolve *resolve;
    struct net_addr addrs[RESOLVE_MAX];
    size_t addr_count, addr_next;
};

/* Decrypted bytes on their way to the reader. One for a thread: they are gone when the handler
 * returns. */
static _Thread_local char plain[TLS_RECORD];

static void set_state(struct stream *s, enum stream_state to)
{
    s->state = to;
}

/* ---- the end -------------------------------------------------------------------------------- */

static void release(struct stream *s)
{
    tls_conn_free(&s->tls);
    buf_free(&s->early);
    free(s->host);
    free(s);
}

static void end(struct stream *s, const struct va_fault *why)
{
    if (s->state == STREAM_ENDED)
        return;
    set_state(s, STREAM_ENDED);
    tmr_stop(&s->soon);
    s->h->on_end(s->arg, why);
}

static void end_with(struct stream *s, enum va_err err, const char *what)
{
    struct va_fault why;
    (void)va_fault_set(&why, err, "%s: %s", what, va_err_text(err));
    end(s, &why);
}

static void disconnect(struct stream *s, void (*how)(struct tcp_conn **))
{
    tmr_stop(&s->soon);
    resolve_cancel(&s->resolve);
    if (s->tls && s->state == STREAM_OPEN)
        tls_conn_end(s->tls);
    set_state(s, STREAM_ENDED);
    how(&s->tcp);
    s->released = true;
    if (!s->delivering)
        release(s);
}

void stream_close(struct stream **ps)
{
    struct stream *s = ps ? *ps : NULL;
    if (!s)
        return;
    *ps = NULL;
    disconnect(s, tcp_close);
}

void stream_close_flush(struct stream **ps)
{
    struct stream *s = ps ? *ps : NULL;
    if (!s)
        return;
    *ps = NULL;
    disconnect(s, tcp_close_linger);
}

/* ---- bytes ---------------------------------------------------------------------------------- */

static enum va_err emit(void *arg, const void *p, size_t len)
{
    struct stream *s = arg;
    return s->tcp ? tcp_write(s->tcp, p, len) : VA_ECLOSED;
}

static void shake_hands(struct stream *s)
{
    struct va_fault why;
    enum va_err err = tls_conn_handshake(s->tls, &why);
    if (err == VA_EAGAIN)
        return;
    if (err) {
        end(s, &why);
        return;
    }
    set_state(s, STREAM_OPEN);
    if (s->host)
        s->h->on_open(s->arg);
}

static void decrypt(struct stream *s)
{
    while (s->state == STREAM_OPEN && tls_conn_has_input(s->tls)) {
        struct va_fault why;
        size_t n = 0;
        enum va_err err = tls_conn_read(s->tls, plain, sizeof(plain), &n, &why);
        if (err == VA_EAGAIN)
            return;
        if (err)
            end(s, &why);
        else
            s->h->on_read(s->arg, plain, n);
    }
}

/* Bytes of the socket. */
static void take(struct stream *s, char *p, size_t len)
{
    if (!s->tls) {
        s->h->on_read(s->arg, p, len);
        return;
    }
    tls_conn_input(s->tls, p, len);
    if (s->state == STREAM_TLS)
        shake_hands(s);
    decrypt(s);
}

static void take_early(struct stream *s)
{
    struct buf early = s->early;
    if (!early.len)
        return;
    buf_init(&s->early, 0);
    tmr_stop(&s->soon);
    take(s, early.p, early.len);
    buf_free(&early);
}

/* The reader may close the stream; its memory stays until we are out. */
static void deliver(struct stream *s, char *p, size_t len)
{
    s->delivering = true;
    take_early(s);
    if (len && s->state != STREAM_ENDED)
        take(s, p, len);
    s->delivering = false;
    if (s->released)
        release(s);
}

static void on_tcp_read(void *arg, const char *p, size_t len)
{
    deliver(arg, (char *)p, len); /* the loop's scratch area: ours until the callback returns */
}

static void on_soon(void *arg)
{
    struct stream *s = arg;
    if (s->broken)
        end_with(s, s->broken, "sending");
    else
        deliver(s, NULL, 0);
}

static void on_tcp_end(void *arg, enum va_err why);
static void on_tcp_open(void *arg);

static const struct tcp_handlers tcp_handlers = {
    .on_open = on_tcp_open, .on_read = on_tcp_read, .on_end = on_tcp_end};

/* The bound of TCP's buffer is above ours by what TLS adds, and by a few last words. */
static size_t tcp_bound(const struct stream *s)
{
    enum { LAST_WORDS = 4096 };
    return s->out_max + (s->out_max / TLS_RECORD + 1) * TLS_RECORD_EXTRA + LAST_WORDS;
}

static enum va_err start_tls(struct stream *s)
{
    if (!s->tls_ctx) {
        set_state(s, STREAM_OPEN);
        return VA_OK;
    }
    set_state(s, STREAM_TLS);
    return tls_conn_new(s->tls_ctx, s->host, s->port, emit, s, &s->tls);
}

/* ---- server --------------------------------------------------------------------------------- */

static struct stream *make(struct loop *loop, const struct stream_cfg *cfg,
                           const struct stream_handlers *h, void *arg)
{
    struct stream *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->loop = loop;
    s->h = h;
    s->arg = arg;
    s->tls_ctx = cfg->tls;
    s->out_max = cfg->out_max;
    s->timeout_ms = cfg->timeout_ms;
    return s;
}

enum va_err stream_adopt(struct loop *loop, int fd, struct str early, const struct stream_cfg *cfg,
                         const struct stream_handlers *handlers, void *arg,
                         struct stream **ret_stream)
{
    struct stream *s = make(loop, cfg, handlers, arg);
    if (!s) {
        (void)close(fd);
        return VA_ENOMEM;
    }
    enum va_err err = tcp_adopt(loop, fd, tcp_bound(s), &tcp_handlers, s, &s->tcp);
    if (!err)
        err = start_tls(s);
    buf_init(&s->early, early.len);
    if (!err && early.len)
        err = buf_adds(&s->early, early);
    if (err) {
        tcp_close(&s->tcp);
        release(s);
        return err;
    }
    if (early.len)
        tmr_start(&s->soon, loop, 0, on_soon, s);
    *ret_stream = s;
    return VA_OK;
}

/* ---- client --------------------------------------------------------------------------------- */

static void try_next(struct stream *s, enum va_err last)
{
    while (s->addr_next < s->addr_count) {
        uint64_t ms = s->timeout_ms / s->addr_count;
        const struct net_addr *to = &s->addrs[s->addr_next++];
        if (ms < ATTEMPT_MIN_MS)
            ms = ATTEMPT_MIN_MS;
        tcp_close(&s->tcp);
        last = tcp_connect(s->loop, to, ms, tcp_bound(s), &tcp_handlers, s, &s->tcp);
        if (last == VA_OK)
            return;
    }
    struct va_fault why;
    (void)va_fault_set(&why, last, "connecting to %s:%u: %s", s->host, s->port, va_err_text(last));
    end(s, &why);
}

static void on_tcp_end(void *arg, enum va_err err)
{
    struct stream *s = arg;
    struct va_fault why;
    if (s->state == STREAM_TCP) {
        try_next(s, err);
        return;
    }
    if (err == VA_ECLOSED)
        (void)va_fault_set(&why, err, "the peer closed the connection%s",
                           s->state == STREAM_TLS ? " during the TLS handshake" : "");
    else
        (void)va_fault_set(&why, err, "the connection broke: %s", va_err_text(err));
    end(s, &why);
}

static void on_tcp_open(void *arg)
{
    struct stream *s = arg;
    enum va_err err = start_tls(s);
    if (err)
        end_with(s, err, "TLS");
    else if (s->tls)
        shake_hands(s);
    else
        s->h->on_open(s->arg);
}

static void on_resolved(void *arg, enum va_err err, const struct net_addr *addrs, size_t count)
{
    struct stream *s = arg;
    s->resolve = NULL;
    if (err) {
        struct va_fault why;
        (void)va_fault_set(&why, err, "host %s: %s", s->host,
                           err == VA_ENOTFOUND ? "no such name; check the spelling"
                                               : "the name server does not answer");
        end(s, &why);
        return;
    }
    memcpy(s->addrs, addrs, count * sizeof(*addrs));
    s->addr_count = count;
    set_state(s, STREAM_TCP);
    try_next(s, VA_EIO);
}

enum va_err stream_connect(struct loop *loop, const char *host, uint16_t port,
                           const struct stream_cfg *cfg, const struct stream_handlers *handlers,
                           void *arg, struct stream **ret_stream)
{
    struct stream *s = make(loop, cfg, handlers, arg);
    if (!s)
        return VA_ENOMEM;
    s->port = port;
    s->host = str_dup(str_of(host));
    enum va_err err =
        s->host ? resolve_start(loop, host, port, on_resolved, s, &s->resolve) : VA_ENOMEM;
    if (err) {
        release(s);
        return err;
    }
    *ret_stream = s;
    return VA_OK;
}

/* ---- sending -------------------------------------------------------------------------------- */

size_t stream_unsent(const struct stream *s)
{
    return s->tcp ? tcp_unsent(s->tcp) : 0;
}

size_t stream_room(const struct stream *s)
{
    size_t unsent = stream_unsent(s);
    return unsent < s->out_max ? s->out_max - unsent : 0;
}

static enum va_err write_tls(struct stream *s, const char *p, size_t len)
{
    while (len) {
        size_t n = len < TLS_RECORD ? len : TLS_RECORD;
        enum va_err err = tls_conn_write(s->tls, p, n);
        if (err)
            return err;
        p += n;
        len -= n;
    }
    return VA_OK;
}

enum va_err stream_write(struct stream *s, const void *p, size_t len)
{
    if (s->state == STREAM_ENDED || s->broken)
        return VA_ECLOSED;
    if (s->state != STREAM_OPEN)
        return VA_EAGAIN;
    if (len > stream_room(s))
        return VA_ELIMIT;
    enum va_err err = s->tls ? write_tls(s, p, len) : tcp_write(s->tcp, p, len);
    if (err) { /* a part may be out: nothing that follows would make sense */
        bool ours = err == VA_ENOMEM || err == VA_ELIMIT || err == VA_EPROTO;
        s->broken = err;
        /* What the peer said before it closed may still be unread: it comes first. */
        tmr_start(&s->soon, s->loop, ours ? 0 : LAST_READ_MS, on_soon, s);
    }
    return err;
}

static void on_tcp_drain(void *arg)
{
    struct stream *s = arg;
    if (s->state == STREAM_OPEN)
        s->h->on_drain(s->arg);
}

void stream_on_drain(struct stream *s, size_t below)
{
    if (s->tcp)
        tcp_on_drain(s->tcp, below, on_tcp_drain);
}

void stream_peer(const struct stream *s, struct net_addr *ret_addr)
{
    memset(ret_addr, 0, sizeof(*ret_addr));
    if (s->tcp)
        tcp_peer(s->tcp, ret_addr);
}

const char *stream_stage(const struct stream *s)
{
    switch (s->state) {
    case STREAM_LOOKUP: return "looking up the host";
    case STREAM_TCP: return "connecting";
    case STREAM_TLS: return "the TLS handshake";
    case STREAM_OPEN: return "open";
    case STREAM_ENDED: break;
    }
    return "closed";
}

bool stream_resumed(const struct stream *s)
{
    return s->tls && tls_conn_resumed(s->tls);
}
