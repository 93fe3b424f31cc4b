#include "ai/speech/helper.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STDERR_KEPT = 1024, RUN_OUT_MAX = 4 << 20 };

struct helper {
    struct helper_group *group;
    uv_process_t process;
    uv_pipe_t in, out, err;
    unsigned open; /* of the four handles */
    uv_write_t write;
    char *text;
    struct buf out_buf, err_buf;
    char drain[512]; /* stderr beyond what is kept */
    struct tmr timer;
    int64_t exit_status;
    int term_signal;
    bool exited, out_ended;
    char name[64];
    helper_done_h *on_done;
    void *arg;
};

static void on_closed(uv_handle_t *handle)
{
    struct helper *h = handle->data;
    if (--h->open)
        return;
    struct helper_group *group = h->group;
    tmr_stop(&h->timer);
    buf_free(&h->out_buf);
    buf_free(&h->err_buf);
    free(h->text);
    free(h);
    if (--group->alive == 0 && group->on_empty)
        group->on_empty(group->arg);
}

static void close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, on_closed);
}

static void close_pipes(struct helper *h)
{
    close_handle((uv_handle_t *)&h->in);
    close_handle((uv_handle_t *)&h->out);
    close_handle((uv_handle_t *)&h->err);
}

static void kill_group(struct helper *h)
{
    if (!h->exited && h->process.pid > 0)
        (void)kill(-h->process.pid, SIGKILL);
}

/* The last line of stderr says most; control bytes would break the one-line rule. */
static void stderr_line(struct helper *h, char *out, size_t cap)
{
    struct str all = str_trim(buf_str(&h->err_buf));
    size_t from = all.len;
    while (from > 0 && all.p[from - 1] != '\n')
        from--;
    (void)str_copy(out, cap, str_make(all.p + from, all.len - from));
    for (char *p = out; *p; p++) {
        if ((unsigned char)*p < 0x20)
            *p = ' ';
    }
}

/* Tells once; the process may still be on its way out. */
static void finish(struct helper *h, enum va_err err, const char *what)
{
    helper_done_h *on_done = h->on_done;
    void *arg = h->arg;
    struct buf out = h->out_buf;
    struct va_fault fault = {VA_OK, ""};
    char said[200];
    stderr_line(h, said, sizeof(said));
    if (err)
        (void)va_fault_set(&fault, err, "%s %s%s%s", h->name, what, said[0] ? ": " : "", said);
    h->on_done = NULL;
    buf_init(&h->out_buf, h->group->out_max);
    tmr_stop(&h->timer);
    kill_group(h);
    close_pipes(h);
    if (on_done)
        on_done(arg, err, &out, &fault);
    buf_free(&out);
}

static void check_end(struct helper *h)
{
    if (!h->on_done || !h->exited || !h->out_ended)
        return;
    char what[64];
    if (h->term_signal)
        (void)snprintf(what, sizeof(what), "was killed by signal %d", h->term_signal);
    else
        (void)snprintf(what, sizeof(what), "ended with status %d", (int)h->exit_status);
    finish(h, h->term_signal || h->exit_status ? VA_EIO : VA_OK, what);
}

static void on_exit_(uv_process_t *process, int64_t exit_status, int term_signal)
{
    struct helper *h = process->data;
    h->exited = true;
    h->exit_status = exit_status;
    h->term_signal = term_signal;
    close_handle((uv_handle_t *)&h->process);
    check_end(h);
}

static void on_timeout(void *arg)
{
    finish(arg, VA_ETIMEOUT, "did not answer in time and was killed");
}

static void on_out_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *ret)
{
    struct helper *h = handle->data;
    (void)hint;
    *ret = uv_buf_init(loop_scratch(h->group->loop), LOOP_SCRATCH_BYTES);
}

static void on_out(uv_stream_t *stream, ssize_t n, const uv_buf_t *data)
{
    struct helper *h = stream->data;
    if (n > 0 && buf_add(&h->out_buf, data->base, (size_t)n))
        finish(h, h->out_buf.err, "wrote more than it may");
    if (n >= 0)
        return;
    h->out_ended = true;
    (void)uv_read_stop(stream);
    check_end(h);
}

static void on_err_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *ret)
{
    struct helper *h = handle->data;
    (void)hint;
    *ret = uv_buf_init(h->drain, sizeof(h->drain));
}

static void on_err(uv_stream_t *stream, ssize_t n, const uv_buf_t *data)
{
    struct helper *h = stream->data;
    if (n > 0 && h->err_buf.len + (size_t)n <= STDERR_KEPT)
        (void)buf_add(&h->err_buf, data->base, (size_t)n);
    if (n < 0)
        (void)uv_read_stop(stream);
}

