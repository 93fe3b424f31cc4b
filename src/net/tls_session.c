#include "net/tls_int.h"
#include "base/list.h"
#include "base/str.h"

#include <pthread.h>
#include <stdlib.h>

struct kept {
    struct link link; /* in order of use, the latest last */
    char *host;
    uint16_t port;
    SSL_SESSION *session;
};

struct tls_sessions {
    pthread_mutex_t lock;
    struct list order;
    size_t count;
};

enum va_err tls_sessions_new(struct tls_sessions **ret_sessions)
{
    struct tls_sessions *s = calloc(1, sizeof(*s));
    if (!s)
        return VA_ENOMEM;
    (void)pthread_mutex_init(&s->lock, NULL);
    list_init(&s->order);
    *ret_sessions = s;
    return VA_OK;
}

static void drop(struct tls_sessions *s, struct kept *k)
{
    link_remove(&k->link);
    s->count--;
    SSL_SESSION_free(k->session);
    free(k->host);
    free(k);
}

void tls_sessions_free(struct tls_sessions **ps)
{
    struct tls_sessions *s = ps ? *ps : NULL;
    if (!s)
        return;
    *ps = NULL;
    list_each(&s->order, it, tmp) drop(s, container_of(it, struct kept, link));
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
}

static struct kept *find(struct tls_sessions *s, const char *host, uint16_t port)
{
    list_each(&s->order, it, tmp)
    {
        struct kept *k = container_of(it, struct kept, link);
        if (k->port == port && str_ieqz(str_of(k->host), host))
            return k;
    }
    return NULL;
}

static struct kept *make(struct tls_sessions *s, const char *host, uint16_t port)
{
    struct kept *k = calloc(1, sizeof(*k));
    if (!k)
        return NULL;
    k->host = str_dup(str_of(host));
    if (!k->host) {
        free(k);
        return NULL;
    }
    k->port = port;
    s->count++;
    return k;
}

void tls_sessions_put(struct tls_sessions *s, const char *host, uint16_t port, SSL_SESSION *session)
{
    (void)pthread_mutex_lock(&s->lock);
    struct kept *k = find(s, host, port);
    if (!k)
        k = make(s, host, port);
    if (k) {
        link_remove(&k->link);
        list_push(&s->order, &k->link);
        SSL_SESSION_free(k->session);
        (void)SSL_SESSION_up_ref(session);
        k->session = session;
    }
    if (s->count > TLS_SESSIONS_MAX)
        drop(s, container_of(s->order.head.next, struct kept, link));
    (void)pthread_mutex_unlock(&s->lock);
}

SSL_SESSION *tls_sessions_get(struct tls_sessions *s, const char *host, uint16_t port)
{
    SSL_SESSION *session = NULL;
    (void)pthread_mutex_lock(&s->lock);
    struct kept *k = find(s, host, port);
    if (k && SSL_SESSION_is_resumable(k->session)) {
        session = k->session;
        (void)SSL_SESSION_up_ref(session);
        link_remove(&k->link);
        list_push(&s->order, &k->link);
    }
    (void)pthread_mutex_unlock(&s->lock);
    return session;
}
