#include "base/str.h"
#include "net/loop.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

struct loop_thread {
    uv_thread_t thread;
    struct loop *loop;
    char name[16];
};

static void thread_main(void *arg)
{
    struct loop_thread *t = arg;
    (void)pthread_setname_np(pthread_self(), t->name);
    loop_run(t->loop);
}

enum va_err loop_thread_start(const char *name, const struct va_clock *clock,
                              struct loop_thread **ret_thread)
{
    struct loop_thread *t = calloc(1, sizeof(*t));
    if (!t)
        return VA_ENOMEM;
    (void)str_copy(t->name, sizeof(t->name), str_of(name));
    enum va_err err = loop_new(clock, 0, &t->loop);
    if (err) {
        free(t);
        return err;
    }
    sigset_t all, old; /* signals are for the main thread; a new thread inherits the mask */
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    int status = uv_thread_create(&t->thread, thread_main, t);
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (status) {
        loop_free(&t->loop);
        free(t);
        return va_err_from_uv(status);
    }
    *ret_thread = t;
    return VA_OK;
}

struct loop *loop_thread_loop(struct loop_thread *t)
{
    return t->loop;
}

void loop_thread_stop(struct loop_thread **pt)
{
    struct loop_thread *t = pt ? *pt : NULL;
    if (!t)
        return;
    *pt = NULL;
    loop_stop(t->loop);
    (void)uv_thread_join(&t->thread);
    loop_free(&t->loop);
    free(t);
}
