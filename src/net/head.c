#include "net/head.h"
#include "base/buf.h"
#include "net/http_head.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct head {
    uv_poll_t poll;
    struct loop *loop;
    int fd;
    size_t max;
    struct buf bytes;
    struct tmr late;
    head_h *on_done;
    void *arg;
};

static void on_poll_closed(uv_handle_t *handle)
{
    free(handle->data);
}

/* The socket leaves the poll set at once, so it may go to another loop or be closed. */
static void release(struct head *h)
{
    tmr_stop(&h->late);
    (void)uv_poll_stop(&h->poll);
    buf_free(&h->bytes);
    uv_close((uv_handle_t *)&h->poll, on_poll_closed);
}

static void finish(struct head *h, enum va_err err)
{
    struct buf bytes = h->bytes;
    buf_init(&h->bytes, 0);
    head_h *on_done = h->on_done;
    void *arg = h->arg;
    int fd = h->fd;
    release(h);
    on_done(arg, err, fd, str_make(bytes.p, bytes.len));
    buf_free(&bytes);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct head *h = poll->data;
    (void)status;
    (void)events;
    char *scratch = loop_scratch(h->loop);
    size_t before = h->bytes.len, room = h->max - before;
    if (room > LOOP_SCRATCH_BYTES)
        room = LOOP_SCRATCH_BYTES;
    ssize_t n = recv(h->fd, scratch, room, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        finish(h, VA_ECLOSED);
        return;
    }
    enum va_err err = buf_add(&h->bytes, scratch, (size_t)n);
    if (err)
        finish(h, err);
    else if (http_head_length(h->bytes.p, h->bytes.len, before))
        finish(h, VA_OK);
    else if (h->bytes.len == h->max)
        finish(h, VA_ELIMIT);
}

static void on_late(void *arg)
{
    finish(arg, VA_ETIMEOUT);
}

enum va_err head_read(struct loop *loop, int fd, size_t max, uint64_t timeout_ms, head_h *on_done,
                      void *arg, struct head **ret_head)
{
    struct head *h = calloc(1, sizeof(*h));
    if (!h || uv_poll_init(loop_uv(loop), &h->poll, fd)) {
        (void)close(fd);
        enum va_err err = h ? VA_EIO : VA_ENOMEM;
        free(h);
        return err;
    }
    h->poll.data = h;
    h->loop = loop;
    h->fd = fd;
    h->max = max;
    buf_init(&h->bytes, max);
    h->on_done = on_done;
    h->arg = arg;
    (void)uv_poll_start(&h->poll, UV_READABLE, on_readable);
    tmr_start(&h->late, loop, timeout_ms, on_late, h);
    *ret_head = h;
    return VA_OK;
}

void head_cancel(struct head **ph)
{
    struct head *h = ph ? *ph : NULL;
    if (!h)
        return;
    *ph = NULL;
    int fd = h->fd;
    release(h);
    (void)close(fd);
}
