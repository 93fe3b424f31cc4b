#include "base/str.h"
#include "net/loop.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

struct loop_thread {
    uv_thread_t thread;
    struct loop *loop;
    char name[16];
    struct mail rank;
    enum thread_priority wish;
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

/* ---- priority -------------------------------------------------------------------------------- */

enum { RR_LOWEST = 1, NICE_HIGH = -10 };

static const char *const priority_names[] = {"normal", "high", "realtime"};

enum thread_priority thread_priority_of(const char *setting)
{
    for (size_t i = 0; i < sizeof(priority_names) / sizeof(priority_names[0]); i++)
        if (strcmp(setting, priority_names[i]) == 0)
            return (enum thread_priority)i;
    return THREAD_REALTIME;
}

const char *thread_priority_name(enum thread_priority p)
{
    return priority_names[p];
}

/* On Linux both are a thread's, whatever POSIX says: 0 is the calling one. */
static bool become(int policy, int rank, int nice)
{
    const struct sched_param param = {.sched_priority = rank};
    return sched_setscheduler(0, policy | SCHED_RESET_ON_FORK, &param) == 0 &&
           (policy != SCHED_OTHER || setpriority(PRIO_PROCESS, 0, nice) == 0);
}

enum thread_priority thread_set_priority(enum thread_priority wish)
{
    if (wish == THREAD_REALTIME && become(SCHED_RR, RR_LOWEST, 0))
        return THREAD_REALTIME;
    if (wish >= THREAD_HIGH && become(SCHED_OTHER, 0, NICE_HIGH))
        return THREAD_HIGH;
    return THREAD_NORMAL; /* as the program was started */
}

static void on_rank(struct mail *mail)
{
    (void)thread_set_priority(container_of(mail, struct loop_thread, rank)->wish);
}

void loop_thread_rank(struct loop_thread *t, enum thread_priority wish)
{
    t->wish = wish;
    t->rank.deliver = on_rank;
    loop_reply(t->loop, &t->rank);
}
