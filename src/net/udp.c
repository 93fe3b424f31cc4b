#include "net/udp.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { AGE_MAX_US = 10 * 1000 * 1000 /* above it the wall clock was set in between */ };

/* Freed when libuv let go of its handle. */
struct udp_peer {
    uv_poll_t poll;
    struct udp_sock *sock;
    struct net_addr addr;
    int fd;
};

struct udp_sock {
    uv_poll_t poll;
    struct loop *loop;
    int fd;
    uint16_t port;
    udp_recv_h *on_recv;
    void *arg;
    struct udp_peer *peer; /* NULL: nobody in particular */
    bool by_clock;         /* the peer's datagrams wait for udp_read() */
    bool dry;              /* the last udp_read() found nothing: the next may find several */
    uint64_t arrival_us;   /* of the datagram that is handed over; 0: now */
};

/* One datagram a turn: a second read would nearly always find nothing, and costs as much as half a
 * send. What is left is told again by the poll, after the other sockets had their turn. */
static void receive_one(struct udp_sock *s, int fd)
{
    struct net_addr from;
    socklen_t len = sizeof(from.u);
    char *scratch = loop_scratch(s->loop);
    ssize_t n = recvfrom(fd, scratch, LOOP_SCRATCH_BYTES, 0, &from.u.sa, &len);
    s->arrival_us = 0;
    if (n >= 0) /* else an ICMP error of an earlier send: silence will tell */
        s->on_recv(s->arg, &from, scratch, (size_t)n);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct udp_sock *s = poll->data;
    (void)status;
    (void)events;
    receive_one(s, s->fd);
}

static void on_peer_readable(uv_poll_t *poll, int status, int events)
{
    struct udp_peer *p = poll->data;
    (void)status;
    (void)events;
    receive_one(p->sock, p->fd);
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

/* ---- the peer -------------------------------------------------------------------------------- */

static void set_option(int fd, int option, int on)
{
    (void)setsockopt(fd, SOL_SOCKET, option, &on, sizeof(on));
}

/* Two sockets may share an address while both say so. They do for as long as it takes: the port is
 * nobody else's. */
static int connected_socket(const struct udp_sock *s, const struct net_addr *peer)
{
    struct net_addr own;
    socklen_t len = sizeof(own.u);
    if (getsockname(s->fd, &own.u.sa, &len))
        return -1;
    int fd = socket(own.u.sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    set_option(s->fd, SO_REUSEADDR, 1);
    set_option(fd, SO_REUSEADDR, 1);
    bool ok = bind(fd, &own.u.sa, len) == 0 && connect(fd, &peer->u.sa, net_addr_len(peer)) == 0;
    int err = errno;
    set_option(s->fd, SO_REUSEADDR, 0);
    set_option(fd, SO_REUSEADDR, 0);
    if (ok)
        return fd;
    (void)close(fd);
    errno = err;
    return -1;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void drop_peer(struct udp_sock *s)
{
    struct udp_peer *p = s->peer;
    if (!p)
        return;
    s->peer = NULL;
    (void)uv_poll_stop(&p->poll);
    (void)close(p->fd);
    uv_close((uv_handle_t *)&p->poll, on_closed);
}

static void receive_from_peer(struct udp_sock *s)
{
    if (s->by_clock) {
        (void)uv_poll_stop(&s->peer->poll);
        set_option(s->peer->fd, SO_TIMESTAMPNS, 1);
        s->dry = true;
    } else {
        (void)uv_poll_start(&s->peer->poll, UV_READABLE, on_peer_readable);
    }
}

enum va_err udp_focus(struct udp_sock *s, const struct net_addr *peer)
{
    bool nobody = !peer || peer->u.sa.sa_family == AF_UNSPEC;
    if (s->peer && !nobody && net_addr_eq(peer, &s->peer->addr))
        return VA_OK;
    drop_peer(s);
    if (nobody)
        return VA_OK;
    struct udp_peer *p = calloc(1, sizeof(*p));
    if (!p)
        return VA_ENOMEM;
    p->fd = connected_socket(s, peer);
    if (p->fd < 0) {
        enum va_err err = va_err_from_errno(errno);
        free(p);
        return err;
    }
    p->sock = s;
    p->addr = *peer;
    (void)uv_poll_init(loop_uv(s->loop), &p->poll, p->fd);
    p->poll.data = p;
    s->peer = p;
    receive_from_peer(s);
    return VA_OK;
}

void udp_read_by_clock(struct udp_sock *s)
{
    s->by_clock = true;
    if (s->peer)
        receive_from_peer(s);
}

/* ---- reading by the clock -------------------------------------------------------------------- */

static int64_t wall_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* How long ago the kernel took it. */
static uint64_t age_us(struct msghdr *h, int64_t now_us)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
        struct timespec t;
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
            continue;
        memcpy(&t, CMSG_DATA(c), sizeof(t));
        int64_t age = now_us - ((int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000);
        return age < 0 || age > AGE_MAX_US ? 0 : (uint64_t)age;
    }
    return 0;
}

size_t udp_read(struct udp_sock *s)
{
    size_t count = 0;
    bool more = true;
    if (!s->by_clock || !s->peer)
        return 0;
    int64_t wall = wall_us();
    uint64_t now = loop_now_us(s->loop);
    char *scratch = loop_scratch(s->loop);
    while (more && s->peer && count < UDP_READ_MAX) {
        struct net_addr from;
        union {
            struct cmsghdr align;
            char bytes[CMSG_SPACE(sizeof(struct timespec))];
        } control;
        struct iovec into = {scratch, LOOP_SCRATCH_BYTES};
        struct msghdr h = {.msg_name = &from.u,
                           .msg_namelen = sizeof(from.u),
                           .msg_iov = &into,
                           .msg_iovlen = 1,
                           .msg_control = &control,
                           .msg_controllen = sizeof(control)};
        ssize_t n = recvmsg(s->peer->fd, &h, 0);
        if (n < 0)
            break; /* nothing, or an ICMP error of an earlier send */
        uint64_t age = age_us(&h, wall);
        more = s->dry || age >= UDP_FRESH_MS * 1000;
        count++;
        s->arrival_us = now > age ? now - age : 1;
        s->on_recv(s->arg, &from, scratch, (size_t)n);
    }
    s->dry = count == 0;
    return count;
}

uint64_t udp_arrival_us(const struct udp_sock *s)
{
    return s->arrival_us ? s->arrival_us : loop_now_us(s->loop);
}

/* ---- sending, end ---------------------------------------------------------------------------- */

/* What the connected descriptor refuses (an ICMP error of an earlier datagram, an address of ours
 * that is gone), the first one tries. */
enum va_err udp_send(struct udp_sock *s, const struct net_addr *to, const void *p, size_t len)
{
    ssize_t n = -1;
    if (s->peer && net_addr_eq(to, &s->peer->addr))
        n = send(s->peer->fd, p, len, MSG_NOSIGNAL);
    if (n < 0)
        n = sendto(s->fd, p, len, MSG_NOSIGNAL, &to->u.sa, net_addr_len(to));
    return n == (ssize_t)len ? VA_OK : va_err_from_errno(errno);
}

uint16_t udp_port(const struct udp_sock *s)
{
    return s->port;
}

void udp_close(struct udp_sock **ps)
{
    struct udp_sock *s = ps ? *ps : NULL;
    if (!s)
        return;
    *ps = NULL;
    drop_peer(s);
    (void)uv_poll_stop(&s->poll);
    (void)close(s->fd);
    s->fd = -1;
    uv_close((uv_handle_t *)&s->poll, on_closed);
}