static void init_handles(struct helper *h)
{
    uv_loop_t *uv = loop_uv(h->group->loop);
    (void)uv_pipe_init(uv, &h->in, 0);
    (void)uv_pipe_init(uv, &h->out, 0);
    (void)uv_pipe_init(uv, &h->err, 0);
    h->process.data = h->in.data = h->out.data = h->err.data = h;
    h->open = 4;
    h->group->alive++;
}

static int spawn(struct helper *h, const char *const *argv)
{
    uv_stdio_container_t stdio[3] = {
        {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)&h->in},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&h->out},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&h->err},
    };
    uv_process_options_t options = {
        .exit_cb = on_exit_,
        .file = argv[0],
        .args = (char **)(uintptr_t)argv, /* libuv only reads it */
        .flags = UV_PROCESS_DETACHED,
        .stdio_count = 3,
        .stdio = stdio,
    };
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    (void)pthread_sigmask(SIG_UNBLOCK, &child, NULL);
    return uv_spawn(loop_uv(h->group->loop), &h->process, &options);
}

enum va_err helper_start(struct helper_group *group, const char *const *argv,
                         helper_done_h *on_done, void *arg, struct helper **ret_helper,
                         struct va_fault *fault)
{
    struct helper *h = calloc(1, sizeof(*h));
    if (!h)
        return va_fault_set(fault, VA_ENOMEM, "out of memory");
    h->group = group;
    buf_init(&h->out_buf, group->out_max);
    buf_init(&h->err_buf, STDERR_KEPT);
    (void)str_copy(h->name, sizeof(h->name), str_of(argv[0]));
    init_handles(h);
    int status = spawn(h, argv);
    if (status) {
        close_pipes(h);
        h->process.data = h;
        close_handle((uv_handle_t *)&h->process);
        return va_fault_set(fault, va_err_from_uv(status), "cannot start %s: %s", argv[0],
                            uv_strerror(status));
    }
    h->on_done = on_done;
    h->arg = arg;
    (void)uv_read_start((uv_stream_t *)&h->out, on_out_alloc, on_out);
    (void)uv_read_start((uv_stream_t *)&h->err, on_err_alloc, on_err);
    *ret_helper = h;
    return VA_OK;
}

static void on_written(uv_write_t *write, int status)
{
    struct helper *h = write->data;
    (void)status; /* a program that does not read dies or times out */
    close_handle((uv_handle_t *)&h->in);
}

enum va_err helper_feed(struct helper *h, struct str in, unsigned timeout_ms)
{
    h->text = malloc(in.len + 1);
    if (!h->text)
        return VA_ENOMEM;
    if (in.len)
        memcpy(h->text, in.p, in.len);
    uv_buf_t data = uv_buf_init(h->text, (unsigned)in.len);
    h->write.data = h;
    if (uv_write(&h->write, (uv_stream_t *)&h->in, &data, 1, on_written))
        close_handle((uv_handle_t *)&h->in);
    tmr_start(&h->timer, h->group->loop, timeout_ms, on_timeout, h);
    return VA_OK;
}

void helper_on_done(struct helper *h, helper_done_h *on_done, void *arg)
{
    h->on_done = on_done;
    h->arg = arg;
}

void helper_kill(struct helper **ph)
{
    struct helper *h = ph ? *ph : NULL;
    if (!h)
        return;
    *ph = NULL;
    h->on_done = NULL;
    tmr_stop(&h->timer);
    kill_group(h);
    close_pipes(h);
}

/* ---- blocking ------------------------------------------------------------------------------- */

struct run {
    bool done;
    enum va_err err;
    struct buf *out;
    struct va_fault *fault;
};

static void on_run_done(void *arg, enum va_err err, const struct buf *out,
                        const struct va_fault *fault)
{
    struct run *run = arg;
    run->done = true;
    run->err = err ? err : buf_adds(run->out, buf_str(out));
    if (err && run->fault)
        *run->fault = *fault;
}

enum va_err helper_run(const char *const *argv, struct str in, unsigned timeout_ms, struct buf *out,
                       struct va_fault *fault)
{
    struct helper_group group = {.out_max = RUN_OUT_MAX};
    enum va_err err = loop_new(NULL, 0, &group.loop);
    if (err)
        return va_fault_set(fault, err, "cannot create a loop: %s", va_err_text(err));
    struct run run = {.out = out, .fault = fault};
    struct helper *h = NULL;
    err = helper_start(&group, argv, on_run_done, &run, &h, fault);
    if (!err && helper_feed(h, in, timeout_ms)) {
        err = va_fault_set(fault, VA_ENOMEM, "out of memory");
        helper_kill(&h);
    }
    while ((!err && !run.done) || group.alive)
        loop_turn(group.loop, true);
    loop_free(&group.loop);
    return err ? err : run.err;
}
