#include "app/esl_out.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RETRY_MS = 10, CLOSE_MS = 1000, PATH = 64, PIPE_BYTES = 1 << 20 };

/* A description of our own for terminals and pipes: non-blocking without making the shell's so. */
static int reopen(int fd)
{
    struct stat st;
    char path[PATH];
    if (fstat(fd, &st) || !(isatty(fd) || S_ISFIFO(st.st_mode)))
        return -1;
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static void on_poll_closed(uv_handle_t *handle)
{
    free(handle);
}

static uv_poll_t *open_poll(struct esl_out *o)
{
    uv_poll_t *poll_handle = malloc(sizeof(*poll_handle));
    if (poll_handle && uv_poll_init(loop_uv(o->loop), poll_handle, o->fd)) {
        free(poll_handle);
        return NULL;
    }
    if (poll_handle)
        poll_handle->data = o;
    return poll_handle;
}

void esl_out_open(struct esl_out *o, struct loop *loop, int fd)
{
    int own = reopen(fd);
    *o = (struct esl_out){.loop = loop, .fd = own < 0 ? fd : own, .own_fd = own >= 0};
    buf_init(&o->waiting, ESL_OUT_MAX);
    if (!o->own_fd)
        return;
    o->poll = open_poll(o);
    (void)fcntl(o->fd, F_SETPIPE_SZ, PIPE_BYTES); /* fewer turns; a terminal has none */
}

static bool empty(const struct esl_out *o)
{
    return o->at == o->waiting.len;
}

static bool ready(const struct esl_out *o, int ms)
{
    struct pollfd p = {.fd = o->fd, .events = POLLOUT};
    return poll(&p, 1, ms) > 0;
}

/* @return false: not now */
static bool write_some(struct esl_out *o)
{
    ssize_t n = write(o->fd, o->waiting.p + o->at, o->waiting.len - o->at);
    if (n < 0 && errno == EINTR)
        return true;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return false;
    if (n <= 0) {
        o->broken = true;
        n = (ssize_t)(o->waiting.len - o->at);
    }
    o->at += (size_t)n;
    return true;
}

static void compact(struct esl_out *o)
{
    if (o->at < o->waiting.len / 2)
        return;
    buf_consume(&o->waiting, o->at);
    o->at = 0;
}

static void flush_some(void *arg);

static void on_room(uv_poll_t *handle, int status, int events)
{
    struct esl_out *o = handle->data;
    (void)status; /* what is wrong shows in the write */
    (void)events;
    uv_poll_stop(handle);
    flush_some(o);
}

static void flush_some(void *arg)
{
    struct esl_out *o = arg;
    if (!empty(o) && ready(o, 0)) {
        if (o->before)
            o->before(o->arg);
        while (!empty(o) && write_some(o) && ready(o, 0))
            ;
        compact(o);
        if (o->after)
            o->after(o->arg);
    }
    if (!empty(o) && (!o->poll || uv_poll_start(o->poll, UV_WRITABLE, on_room)))
        tmr_start(&o->tmr, o->loop, RETRY_MS, flush_some, o);
}

static void drop(struct esl_out *o)
{
    o->dropped++;
    if (!buf_failed(&o->waiting))
        return;
    buf_reset(&o->waiting); /* out of memory: what was in it is gone too */
    o->at = 0;
}

void esl_out_add(struct esl_out *o, struct str piece)
{
    if (o->broken || !piece.len)
        return;
    compact(o);
    /* Asked before, as a buffer that fails loses what is in it. */
    if (o->waiting.len + piece.len > ESL_OUT_MAX || buf_reserve(&o->waiting, piece.len)) {
        drop(o);
        return;
    }
    (void)buf_adds(&o->waiting, piece);
    if (!tmr_running(&o->tmr) && !(o->poll && uv_is_active((uv_handle_t *)o->poll)))
        tmr_start(&o->tmr, o->loop, 0, flush_some, o);
}

static void flush_all(struct esl_out *o, int ms)
{
    while (!empty(o) && !o->broken)
        if (!write_some(o) && !ready(o, ms) && ms >= 0)
            break;
    compact(o);
}

void esl_out_now(struct esl_out *o, struct str piece)
{
    struct esl_out direct = {.fd = o->fd};
    flush_all(o, -1);
    direct.waiting = (struct buf){.p = (char *)piece.p, .len = piece.len};
    while (!empty(&direct) && !direct.broken)
        if (!write_some(&direct))
            (void)ready(&direct, -1);
    o->broken |= direct.broken;
}

void esl_out_close(struct esl_out *o)
{
    flush_all(o, CLOSE_MS);
    tmr_stop(&o->tmr);
    if (o->poll)
        uv_close((uv_handle_t *)o->poll, on_poll_closed);
    o->poll = NULL;
    buf_free(&o->waiting);
    if (o->own_fd)
        (void)close(o->fd);
    o->own_fd = false;
}
