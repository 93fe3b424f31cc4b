#include "app/esl_app.h"

#include <errno.h>
#include <unistd.h>

enum { LINE_MAX_ = 1 << 20, READ_BYTES = 4096 };

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct esl_input *in = poll->data;
    (void)status;
    (void)events;
    in->readable = true;
    (void)uv_poll_stop(poll); /* until it is read: poll is level-triggered */
}

static void arm(struct esl_input *in)
{
    /* A regular file cannot be polled, and need not: it never makes us wait. */
    if (!in->polled || uv_poll_start(&in->poll, UV_READABLE, on_readable))
        in->readable = true;
}

void esl_input_open(struct esl_input *in, struct esl_app *a)
{
    *in = (struct esl_input){.app = a};
    buf_init(&in->buf, LINE_MAX_);
    in->polled = !uv_poll_init(loop_uv(a->loop), &in->poll, STDIN_FILENO);
    in->poll.data = in;
}

bool esl_input_wait(struct esl_input *in, uint64_t ms)
{
    in->readable = false;
    arm(in);
    return esl_app_wait(in->app, &in->readable, ms);
}

static bool read_more(struct esl_input *in)
{
    if (in->eof || !esl_input_wait(in, 0) || buf_reserve(&in->buf, READ_BYTES))
        return false;
    ssize_t n = read(STDIN_FILENO, in->buf.p + in->buf.len, READ_BYTES);
    if (n > 0)
        in->buf.len += (size_t)n;
    else if (n == 0 || errno != EINTR)
        in->eof = true;
    return true;
}

bool esl_input_line(struct esl_input *in, struct str *ret_line)
{
    buf_consume(&in->buf, in->at);
    in->at = 0;
    for (;;) {
        char *lf = in->buf.len ? memchr(in->buf.p, '\n', in->buf.len) : NULL;
        size_t len = lf ? (size_t)(lf - in->buf.p) : in->buf.len;
        if (lf || (in->eof && len)) {
            *ret_line = str_make(in->buf.p, len);
            in->at = lf ? len + 1 : len;
            return true;
        }
        if (in->eof || !read_more(in))
            return false;
    }
}

static void on_closed(uv_handle_t *handle)
{
    struct esl_input *in = handle->data;
    in->closed = true;
}

void esl_input_close(struct esl_input *in)
{
    if (in->polled)
        uv_close((uv_handle_t *)&in->poll, on_closed);
    while (in->polled && !in->closed)
        loop_turn(in->app->loop, false);
    buf_free(&in->buf);
}
