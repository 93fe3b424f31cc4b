#include "net/tcp.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BACKLOG = 1024, ACCEPTS_PER_TURN = 64, PAUSE_MS = 100 };

struct tcp_listener {
    uv_poll_t poll;
    struct loop *loop;
    int fd;
    void (*on_accept)(void *arg, int fd, const struct net_addr *peer);
    void *arg;
    struct tmr pause;
};

static void on_readable(uv_poll_t *poll, int status, int events);

static void resume(void *arg)
{
    struct tcp_listener *l = arg;
    (void)uv_poll_start(&l->poll, UV_READABLE, on_readable);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct tcp_listener *l = poll->data;
    (void)status;
    (void)events;
    for (int i = 0; i < ACCEPTS_PER_TURN && l->fd >= 0; i++) {
        struct net_addr peer;
        memset(&peer, 0, sizeof(peer));
        socklen_t len = sizeof(peer.u);
        int fd = accept4(l->fd, &peer.u.sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            /* Out of descriptors: the backlog keeps the callers; spinning would not help them. */
            if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
                (void)uv_poll_stop(&l->poll);
                tmr_start(&l->pause, l->loop, PAUSE_MS, resume, l);
            }
            return;
        }
        int on = 1;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        l->on_accept(l->arg, fd, &peer);
    }
}

static enum va_err listen_fault(struct va_fault *fault, const struct net_addr *addr, int err)
{
    char text[NET_ADDR_TEXT];
    net_addr_text(addr, text);
    if (err == EADDRINUSE)
        return va_fault_set(fault, VA_EINUSE,
                            "TCP %s is taken by another program; stop it (ss -ltnp shows it) or "
                            "choose another port",
                            text);
    if (err == EADDRNOTAVAIL)
        return va_fault_set(fault, VA_EINVAL,
                            "TCP %s: this machine has no such address; use one that `ip address` "
                            "shows, or 0.0.0.0",
                            text);
    if (err == EACCES)
        return va_fault_set(fault, VA_EREFUSED,
                            "TCP %s: not permitted; ports below 1024 need CAP_NET_BIND_SERVICE",
                            text);
    return va_fault_set(fault, va_err_from_errno(err), "TCP %s: %s", text, strerror(err));
}

static int open_socket(const struct net_addr *addr)
{
    int fd = socket(addr->u.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int on = 1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, &addr->u.sa, net_addr_len(addr)) || listen(fd, BACKLOG)) {
        int err = errno;
        (void)close(fd);
        errno = err;
        return -1;
    }
    return fd;
}

enum va_err tcp_listen(struct loop *loop, const struct net_addr *addr,
                       void (*on_accept)(void *arg, int fd, const struct net_addr *peer), void *arg,
                       struct tcp_listener **ret_listener, struct va_fault *fault)
{
    struct tcp_listener *l = calloc(1, sizeof(*l));
    if (!l)
        return va_fault_set(fault, VA_ENOMEM, "out of memory");
    l->fd = open_socket(addr);
    if (l->fd < 0) {
        int err = errno;
        free(l);
        return listen_fault(fault, addr, err);
    }
    l->loop = loop;
    l->on_accept = on_accept;
    l->arg = arg;
    (void)uv_poll_init(loop_uv(loop), &l->poll, l->fd);
    l->poll.data = l;
    (void)uv_poll_start(&l->poll, UV_READABLE, on_readable);
    *ret_listener = l;
    return VA_OK;
}

void tcp_listener_addr(const struct tcp_listener *l, struct net_addr *ret_addr)
{
    memset(ret_addr, 0, sizeof(*ret_addr));
    socklen_t len = sizeof(ret_addr->u);
    (void)getsockname(l->fd, &ret_addr->u.sa, &len);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void tcp_listener_close(struct tcp_listener **pl)
{
    struct tcp_listener *l = pl ? *pl : NULL;
    if (!l)
        return;
    *pl = NULL;
    tmr_stop(&l->pause);
    (void)uv_poll_stop(&l->poll);
    (void)close(l->fd);
    l->fd = -1;
    uv_close((uv_handle_t *)&l->poll, on_closed);
}
