#include "fakefs/sock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct fakefs_sock {
    uv_poll_t poll;
    struct loop *loop;
    int fd;
    fakefs_recv_h *on_recv;
    void *arg;
};

/* The kernel stamps with wall time; both clocks are read now to find the same moment. */
static uint64_t arrival_us(struct fakefs_sock *s, struct msghdr *m)
{
    const struct va_clock *clock = loop_clock(s->loop);
    uint64_t now = clock_mono_us(clock);
    int64_t wall = clock_wall_us(clock);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        struct timespec at;
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
            continue;
        memcpy(&at, CMSG_DATA(c), sizeof(at));
        int64_t ago = wall - ((int64_t)at.tv_sec * 1000000 + at.tv_nsec / 1000);
        if (ago > 0 && ago < 10000000)
            return now - (uint64_t)ago;
    }
    return now;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct fakefs_sock *s = poll->data;
    (void)status;
    (void)events;
    char control[128];
    struct iovec into = {loop_scratch(s->loop), LOOP_SCRATCH_BYTES};
    struct msghdr m = {.msg_iov = &into,
                       .msg_iovlen = 1,
                       .msg_control = control,
                       .msg_controllen = sizeof(control)};
    ssize_t n = recvmsg(s->fd, &m, 0); /* one: the poll tells again, an empty read costs as much */
    if (n >= 0)
        s->on_recv(s->arg, arrival_us(s, &m), into.iov_base, (size_t)n);
}

static int bound(const struct net_addr *local)
{
    int on = 1, fd = socket(local->u.sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
    if (bind(fd, &local->u.sa, net_addr_len(local)) == 0)
        return fd;
    int err = errno;
    (void)close(fd);
    errno = err;
    return -1;
}

enum va_err fakefs_sock_open(struct loop *loop, const struct net_addr *local,
                             fakefs_recv_h *on_recv, void *arg, struct fakefs_sock **ret)
{
    int fd = bound(local);
    if (fd < 0)
        return va_err_from_errno(errno);
    struct fakefs_sock *s = calloc(1, sizeof(*s));
    if (!s) {
        (void)close(fd);
        return VA_ENOMEM;
    }
    s->loop = loop;
    s->fd = fd;
    s->on_recv = on_recv;
    s->arg = arg;
    (void)uv_poll_init(loop_uv(loop), &s->poll, fd);
    s->poll.data = s;
    (void)uv_poll_start(&s->poll, UV_READABLE, on_readable);
    *ret = s;
    return VA_OK;
}

uint16_t fakefs_sock_port(const struct fakefs_sock *s)
{
    struct net_addr at = {.u.sa.sa_family = AF_INET};
    socklen_t len = sizeof(at.u);
    return getsockname(s->fd, &at.u.sa, &len) ? 0 : net_addr_port(&at);
}

bool fakefs_sock_send(struct fakefs_sock *s, const struct net_addr *to, const void *p, size_t len)
{
    return sendto(s->fd, p, len, MSG_NOSIGNAL, &to->u.sa, net_addr_len(to)) == (ssize_t)len;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void fakefs_sock_close(struct fakefs_sock **ps)
{
    struct fakefs_sock *s = ps ? *ps : NULL;
    if (!s)
        return;
    *ps = NULL;
    (void)uv_poll_stop(&s->poll);
    (void)close(s->fd);
    s->fd = -1;
    uv_close((uv_handle_t *)&s->poll, on_closed);
}
