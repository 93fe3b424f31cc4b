#include "leg/ws_tls.h"
#include "net/stream.h"
#include "net/tcp.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

struct ws_tls {
    struct tls_ctx *ctx;
    struct loop_thread *thread;
    struct loop *loop;
    struct list relays; /* of the thread */
    atomic_size_t count;
    struct mail stop;
};

struct relay {
    struct mail mail; /* its way to the thread */
    struct link link;
    struct ws_tls *tls;
    int fd, inner_fd; /* until it is served */
    struct stream *outer;
    struct tcp_conn *inner;
    struct tmr idle;
};

static void end(struct relay *r)
{
    tmr_stop(&r->idle);
    link_remove(&r->link);
    stream_close_flush(&r->outer);
    tcp_close_flush(&r->inner);
    atomic_fetch_sub(&r->tls->count, 1);
    free(r);
}

static void on_idle(void *arg)
{
    end(arg);
}

static void alive(struct relay *r)
{
    tmr_start(&r->idle, r->tls->loop, WS_TLS_IDLE_MS, on_idle, r);
}

static void on_outer_read(void *arg, char *p, size_t len)
{
    struct relay *r = arg;
    alive(r);
    if (tcp_write(r->inner, p, len))
        end(r);
}

static void on_outer_end(void *arg, const struct va_fault *why)
{
    (void)why; /* a handshake that fails is told to the peer; nobody else is concerned */
    end(arg);
}

static void on_inner_open(void *arg)
{
    (void)arg;
}

static void on_inner_read(void *arg, const char *p, size_t len)
{
    struct relay *r = arg;
    alive(r);
    if (stream_write(r->outer, p, len))
        end(r);
}

static void on_inner_end(void *arg, enum va_err why)
{
    (void)why;
    end(arg);
}

static void on_relay(struct mail *mail)
{
    static const struct stream_handlers outer = {.on_read = on_outer_read, .on_end = on_outer_end};
    static const struct tcp_handlers inner = {on_inner_open, on_inner_read, on_inner_end};
    struct relay *r = container_of(mail, struct relay, mail);
    const struct stream_cfg cfg = {.out_max = WS_TLS_BUFFER_MAX, .tls = r->tls->ctx};
    list_push(&r->tls->relays, &r->link);
    alive(r);
    enum va_err err = tcp_adopt(r->tls->loop, r->inner_fd, WS_TLS_BUFFER_MAX, &inner, r, &r->inner);
    enum va_err outer_err =
        stream_adopt(r->tls->loop, r->fd, (struct str){0}, &cfg, &outer, r, &r->outer);
    if (err || outer_err)
        end(r);
}

enum va_err ws_tls_relay(struct ws_tls *tls, int fd, int *ret_fd)
{
    int pair[2] = {-1, -1};
    struct relay *r = NULL;
    enum va_err err = VA_OK;
    if (atomic_fetch_add(&tls->count, 1) >= WS_TLS_RELAYS_MAX)
        err = VA_ELIMIT;
    if (!err && !(r = calloc(1, sizeof(*r))))
        err = VA_ENOMEM;
    if (!err && socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair))
        err = VA_ELIMIT;
    if (!err) {
        *r = (struct relay){.mail = {NULL, on_relay}, .tls = tls, .fd = fd, .inner_fd = pair[0]};
        err = loop_post(tls->loop, &r->mail);
    }
    if (!err) {
        *ret_fd = pair[1];
        return VA_OK;
    }
    atomic_fetch_sub(&tls->count, 1);
    free(r);
    (void)close(fd);
    for (int i = 0; i < 2; i++)
        if (pair[i] >= 0)
            (void)close(pair[i]);
    return err;
}

enum va_err ws_tls_new(const char *cert_file, const char *key_file, enum thread_priority priority,
                       struct ws_tls **ret_tls, struct va_fault *fault)
{
    struct ws_tls *tls = calloc(1, sizeof(*tls));
    if (!tls)
        return va_fault_set(fault, VA_ENOMEM, "out of memory");
    list_init(&tls->relays);
    enum va_err err = tls_server_ctx_new(cert_file, key_file, &tls->ctx, fault);
    if (!err && (err = loop_thread_start("ws-tls", NULL, &tls->thread)))
        (void)va_fault_set(fault, err, "the thread of wss cannot be started: %s", va_err_text(err));
    if (err) {
        ws_tls_free(&tls);
        return err;
    }
    tls->loop = loop_thread_loop(tls->thread);
    loop_thread_rank(tls->thread, priority);
    *ret_tls = tls;
    return VA_OK;
}

static void on_stop(struct mail *mail)
{
    struct ws_tls *tls = container_of(mail, struct ws_tls, stop);
    list_each(&tls->relays, it, next) end(container_of(it, struct relay, link));
}

void ws_tls_free(struct ws_tls **ptls)
{
    struct ws_tls *tls = ptls ? *ptls : NULL;
    if (!tls)
        return;
    *ptls = NULL;
    if (tls->thread) {
        tls->stop = (struct mail){NULL, on_stop};
        loop_reply(tls->loop, &tls->stop);
        loop_thread_stop(&tls->thread);
    }
    tls_ctx_free(&tls->ctx);
    free(tls);
}
