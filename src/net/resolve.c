/*
 * Look-ups wait in one queue of the process for a few threads, which begin with the first and end
 * with the last:
 *
 *     resolve_start() ──► [queue] ──► thread: getaddrinfo() ──► mail to the loop ──► on_done
 *
 * Not uv_getaddrinfo(): its threads come back by uv_async_send(), see loop.c.
 */
#include "net/loop_int.h"
#include "net/resolve.h"
#include "base/str.h"

#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS_MAX = 8, THREAD_STACK = 256 * 1024 };

struct resolve {
    struct mail mail; /* back, when the thread is done with it */
    struct link link; /* of the queue; unlinked: a thread has it */
    struct loop *loop;
    char *host;
    struct tmr numeric; /* answers on the next turn */
    struct addrinfo *list;
    int status; /* of getaddrinfo() */
    struct net_addr addrs[RESOLVE_MAX];
    size_t count;
    uint16_t port;
    resolve_h *on_done; /* NULL: canceled */
    void *arg;
};

static struct {
    uv_once_t once;
    uv_mutex_t lock; /* guards what follows */
    struct list queue;
    unsigned threads;
} pool = {.once = UV_ONCE_INIT};

static void finish(struct resolve *r, enum va_err err)
{
    if (r->on_done)
        r->on_done(r->arg, err, r->addrs, r->count);
    free(r->host);
    free(r);
}

static void on_numeric(void *arg)
{
    finish(arg, VA_OK);
}

static void keep(struct resolve *r, const struct addrinfo *ai)
{
    if (r->count == RESOLVE_MAX || ai->ai_addrlen > sizeof(r->addrs[0].u))
        return;
    if (ai->ai_family != AF_INET && ai->ai_family != AF_INET6)
        return;
    struct net_addr *a = &r->addrs[r->count++];
    memset(a, 0, sizeof(*a));
    memcpy(&a->u, ai->ai_addr, ai->ai_addrlen);
    net_addr_set_port(a, r->port);
}

static void on_resolved(struct mail *mail)
{
    struct resolve *r = container_of(mail, struct resolve, mail);
    loop_errand(r->loop, false);
    for (struct addrinfo *ai = r->list; ai; ai = ai->ai_next)
        keep(r, ai);
    if (r->list)
        freeaddrinfo(r->list);
    if (r->count)
        finish(r, VA_OK);
    else
        finish(r, r->status == EAI_AGAIN ? VA_EAGAIN : VA_ENOTFOUND);
}

/* ---- the threads ----------------------------------------------------------------------------- */

static void make_pool(void)
{
    if (thread_lock_init(&pool.lock))
        abort();
    list_init(&pool.queue);
}

/* @return NULL: none is left, the thread is not counted any more */
static struct resolve *next_or_end(void)
{
    uv_mutex_lock(&pool.lock);
    struct link *l = list_pop(&pool.queue);
    pool.threads -= !l;
    uv_mutex_unlock(&pool.lock);
    return l ? container_of(l, struct resolve, link) : NULL;
}

static void *look_up(void *arg)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct resolve *r;
    (void)arg;
    while ((r = next_or_end())) {
        r->status = getaddrinfo(r->host, NULL, &hints, &r->list);
        if (r->status)
            r->list = NULL;
        loop_reply(r->loop, &r->mail);
    }
    return NULL;
}

static bool start_thread(void)
{
    pthread_t t;
    pthread_attr_t attr;
    sigset_t all, old; /* signals are for the main thread */
    if (pthread_attr_init(&attr))
        return false;
    (void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    (void)pthread_attr_setstacksize(&attr, THREAD_STACK);
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    bool ok = pthread_create(&t, &attr, look_up, NULL) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    (void)pthread_attr_destroy(&attr);
    return ok;
}

/* @return false: there is no thread for it, and none can be had */
static bool enqueue(struct resolve *r)
{
    uv_once(&pool.once, make_pool);
    uv_mutex_lock(&pool.lock);
    list_push(&pool.queue, &r->link);
    if (pool.threads < THREADS_MAX && start_thread())
        pool.threads++;
    bool ok = pool.threads > 0;
    if (!ok)
        link_remove(&r->link);
    uv_mutex_unlock(&pool.lock);
    return ok;
}

/* @return a thread has not begun it and will not */
static bool dequeue(struct resolve *r)
{
    uv_mutex_lock(&pool.lock);
    bool waits = link_linked(&r->link);
    if (waits)
        link_remove(&r->link);
    uv_mutex_unlock(&pool.lock);
    return waits;
}

/* ---- for its users --------------------------------------------------------------------------- */

enum va_err resolve_start(struct loop *loop, const char *host, uint16_t port, resolve_h *on_done,
                          void *arg, struct resolve **ret_resolve)
{
    if (!*host || strlen(host) > RESOLVE_HOST_MAX)
        return VA_EINVAL;
    struct resolve *r = calloc(1, sizeof(*r));
    if (!r)
        return VA_ENOMEM;
    r->loop = loop;
    r->mail.deliver = on_resolved;
    r->port = port;
    r->on_done = on_done;
    r->arg = arg;
    if (net_addr_parse(host, port, &r->addrs[0]) == VA_OK) {
        r->count = 1;
        tmr_start(&r->numeric, loop, 0, on_numeric, r);
    } else if (!(r->host = str_dup(str_of(host))) || !enqueue(r)) {
        free(r->host);
        free(r);
        return VA_ENOMEM;
    } else {
        loop_errand(loop, true);
    }
    *ret_resolve = r;
    return VA_OK;
}

void resolve_cancel(struct resolve **pr)
{
    struct resolve *r = pr ? *pr : NULL;
    if (!r)
        return;
    *pr = NULL;
    r->on_done = NULL;
    if (tmr_running(&r->numeric)) {
        tmr_stop(&r->numeric);
        finish(r, VA_OK);
    } else if (dequeue(r)) {
        loop_errand(r->loop, false);
        finish(r, VA_OK);
    } /* else a thread has it: on_resolved still comes and frees it */
}
