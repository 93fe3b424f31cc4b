#include "net/loop_int.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

static void deliver_all(struct loop *loop)
{
    uv_mutex_lock(&loop->lock);
    struct mail *mail = loop->box_first;
    loop->box_first = loop->box_last = NULL;
    loop->box_count = 0;
    bool stopping = loop->stopping;
    uv_mutex_unlock(&loop->lock);
    while (mail) {
        struct mail *next = mail->next;
        mail->next = NULL;
        mail->deliver(mail);
        mail = next;
    }
    if (stopping) {
        loop->over = true;
        uv_stop(loop->uv);
    }
}

static void on_wake(uv_poll_t *poll, int status, int events)
{
    struct loop *loop = poll->data;
    uint64_t times = 0;
    (void)status;
    (void)events;
    (void)!read(loop->wake_fd, &times, sizeof(times));
    deliver_all(loop);
}

/* Not uv_async_send(): its receiver spins until the sender has left the call. A receiver of a
 * higher rank (thread_set_priority) that interrupts a sender in there, on its core, spins for ever.
 */
static void wake(struct loop *loop)
{
    static const uint64_t once = 1;
    (void)!write(loop->wake_fd, &once, sizeof(once));
}

static enum va_err open_handles(struct loop *loop)
{
    loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (loop->wake_fd < 0)
        return va_err_from_errno(errno);
    int status = uv_poll_init(loop->uv, &loop->wake, loop->wake_fd);
    if (status) {
        (void)close(loop->wake_fd);
        return va_err_from_uv(status);
    }
    loop->wake.data = loop;
    (void)uv_poll_start(&loop->wake, UV_READABLE, on_wake);
    loop->open_handles++;
    if (!loop->owns_uv) /* a caller's uv_run() ends when its own work is done */
        uv_unref((uv_handle_t *)&loop->wake);
    uv_timer_init(loop->uv, &loop->timer);
    loop->timer.data = loop;
    loop->open_handles++;
    uv_idle_init(loop->uv, &loop->soon);
    loop->soon.data = loop;
    loop->open_handles++;
    return VA_OK;
}

/* libuv writes without MSG_NOSIGNAL: a peer that closed would end the program. A handler of the
 * program's own stays. */
static void survive_closed_peers(void)
{
    struct sigaction old;
    if (sigaction(SIGPIPE, NULL, &old) == 0 && old.sa_handler == SIG_DFL)
        (void)signal(SIGPIPE, SIG_IGN);
}

static enum va_err create(uv_loop_t *uv, const struct va_clock *clock, size_t mailbox_max,
                          struct loop **ret_loop)
{
    survive_closed_peers();
    struct loop *loop = calloc(1, sizeof(*loop));
    char *scratch = malloc(LOOP_SCRATCH_BYTES);
    if (!loop || !scratch || thread_lock_init(&loop->lock)) {
        free(scratch);
        free(loop);
        return VA_ENOMEM;
    }
    loop->scratch = scratch;
    list_init(&loop->kept);
    loop->clock = clock ? clock : &va_clock_system;
    list_init(&loop->rests);
    loop->box_max = mailbox_max ? mailbox_max : LOOP_MAILBOX_MAX;
    loop->owns_uv = uv == NULL;
    loop->uv = uv ? uv : &loop->own;
    int status = loop->owns_uv ? uv_loop_init(&loop->own) : 0;
    enum va_err err = status ? va_err_from_uv(status) : open_handles(loop);
    if (err) {
        if (loop->owns_uv && !status)
            (void)uv_loop_close(&loop->own);
        uv_mutex_destroy(&loop->lock);
        free(scratch);
        free(loop);
        return err;
    }
    *ret_loop = loop;
    return VA_OK;
}

enum va_err loop_new(const struct va_clock *clock, size_t mailbox_max, struct loop **ret_loop)
{
    return create(NULL, clock, mailbox_max, ret_loop);
}

enum va_err loop_attach(uv_loop_t *uv, const struct va_clock *clock, size_t mailbox_max,
                        struct loop **ret_loop)
{
    return uv ? create(uv, clock, mailbox_max, ret_loop) : VA_EINVAL;
}

