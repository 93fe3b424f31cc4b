#include "net/udp.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct udp_sock {
    uv_poll_t poll;
    struct loop *loop;
    int fd;
    uint16_t port;
    udp_recv_h *on_recv;
    void *arg;
};

/* One datagram a turn: a second read would nearly always find nothing, and costs as much as half a
 * send. What is left is told again by the poll, after the other sockets had their turn. */
static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct udp_sock *s = poll->data;
    struct net_addr from;
    socklen_t len = sizeof(from.u);
    char *scratch = loop_scratch(s->loop);
    (void)status;
    (void)events;
    ssize_t n = recvfrom(s->fd, scratch, LOOP_SCRATCH_BYTES, 0, &from.u.sa, &len);
    if (n >= 0) /* else an ICMP error of an earlier send: silence will tell */
        s->on_recv(s->arg, &from, scratch, (size_t)n);
}

static int bound_socket(const struct net_addr *addr)
{
    int fd = socket(addr->u.sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (bind(fd, &addr->u.sa, net_addr_len(addr)) == 0)
        return fd;
    int err = errno;
    (void)close(fd);
    errno = err;
    return -1;
}

enum va_err udp_open(struct loop *loop, const struct net_addr *addr, udp_recv_h *on_recv, void *arg,
                     struct udp_sock **ret_sock)
{
    int fd = bound_socket(addr);
    if (fd < 0)
        return errno == EADDRNOTAVAIL ? VA_EINVAL : va_err_from_errno(errno);
    struct udp_sock *s = calloc(1, sizeof(*s));
    if (!s) {
        (void)close(fd);
        return VA_ENOMEM;
    }
    struct net_addr bound;
    socklen_t len = sizeof(bound.u);
    (void)getsockname(fd, &bound.u.sa, &len);
    s->loop = loop;
    s->fd = fd;
    s->port = net_addr_port(&bound);
    s->on_recv = on_recv;
    s->arg = arg;
    (void)uv_poll_init(loop_uv(loop), &s->poll, fd);
    s->poll.data = s;
    (void)uv_poll_start(&s->poll, UV_READABLE, on_readable);
    *ret_sock = s;
    return VA_OK;
}

enum va_err udp_open_range(struct loop *loop, const struct net_addr *addr, uint16_t min,
                           uint16_t max, udp_recv_h *on_recv, void *arg, struct udp_sock **ret_sock)
{
    static atomic_uint next;
    unsigned count = (unsigned)max - min + 1u;
    if (max < min)
        return VA_EINVAL;
    for (unsigned i = 0; i < count; i++) {
        struct net_addr at = *addr;
        unsigned offset = atomic_fetch_add(&next, 1) % count;
        net_addr_set_port(&at, (uint16_t)(min + offset));
        enum va_err err = udp_open(loop, &at, on_recv, arg, ret_sock);
        if (err != VA_EINUSE)
            return err;
    }
    return VA_ELIMIT;
}

static enum va_err open_pair(struct loop *loop, const struct net_addr *addr, unsigned even,
                             udp_recv_h *on_even, udp_recv_h *on_odd, void *arg,
                             struct udp_sock **ret_even, struct udp_sock **ret_odd)
{
    struct net_addr at = *addr;
    struct udp_sock *first = NULL;
    net_addr_set_port(&at, (uint16_t)even);
    enum va_err err = udp_open(loop, &at, on_even, arg, &first);
    if (err)
        return err;
    net_addr_set_port(&at, (uint16_t)(even + 1));
    err = udp_open(loop, &at, on_odd, arg, ret_odd);
    if (err)
        udp_close(&first);
    else
        *ret_even = first;
    return err;
}

enum va_err udp_open_pair_range(struct loop *loop, const struct net_addr *addr, uint16_t min,
                                uint16_t max, udp_recv_h *on_even, udp_recv_h *on_odd, void *arg,
                                struct udp_sock **ret_even, struct udp_sock **ret_odd)
{
    static atomic_uint next;
    unsigned base = min + (min & 1u), pairs = max > base ? (max - base + 1u) / 2u : 0;
    if (max < min)
        return VA_EINVAL;
    for (unsigned i = 0; i < pairs; i++) {
        unsigned even = base + 2 * (atomic_fetch_add(&next, 1) % pairs);
        enum va_err err = open_pair(loop, addr, even, on_even, on_odd, arg, ret_even, ret_odd);
        if (err != VA_EINUSE)
            return err;
    }
    return VA_ELIMIT;
}

enum va_err udp_send(struct udp_sock *s, const struct net_addr *to, const void *p, size_t len)
{
    ssize_t n = sendto(s->fd, p, len, MSG_NOSIGNAL, &to->u.sa, net_addr_len(to));
    return n == (ssize_t)len ? VA_OK : va_err_from_errno(errno);
}

uint16_t udp_port(const struct udp_sock *s)
{
    return s->port;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void udp_close(struct udp_sock **ps)
{
    struct udp_sock *s = ps ? *ps : NULL;
    if (!s)
        return;
    *ps = NULL;
    (void)uv_poll_stop(&s->poll);
    (void)close(s->fd);
    s->fd = -1;
    uv_close((uv_handle_t *)&s->poll, on_closed);
}