/* The system's time, whatever the loop's clock says: what is saved are its wake-ups. */
static void keep_pace(struct loop *loop)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    uint64_t now = (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
    uint64_t next = loop->turned_us + loop->pace_us;
    if (now < next) {
        t = (struct timespec){(time_t)(next / 1000000), (long)(next % 1000000) * 1000};
        (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
    }
    loop->turned_us = now < next ? next : now;
}

void loop_set_pace(struct loop *loop, uint64_t us)
{
    loop->pace_us = us;
    uv_stop(loop->uv); /* loop_run() goes on the new way */
}

void loop_run(struct loop *loop)
{
    bool alive = true;
    while (alive && !loop->over) {
        alive = uv_run(loop->uv, loop->pace_us ? UV_RUN_ONCE : UV_RUN_DEFAULT) != 0;
        if (loop->pace_us && !loop->over)
            keep_pace(loop);
    }
    loop->over = false;
}

void loop_turn(struct loop *loop, bool wait)
{
    loop->turning = true;
    uv_run(loop->uv, wait ? UV_RUN_ONCE : UV_RUN_NOWAIT);
    loop->turning = false;
    if (wait && loop->pace_us)
        keep_pace(loop);
}

void loop_stop(struct loop *loop)
{
    uv_mutex_lock(&loop->lock);
    loop->stopping = true;
    wake(loop);
    uv_mutex_unlock(&loop->lock);
}

static void on_own_closed(uv_handle_t *handle)
{
    struct loop *loop = handle->data;
    loop->open_handles--;
}

void loop_keep(struct loop *loop, struct loop_kept *k)
{
    list_push(&loop->kept, &k->link);
}

struct loop_kept *loop_find_kept(struct loop *loop, const void *key)
{
    list_each(&loop->kept, it, next)
    {
        struct loop_kept *k = container_of(it, struct loop_kept, link);
        if (k->key == key)
            return k;
    }
    return NULL;
}

static void close_kept(struct loop *loop)
{
    while (!list_empty(&loop->kept)) {
        struct loop_kept *k = container_of(loop->kept.head.prev, struct loop_kept, link);
        link_remove(&k->link);
        k->close(k);
    }
}

void loop_free(struct loop **ploop)
{
    struct loop *loop = ploop ? *ploop : NULL;
    if (!loop)
        return;
    *ploop = NULL;
    deliver_all(loop);
    close_kept(loop);
    list_each(&loop->rests, it, tmp)
    {
        struct loop_rest *rest = container_of(it, struct loop_rest, link);
        rest->end(rest);
    }
    while (loop->errands)
        uv_run(loop->uv, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&loop->wake, on_own_closed);
    uv_close((uv_handle_t *)&loop->timer, on_own_closed);
    uv_close((uv_handle_t *)&loop->soon, on_own_closed);
    while (loop->open_handles)
        uv_run(loop->uv, UV_RUN_ONCE);
    if (loop->owns_uv) {
        uv_run(loop->uv, UV_RUN_NOWAIT);
        int status = uv_loop_close(loop->uv);
        assert(status == 0 && "a handle outlived its loop");
        (void)status;
    }
    (void)close(loop->wake_fd);
    uv_mutex_destroy(&loop->lock);
    free(loop->heap);
    free(loop->scratch);
    free(loop);
}

uv_loop_t *loop_uv(struct loop *loop)
{
    return loop->uv;
}

const struct va_clock *loop_clock(const struct loop *loop)
{
    return loop->clock;
}

uint64_t loop_now_us(const struct loop *loop)
{
    return clock_mono_us(loop->clock);
}

char *loop_scratch(struct loop *loop)
{
    return loop->scratch;
}

static enum va_err put(struct loop *loop, struct mail *mail, bool bounded)
{
    mail->next = NULL;
    uv_mutex_lock(&loop->lock);
    if (bounded && loop->box_count >= loop->box_max) {
        loop->refused++;
        uv_mutex_unlock(&loop->lock);
        return VA_ELIMIT;
    }
    bool first = !loop->box_first;
    if (first)
        loop->box_first = mail;
    else
        loop->box_last->next = mail;
    loop->box_last = mail;
    loop->box_count++;
    if (first) /* under the lock: loop_thread_stop() closes it only after the last poster left */
        wake(loop);
    uv_mutex_unlock(&loop->lock);
    return VA_OK;
}

enum va_err loop_post(struct loop *loop, struct mail *mail)
{
    return put(loop, mail, true);
}

void loop_reply(struct loop *loop, struct mail *mail)
{
    (void)put(loop, mail, false);
}

void loop_errand(struct loop *loop, bool begins)
{
    loop->errands += begins ? 1u : UINT_MAX;
    if (loop->owns_uv)
        return;
    if (loop->errands)
        uv_ref((uv_handle_t *)&loop->wake);
    else
        uv_unref((uv_handle_t *)&loop->wake);
}

uint64_t loop_posts_refused(const struct loop *loop)
{
    uv_mutex_t *lock = (uv_mutex_t *)&loop->lock;
    uv_mutex_lock(lock);
    uint64_t n = loop->refused;
    uv_mutex_unlock(lock);
    return n;
}
